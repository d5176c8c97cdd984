//! The matcher under check, called as the ABI allows rather than as the safe host would.

use std::collections::BTreeSet;
use std::ffi::c_void;
use std::path::Path;
use std::ptr::null_mut;
use std::time::{Duration, Instant};

use heartline_plugin_abi as abi;
use heartline_plugin_abi::{RawMatcher, Status, Text};

use super::grown::Grown;
use super::room::{Answer, Guarded, ScoreRoom};
use super::world::{Lent, World};
use crate::{AnswerFault, ConfigSchema, Descriptor, Host, HostError, HostLimits, Library};

/// The room for a matcher's words.
const MESSAGE_BYTES: usize = 256;
/// What guards that room.
const MESSAGE_GUARD: u8 = 0x5a;

/// A matcher's library, initialised.
pub(crate) struct Subject {
    descriptor: Descriptor,
    schema: ConfigSchema,
    limits: HostLimits,
    /// Whether it is called with the structures of a later minor version.
    pub(crate) is_later: bool,
    pub(crate) create: abi::CreateFn,
    pub(crate) score: abi::ScoreFn,
    pub(crate) destroy: abi::DestroyFn,
    config_schema: abi::ConfigSchemaFn,
    describe_reason: abi::DescribeReasonFn,
    get_extension: Option<abi::ExtensionFn>,
}

/// What a call of a matcher came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) status: Status,
    pub(crate) words: String,
}

impl Told {
    /// An error in words, unless the call went well.
    pub(crate) fn ok(&self) -> Result<(), String> {
        if self.status == Status::OK { Ok(()) } else { Err(self.to_string()) }
    }
}

impl std::fmt::Display for Told {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Status(number) = self.status;
        let name = match self.status {
            Status::OK => "OK",
            Status::FAILED => "FAILED",
            Status::BAD_CONFIG => "BAD_CONFIG",
            Status::BAD_ARGUMENT => "BAD_ARGUMENT",
            Status::PANICKED => "PANICKED",
            Status::OUT_OF_TIME => "OUT_OF_TIME",
            Status::BAD_STATE => "BAD_STATE",
            _ => "no status of this version",
        };
        write!(formatter, "it answered status {number} ({name})")?;
        if self.words.is_empty() { Ok(()) } else { write!(formatter, ": {}", self.words) }
    }
}

/// An error of the host with everything that led to it.
pub(crate) fn words(error: &HostError) -> String {
    let mut words = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        words.push_str(": ");
        words.push_str(&cause.to_string());
        source = cause.source();
    }
    words
}

impl Subject {
    /// Finds, opens, checks and initialises the library.
    pub(crate) fn open(path: &Path, step: impl Fn(&str)) -> Result<Self, String> {
        let limits = HostLimits::default();
        step("opening the library");
        let library: Library = Host::new(limits).open(path).map_err(|error| words(&error))?;
        step("initialising the library");
        let schema = library.config_schema().map_err(|error| words(&error))?;
        let entry = library.entry();
        let missing = || "its entry changed after it was opened".to_owned();
        Ok(Self {
            descriptor: library.descriptor().clone(),
            schema,
            limits,
            is_later: false,
            create: entry.create.ok_or_else(missing)?,
            score: entry.score.ok_or_else(missing)?,
            destroy: entry.destroy.ok_or_else(missing)?,
            config_schema: entry.config_schema.ok_or_else(missing)?,
            describe_reason: entry.describe_reason.ok_or_else(missing)?,
            get_extension: entry.get_extension,
        })
    }

    pub(crate) fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    pub(crate) fn schema(&self) -> &ConfigSchema {
        &self.schema
    }

    pub(crate) fn limits(&self) -> &HostLimits {
        &self.limits
    }

    /// Makes an instance from these bytes, which need not be JSON, nor text.
    pub(crate) fn create(&self, config: &[u8]) -> Result<Instance<'_>, Told> {
        let text = Text { data: config.as_ptr(), length: config.len() };
        let mut pointer: *mut RawMatcher = null_mut();
        let told = self.tell(|message| {
            // SAFETY: the library is initialised; all pointers lead to values that live through the call. Bytes that
            // are no JSON break the contract on purpose, but not the memory that they are in.
            unsafe { (self.create)(text, &raw mut pointer, message) }
        })?;
        if told.status != Status::OK {
            return Err(told);
        }
        if pointer.is_null() {
            return Err(Told { status: Status::OK, words: "but there is no instance".to_owned() });
        }
        Ok(Instance { subject: self, pointer, codes: BTreeSet::new() })
    }

    /// Calls with room for words, which is guarded.
    pub(crate) fn tell(&self, call: impl FnOnce(*mut abi::Message) -> Status) -> Result<Told, Told> {
        let mut room = Guarded::new(MESSAGE_BYTES, 0_u8, MESSAGE_GUARD);
        let message = abi::Message {
            size: abi::size_of_struct::<abi::Message>(),
            capacity: MESSAGE_BYTES as u32,
            data: room.as_mut_ptr(),
            length: 0,
            reserved: 0,
        };
        let mut message = Grown::new(message, self.is_later);
        let status = call(message.as_mut_ptr());
        let wrong = |words: String| Told { status, words };
        room.check("the message").map_err(wrong)?;
        let length = message.known().length as usize;
        if length > MESSAGE_BYTES {
            return Err(wrong(format!(
                "the length of the message is {length}, there is room for {MESSAGE_BYTES}"
            )));
        }
        match std::str::from_utf8(&room.values()[..length]) {
            Ok(text) => Ok(Told { status, words: crate::services::readable(text.as_bytes(), MESSAGE_BYTES) }),
            Err(_) => Err(wrong("the message is not UTF-8".to_owned())),
        }
    }

    /// What a reason code means; `None` where it means nothing.
    pub(crate) fn describe(&self, code: u32) -> Result<Option<String>, String> {
        let text = self.reason_text(code)?;
        Ok(Some(text.words).filter(|words| !words.is_empty()))
    }

    /// The text of a reason code, empty where it means nothing.
    pub(crate) fn reason_text(&self, code: u32) -> Result<Lasting, String> {
        // SAFETY: the library is initialised, and the function may be called on any thread.
        let text = unsafe { (self.describe_reason)(code) };
        Lasting::read(text, self.limits.max_text_bytes)
            .map_err(|fault| format!("the text of the reason code {code} {fault}"))
    }

    /// The text of the schema, empty where there is nothing to configure.
    pub(crate) fn schema_text(&self) -> Result<Lasting, String> {
        // SAFETY: the library is initialised, and the function may be called on any thread.
        let text = unsafe { (self.config_schema)() };
        Lasting::read(text, self.limits.max_schema_bytes).map_err(|fault| format!("the schema {fault}"))
    }

    /// The address of an extension; null where there is none.
    pub(crate) fn extension(&self, id: &[u8]) -> *const c_void {
        let id = Text { data: id.as_ptr(), length: id.len() };
        // SAFETY: the library is initialised, and the function may be called on any thread.
        self.get_extension.map_or(std::ptr::null(), |get| unsafe { get(id) })
    }

    /// The structure of an extension; `None` where there is none, an error where it is not whole.
    ///
    /// # Safety
    /// `T` must be the structure of this id.
    unsafe fn table<T: Copy>(&self, id: &str) -> Result<Option<T>, String> {
        let pointer = self.extension(id.as_bytes()).cast::<T>();
        if pointer.is_null() {
            return Ok(None);
        }
        if !pointer.is_aligned() {
            return Err(format!("the structure of {id} is not aligned"));
        }
        // SAFETY: the header makes a matcher promise that the structure begins with its size.
        let size = unsafe { pointer.cast::<u32>().read() };
        if (size as usize) < size_of::<T>() {
            return Err(format!("the structure of {id} has {size} bytes, 1.0 has {}", size_of::<T>()));
        }
        // SAFETY: the size says that the structure is there in full.
        Ok(Some(unsafe { pointer.read() }))
    }

    pub(crate) fn explain_table(&self) -> Result<Option<abi::ExplainFn>, String> {
        // SAFETY: this is the structure of this id.
        let table = unsafe { self.table::<abi::Explain>(abi::EXPLAIN) }?;
        table
            .map(|table| table.explain.ok_or_else(|| "heartline.explain has no function explain".to_owned()))
            .transpose()
    }

    pub(crate) fn learn_table(&self) -> Result<Option<abi::LearnFn>, String> {
        // SAFETY: this is the structure of this id.
        let table = unsafe { self.table::<abi::Learn>(abi::LEARN) }?;
        table
            .map(|table| table.learn.ok_or_else(|| "heartline.learn has no function learn".to_owned()))
            .transpose()
    }

    pub(crate) fn state_table(&self) -> Result<Option<(abi::SaveFn, abi::LoadFn)>, String> {
        // SAFETY: this is the structure of this id.
        let table = unsafe { self.table::<abi::State>(abi::STATE) }?;
        let both = |table: abi::State| Some((table.save?, table.load?));
        table
            .map(|table| both(table).ok_or_else(|| "heartline.state lacks save or load".to_owned()))
            .transpose()
    }
}

/// A text that lives as long as the library, as it was when it was handed out.
pub(crate) struct Lasting {
    text: Text,
    words: String,
}

impl Lasting {
    fn read(text: Text, limit: usize) -> Result<Self, String> {
        if text.length > limit {
            return Err(format!("has {} bytes, more than {limit}", text.length));
        }
        // SAFETY: the header makes a matcher promise that the text is as long as it says.
        let words = unsafe { text.as_str() }.ok_or("is null or not UTF-8")?.to_owned();
        Ok(Self { text, words })
    }

    pub(crate) fn words(&self) -> &str {
        &self.words
    }

    /// Whether the same still stands there.
    pub(crate) fn has_stayed(&self) -> bool {
        // SAFETY: the header makes a matcher promise that the text lives as long as the library.
        let now = unsafe { self.text.as_str() };
        now == Some(self.words.as_str())
    }
}

/// An instance of the matcher under check.
pub(crate) struct Instance<'subject> {
    subject: &'subject Subject,
    pub(crate) pointer: *mut RawMatcher,
    /// The reason codes that were found to mean something.
    codes: BTreeSet<u32>,
}

// SAFETY: the header lets an instance be used on any thread, as long as no two use it at once; every call takes the
// instance by `&mut`.
unsafe impl Send for Instance<'_> {}

impl Drop for Instance<'_> {
    fn drop(&mut self) {
        // SAFETY: the instance was made by this library, nobody else can use it any more, and it ends only here.
        unsafe { (self.subject.destroy)(self.pointer) };
    }
}

impl<'subject> Instance<'subject> {
    pub(crate) fn subject(&self) -> &'subject Subject {
        self.subject
    }

    /// Scores and checks everything about the answer.
    pub(crate) fn score(&mut self, world: &World) -> Result<Answer, String> {
        self.score_timed(world).map(|(answer, _)| answer)
    }

    /// As [`Self::score`], with the time that the matcher took.
    pub(crate) fn score_timed(&mut self, world: &World) -> Result<(Answer, Duration), String> {
        let (told, answer, elapsed) = self.score_or_status(world)?;
        told.ok()?;
        Ok((answer, elapsed))
    }

    /// Scores; where the matcher reports a failure, only what is true of failures too is checked.
    pub(crate) fn score_or_status(&mut self, world: &World) -> Result<(Told, Answer, Duration), String> {
        let lent = Lent::new(world, self.subject.is_later);
        let (request, candidates) = (lent.request(), lent.candidates());
        let mut room = ScoreRoom::new(world.count());
        let scores = room.lend();
        let columns = (scores.scores, scores.confidences, scores.reason_codes, scores.eligible);
        let mut scores = Grown::new(scores, self.subject.is_later);
        let score = self.subject.score;
        let started = Instant::now();
        let told = self.subject.tell(|message| {
            // SAFETY: the instance lives as long as `self`, which is ours alone; all pointers lead to values that live
            // through the call, with as many elements as their counts say.
            unsafe {
                score(self.pointer, request.as_ptr(), candidates.as_ptr(), scores.as_mut_ptr(), message)
            }
        });
        let elapsed = started.elapsed();
        let told = told.map_err(|told| told.words)?;
        room.check_guards()?;
        let scores = scores.known();
        if columns != (scores.scores, scores.confidences, scores.reason_codes, scores.eligible) {
            return Err("it changed the pointers of the answer's columns, which are the host's".to_owned());
        }
        let answer = room.into_answer();
        if told.status == Status::OK {
            self.check(&answer, scores.count as usize)
                .map_err(|fault| format!("the answer is not valid: {fault}"))?;
        }
        Ok((told, answer, elapsed))
    }

    /// Holds an answer to the contract.
    fn check(&mut self, answer: &Answer, found: usize) -> Result<(), String> {
        let expected = answer.len();
        let fault = |fault: AnswerFault| Err(fault.to_string());
        if found != expected {
            return fault(AnswerFault::WrongLength { expected, found });
        }
        for row in 0..expected {
            for (column, value) in [("score", answer.score(row)), ("confidence", answer.confidence(row))] {
                if !(0.0..=1.0).contains(&value) {
                    return fault(AnswerFault::OutOfRange { column, row, value });
                }
            }
            let value = answer.eligible(row);
            if value > 1 {
                return fault(AnswerFault::EligibleMark { row, value });
            }
        }
        let limit = self.subject.limits.max_reason_codes;
        for (row, &code) in answer.reason_codes().iter().enumerate() {
            if self.codes.contains(&code) {
                continue;
            }
            if self.codes.len() >= limit {
                return fault(AnswerFault::TooManyReasons { limit });
            }
            if self.subject.describe(code)?.is_none() {
                return fault(AnswerFault::UnknownReason { row, code });
            }
            self.codes.insert(code);
        }
        Ok(())
    }

    /// The reason codes that answers had so far.
    pub(crate) fn codes(&self) -> &BTreeSet<u32> {
        &self.codes
    }
}
