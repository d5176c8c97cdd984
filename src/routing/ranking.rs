//! What a ranking is asked with and what it answers.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{LanguageLevel, Mode, RoutingError, RoutingLimits};
use crate::emotion::EmotionVector;

/// What a ranking is made for: the customer's state and needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RankingRequest {
    /// The customer's state.
    pub emotion: EmotionVector,
    /// The customer's language as a BCP 47 tag; left out where it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// How well the customer speaks it; left out where it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language_level: Option<LanguageLevel>,
    /// The skills that the issue needs.
    #[serde(default)]
    pub needed_skills: Vec<SkillNeed>,
    /// How complex the issue is, 0 to 1.
    #[serde(default)]
    pub complexity: f32,
    /// How long the customer has waited, in milliseconds.
    #[serde(default)]
    pub waiting_ms: u64,
}

impl RankingRequest {
    /// Checks the values that come from outside.
    ///
    /// # Errors
    /// [`RoutingError::Request`] names the first value that is out of range.
    pub fn validate(&self, limits: &RoutingLimits) -> Result<(), RoutingError> {
        let fault = |problem: String| Err(RoutingError::Request(problem));
        if let Some(Err(error)) = self.language.as_deref().map(oxilangtag::LanguageTag::parse) {
            return fault(format!("language is not a BCP 47 tag: {error}"));
        }
        if !(0.0..=1.0).contains(&self.complexity) {
            return fault(format!("complexity {} is not within 0 to 1", self.complexity));
        }
        if self.needed_skills.len() > limits.max_skills {
            let (found, limit) = (self.needed_skills.len(), limits.max_skills);
            return fault(format!("{found} needed skills are more than the limit of {limit}"));
        }
        for need in &self.needed_skills {
            let characters = need.name.chars().count();
            if characters == 0 || characters > limits.max_name_characters {
                return fault(format!("a needed skill's name has {characters} characters"));
            }
            if !(1.0..=5.0).contains(&need.level) {
                return fault(format!(
                    "needed skill {}: level {} is not within 1 to 5",
                    need.name, need.level
                ));
            }
        }
        Ok(())
    }
}

/// A skill that the issue needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SkillNeed {
    /// The skill's name, as in the agents' skills.
    pub name: String,
    /// The level asked for, 1 to 5.
    #[serde(default = "middle_level")]
    pub level: f32,
    /// Whether an agent without it is of no use.
    #[serde(default)]
    pub must_have: bool,
}

const fn middle_level() -> f32 {
    3.0
}

/// Agents in order, with the reasons.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Ranking {
    /// The policy's name.
    pub policy: String,
    /// Whether no active matcher answered, so that the policy's fallback ordered the agents.
    pub fallback: bool,
    /// Agents who could take the call, the best first.
    pub entries: Vec<RankedAgent>,
    /// Agents who could not, and why.
    pub excluded: Vec<ExcludedAgent>,
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Exclusion {
    /// The agent is busy with something else.
    Busy,
    /// The agent is not at work.
    Offline,
    /// The agent works on as many tasks as the capacity allows.
    AtCapacity,
    /// A matcher ruled the agent out.
    Ineligible {
        /// The matcher's identifier.
        matcher: String,
        /// Its reason.
        reason: String,
    },
}

/// What a matcher did in one ranking.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MatcherReport {
    /// The matcher's identifier.
    pub id: String,
    /// Its version.
    pub version: String,
    /// Its mode in the policy.
    pub mode: Mode,
    /// Its weight in the policy.
    pub weight: f32,
    /// The time its call took, in microseconds; 0 where it was not asked.
    pub time_us: u64,
    /// Why it has no say in this ranking, if it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
