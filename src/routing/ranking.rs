//! What a ranking answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Mode;

/// Agents in order, with the reasons.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Ranking {
    /// The ranking's identifier: outcomes name it, and it is found again by it.
    pub id: String,
    /// The policy's name.
    pub policy: String,
    /// Whether no active matcher answered, so that the policy's fallback ordered the agents.
    pub fallback: bool,
    /// Agents who could take the call, the best first, as many as were asked for.
    pub entries: Vec<RankedAgent>,
    /// How many could.
    pub eligible: usize,
    /// Agents who could not, and why, as many as were asked for.
    pub excluded: Vec<ExcludedAgent>,
    /// How many could not.
    pub excluded_total: usize,
    /// How many could not by what kept them: the codes of exclusions, with the name of the filter or matcher after a
    /// colon.
    pub excluded_by: BTreeMap<String, usize>,
    /// What each matcher did.
    pub matchers: Vec<MatcherReport>,
}

/// One agent's place.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RankedAgent {
    /// The agent's identifier.
    pub agent_id: String,
    /// The weighed score, 0 to 1.
    pub score: f32,
    /// What each matcher contributed.
    pub factors: Vec<Factor>,
}

/// One matcher's word on one agent.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Factor {
    /// The matcher's identifier.
    pub matcher: String,
    /// Whether it counted.
    pub mode: Mode,
    /// Its share of the weights, 0 to 1; 0 for a shadow.
    pub weight: f32,
    /// Its score, 0 to 1.
    pub score: f32,
    /// How sure it is, 0 to 1: a score counts as `0.5 + confidence * (score - 0.5)`.
    pub confidence: f32,
    /// What it added to the agent's score: the weight times the score as it counts.
    pub contribution: f32,
    /// The matcher's reason as a number of its own.
    pub reason_code: u32,
    /// The same reason in words.
    pub reason: String,
    /// What the matcher's score is made of, where it was asked for and the matcher can say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub explanation: Vec<ExplainedFactor>,
}

/// One part of a matcher's score.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ExplainedFactor {
    /// What kind of part, in a few words.
    pub name: String,
    /// What it is about, such as a skill's name; empty where it is about nothing in particular.
    pub subject: String,
    /// What was found, 0 to 1.
    pub value: f32,
    /// How much it counts beside the other parts, 0 to 1.
    pub weight: f32,
    /// What it adds to the matcher's score, -1 to 1.
    pub contribution: f32,
}

impl From<heartline_plugin_host::ScoreFactor> for ExplainedFactor {
    fn from(factor: heartline_plugin_host::ScoreFactor) -> Self {
        let heartline_plugin_host::ScoreFactor { name, subject, value, weight, contribution } = factor;
        Self { name, subject, value, weight, contribution }
    }
}

/// An agent who could not take the call.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ExcludedAgent {
    /// The agent's identifier.
    pub agent_id: String,
    /// Why.
    pub exclusion: Exclusion,
    /// What each matcher said, where it was asked.
    pub factors: Vec<Factor>,
}

/// Why an agent could not take the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Exclusion {
    /// The agent is busy with something else.
    Busy,
    /// The agent is not at work.
    Offline,
    /// The agent works on as many tasks as the capacity allows.
    AtCapacity,
    /// A filter of the policy keeps the agent out.
    Filtered {
        /// The filter's name.
        filter: String,
        /// Why, in words.
        reason: String,
    },
    /// A matcher ruled the agent out.
    Ineligible {
        /// The matcher's identifier.
        matcher: String,
        /// Its reason.
        reason: String,
    },
}

impl Exclusion {
    /// What counts of it in [`Ranking::excluded_by`].
    pub(super) fn key(&self) -> String {
        match self {
            Self::Busy => "busy".to_owned(),
            Self::Offline => "offline".to_owned(),
            Self::AtCapacity => "at_capacity".to_owned(),
            Self::Filtered { filter, .. } => format!("filtered:{filter}"),
            Self::Ineligible { matcher, .. } => format!("ineligible:{matcher}"),
        }
    }
}

/// What a matcher did in one ranking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MatcherReport {
    /// The matcher's identifier.
    pub id: String,
    /// Its version.
    pub version: String,
    /// Its mode in the policy.
    pub mode: Mode,
    /// Its weight in the policy.
    pub weight: f32,
    /// The time its call took, in microseconds; 0 where it gave no answer.
    pub time_us: u64,
    /// Why it has no say in this ranking, if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Where it would have made a difference, for a shadow that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disagreement: Option<Disagreement>,
}

/// What would differ if a shadow counted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Disagreement {
    /// Whether another agent would come first.
    pub first_differs: bool,
    /// By how many places the first ten agents would move on average; who would be excluded moves to the end.
    pub mean_displacement: f32,
    /// The share of those who could take the call whom it would exclude, 0 to 1.
    pub excluded_share: f32,
}
