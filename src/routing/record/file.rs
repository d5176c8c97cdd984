//! The layout on disk: one JSON object a line, a ranking or an outcome. Rosters and what matchers had learned lie in
//! files of their own, named by their SHA-256, because many rankings share them.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::outcome::{Lesson, OutcomeReport, ReportedOutcome};
use crate::routing::{Disagreement, Identity, Policy, RankingRequest};

/// The layout's version.
pub(super) const VERSION: u32 = 1;

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Line {
    /// A ranking that was made.
    Ranking(Box<RankingRecord>),
    /// How its call ended.
    Outcome(OutcomeRecord),
}

/// A ranking as it was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RankingRecord {
    /// The layout's version.
    pub version: u32,
    /// The version of the program that ranked.
    pub program: String,
    /// The ranking's identifier.
    pub id: String,
    /// When it was made, in milliseconds since 1970.
    pub at_ms: u64,
    /// What it was made for, without the customer's words.
    pub request: RankingRequest,
    /// The policy as it was then.
    pub policy: Policy,
    /// The agents.
    pub roster: RosterReference,
    /// The matchers that were asked.
    pub matchers: Vec<RecordedMatcher>,
    /// Whether no active matcher answered.
    pub fallback: bool,
    /// How many agents could take the call.
    pub eligible: usize,
    /// How many could not.
    pub excluded: usize,
    /// The agents that were named, the best first, by their positions in the roster.
    pub rows: Vec<u32>,
    /// Their scores.
    pub scores: Vec<f32>,
}

/// Where the agents are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RosterReference {
    /// The SHA-256 of the agents as JSON.
    pub sha256: String,
    /// How many there are.
    pub agents: usize,
}

/// A matcher that was asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedMatcher {
    /// Its identifier in the policy.
    pub id: String,
    /// Which one it was.
    pub identity: Identity,
    /// The SHA-256 of what it had learned; none where it keeps nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Why nobody knows what it had learned, if nobody does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_error: Option<String>,
    /// The time its call took, in microseconds.
    pub time_us: u64,
    /// Why it had no say, if it had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Where it would have made a difference, for a shadow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disagreement: Option<Disagreement>,
}

/// How the call of a ranking ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomeRecord {
    /// The ranking's identifier.
    pub ranking_id: String,
    /// When it was reported, in milliseconds since 1970.
    pub at_ms: u64,
    /// The outcome.
    pub outcome: ReportedOutcome,
    /// The matchers that were told.
    pub lessons: Vec<Lesson>,
}

impl OutcomeRecord {
    pub(super) fn of(report: &OutcomeReport) -> Self {
        let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            ranking_id: report.ranking_id.clone(),
            at_ms: u64::try_from(at.as_millis()).unwrap_or(u64::MAX),
            outcome: report.outcome.clone(),
            lessons: report.lessons.clone(),
        }
    }
}
