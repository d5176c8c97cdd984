//! An instance of a matcher: made from a configuration, called by one thread at a time, ended when dropped. Its calls
//! are direct: whoever wants a deadline or another process wraps it.

use std::collections::HashMap;
use std::ptr::{NonNull, null_mut};
use std::sync::Arc;
use std::time::{Duration, Instant};

use heartline_plugin_abi as abi;
use heartline_plugin_abi::{RawMatcher, Status, Text};

use crate::answer::Answer;
use crate::candidates::Lend;
use crate::explanation::{self, Explanation};
use crate::library::Functions;
use crate::outcome::Outcome;
use crate::request::RawRequest;
use crate::services::{Services, readable};
use crate::{AnswerFault, Candidates, Descriptor, HostError, HostLimits, ScoreRequest, Scored, state};

/// An instance of a matcher, called directly.
pub struct Instance {
    descriptor: Descriptor,
    functions: Functions,
    services: Arc<Services>,
    limits: HostLimits,
    pointer: NonNull<RawMatcher>,
    reasons: HashMap<u32, Arc<str>>,
    /// When whoever called stops waiting.
    end: Option<Instant>,
}

// SAFETY: the header lets an instance be used on any thread, as long as no two use it at once; every call takes the
// instance by `&mut`.
unsafe impl Send for Instance {}

impl std::fmt::Debug for Instance {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Instance").field("descriptor", &self.descriptor).finish_non_exhaustive()
    }
}

impl Instance {
    /// Makes an instance; `config` was held to the schema before.
    pub(crate) fn create(
        functions: Functions,
        descriptor: Descriptor,
        services: Arc<Services>,
        (limits, config): (HostLimits, &str),
    ) -> Result<Self, HostError> {
        let id = || descriptor.id.clone();
        let mut words = Words::new(limits.max_message_bytes);
        let mut pointer: *mut RawMatcher = null_mut();
        let mut message = words.lend();
        // SAFETY: the library is initialised; all pointers lead to values that live through the call.
        let status =
            unsafe { (functions.create)(Text::from_borrowed(config), &raw mut pointer, &raw mut message) };
        let reason = words.read(message.length);
        match status {
            Status::OK => {}
            Status::BAD_CONFIG => return Err(HostError::ConfigRefused { id: id(), reason }),
            Status::PANICKED => return Err(HostError::Panicked { id: id(), reason }),
            Status(status) => return Err(HostError::Create { id: id(), status, reason }),
        }
        let Some(pointer) = NonNull::new(pointer) else {
            return Err(HostError::InvalidAnswer { id: id(), fault: AnswerFault::NoInstance });
        };
        Ok(Self { descriptor, functions, services, limits, pointer, reasons: HashMap::new(), end: None })
    }

    /// What the matcher says of itself.
    #[must_use]
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// What the host does for the matcher's library.
    pub(crate) fn services(&self) -> Arc<Services> {
        Arc::clone(&self.services)
    }

    /// Sets when whoever calls next stops waiting: matchers are told what is left until then.
    pub(crate) fn set_end(&mut self, end: Instant) {
        self.end = Some(end);
    }

    /// The metrics that the matcher's library has set, by name.
    #[must_use]
    pub fn metrics(&self) -> Vec<(String, f64)> {
        self.services.metrics()
    }

    /// Scores all candidates for one request.
    ///
    /// # Errors
    /// [`HostError::TooManyCandidates`] and [`HostError::InvalidRequest`] before the matcher is called;
    /// [`HostError::Score`], [`HostError::Panicked`] and [`HostError::OutOfTime`] where it failed;
    /// [`HostError::InvalidAnswer`] where its answer cannot be used.
    pub fn score(&mut self, request: &ScoreRequest, candidates: &Candidates) -> Result<Scored, HostError> {
        let count = self.check(request, candidates.len())?;
        if count == 0 {
            return Ok(Scored::default());
        }
        let mut answer = Answer::blank(candidates.len());
        let mut scores = answer.lend(count);
        let elapsed = self.score_into(request, candidates, &mut scores)?;
        let written = scores.count;
        let checked = answer.check(written, |row, code| self.describe(row, code));
        let mut scored = checked.map_err(|fault| self.invalid(fault))?;
        scored.elapsed = elapsed;
        Ok(scored)
    }

    /// Lets the matcher write its scores, which nobody has checked yet; gives how long that took.
    pub(crate) fn score_into(
        &mut self,
        request: &ScoreRequest,
        columns: &impl Lend,
        scores: &mut abi::Scores,
    ) -> Result<Duration, HostError> {
        let score = self.functions.score;
        let started = Instant::now();
        self.call(request, columns, |pointer, request, candidates, message| {
            // SAFETY: the instance lives as long as `self`, which is ours alone; all pointers lead to values that live
            // through the call, with as many elements as their counts say.
            unsafe { score(pointer, request, candidates, scores, message) }
        })?;
        Ok(started.elapsed())
    }

    /// Whether the matcher can explain its scores.
    #[must_use]
    pub fn explains(&self) -> bool {
        self.functions.explain.is_some()
    }

    /// Explains the score of one candidate; `None` where the matcher does not explain.
    ///
    /// # Errors
    /// As [`Self::score`]; [`HostError::InvalidRequest`] where there is no such row.
    pub fn explain(
        &mut self,
        request: &ScoreRequest,
        candidates: &Candidates,
        row: usize,
    ) -> Result<Option<Explanation>, HostError> {
        self.explain_row(request, candidates, row)
    }

    pub(crate) fn explain_row(
        &mut self,
        request: &ScoreRequest,
        candidates: &impl Lend,
        row: usize,
    ) -> Result<Option<Explanation>, HostError> {
        let Some(explain) = self.functions.explain else { return Ok(None) };
        let count = self.check(request, candidates.len())?;
        let row = u32::try_from(row).ok().filter(|row| *row < count).ok_or_else(|| {
            HostError::InvalidRequest { field: "row", reason: format!("{row} is not below {count}") }
        })?;
        let mut room = explanation::Room::new(self.limits.max_factors);
        let mut factors = room.lend();
        // The texts of factors may point into the request and the candidates, so they are read before the call's parts
        // are dropped.
        let limits = self.limits;
        let mut read = Err(AnswerFault::NoInstance);
        self.call(request, candidates, |pointer, request, candidates, message| {
            // SAFETY: as for `score`.
            let status = unsafe { explain(pointer, request, candidates, row, &raw mut factors, message) };
            if status == Status::OK {
                // SAFETY: the header makes a matcher promise that the texts live as long as the call's inputs.
                read = unsafe { room.read(factors.count, &limits) };
            }
            status
        })?;
        read.map(Some).map_err(|fault| self.invalid(fault))
    }

    /// Whether the matcher learns from outcomes.
    #[must_use]
    pub fn learns(&self) -> bool {
        self.functions.learn.is_some()
    }

    /// Tells the matcher how a call ended; gives whether it learns at all. `candidate` has one row, the agent who took
    /// the call ([`Candidates::row`]).
    ///
    /// # Errors
    /// As [`Self::score`]; [`HostError::InvalidRequest`] where there is not one candidate or the outcome is out of range.
    pub fn learn(
        &mut self,
        request: &ScoreRequest,
        candidate: &Candidates,
        outcome: &Outcome,
    ) -> Result<bool, HostError> {
        self.learn_row(request, candidate, outcome)
    }

    pub(crate) fn learn_row(
        &mut self,
        request: &ScoreRequest,
        candidate: &impl Lend,
        outcome: &Outcome,
    ) -> Result<bool, HostError> {
        let Some(learn) = self.functions.learn else { return Ok(false) };
        outcome.check()?;
        if self.check(request, candidate.len())? != 1 {
            let reason = format!("there are {}, an outcome belongs to one", candidate.len());
            return Err(HostError::InvalidRequest { field: "candidates", reason });
        }
        let outcome = outcome.to_abi();
        self.call(request, candidate, |pointer, request, candidates, message| {
            // SAFETY: as for `score`.
            unsafe { learn(pointer, request, candidates, &raw const outcome, message) }
        })?;
        Ok(true)
    }

    /// What the instance has learned, as bytes; `None` where the matcher keeps no state.
    ///
    /// # Errors
    /// [`HostError::State`] where it cannot be saved or is larger than allowed.
    pub fn save(&mut self) -> Result<Option<Vec<u8>>, HostError> {
        let Some((save, _)) = self.functions.state else { return Ok(None) };
        let mut bytes = state::Bytes::new(self.limits.max_state_bytes);
        let writer = bytes.lend();
        let mut words = Words::new(self.limits.max_message_bytes);
        let mut message = words.lend();
        // SAFETY: the instance lives as long as `self`; writer and message live through the call.
        let status = unsafe { save(self.pointer.as_ptr(), &raw const writer, &raw mut message) };
        let reason = words.read(message.length);
        let refuse = |reason| HostError::State { id: self.descriptor.id.clone(), reason };
        if bytes.is_full() {
            return Err(refuse(format!("it has more than {} bytes", self.limits.max_state_bytes)));
        }
        match status {
            Status::OK => Ok(Some(bytes.into_vec())),
            _ => Err(self.failed(status, reason)),
        }
    }

    /// Replaces what the instance has learned; gives whether the matcher keeps a state at all.
    ///
    /// # Errors
    /// [`HostError::State`] where the bytes are none that the matcher can read; nothing has changed then.
    pub fn load(&mut self, bytes: &[u8]) -> Result<bool, HostError> {
        let Some((_, load)) = self.functions.state else { return Ok(false) };
        let mut words = Words::new(self.limits.max_message_bytes);
        let mut message = words.lend();
        // SAFETY: the instance lives as long as `self`; bytes and message live through the call.
        let status = unsafe { load(self.pointer.as_ptr(), bytes.as_ptr(), bytes.len(), &raw mut message) };
        let reason = words.read(message.length);
        match status {
            Status::OK => Ok(true),
            _ => Err(self.failed(status, reason)),
        }
    }

    fn check(&self, request: &ScoreRequest, found: usize) -> Result<u32, HostError> {
        check_call(&self.limits, request, found)
    }

    /// Puts a request and candidates into the ABI's shape for a call, and turns its status into an error.
    fn call(
        &self,
        request: &ScoreRequest,
        columns: &impl Lend,
        body: impl FnOnce(
            *mut RawMatcher,
            *const abi::Request,
            *const abi::Candidates,
            *mut abi::Message,
        ) -> Status,
    ) -> Result<(), HostError> {
        let request_parts = RawRequest::new(request, columns);
        let left = self.end.map(|end| end.saturating_duration_since(Instant::now()));
        let raw_request = request_parts.to_abi(left);
        let mut words = Words::new(self.limits.max_message_bytes);
        let mut message = words.lend();
        let status = columns.lend(|raw_columns| {
            body(self.pointer.as_ptr(), &raw const raw_request, &raw const *raw_columns, &raw mut message)
        });
        let reason = words.read(message.length);
        match status {
            Status::OK => Ok(()),
            _ => Err(self.failed(status, reason)),
        }
    }

    fn failed(&self, status: Status, reason: String) -> HostError {
        let id = self.descriptor.id.clone();
        match status {
            Status::PANICKED => HostError::Panicked { id, reason },
            Status::OUT_OF_TIME => HostError::OutOfTime { id },
            Status::BAD_STATE => HostError::State { id, reason },
            Status(status) => HostError::Score { id, status, reason },
        }
    }

    fn invalid(&self, fault: AnswerFault) -> HostError {
        HostError::InvalidAnswer { id: self.descriptor.id.clone(), fault }
    }

    /// The text of a reason code, asked of the matcher once a code.
    pub(crate) fn describe(&mut self, row: usize, code: u32) -> Result<Arc<str>, AnswerFault> {
        if let Some(text) = self.reasons.get(&code) {
            return Ok(Arc::clone(text));
        }
        let limit = self.limits.max_reason_codes;
        if self.reasons.len() >= limit {
            return Err(AnswerFault::TooManyReasons { limit });
        }
        // SAFETY: the library is initialised, and the function may be called on any thread.
        let text = unsafe { (self.functions.describe_reason)(code) };
        if text.length == 0 {
            return Err(AnswerFault::UnknownReason { row, code });
        }
        if text.length > self.limits.max_text_bytes {
            return Err(AnswerFault::ReasonText { code });
        }
        // SAFETY: the header makes a matcher promise that the text is as long as it says and lives as long as the
        // library, which is never unmapped.
        let text = unsafe { text.as_str() }.ok_or(AnswerFault::ReasonText { code })?;
        let text: Arc<str> = readable(text.as_bytes(), self.limits.max_text_bytes).into();
        self.reasons.insert(code, Arc::clone(&text));
        Ok(text)
    }
}

/// Checks what is the caller's to get right; gives the number of candidates.
pub(crate) fn check_call(
    limits: &HostLimits,
    request: &ScoreRequest,
    found: usize,
) -> Result<u32, HostError> {
    request.check(limits.max_needed_skills)?;
    let limit = limits.max_candidates;
    let too_many = || HostError::TooManyCandidates { limit, found };
    u32::try_from(found).ok().filter(|_| found <= limit).ok_or_else(too_many)
}

impl Drop for Instance {
    fn drop(&mut self) {
        // SAFETY: the instance was made by the same library, nobody else can use it any more, and it ends only here.
        unsafe { (self.functions.destroy)(self.pointer.as_ptr()) };
    }
}

/// Room for a matcher's words about what went wrong.
struct Words(Vec<u8>);

impl Words {
    fn new(capacity: usize) -> Self {
        Self(vec![0; capacity.min(u32::MAX as usize)])
    }

    /// The structure to pass; its pointer is valid for as long as `self` is not touched.
    fn lend(&mut self) -> abi::Message {
        abi::Message {
            size: abi::size_of_struct::<abi::Message>(),
            // `new` caps the room at what fits.
            capacity: u32::try_from(self.0.len()).unwrap_or(u32::MAX),
            data: self.0.as_mut_ptr(),
            length: 0,
            reserved: 0,
        }
    }

    /// What was written, whatever length the matcher claims.
    fn read(&self, length: u32) -> String {
        let words = readable(&self.0[..self.0.len().min(length as usize)], self.0.len());
        if words.is_empty() { "it gives no reason".to_owned() } else { words }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_can_move_between_threads() {
        fn sent<T: Send>() {}
        sent::<Instance>();
        sent::<crate::Library>();
    }

    #[test]
    fn a_message_longer_than_its_room_is_cut() {
        let mut words = Words::new(4);
        words.0.copy_from_slice(b"oops");
        assert_eq!(words.read(u32::MAX), "oops");
        assert_eq!(words.read(2), "oo");
        assert_eq!(words.read(0), "it gives no reason");
    }
}
