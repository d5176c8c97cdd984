//! Matchers as the router sees them: something that scores agents, whatever it is.

use std::sync::Arc;

use heartline_plugin_host::{Candidates, Explanation, HostError, Matcher, Outcome, ScoreRequest, Scored};
use serde::{Deserialize, Serialize};

/// Which matcher it is, so that a ranking can be made again with the same one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Its version.
    pub version: String,
    /// The SHA-256 of its library in hexadecimal; empty where there is no library.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub fingerprint: String,
    /// Which loading of the matcher this is, from 1.
    #[serde(default)]
    pub generation: u64,
    /// Its settings.
    #[serde(default)]
    pub config: serde_json::Value,
}

/// Something that scores agents: a loaded plugin, or a stand-in in tests.
pub trait Scorer: Send + Sync {
    /// Which matcher it is now; a reload changes it.
    fn identity(&self) -> Identity;

    /// [`Identity::generation`], without the rest.
    fn generation(&self) -> u64 {
        self.identity().generation
    }

    /// Scores every candidate.
    ///
    /// # Errors
    /// [`HostError`] where the matcher fails or answers with something unusable.
    fn score(&self, request: &Arc<ScoreRequest>, candidates: &Arc<Candidates>) -> Result<Scored, HostError>;

    /// Explains the scores of some rows, in their order; empty where the matcher does not explain.
    ///
    /// # Errors
    /// As [`Self::score`].
    fn explain(
        &self,
        _request: &Arc<ScoreRequest>,
        _candidates: &Arc<Candidates>,
        _rows: &[usize],
    ) -> Result<Vec<Explanation>, HostError> {
        Ok(Vec::new())
    }

    /// Tells the matcher how the call with one candidate ended; false where the matcher does not learn.
    ///
    /// # Errors
    /// As [`Self::score`].
    fn learn(
        &self,
        _request: &Arc<ScoreRequest>,
        _candidate: &Arc<Candidates>,
        _outcome: &Outcome,
    ) -> Result<bool, HostError> {
        Ok(false)
    }

    /// What the matcher has learned; none where it keeps nothing.
    ///
    /// # Errors
    /// As [`Self::score`].
    fn state(&self) -> Result<Option<Vec<u8>>, HostError> {
        Ok(None)
    }
}

/// A matcher from a library.
pub struct PluginScorer(Arc<Matcher>);

impl PluginScorer {
    /// A loaded matcher.
    #[must_use]
    pub const fn new(matcher: Arc<Matcher>) -> Self {
        Self(matcher)
    }
}

impl Scorer for PluginScorer {
    fn identity(&self) -> Identity {
        let current = self.0.current();
        Identity {
            version: current.descriptor().version.clone(),
            fingerprint: current.fingerprint().to_owned(),
            generation: current.number(),
            config: current.config().clone(),
        }
    }

    fn generation(&self) -> u64 {
        self.0.current().number()
    }

    fn score(&self, request: &Arc<ScoreRequest>, candidates: &Arc<Candidates>) -> Result<Scored, HostError> {
        self.0.score(request, candidates)
    }

    fn explain(
        &self,
        request: &Arc<ScoreRequest>,
        candidates: &Arc<Candidates>,
        rows: &[usize],
    ) -> Result<Vec<Explanation>, HostError> {
        self.0.explain(request, candidates, rows)
    }

    fn learn(
        &self,
        request: &Arc<ScoreRequest>,
        candidate: &Arc<Candidates>,
        outcome: &Outcome,
    ) -> Result<bool, HostError> {
        self.0.learn(request, candidate, outcome)
    }

    fn state(&self) -> Result<Option<Vec<u8>>, HostError> {
        self.0.state()
    }
}
