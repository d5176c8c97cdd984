//! A host for tests: it calls a matcher through the functions that its library would export, and holds every answer to
//! what a real host demands.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::ptr::{NonNull, null_mut};

use heartline_plugin_abi as abi;
use heartline_plugin_abi::{Entry, LogLevel, RawMatcher, Status, Text};
use serde_json::{Map, Value};

use super::raw::{self, RawAgents, RawRequest};
use super::{Agents, AnswerColumns};
use crate::{Matcher, Outcome, Request, Score};

/// How many factors one explanation may have, as in Heartline's host.
const FACTOR_ROOM: usize = 64;
/// How long a message may be, in bytes, as in Heartline's host.
const MESSAGE_ROOM: usize = 1024;

/// Why a [`Bench`] has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// The matcher says so.
    #[error("the matcher answers with status {}: {message}", .status.0)]
    Status {
        /// The status.
        status: Status,
        /// Its words.
        message: String,
    },
    /// A host would refuse what the matcher gave.
    #[error("a host refuses it: {0}")]
    Refused(String),
}

impl BenchError {
    /// The status, where the matcher gave another than OK.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        match self {
            Self::Status { status, .. } => Some(*status),
            Self::Refused(_) => None,
        }
    }
}

/// One factor of an explanation, as a host keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedFactor {
    /// What kind of factor.
    pub name: String,
    /// What it is about; may be empty.
    pub subject: String,
    /// What was found, in [0, 1].
    pub value: f32,
    /// How much it counts, in [0, 1].
    pub weight: f32,
    /// What it adds to the score, in [-1, 1].
    pub contribution: f32,
}

thread_local! {
    static LINES: RefCell<Vec<(LogLevel, String)>> = const { RefCell::new(Vec::new()) };
    static METRICS: RefCell<BTreeMap<String, f64>> = const { RefCell::new(BTreeMap::new()) };
}

unsafe extern "C" fn hear(_: *mut c_void, level: LogLevel, message: Text) {
    // SAFETY: the header makes a matcher promise that the text is as long as it says.
    let message = unsafe { message.as_str() }.unwrap_or("not UTF-8").to_owned();
    LINES.with_borrow_mut(|lines| lines.push((level, message)));
}

unsafe extern "C" fn note(_: *mut c_void, name: Text, value: f64) {
    // SAFETY: the header makes a matcher promise that the text is as long as it says.
    let name = unsafe { name.as_str() }.unwrap_or("not UTF-8").to_owned();
    METRICS.with_borrow_mut(|metrics| metrics.insert(name, value));
}

unsafe extern "C" fn no_extension(_: *mut c_void, _: Text) -> *const c_void {
    std::ptr::null()
}

/// The host's table. One serves all threads: each hears what is said on it.
static HOST: abi::Host = abi::Host {
    size: abi::size_of_struct::<abi::Host>(),
    abi_major: abi::ABI_MAJOR,
    abi_minor: abi::ABI_MINOR,
    reserved: 0,
    name: Text::from_borrowed("bench"),
    version: Text::from_borrowed(env!("CARGO_PKG_VERSION")),
    context: null_mut(),
    log: Some(hear),
    metric: Some(note),
    get_extension: Some(no_extension),
};

/// An instance of a matcher, called as a host calls it.
#[derive(Debug)]
pub struct Bench {
    entry: Entry,
    pointer: NonNull<RawMatcher>,
    /// How many lines had been written before on this thread.
    earlier_lines: usize,
}

impl Bench {
    /// Takes the road of a library: init, schema, configuration, create.
    ///
    /// # Errors
    /// Where the matcher refuses, or a host would refuse the matcher or the configuration.
    pub fn new<M: Matcher>(config_json: &str) -> Result<Self, BenchError> {
        let entry = crate::entry::<M>();
        let init = required(entry.init)?;
        // SAFETY: the table is a static.
        finish(unsafe { init(&raw const HOST) }, String::new())?;
        check_config(&schema_of(&entry)?, config_json)?;
        let create = required(entry.create)?;
        let earlier_lines = LINES.with_borrow(Vec::len);
        let mut pointer = null_mut();
        told(|message| {
            // SAFETY: all pointers lead to values that live through the call.
            unsafe { create(Text::from_borrowed(config_json), &raw mut pointer, message) }
        })?;
        let refuse = || BenchError::Refused("create gave no instance".to_owned());
        Ok(Self { entry, pointer: NonNull::new(pointer).ok_or_else(refuse)?, earlier_lines })
    }

    /// Scores, and holds the answer to what a host demands.
    ///
    /// # Errors
    /// What the matcher says, or what a host would refuse.
    pub fn score(&mut self, request: &Request<'_>, agents: &Agents) -> Result<Vec<Score>, BenchError> {
        let score = required(self.entry.score)?;
        let (raw_request, raw_agents) = (RawRequest::new(request, agents), RawAgents::new(agents));
        let (request, candidates) = (raw_request.to_abi(), raw_agents.to_abi());
        let mut columns = AnswerColumns::blank(agents.len());
        let mut answer = columns.to_abi();
        told(|message| {
            // SAFETY: the instance is alive and ours; all pointers lead to values that live through the call.
            unsafe {
                score(self.pointer.as_ptr(), &raw const request, &raw const candidates, &raw mut answer, message)
            }
        })?;
        if answer.count != candidates.count {
            let words = format!("{} rows of {} were answered", answer.count, candidates.count);
            return Err(BenchError::Refused(words));
        }
        columns.read(|code| self.reason(code).is_some()).map_err(BenchError::Refused)
    }

    /// What a reason code means; `None` where the matcher does not know it.
    #[must_use]
    pub fn reason(&self, code: u32) -> Option<&'static str> {
        // SAFETY: the library is initialised, and the text lives as long as it.
        let text = unsafe { self.entry.describe_reason?(code).as_str() };
        text.filter(|text| !text.is_empty())
    }

    /// Explains the score of one agent; `None` where the matcher does not explain.
    ///
    /// # Errors
    /// What the matcher says, or what a host would refuse.
    pub fn explain(
        &mut self,
        request: &Request<'_>,
        agents: &Agents,
        row: usize,
    ) -> Result<Option<Vec<ExplainedFactor>>, BenchError> {
        // SAFETY: the id's structure is an `Explain`, in full.
        let table = unsafe { self.extension::<abi::Explain>(abi::EXPLAIN) };
        let Some(explain) = table.and_then(|table| table.explain) else { return Ok(None) };
        let (raw_request, raw_agents) = (RawRequest::new(request, agents), RawAgents::new(agents));
        let (request, candidates) = (raw_request.to_abi(), raw_agents.to_abi());
        let blank = abi::Factor {
            name: Text::EMPTY,
            subject: Text::EMPTY,
            value: f32::NAN,
            weight: f32::NAN,
            contribution: f32::NAN,
            reserved: 0,
        };
        let mut room = [blank; FACTOR_ROOM];
        let mut factors = abi::Factors {
            size: abi::size_of_struct::<abi::Factors>(),
            capacity: 64,
            count: 0,
            reserved: 0,
            factors: room.as_mut_ptr(),
        };
        let row = u32::try_from(row).unwrap_or(u32::MAX);
        told(|message| {
            // SAFETY: the instance is alive and ours; all pointers lead to values that live through the call.
            unsafe {
                explain(
                    self.pointer.as_ptr(),
                    &raw const request,
                    &raw const candidates,
                    row,
                    &raw mut factors,
                    message,
                )
            }
        })?;
        let written = room.get(..factors.count as usize);
        let refuse = || BenchError::Refused(format!("{} factors are more than there is room", factors.count));
        written.ok_or_else(refuse)?.iter().map(read_factor).collect::<Result<_, _>>().map(Some)
    }

    /// Feeds back how a call ended; `agent` is one alone. Gives whether the matcher learns at all.
    ///
    /// # Errors
    /// What the matcher says.
    pub fn learn(
        &mut self,
        request: &Request<'_>,
        agent: &Agents,
        outcome: &Outcome,
    ) -> Result<bool, BenchError> {
        // SAFETY: the id's structure is a `Learn`, in full.
        let table = unsafe { self.extension::<abi::Learn>(abi::LEARN) };
        let Some(learn) = table.and_then(|table| table.learn) else { return Ok(false) };
        let (raw_request, raw_agents) = (RawRequest::new(request, agent), RawAgents::new(agent));
        let (request, candidates) = (raw_request.to_abi(), raw_agents.to_abi());
        let outcome = raw::outcome(outcome);
        told(|message| {
            // SAFETY: the instance is alive and ours; all pointers lead to values that live through the call.
            unsafe {
                learn(
                    self.pointer.as_ptr(),
                    &raw const request,
                    &raw const candidates,
                    &raw const outcome,
                    message,
                )
            }
        })?;
        Ok(true)
    }

    /// The state as bytes; `None` where the matcher keeps none.
    ///
    /// # Errors
    /// What the matcher says.
    pub fn save(&self) -> Result<Option<Vec<u8>>, BenchError> {
        // SAFETY: the id's structure is a `State`, in full.
        let table = unsafe { self.extension::<abi::State>(abi::STATE) };
        let Some(save) = table.and_then(|table| table.save) else { return Ok(None) };
        let mut bytes: Vec<u8> = Vec::new();
        let writer = abi::Writer {
            size: abi::size_of_struct::<abi::Writer>(),
            reserved: 0,
            context: (&raw mut bytes).cast(),
            write: Some(collect),
        };
        told(|message| {
            // SAFETY: the instance is alive, and `self` is on one thread; the writer lives through the call.
            unsafe { save(self.pointer.as_ptr(), &raw const writer, message) }
        })?;
        Ok(Some(bytes))
    }

    /// Replaces the state; gives whether the matcher keeps one at all.
    ///
    /// # Errors
    /// What the matcher says.
    pub fn load(&mut self, bytes: &[u8]) -> Result<bool, BenchError> {
        // SAFETY: the id's structure is a `State`, in full.
        let table = unsafe { self.extension::<abi::State>(abi::STATE) };
        let Some(load) = table.and_then(|table| table.load) else { return Ok(false) };
        // SAFETY: the instance is alive and ours; the bytes live through the call.
        told(|message| unsafe { load(self.pointer.as_ptr(), bytes.as_ptr(), bytes.len(), message) })?;
        Ok(true)
    }

    /// What was written to the log on this thread since the bench was made.
    #[must_use]
    pub fn log_lines(&self) -> Vec<(LogLevel, String)> {
        LINES.with_borrow(|lines| lines[self.earlier_lines..].to_vec())
    }

    /// The metrics that were set on this thread, by name.
    #[must_use]
    pub fn metrics(&self) -> BTreeMap<String, f64> {
        METRICS.with_borrow(Clone::clone)
    }

    /// Asks for an extension.
    ///
    /// # Safety
    /// The structure of this id must be a `T`.
    unsafe fn extension<T: Copy>(&self, id: &str) -> Option<T> {
        // SAFETY: the library is initialised, and the id lives through the call.
        let pointer = unsafe { self.entry.get_extension?(Text::from_borrowed(id)) };
        // SAFETY: this crate hands out structures in full, which live for ever, and the caller knows the type.
        unsafe { pointer.cast::<T>().as_ref() }.copied()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if let Some(destroy) = self.entry.destroy {
            // SAFETY: the instance was made by the same entry, and this is its end.
            unsafe { destroy(self.pointer.as_ptr()) };
        }
    }
}

unsafe extern "C" fn collect(context: *mut c_void, data: *const u8, length: usize) -> Status {
    // SAFETY: the context is the vector of `save`, which nobody else uses during the call.
    let bytes = unsafe { &mut *context.cast::<Vec<u8>>() };
    if length > 0 {
        // SAFETY: the header makes a matcher promise that there are as many bytes as it says.
        bytes.extend_from_slice(unsafe { std::slice::from_raw_parts(data, length) });
    }
    Status::OK
}

fn required<F>(function: Option<F>) -> Result<F, BenchError> {
    function.ok_or_else(|| BenchError::Refused("the entry has not all functions".to_owned()))
}

/// Makes a call with room for a message, and turns its status into an error.
fn told(call: impl FnOnce(*mut abi::Message) -> Status) -> Result<(), BenchError> {
    let mut bytes = [0_u8; MESSAGE_ROOM];
    let mut message = abi::Message {
        size: abi::size_of_struct::<abi::Message>(),
        capacity: 1024,
        data: bytes.as_mut_ptr(),
        length: 0,
        reserved: 0,
    };
    let status = call(&raw mut message);
    let length = bytes.len().min(message.length as usize);
    finish(status, String::from_utf8_lossy(&bytes[..length]).into_owned())
}

fn finish(status: Status, message: String) -> Result<(), BenchError> {
    if status == Status::OK { Ok(()) } else { Err(BenchError::Status { status, message }) }
}

fn schema_of(entry: &Entry) -> Result<Map<String, Value>, BenchError> {
    let config_schema = required(entry.config_schema)?;
    // SAFETY: the library is initialised, and the text lives as long as it.
    let text = unsafe { config_schema().as_str() }.unwrap_or_default();
    serde_json::from_str(text).map_err(|error| BenchError::Refused(format!("the schema is no object: {error}")))
}

/// A configuration is an object with keys that the schema knows. The ranges are the matcher's own business here: a real
/// host holds them to the schema as well.
fn check_config(schema: &Map<String, Value>, config_json: &str) -> Result<(), BenchError> {
    let keys: Map<String, Value> = serde_json::from_str(config_json)
        .map_err(|error| BenchError::Refused(format!("the configuration is no object: {error}")))?;
    if schema.get("additionalProperties") != Some(&Value::Bool(false)) {
        return Ok(());
    }
    let known = schema.get("properties").and_then(Value::as_object);
    match keys.keys().find(|key| !known.is_some_and(|known| known.contains_key(*key))) {
        Some(key) => Err(BenchError::Refused(format!("the schema knows no key {key:?}"))),
        None => Ok(()),
    }
}

fn read_factor(factor: &abi::Factor) -> Result<ExplainedFactor, BenchError> {
    let refuse = |words: String| Err(BenchError::Refused(words));
    // SAFETY: the header makes a matcher promise that texts are as long as they say, and this one was just written.
    let texts = unsafe { (factor.name.as_str(), factor.subject.as_str()) };
    let (Some(name), Some(subject)) = texts else { return refuse("a factor's text is none".to_owned()) };
    let numbers = [("value", factor.value, 0.0), ("weight", factor.weight, 0.0), ("contribution", factor.contribution, -1.0)];
    for (field, number, lowest) in numbers {
        if !(lowest..=1.0).contains(&number) {
            return refuse(format!("the {field} of the factor {name:?} is {number}"));
        }
    }
    if name.is_empty() {
        return refuse("a factor has no name".to_owned());
    }
    Ok(ExplainedFactor {
        name: name.to_owned(),
        subject: subject.to_owned(),
        value: factor.value,
        weight: factor.weight,
        contribution: factor.contribution,
    })
}
