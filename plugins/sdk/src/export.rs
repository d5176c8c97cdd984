//! The functions that a host calls: pointers in, a safe matcher inside, a status out, and a fence around it all.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use heartline_plugin_abi as abi;
use heartline_plugin_abi::{Entry, RawMatcher, Status, Text};

use crate::{Candidates, Matcher, MatcherError, Request, Scores, config, host, raw};

/// A matcher and whether it has panicked.
struct Instance<M> {
    matcher: M,
    poisoned: Cell<bool>,
}

/// The entry of a matcher; [`crate::export_matcher!`] makes a symbol of it.
#[must_use]
pub const fn entry<M: Matcher>() -> Entry {
    const { check_reasons(M::REASONS) };
    Entry {
        id: Text::from_borrowed(M::ID),
        name: Text::from_borrowed(M::NAME),
        version: Text::from_borrowed(M::VERSION),
        description: Text::from_borrowed(M::DESCRIPTION),
        config_schema: Text::from_borrowed(M::CONFIG_SCHEMA),
        init: Some(init),
        create: Some(create::<M>),
        score: Some(score::<M>),
        destroy: Some(destroy::<M>),
        describe_reason: Some(describe_reason::<M>),
        get_extension: None,
        ..Entry::EMPTY
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
        let instance = Instance { matcher: config::create::<M>(text)?, poisoned: Cell::new(false) };
        // SAFETY: the place is not null, and the header makes the host promise that it can be written to.
        unsafe { matcher.write(Box::into_raw(Box::new(instance)).cast()) };
        Ok(())
    });
    // SAFETY: the header makes the host promise that the message is as it says.
    unsafe { answer(result, message) }
}

unsafe extern "C" fn score<M: Matcher>(
    matcher: *mut RawMatcher,
    request: *const abi::Request,
    candidates: *const abi::Candidates,
    scores: *mut abi::Scores,
    message: *mut abi::Message,
) -> Status {
    // SAFETY: the header makes the host promise that this is an instance that `create` made and nobody else uses now.
    let instance = unsafe { matcher.cast_const().cast::<Instance<M>>().as_ref() };
    let result = match instance {
        None => Err(MatcherError::Argument("score got no instance")),
        Some(instance) if instance.poisoned.get() => {
            Err(MatcherError::Panicked("an earlier call panicked".to_owned()))
        }
        // SAFETY: the header makes the host promise that the other pointers are as it says.
        Some(instance) => fence(|| unsafe { score_once(&instance.matcher, request, candidates, scores) })
            .inspect_err(|error| instance.poisoned.set(matches!(error, MatcherError::Panicked(_)))),
    };
    // SAFETY: the header makes the host promise that the message is as it says.
    unsafe { answer(result, message) }
}

/// Scores between the pointers of one call.
///
/// # Safety
/// The pointers and all they lead to must be as the header says, during the call.
unsafe fn score_once<M: Matcher>(
    matcher: &M,
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
