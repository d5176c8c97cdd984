//! Which matchers count, and how much.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The heaviest weight a matcher may have.
const WEIGHT_LIMIT: f32 = 1_000.0;
/// How many matchers one policy may use.
const MATCHER_LIMIT: usize = 32;
/// The longest name of a policy, in bytes.
const NAME_BYTES: usize = 64;

/// A policy: the matchers of a ranking and what happens when they fail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// The policy's name, shown with every ranking.
    pub name: String,
    /// The matchers it uses.
    pub matchers: Vec<MatcherUse>,
    /// The order of agents when no active matcher answers.
    pub fallback: Fallback,
}

/// One matcher's part in a policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MatcherUse {
    /// The matcher's identifier, as its plugin gives it.
    pub id: String,
    /// Its weight among the active matchers.
    #[serde(default = "weight")]
    pub weight: f32,
    /// Whether it counts.
    #[serde(default)]
    pub mode: Mode,
}

const fn weight() -> f32 {
    1.0
}

/// Whether a matcher counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It counts.
    #[default]
    Active,
    /// It is asked and shown, but does not count.
    Shadow,
    /// It is not asked.
    Off,
}

/// How agents are ordered when no active matcher answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fallback {
    /// The agent who has waited longest comes first.
    #[default]
    LongestIdle,
    /// The agent with the smallest share of the capacity in use comes first.
    LeastLoaded,
}

impl Default for Policy {
    fn default() -> Self {
        let matcher = |id: &str, weight| MatcherUse { id: id.to_owned(), weight, mode: Mode::Active };
        Self {
            name: "default".to_owned(),
            // An agent who cannot help or cannot be understood is of no use however kind: language and skill weigh
            // more than attitude.
            matchers: vec![matcher("skill", 0.4), matcher("attitude", 0.25), matcher("language", 0.35)],
            fallback: Fallback::LongestIdle,
        }
    }
}

impl Policy {
    /// What is wrong with this policy, as pairs of key and problem.
    #[must_use]
    pub fn validate(&self) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        if self.name.is_empty() || self.name.len() > NAME_BYTES {
            let problem = format!("the name has {} bytes, it must have 1 to {NAME_BYTES}", self.name.len());
            faults.push(("name".to_owned(), problem));
        }
        if self.matchers.len() > MATCHER_LIMIT {
            let problem = format!("{} are more than the limit of {MATCHER_LIMIT}", self.matchers.len());
            faults.push(("matchers".to_owned(), problem));
        }
        for (index, matcher) in self.matchers.iter().enumerate() {
            if self.matchers[..index].iter().any(|other| other.id == matcher.id) {
                faults.push((format!("matchers[{index}].id"), format!("\"{}\" is there twice", matcher.id)));
            }
            if !(matcher.weight > 0.0 && matcher.weight <= WEIGHT_LIMIT) {
                let problem = format!("{} is not above 0 and at most {WEIGHT_LIMIT}", matcher.weight);
                faults.push((format!("matchers[{index}].weight"), problem));
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_valid() {
        assert!(Policy::default().validate().is_empty());
    }

    #[test]
    fn faults_are_named() {
        let matcher = |weight| MatcherUse { id: "skill".to_owned(), weight, mode: Mode::Active };
        let policy = Policy { matchers: vec![matcher(1.0), matcher(f32::NAN)], ..Policy::default() };
        let keys: Vec<_> = policy.validate().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["matchers[1].id", "matchers[1].weight"]);
        let many = Policy { matchers: vec![matcher(1.0); MATCHER_LIMIT + 1], ..Policy::default() };
        assert!(many.validate().iter().any(|(key, _)| key == "matchers"));
    }
}
