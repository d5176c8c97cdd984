//! The agents in order, with reasons.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{LanguageLevel, SkillNeed};

/// The agents in order, at a moment of the call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RankingNow {
    /// The media time of the state that it answers to, in milliseconds.
    pub at_ms: u64,
    /// Why it is sent now.
    pub because: RankingCause,
    /// What the matchers were asked for.
    pub need: CallNeed,
    /// The agents, as many as you asked for.
    pub ranking: Ranking,
    /// How many agents could take the call.
    pub eligible: usize,
    /// How many could not.
    pub excluded: usize,
}

/// Why a ranking is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RankingCause {
    /// It is the first.
    First,
    /// Another agent leads by enough.
    Leader,
    /// Other agents are among those named.
    Members,
    /// A score has changed by enough.
    Scores,
    /// The agents or the needs were changed by you.
    Update,
    /// One that this library does not know.
    #[serde(other)]
    Unknown,
}

/// What the matchers were asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CallNeed {
    /// The skills that the issue needs.
    pub needed_skills: Vec<SkillNeed>,
    /// How complex the issue is, 0 to 1.
    pub complexity: f32,
    /// The language that the customer asked to be answered in, if any.
    pub requested_language: Option<String>,
    /// How well the customer speaks the language, where it is known.
    pub language_level: Option<LanguageLevel>,
    /// How long the customer has waited, in milliseconds.
    pub waiting_ms: u64,
    /// Whether you named the skills, or the words did.
    pub source: NeedSource,
}

/// Where the needed skills come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NeedSource {
    /// You named them.
    Stated,
    /// The issues in the words named them.
    Inferred,
    /// One that this library does not know.
    #[serde(other)]
    Unknown,
}

/// Agents in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Ranking {
    /// The ranking's identifier, by which outcomes are reported; empty where the server is too old for it.
    #[serde(default)]
    pub id: String,
    /// The policy's name.
    pub policy: String,
    /// Whether no matcher answered, so that the policy's fallback ordered the agents.
    pub fallback: bool,
    /// Agents who could take the call, the best first.
    pub entries: Vec<RankedAgent>,
    /// How many could, named or not.
    #[serde(default)]
    pub eligible: usize,
    /// Agents who could not, and why.
    pub excluded: Vec<ExcludedAgent>,
    /// How many could not, named or not.
    #[serde(default)]
    pub excluded_total: usize,
    /// How many could not by what kept them, such as `offline` or `filtered:` and a filter's name.
    #[serde(default)]
    pub excluded_by: BTreeMap<String, usize>,
    /// What each matcher did.
    pub matchers: Vec<MatcherReport>,
}

/// One agent's place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RankedAgent {
    /// The agent's identifier.
    pub agent_id: String,
    /// The weighed score, 0 to 1.
    pub score: f32,
    /// What each matcher contributed.
    pub factors: Vec<Factor>,
}

/// One matcher's word on one agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Factor {
    /// The matcher's identifier.
    pub matcher: String,
    /// Whether it counted.
    pub mode: Mode,
    /// Its share of the weights, 0 to 1.
    pub weight: f32,
    /// Its score, 0 to 1.
    pub score: f32,
    /// How sure it is, 0 to 1.
    pub confidence: f32,
    /// What it added to the agent's score.
    pub contribution: f32,
    /// The matcher's reason as a number of its own.
    pub reason_code: u32,
    /// The same reason in words.
    pub reason: String,
    /// What the matcher's score is made of, where it was asked for and the matcher can say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub explanation: Vec<ExplainedFactor>,
}

/// One part of a matcher's score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
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

/// Whether a matcher counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Mode {
    /// It counts.
    Active,
    /// It is asked and shown, but does not count.
    Shadow,
    /// It is not asked.
    Off,
    /// One that this library does not know.
    #[serde(other)]
    Unknown,
}

/// An agent who could not take the call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ExcludedAgent {
    /// The agent's identifier.
    pub agent_id: String,
    /// Why.
    pub exclusion: Exclusion,
    /// What each matcher said, where it was asked.
    pub factors: Vec<Factor>,
}

/// Why an agent could not take the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[non_exhaustive]
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
    /// One that this library does not know.
    #[serde(other)]
    Unknown,
}

/// What a matcher did in one ranking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MatcherReport {
    /// The matcher's identifier.
    pub id: String,
    /// Its version.
    pub version: String,
    /// Its mode in the policy.
    pub mode: Mode,
    /// Its weight in the policy.
    pub weight: f32,
    /// The time its call took, in microseconds.
    pub time_us: u64,
    /// Why it has no say in this ranking, if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What would differ if it counted, for a shadow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disagreement: Option<Disagreement>,
}

/// What would differ if a shadow counted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Disagreement {
    /// Whether another agent would come first.
    pub first_differs: bool,
    /// By how many places the first ten agents would move on average.
    pub mean_displacement: f32,
    /// The share of those who could take the call whom it would exclude, 0 to 1.
    pub excluded_share: f32,
}
