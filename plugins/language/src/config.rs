//! What can be set, with its defaults; the schema is made of the comments and the ranges here.

use garde::Validate;
use heartline_plugin_sdk::MatcherError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The highest level that is ever asked: a native speaker's is never needed.
pub(crate) const HIGHEST_LEVEL: f64 = 6.0;
/// The most groups of languages, one bit each in a tag, and the most languages of a group.
const GROUP_LIMIT: usize = 64;

/// The configuration of the language matcher. Levels are CEFR numbers: A1 is 1, B1 is 3, C2 is 6, native is 7.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The lowest level at which a call can be held at all.
    #[garde(range(min = 1.0, max = 6.0))]
    pub minimum_level: f64,
    /// The level that is enough for any customer with a simple issue.
    #[garde(range(min = 1.0, max = 6.0))]
    pub comfortable_level: f64,
    /// The customer's level where it is unknown.
    #[garde(range(min = 1.0, max = 7.0))]
    pub assumed_level: f64,
    /// How many levels more a fully complex issue asks for.
    #[garde(range(min = 0.0, max = 5.0))]
    pub complexity_levels: f64,
    /// What an agent loses for each level below the one asked.
    #[garde(range(min = 0.0, max = 1.0))]
    pub gap_cost: f64,
    /// What the same language of another region is worth.
    #[garde(range(min = 0.0, max = 1.0))]
    pub region_factor: f64,
    /// What the same language in another script is worth.
    #[garde(range(min = 0.0, max = 1.0))]
    pub script_factor: f64,
    /// What a related language is worth.
    #[garde(range(min = 0.0, max = 1.0))]
    pub related_factor: f64,
    /// Of a customer who mixes languages: how much of what was said an agent must understand who does not speak the main
    /// one.
    #[garde(range(min = 0.0, max = 1.0))]
    pub minimum_cover: f64,
    /// What a call through an interpreter is worth, where one can be brought in.
    #[garde(range(min = 0.0, max = 1.0))]
    pub interpreter_score: f64,
    /// The confidence where the customer's language is unknown.
    #[garde(range(min = 0.0, max = 1.0))]
    pub unknown_confidence: f64,
    /// Groups of primary subtags that name the same language.
    #[garde(length(max = 64))]
    pub equivalent: Vec<Vec<String>>,
    /// Groups of primary subtags whose speakers mostly understand each other.
    #[garde(length(max = 64))]
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
            minimum_cover: 0.5,
            interpreter_score: 0.25,
            unknown_confidence: 0.1,
            // A macrolanguage and the member that its tag is used for, and subtags that were renamed.
            equivalent: groups(&[
                &["zh", "cmn"],
                &["ar", "arb"],
                &["fa", "pes"],
                &["ms", "zsm"],
                &["sw", "swh"],
                &["et", "ekk"],
                &["lv", "lvs"],
                &["uz", "uzn"],
                &["mn", "khk"],
                &["ne", "npi"],
                &["no", "nb"],
                &["fil", "tl"],
                &["he", "iw"],
                &["id", "in"],
                &["yi", "ji"],
                &["ro", "mo"],
            ]),
            related: groups(&[
                &["no", "nn", "da"],
                &["hr", "sr", "bs", "sh", "cnr"],
                &["cs", "sk"],
                &["id", "ms"],
                &["gl", "pt"],
                &["fa", "prs"],
                &["ar", "arz", "apc", "ajp", "afb", "ars"],
            ]),
        }
    }
}

impl Config {
    /// Refuses what the ranges cannot: values that do not go together, and groups with what is no primary subtag.
    pub(crate) fn check(&self) -> Result<(), MatcherError> {
        if self.comfortable_level < self.minimum_level {
            let problem = "comfortable_level must not be below minimum_level";
            return Err(MatcherError::Config(problem.to_owned()));
        }
        for (key, groups) in [("equivalent", &self.equivalent), ("related", &self.related)] {
            let primary = |name: &String| {
                (2..=8).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphabetic())
            };
            if groups.iter().any(|group| group.len() > GROUP_LIMIT) {
                let problem = format!("{key} has a group of more than {GROUP_LIMIT} languages");
                return Err(MatcherError::Config(problem));
            }
            if let Some(name) = groups.iter().flatten().find(|name| !primary(name)) {
                return Err(MatcherError::Config(format!("{key} has {name:?}, which is no primary subtag")));
            }
        }
        Ok(())
    }
}
