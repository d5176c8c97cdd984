//! An instance of a matcher: made from a configuration, called under a lock, ended when dropped.

use std::collections::{BTreeMap, HashMap};
use std::ptr::{NonNull, null_mut};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use heartline_plugin_abi as abi;
use heartline_plugin_abi::{RawMatcher, Status, Text};

use crate::answer::Answer;
use crate::candidates::RawCandidates;
use crate::library::Functions;
use crate::request::RawRequest;
use crate::services::{Services, readable};
use crate::{AnswerFault, Candidates, Descriptor, HostError, HostLimits, ScoreRequest, Scored};

/// The instance itself, which any one thread at a time may use.
struct Instance(NonNull<RawMatcher>);

// SAFETY: the header lets an instance be used on any thread, as long as no two use it at once; the mutex in `Matcher`
// sees to that.
unsafe impl Send for Instance {}

/// A matcher that is ready to score. Calls from several threads take turns.
pub struct Matcher {
    descriptor: Descriptor,
    functions: Functions,
    services: &'static Services,
    limits: HostLimits,
    instance: Mutex<Instance>,
    reasons: Mutex<HashMap<u32, String>>,
}

impl std::fmt::Debug for Matcher {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Matcher").field("descriptor", &self.descriptor).finish_non_exhaustive()
    }
}

impl Matcher {
    pub(crate) fn create(
        functions: Functions,
        descriptor: Descriptor,
        services: &'static Services,
        (limits, config_json): (HostLimits, &str),
    ) -> Result<Self, HostError> {
        let id = || descriptor.id.clone();
        let (limit, found) = (limits.max_config_bytes, config_json.len());
        if found > limit {
            return Err(HostError::ConfigTooLarge { id: id(), limit, found });
        }
        let config = if config_json.trim().is_empty() { "{}" } else { config_json };
        serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(config)
            .map_err(|source| HostError::ConfigNotJson { id: id(), source })?;

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
        let Some(instance) = NonNull::new(pointer) else {
            return Err(HostError::InvalidAnswer { id: id(), fault: AnswerFault::NoInstance });
        };
        Ok(Self {
            descriptor,
            functions,
            services,
            limits,
            instance: Mutex::new(Instance(instance)),
            reasons: Mutex::default(),
        })
    }

    /// What the matcher says of itself.
    #[must_use]
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// The metrics that the matcher's library has set, by name.
    #[must_use]
    pub fn metrics(&self) -> Vec<(String, f64)> {
        self.services.metrics()
    }

    /// Scores all candidates for one request. Waits for its turn where another thread is in a call.
    ///
    /// # Errors
    /// [`HostError::TooManyCandidates`] and [`HostError::InvalidRequest`] before the matcher is called;
    /// [`HostError::Score`], [`HostError::Panicked`] and [`HostError::OutOfTime`] where it failed;
    /// [`HostError::InvalidAnswer`] where its answer cannot be used.
    pub fn score(&self, request: &ScoreRequest, candidates: &Candidates) -> Result<Scored, HostError> {
        request.check(self.limits.max_needed_skills)?;
        let (limit, found) = (self.limits.max_candidates, candidates.len());
        let too_many = || HostError::TooManyCandidates { limit, found };
        let count = u32::try_from(found).ok().filter(|_| found <= limit).ok_or_else(too_many)?;
        if count == 0 {
            return Ok(Scored { scores: Vec::new(), elapsed: Duration::ZERO });
        }
        let mut answer = Answer::blank(found);
        let (written, elapsed) = self.call(request, candidates, count, &mut answer)?;
        // The texts of this answer, so that the lock on all texts is taken once a code and not once a candidate.
        let mut texts: BTreeMap<u32, String> = BTreeMap::new();
        let describe = |row, code| {
            if let Some(text) = texts.get(&code) {
                return Ok(text.clone());
            }
            let text = self.describe(row, code)?;
            texts.insert(code, text.clone());
            Ok(text)
        };
        let scores = answer
            .check(written, describe)
            .map_err(|fault| HostError::InvalidAnswer { id: self.descriptor.id.clone(), fault })?;
        Ok(Scored { scores, elapsed })
    }

    /// Lets the matcher write the answer; gives the rows it says it wrote and how long it took.
    fn call(
        &self,
        request: &ScoreRequest,
        candidates: &Candidates,
        count: u32,
        answer: &mut Answer,
    ) -> Result<(u32, Duration), HostError> {
        let request_parts = RawRequest::new(request, candidates);
        let raw_request = request_parts.to_abi();
        let candidate_parts = RawCandidates::new(candidates);
        let raw_candidates = candidate_parts.to_abi(count);
        let mut scores = answer.lend(count);
        let mut words = Words::new(self.limits.max_message_bytes);
        let mut message = words.lend();

        let instance = self.instance.lock().unwrap_or_else(PoisonError::into_inner);
        let started = Instant::now();
        // SAFETY: the instance lives until `self` is dropped and no other thread is in a call of it; all pointers lead
        // to values that live through the call, with as many elements as their counts say.
        let status = unsafe {
            (self.functions.score)(
                instance.0.as_ptr(),
                &raw const raw_request,
                &raw const raw_candidates,
                &raw mut scores,
                &raw mut message,
            )
        };
        let elapsed = started.elapsed();
        drop(instance);

        let reason = words.read(message.length);
        let id = || self.descriptor.id.clone();
        match status {
            Status::OK => Ok((scores.count, elapsed)),
            Status::PANICKED => Err(HostError::Panicked { id: id(), reason }),
            Status::OUT_OF_TIME => Err(HostError::OutOfTime { id: id() }),
            Status(status) => Err(HostError::Score { id: id(), status, reason }),
        }
    }

    /// The text of a reason code, asked of the matcher once a code.
    fn describe(&self, row: usize, code: u32) -> Result<String, AnswerFault> {
        let mut reasons = self.reasons.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = reasons.get(&code) {
            return Ok(text.clone());
        }
        let limit = self.limits.max_reason_codes;
        if reasons.len() >= limit {
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
        let text = readable(text.as_bytes(), self.limits.max_text_bytes);
        reasons.insert(code, text.clone());
        Ok(text)
    }
}

impl Drop for Matcher {
    fn drop(&mut self) {
        let instance = self.instance.get_mut().unwrap_or_else(PoisonError::into_inner);
        // SAFETY: the instance was made by the same library, nobody else can use it any more, and it ends only here.
        unsafe { (self.functions.destroy)(instance.0.as_ptr()) };
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
    fn a_matcher_can_be_shared_between_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<Matcher>();
        shared::<crate::Library>();
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
