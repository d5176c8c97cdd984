//! The functions that a host calls: pointers in, a safe matcher inside, a status out, and a fence around it all.

use std::any::Any;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};

use heartline_plugin_abi as abi;
use heartline_plugin_abi::{Entry, RawMatcher, Status, Text};

use crate::{
    Candidates, Explain, Factors, Learn, Matcher, MatcherError, Outcome, Request, Scores, State, config,
    host, raw,
};

/// A matcher and whether it has panicked.
struct Instance<M> {
    matcher: M,
    is_poisoned: bool,
}

/// The entry of a matcher; [`crate::export_matcher!`] makes a symbol of it.
#[must_use]
pub const fn entry<M: Matcher>() -> Entry {
    const { check_descriptor(M::ID, [M::NAME, M::VERSION, M::DESCRIPTION]) };
    const { check_reasons(M::REASONS) };
    Entry {
        id: Text::from_borrowed(M::ID),
        name: Text::from_borrowed(M::NAME),
        version: Text::from_borrowed(M::VERSION),
        description: Text::from_borrowed(M::DESCRIPTION),
        init: Some(init),
        config_schema: Some(config_schema::<M>),
        create: Some(create::<M>),
        score: Some(score::<M>),
        destroy: Some(destroy::<M>),
        describe_reason: Some(describe_reason::<M>),
        get_extension: Some(get_extension::<M>),
        ..Entry::EMPTY
    }
}

/// Refuses, when compiling, what no host would accept of a matcher's words about itself.
const fn check_descriptor(id: &str, texts: [&str; 3]) {
    let letters = id.as_bytes();
    assert!(!letters.is_empty(), "a matcher needs an id");
    let mut index = 0;
    while index < letters.len() {
        let is_plain = matches!(letters[index], b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_');
        assert!(is_plain, "an id has lower-case letters, digits, '.', '-' and '_'");
        index += 1;
    }
    let mut index = 0;
    while index < texts.len() {
        assert!(!texts[index].is_empty(), "a matcher needs a name, a version and a description");
        index += 1;
    }
}

/// Refuses, when compiling, reason codes that no host would accept.
const fn check_reasons(reasons: &[crate::Reason]) {
    assert!(!reasons.is_empty(), "a matcher needs at least one reason");
    let mut index = 0;
    while index < reasons.len() {
        assert!(!reasons[index].text.is_empty(), "a reason needs a text");
        assert!(reasons[index].code != abi::NONE, "this code marks rows that were not set");
        let mut earlier = 0;
        while earlier < index {
            assert!(reasons[earlier].code != reasons[index].code, "a reason code appears twice");
            earlier += 1;
        }
        index += 1;
    }
}

/// Runs `body`; a panic becomes an error, so that nothing unwinds into the host.
fn fence<T>(body: impl FnOnce() -> Result<T, MatcherError>) -> Result<T, MatcherError> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
        let words = words_of(payload.as_ref());
        // Dropping a payload could panic once more, out here where nothing would catch it.
        std::mem::forget(payload);
        Err(MatcherError::Panicked(words))
    })
}

fn words_of(payload: &(dyn Any + Send)) -> String {
    let words = payload.downcast_ref::<&str>().copied();
    words
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without words")
        .to_owned()
}

/// Turns a result into a status, with the error's words in the message.
///
/// # Safety
/// A non-null `message` must be as the header says, and nobody else's during the call.
unsafe fn answer(result: Result<(), MatcherError>, message: *mut abi::Message) -> Status {
    let Err(error) = result else { return Status::OK };
    // SAFETY: the caller promises that a non-null message is as the header says.
    if unsafe { raw::is_complete(message.cast_const()) } {
        let words = error.to_string();
        // SAFETY: the message was found complete, and it is ours during the call.
        let message = unsafe { &mut *message };
        let length = words.floor_char_boundary(message.capacity as usize);
        if !message.data.is_null() {
            // SAFETY: the host owns `capacity` bytes at `data`, `length` is not above it, and a new string overlaps
            // nothing.
            unsafe { std::ptr::copy_nonoverlapping(words.as_ptr(), message.data, length) };
            // Not above `capacity`, which is a `u32`.
            message.length = u32::try_from(length).unwrap_or(0);
        }
    }
    error.status()
}

unsafe extern "C" fn init(host: *const abi::Host) -> Status {
    // SAFETY: the header makes the host promise that the table stays valid.
    let result = fence(|| unsafe { host::remember(host) });
    result.map_or_else(|error| error.status(), |()| Status::OK)
}

unsafe extern "C" fn create<M: Matcher>(
    text: Text,
    matcher: *mut *mut RawMatcher,
    message: *mut abi::Message,
) -> Status {
    let result = fence(|| {
        if matcher.is_null() {
            return Err(MatcherError::Argument("create got no place for the instance"));
        }
        // SAFETY: the header makes the host promise that the text is as long as it says.
        let text = unsafe { raw::text(text, "the configuration is no text") }?;
        let instance = Instance { matcher: config::create::<M>(text)?, is_poisoned: false };
        // SAFETY: the place is not null, and the header makes the host promise that it can be written to.
        unsafe { matcher.write(Box::into_raw(Box::new(instance)).cast()) };
        Ok(())
    });
    // SAFETY: the header makes the host promise that the message is as it says.
    unsafe { answer(result, message) }
}

/// Runs a call of an instance, behind the fence; an instance that has panicked answers nothing else any more.
///
/// # Safety
/// `matcher` must be null or an instance that `create::<M>` made and nobody else uses during the call; a non-null
/// `message` must be as the header says.
unsafe fn call<M: Matcher>(
    matcher: *mut RawMatcher,
    message: *mut abi::Message,
    body: impl FnOnce(&mut M) -> Result<(), MatcherError>,
) -> Status {
    // SAFETY: the caller promises that this is an instance that nobody else uses now.
    let instance = unsafe { matcher.cast::<Instance<M>>().as_mut() };
    let result = match instance {
        None => Err(MatcherError::Argument("the instance is null")),
        Some(instance) if instance.is_poisoned => {
            Err(MatcherError::Panicked("an earlier call panicked".to_owned()))
        }
        Some(Instance { matcher, is_poisoned }) => fence(|| body(matcher))
            .inspect_err(|error| *is_poisoned = matches!(error, MatcherError::Panicked(_))),
    };
    // SAFETY: the caller promises that the message is as the header says.
    unsafe { answer(result, message) }
}

unsafe extern "C" fn score<M: Matcher>(
    matcher: *mut RawMatcher,
    request: *const abi::Request,
    candidates: *const abi::Candidates,
    scores: *mut abi::Scores,
    message: *mut abi::Message,
) -> Status {
    // SAFETY: the header makes the host promise that all pointers are as it says.
    unsafe { call::<M>(matcher, message, |matcher| score_once(matcher, request, candidates, scores)) }
}

/// Scores between the pointers of one call.
///
/// # Safety
/// The pointers and all they lead to must be as the header says, during the call.
unsafe fn score_once<M: Matcher>(
    matcher: &mut M,
    request: *const abi::Request,
    candidates: *const abi::Candidates,
    answer: *mut abi::Scores,
) -> Result<(), MatcherError> {
    // SAFETY: the caller's promise.
    let request = unsafe { Request::from_abi(request) }?;
    // SAFETY: the caller's promise.
    let candidates = unsafe { Candidates::from_abi(candidates) }?;
    // SAFETY: the caller's promise.
    let mut scores = unsafe { Scores::from_abi(answer) }?;
    if scores.len() < candidates.len() {
        return Err(MatcherError::Argument("there is no room for a score of each candidate"));
    }
    matcher.score(&request, &candidates, &mut scores)?;
    // No longer than a column whose length came as a `u32`.
    let count = u32::try_from(candidates.len()).unwrap_or(0);
    // SAFETY: `Scores::from_abi` found the structure complete, and the borrow of its columns does not cover `count`.
    unsafe { (*answer).count = count };
    Ok(())
}

pub(crate) unsafe extern "C" fn explain<M: Explain>(
    matcher: *mut RawMatcher,
    request: *const abi::Request,
    candidates: *const abi::Candidates,
    row: u32,
    factors: *mut abi::Factors,
    message: *mut abi::Message,
) -> Status {
    let body = |matcher: &mut M| {
        // SAFETY: the header makes the host promise that all pointers are as it says.
        let request = unsafe { Request::from_abi(request) }?;
        // SAFETY: as before.
        let candidates = unsafe { Candidates::from_abi(candidates) }?;
        if row as usize >= candidates.len() {
            return Err(MatcherError::Argument("the row to explain is not there"));
        }
        // SAFETY: as before.
        let mut room = unsafe { Factors::from_abi(factors) }?;
        matcher.explain(&request, &candidates, row as usize, &mut room)?;
        // No more than the capacity, which came as a `u32`.
        let count = u32::try_from(room.len()).unwrap_or(0);
        // SAFETY: `Factors::from_abi` found the structure complete, and the borrow of its room does not cover `count`.
        unsafe { (*factors).count = count };
        Ok(())
    };
    // SAFETY: the header makes the host promise that all pointers are as it says.
    unsafe { call::<M>(matcher, message, body) }
}

pub(crate) unsafe extern "C" fn learn<M: Learn>(
    matcher: *mut RawMatcher,
    request: *const abi::Request,
    candidates: *const abi::Candidates,
    outcome: *const abi::Outcome,
    message: *mut abi::Message,
) -> Status {
    let body = |matcher: &mut M| {
        // SAFETY: the header makes the host promise that all pointers are as it says.
        let request = unsafe { Request::from_abi(request) }?;
        // SAFETY: as before.
        let candidates = unsafe { Candidates::from_abi(candidates) }?;
        if candidates.len() != 1 {
            return Err(MatcherError::Argument("an outcome belongs to one agent"));
        }
        // SAFETY: as before.
        let outcome = unsafe { Outcome::from_abi(outcome) }?;
        matcher.learn(&request, &candidates, &outcome)
    };
    // SAFETY: the header makes the host promise that all pointers are as it says.
    unsafe { call::<M>(matcher, message, body) }
}

pub(crate) unsafe extern "C" fn save<M: State>(
    matcher: *mut RawMatcher,
    writer: *const abi::Writer,
    message: *mut abi::Message,
) -> Status {
    let body = |matcher: &mut M| {
        // SAFETY: the header makes the host promise that all pointers are as it says.
        let writer = unsafe { raw::structure(writer, "the writer is null or too short") }?;
        let Some(write) = writer.write else { return Err(MatcherError::Argument("the writer cannot write")) };
        let bytes = matcher.save()?;
        // SAFETY: context and function are of the same structure, and the bytes live through the call.
        let status = unsafe { write(writer.context, bytes.as_ptr(), bytes.len()) };
        let refused = || MatcherError::Failed("the host has no room for the state".to_owned());
        (status == Status::OK).then_some(()).ok_or_else(refused)
    };
    // SAFETY: the header makes the host promise that all pointers are as it says.
    unsafe { call::<M>(matcher, message, body) }
}

pub(crate) unsafe extern "C" fn load<M: State>(
    matcher: *mut RawMatcher,
    data: *const u8,
    length: usize,
    message: *mut abi::Message,
) -> Status {
    let body = |matcher: &mut M| {
        // SAFETY: the header makes the host promise that all pointers are as it says.
        let bytes = unsafe { raw::column(data, length, "the state is null") }?;
        matcher.load(bytes)
    };
    // SAFETY: the header makes the host promise that all pointers are as it says.
    unsafe { call::<M>(matcher, message, body) }
}

/// The structures that [`get_extension`] hands out.
struct Tables<M>(std::marker::PhantomData<M>);

impl<M: Matcher> Tables<M> {
    const EXPLAIN: &'static abi::Explain = &abi::Explain {
        size: abi::size_of_struct::<abi::Explain>(),
        reserved: 0,
        explain: M::EXTENSIONS.explain,
    };
    const LEARN: &'static abi::Learn =
        &abi::Learn { size: abi::size_of_struct::<abi::Learn>(), reserved: 0, learn: M::EXTENSIONS.learn };
    const STATE: &'static abi::State = &match M::EXTENSIONS.state {
        Some((save, load)) => abi::State {
            size: abi::size_of_struct::<abi::State>(),
            reserved: 0,
            save: Some(save),
            load: Some(load),
        },
        None => abi::State { size: abi::size_of_struct::<abi::State>(), reserved: 0, save: None, load: None },
    };
}

unsafe extern "C" fn get_extension<M: Matcher>(id: Text) -> *const c_void {
    // SAFETY: the header makes the host promise that the text is as long as it says.
    let id = unsafe { id.as_str() };
    match id {
        Some(abi::EXPLAIN) if M::EXTENSIONS.explain.is_some() => {
            std::ptr::from_ref(Tables::<M>::EXPLAIN).cast()
        }
        Some(abi::LEARN) if M::EXTENSIONS.learn.is_some() => std::ptr::from_ref(Tables::<M>::LEARN).cast(),
        Some(abi::STATE) if M::EXTENSIONS.state.is_some() => std::ptr::from_ref(Tables::<M>::STATE).cast(),
        _ => std::ptr::null(),
    }
}

unsafe extern "C" fn config_schema<M: Matcher>() -> Text {
    let schema = fence(|| Ok(config::config_schema::<M>()));
    schema.map_or(Text::EMPTY, Text::from_borrowed)
}

unsafe extern "C" fn destroy<M: Matcher>(matcher: *mut RawMatcher) {
    if matcher.is_null() {
        return;
    }
    let dropped = fence(|| {
        // SAFETY: the header makes the host promise that this is an instance that `create` made, and its last use.
        drop(unsafe { Box::from_raw(matcher.cast::<Instance<M>>()) });
        Ok(())
    });
    if let Err(error) = dropped {
        crate::log(crate::LogLevel::ERROR, &format!("destroying the matcher panicked: {error}"));
    }
}

unsafe extern "C" fn describe_reason<M: Matcher>(code: u32) -> Text {
    let reason = M::REASONS.iter().find(|reason| reason.code == code);
    reason.map_or(Text::EMPTY, |reason| Text::from_borrowed(reason.text))
}

#[cfg(test)]
mod tests;
