//! What is known of an agent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An agent who could take the call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// The caller's own identifier, unique in a request.
    pub id: String,
    /// A name to show, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Proficiency by skill, 1 (beginner) to 5 (expert).
    #[serde(default)]
    pub skills: BTreeMap<String, f32>,
    /// Level by language; the keys are BCP 47 tags.
    #[serde(default)]
    pub languages: BTreeMap<String, LanguageLevel>,
    /// Attitude traits, as far as they are known.
    #[serde(default)]
    pub attitude: Attitude,
    /// Whether the agent takes calls now.
    #[serde(default)]
    pub activity: Activity,
    /// Tasks the agent works on now.
    #[serde(default)]
    pub active_tasks: u32,
    /// Tasks the agent can work on at once.
    #[serde(default = "one")]
    pub capacity: u32,
    /// Time since the agent's last task, in milliseconds.
    #[serde(default)]
    pub idle_ms: u64,
    /// How earlier calls ended.
    #[serde(default)]
    pub outcomes: OutcomeCounts,
    /// Further values by name, for matchers and for the filters of policies. One name has one kind over all agents.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Attribute>,
}

/// A further value of an agent: a number, true or false, or a text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Attribute {
    /// True or false.
    Flag(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
}

impl Attribute {
    /// The kind in words.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Flag(_) => "a flag",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
        }
    }
}

const fn one() -> u32 {
    1
}

impl std::fmt::Display for Attribute {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flag(flag) => flag.fmt(formatter),
            Self::Number(number) => number.fmt(formatter),
            Self::Text(text) => text.fmt(formatter),
        }
    }
}

/// Attitude traits in [0, 1]; a trait that is left out is unknown, which is not the same as 0.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Attitude {
    /// Shows care; for the sad.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warmth: Option<f32>,
    /// Does not get heated; for the angry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calm: Option<f32>,
    /// Lets people finish; for the angry and those who come back to one issue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience: Option<f32>,
    /// Explains well; for the confused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clarity: Option<f32>,
    /// Brings drive; for the happy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy: Option<f32>,
}

impl Attitude {
    /// All traits with their names, in the order of the matchers' column.
    #[must_use]
    pub fn traits(&self) -> [(&'static str, Option<f32>); 5] {
        [
            ("warmth", self.warmth),
            ("calm", self.calm),
            ("patience", self.patience),
            ("clarity", self.clarity),
            ("energy", self.energy),
        ]
    }
}

/// How well an agent speaks a language: the levels of the Common European Framework, or native.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub enum LanguageLevel {
    /// Breakthrough.
    A1,
    /// Waystage.
    A2,
    /// Threshold.
    B1,
    /// Vantage.
    B2,
    /// Effective operational proficiency.
    C1,
    /// Mastery.
    C2,
    /// Grew up with it.
    #[serde(rename = "native")]
    Native,
}

impl LanguageLevel {
    /// The level as a number, 1 (A1) to 7 (native), as the matchers' column has it.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8 + 1
    }
}

/// Whether an agent takes calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    /// Takes calls, up to the capacity.
    #[default]
    Available,
    /// Is at work but takes no further call now.
    Busy,
    /// Is not at work.
    Offline,
}

/// Counts of earlier outcomes; 0 where nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OutcomeCounts {
    /// Calls that ended with the issue resolved.
    pub resolved: u32,
    /// Calls that ended otherwise: transferred, abandoned, escalated.
    pub unresolved: u32,
    /// Those of the resolved calls in which the customer was upset.
    pub upset_resolved: u32,
    /// Those of the unresolved calls in which the customer was upset.
    pub upset_unresolved: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_needs_only_an_id() {
        let agent: Agent = serde_json::from_str(r#"{"id": "agent-01"}"#).unwrap();
        assert_eq!((agent.capacity, agent.activity), (1, Activity::Available));
        assert_eq!(agent.attitude.calm, None);
    }

    #[test]
    fn levels_are_ordered_and_named_as_on_the_wire() {
        let level: LanguageLevel = serde_json::from_str("\"native\"").unwrap();
        assert_eq!(level.number(), 7);
        assert!(LanguageLevel::B2 < LanguageLevel::C1);
        assert!(serde_json::from_str::<LanguageLevel>("\"D1\"").is_err());
    }
}
