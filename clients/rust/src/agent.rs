//! What a platform tells of an agent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// An agent who could take the call.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Agent {
    /// The platform's own identifier, unique in a list.
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
    /// Tasks the agent can work on at once; left out, one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    /// Time since the agent's last task, in milliseconds.
    #[serde(default)]
    pub idle_ms: u64,
    /// How earlier calls ended.
    #[serde(default)]
    pub outcomes: OutcomeCounts,
    /// Further values by name, for matchers and for the filters of policies; a name has one kind over all agents.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Attribute>,
}

/// A further value of an agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Attribute {
    /// True or false.
    Flag(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
}

/// Attitude traits in [0, 1]; one that is left out is unknown, which is not the same as 0.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Attitude {
    /// Shows care.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warmth: Option<f32>,
    /// Does not get heated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calm: Option<f32>,
    /// Lets people finish.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience: Option<f32>,
    /// Explains well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clarity: Option<f32>,
    /// Brings drive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy: Option<f32>,
}

/// How well somebody speaks a language: the levels of the Common European Framework, or native.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the levels' own")]
pub enum LanguageLevel {
    A1,
    A2,
    B1,
    B2,
    C1,
    C2,
    /// Grew up with it.
    #[serde(rename = "native")]
    Native,
}

/// Whether an agent takes calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct OutcomeCounts {
    /// Calls that ended with the issue resolved.
    pub resolved: u32,
    /// Calls that ended otherwise.
    pub unresolved: u32,
    /// Those of the resolved calls in which the customer was upset.
    pub upset_resolved: u32,
    /// Those of the unresolved calls in which the customer was upset.
    pub upset_unresolved: u32,
}
