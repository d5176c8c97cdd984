//! What can be set, with its defaults and their schema.

use garde::Validate;
use heartline_plugin_sdk::MatcherError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The highest level that is ever asked: a native speaker's is never needed.
pub(crate) const HIGHEST_LEVEL: f32 = 6.0;
/// The most groups of languages, and the most languages of a group.
const GROUP_LIMIT: usize = 64;

/// The configuration of the language matcher. Levels are CEFR numbers: A1 is 1, B1 is 3, C2 is 6, native is 7.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The lowest level at which a call can be held at all.
    pub minimum_level: f32,
    /// The level that is enough for any customer with a simple issue.
    pub comfortable_level: f32,
    /// The customer's level where it is unknown.
    pub assumed_level: f32,
    /// How many levels more a fully complex issue asks for.
    pub complexity_levels: f32,
    /// What an agent loses for each level below the one asked.
    pub gap_cost: f32,
    /// What the same language of another region is worth.
    pub region_factor: f32,
    /// What the same language in another script is worth.
    pub script_factor: f32,
    /// What a related language is worth.
    pub related_factor: f32,
    /// The confidence where the customer's language is unknown.
    pub unknown_confidence: f32,
    /// Groups of primary subtags that name the same language.
    pub equivalent: Vec<Vec<String>>,
    /// Groups of primary subtags whose speakers mostly understand each other.
    pub related: Vec<Vec<String>>,
}

impl Default for Config {
    fn default() -> Self {
        let groups = |groups: &[&[&str]]| {
            groups.iter().map(|group| group.iter().map(|&name| name.to_owned()).collect()).collect()
        };
        Self {
            minimum_level: 3.0,
            comfortable_level: 5.0,
            assumed_level: 5.0,
            complexity_levels: 1.0,
            gap_cost: 0.2,
            region_factor: 0.95,
            script_factor: 0.9,
            related_factor: 0.5,
            unknown_confidence: 0.1,
            equivalent: groups(&[
                &["zh", "cmn"],
                &["no", "nb"],
                &["fil", "tl"],
                &["he", "iw"],
                &["id", "in"],
            ]),
            related: groups(&[
                &["no", "nb", "nn", "da"],
                &["hr", "sr", "bs"],
                &["cs", "sk"],
                &["id", "ms"],
                &["gl", "pt"],
            ]),
        }
    }
}

impl Config {
    /// Refuses numbers and groups that make no sense.
    pub(crate) fn check(&self) -> Result<(), MatcherError> {
        let ranges = [
            ("minimum_level", self.minimum_level, 1.0, HIGHEST_LEVEL),
            ("comfortable_level", self.comfortable_level, self.minimum_level, HIGHEST_LEVEL),
            ("assumed_level", self.assumed_level, 1.0, 7.0),
            ("complexity_levels", self.complexity_levels, 0.0, 5.0),
            ("gap_cost", self.gap_cost, 0.0, 1.0),
            ("region_factor", self.region_factor, 0.0, 1.0),
            ("script_factor", self.script_factor, 0.0, 1.0),
            ("related_factor", self.related_factor, 0.0, 1.0),
            ("unknown_confidence", self.unknown_confidence, 0.0, 1.0),
        ];
        for (key, value, low, high) in ranges {
            if !(low..=high).contains(&value) {
                return Err(MatcherError::Config(format!(
                    "{key} is {value}, it must be between {low} and {high}"
                )));
            }
        }
        for (key, groups) in [("equivalent", &self.equivalent), ("related", &self.related)] {
            let primary = |name: &String| {
                (2..=8).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphabetic())
            };
            if groups.len() > GROUP_LIMIT || groups.iter().any(|group| group.len() > GROUP_LIMIT) {
                return Err(MatcherError::Config(format!("{key} has more than {GROUP_LIMIT} entries")));
            }
            if let Some(name) = groups.iter().flatten().find(|name| !primary(name)) {
                return Err(MatcherError::Config(format!("{key} has {name:?}, which is no primary subtag")));
            }
        }
        Ok(())
    }
}
