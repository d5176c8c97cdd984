//! A matcher that is ready to score. Calls from several threads take turns.

use std::sync::{Mutex, PoisonError};

use crate::{Candidates, Descriptor, Explanation, HostError, Instance, Outcome, ScoreRequest, Scored};

/// A matcher that is ready to score. Calls from several threads take turns.
#[derive(Debug)]
pub struct Matcher {
    descriptor: Descriptor,
    instance: Mutex<Instance>,
}

impl Matcher {
    pub(crate) fn new(instance: Instance) -> Self {
        Self { descriptor: instance.descriptor().clone(), instance: Mutex::new(instance) }
    }

    /// What the matcher says of itself.
    #[must_use]
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Scores all candidates for one request.
    ///
    /// # Errors
    /// As [`Instance::score`].
    pub fn score(&self, request: &ScoreRequest, candidates: &Candidates) -> Result<Scored, HostError> {
        self.instance.lock().unwrap_or_else(PoisonError::into_inner).score(request, candidates)
    }

    /// Explains the scores of some candidates; `None` where the matcher does not explain.
    ///
    /// # Errors
    /// As [`Instance::explain`].
    pub fn explain(
        &self,
        request: &ScoreRequest,
        candidates: &Candidates,
        row: usize,
    ) -> Result<Option<Explanation>, HostError> {
        self.instance.lock().unwrap_or_else(PoisonError::into_inner).explain(request, candidates, row)
    }

    /// Tells the matcher how a call ended.
    ///
    /// # Errors
    /// As [`Instance::learn`].
    pub fn learn(
        &self,
        request: &ScoreRequest,
        candidate: &Candidates,
        outcome: &Outcome,
    ) -> Result<bool, HostError> {
        self.instance.lock().unwrap_or_else(PoisonError::into_inner).learn(request, candidate, outcome)
    }
}
