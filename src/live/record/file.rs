//! The layout of a recording: gzip over JSON, one object a line. The first line says what it is, the last one that it is
//! whole.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::super::{Fact, LiveConfig, SessionOptions};
use crate::app::ModelUse;
use crate::config::{Config, MatcherConfig};
use crate::emotion::FusionConfig;
use crate::routing::Policy;

/// The layout's version.
pub(super) const VERSION: u32 = 1;
/// How a recording's name ends.
pub(super) const SUFFIX: &str = "heartline-replay";

/// The first line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The layout's version; its name says what the file is.
    pub heartline_replay: u32,
    /// The version of the program that wrote it.
    pub program: String,
    /// The session.
    pub session_id: String,
    /// The models that read.
    pub models: Vec<RecordedModel>,
    /// Whether the words themselves are in it.
    pub records_words: bool,
    /// How readings became a vector.
    pub fusion: FusionConfig,
    /// The habits of live calls.
    pub live: LiveConfig,
    /// Who ranked.
    pub policy: RecordedPolicy,
}

/// A model that read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedModel {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u32,
}

/// How a call was ranked, as it was configured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordedPolicy {
    /// The policy.
    pub policy: Policy,
    /// The matchers that were loaded.
    pub matchers: Vec<MatcherConfig>,
}

impl RecordedPolicy {
    /// How a configuration ranks where a request names no policy.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let policy = config.routing.default_policy().clone();
        Self { policy, matchers: config.plugins.matchers.clone() }
    }
}

impl Header {
    pub(super) fn new(live: &LiveConfig, fusion: &FusionConfig, policy: RecordedPolicy) -> Self {
        Self {
            heartline_replay: VERSION,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            session_id: String::new(),
            models: Vec::new(),
            records_words: live.record_words,
            fusion: fusion.clone(),
            // Where this machine keeps its recordings is nobody else's business.
            live: LiveConfig { record_folder: None::<PathBuf>, ..live.clone() },
            policy,
        }
    }

    /// The first line of one call, which was ranked by the policy that was active when it began.
    pub(super) fn of_session(&self, session_id: &str, models: Vec<ModelUse>, policy: Policy) -> Self {
        let model = |model: ModelUse| RecordedModel { name: model.name, version: model.version };
        Self {
            session_id: session_id.to_owned(),
            models: models.into_iter().map(model).collect(),
            policy: RecordedPolicy { policy, matchers: self.policy.matchers.clone() },
            ..self.clone()
        }
    }
}

/// Every further line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Line {
    /// The state begins, or begins anew.
    Options(Box<SessionOptions>),
    /// The state took a fact.
    Took(Took),
    /// Nothing follows.
    End(End),
}

/// The state took a fact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Took {
    pub(super) fact: Box<Fact>,
    /// What the state said to it, in words for people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) said: Vec<String>,
    /// The beginning of the fingerprint of everything said so far; none where the fact was answered with nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fingerprint: Option<String>,
}

/// The last line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End {
    /// How many facts there are.
    pub(super) facts: u64,
    /// How many events the state said to them.
    pub(super) events: u64,
    /// The SHA-256 over all of those events.
    pub(super) sha256: String,
    /// Why the recording ends before the call did; none where it is whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cut: Option<Cut>,
}

/// Why a recording ends before its call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// It is as large as a recording may be.
    Size,
    /// The disk did not keep up.
    Behind,
}
