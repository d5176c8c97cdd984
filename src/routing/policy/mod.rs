//! Policies: which matchers count and how much, who is kept out, and who comes first where scores do not tell.
//!
//! `filter` holds the rules that keep agents out, `order` those that decide between equals, and `book` the policies
//! that a server has, which change while rankings run.

mod book;
mod filter;
mod order;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use book::{Policies, PolicyBook};
pub use filter::{Filter, Rule};
pub use order::{Fairness, Order};

/// The heaviest weight a matcher may have.
const WEIGHT_LIMIT: f32 = 1_000.0;
/// How many matchers one policy may use.
const MATCHER_LIMIT: usize = 32;
/// How many filters one policy may have.
const FILTER_LIMIT: usize = 64;
/// The longest name of a policy or a filter, in bytes.
const NAME_LIMIT: usize = 64;

/// A policy: the matchers of a ranking, who is kept out, and who comes first where scores do not tell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// The policy's name, shown with every ranking.
    pub name: String,
    /// The matchers it uses.
    pub matchers: Vec<MatcherUse>,
    /// Rules that keep agents out, whatever the matchers say.
    pub filters: Vec<Filter>,
    /// Who comes first of those with the same score; the identifier decides at last.
    pub tie_break: Vec<Order>,
    /// Who comes first of those whose scores are nearly the same; left out, scores alone decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fairness: Option<Fairness>,
    /// The order of agents when no active matcher answers.
    pub fallback: Order,
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

impl Default for Policy {
    fn default() -> Self {
        let matcher = |id: &str, weight| MatcherUse { id: id.to_owned(), weight, mode: Mode::Active };
        Self {
            name: "default".to_owned(),
            // An agent who cannot help or cannot be understood is of no use however kind: language and skill weigh
            // more than attitude.
            matchers: vec![matcher("skill", 0.4), matcher("attitude", 0.25), matcher("language", 0.35)],
            filters: Vec::new(),
            tie_break: vec![Order::LongestIdle],
            fairness: None,
            fallback: Order::LongestIdle,
        }
    }
}

impl Policy {
    /// The matchers that are asked.
    pub fn asked(&self) -> impl Iterator<Item = &MatcherUse> {
        self.matchers.iter().filter(|used| used.mode != Mode::Off)
    }

    /// What is wrong with this policy, as pairs of key and problem; all faults at once.
    #[must_use]
    pub fn validate(&self) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        let mut fault = |key: String, problem: String| faults.push((key, problem));
        if let Some(problem) = name_problem(&self.name) {
            fault("name".to_owned(), problem);
        }
        if self.matchers.len() > MATCHER_LIMIT {
            let problem = format!("{} are more than the limit of {MATCHER_LIMIT}", self.matchers.len());
            fault("matchers".to_owned(), problem);
        }
        for (index, matcher) in self.matchers.iter().enumerate() {
            if self.matchers[..index].iter().any(|other| other.id == matcher.id) {
                fault(format!("matchers[{index}].id"), format!("\"{}\" is there twice", matcher.id));
            }
            if !(matcher.weight > 0.0 && matcher.weight <= WEIGHT_LIMIT) {
                let problem = format!("{} is not above 0 and at most {WEIGHT_LIMIT}", matcher.weight);
                fault(format!("matchers[{index}].weight"), problem);
            }
        }
        if self.filters.len() > FILTER_LIMIT {
            let problem = format!("{} are more than the limit of {FILTER_LIMIT}", self.filters.len());
            fault("filters".to_owned(), problem);
        }
        for (index, filter) in self.filters.iter().enumerate() {
            if self.filters[..index].iter().any(|other| other.name == filter.name) {
                fault(format!("filters[{index}].name"), format!("\"{}\" is there twice", filter.name));
            }
            for (key, problem) in filter.problems() {
                fault(format!("filters[{index}].{key}"), problem);
            }
        }
        for (index, order) in self.tie_break.iter().enumerate() {
            if self.tie_break[..index].contains(order) {
                fault(format!("tie_break[{index}]"), "is there twice".to_owned());
            }
        }
        if let Some(Fairness { margin }) = self.fairness
            && !(0.0..=1.0).contains(&margin)
        {
            fault("fairness.margin".to_owned(), format!("{margin} is not within 0 to 1"));
        }
        faults
    }
}

/// What is wrong with a name, if anything: names stand in addresses, labels and logs.
fn name_problem(name: &str) -> Option<String> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.is_empty() || name.len() > NAME_LIMIT {
        return Some(format!("has {} bytes, not 1 to {NAME_LIMIT}", name.len()));
    }
    // A name of nothing but dots would be a way through folders in an address.
    let is_name = name.chars().all(is_allowed) && name.chars().any(|c| c != '.');
    (!is_name).then(|| format!("\"{name}\" has other characters than letters, digits, _, - and ."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(policy: &Policy) -> Vec<String> {
        policy.validate().into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn the_default_is_valid() {
        assert!(Policy::default().validate().is_empty());
    }

    #[test]
    fn every_fault_is_named() {
        let matcher = |weight| MatcherUse { id: "skill".to_owned(), weight, mode: Mode::Active };
        let filter = Filter { name: "busy ones".to_owned(), require: Rule::MaxLoad { share: 7.0 } };
        let policy = Policy {
            name: "a/b".to_owned(),
            matchers: vec![matcher(1.0), matcher(f32::NAN)],
            filters: vec![filter.clone(), filter],
            tie_break: vec![Order::AgentId, Order::AgentId],
            fairness: Some(Fairness { margin: 2.0 }),
            ..Policy::default()
        };
        let expected = [
            "name",
            "matchers[1].id",
            "matchers[1].weight",
            "filters[0].name",
            "filters[0].require.share",
            "filters[1].name",
            "filters[1].name",
            "filters[1].require.share",
            "tie_break[1]",
            "fairness.margin",
        ];
        assert_eq!(keys(&policy), expected);
        let many = Policy { matchers: vec![matcher(1.0); MATCHER_LIMIT + 1], ..Policy::default() };
        assert!(keys(&many).contains(&"matchers".to_owned()));
    }

    #[test]
    fn names_can_stand_in_an_address() {
        for name in ["default", "vip-2.night_shift", "7"] {
            assert_eq!(name_problem(name), None);
        }
        for name in ["", "..", ".", "a b", "ä", "a/b", &"x".repeat(65)] {
            assert!(name_problem(name).is_some(), "{name}");
        }
    }

    #[test]
    fn a_policy_is_read_with_its_defaults_and_without_unknown_keys() {
        let policy: Policy = serde_json::from_value(serde_json::json!({
            "name": "vip",
            "matchers": [{"id": "skill"}, {"id": "attitude", "weight": 0.5, "mode": "shadow"}],
            "filters": [{"name": "site", "require": {"rule": "attribute_one_of", "attribute": "site", "values": ["Lisbon"]}}],
            "tie_break": ["least_loaded", "agent_id"],
            "fairness": {"margin": 0.05},
        }))
        .unwrap();
        assert!(policy.validate().is_empty());
        assert_eq!(policy.fallback, Order::LongestIdle);
        assert_eq!(policy.asked().count(), 2);
        let again: Policy = serde_json::from_str(&serde_json::to_string(&policy).unwrap()).unwrap();
        assert_eq!(again, policy);
        for wrong in [
            r#"{"nmae": "x"}"#,
            r#"{"filters": [{"name": "x", "require": {"rule": "max_load", "shar": 1}}]}"#,
        ] {
            assert!(serde_json::from_str::<Policy>(wrong).is_err(), "{wrong}");
        }
    }
}
