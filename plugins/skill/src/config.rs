//! What can be set, with its defaults and their schema.

use garde::Validate;
use heartline_plugin_sdk::MatcherError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The configuration of the skill matcher.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How many levels more a fully complex issue asks for.
    pub complexity_levels: f32,
    /// What an agent loses of a need for each level below the one asked.
    pub gap_cost: f32,
    /// What an agent loses of a need for each level above the one asked: it keeps experts free for harder issues.
    pub surplus_cost: f32,
    /// How far below the level asked a must-have skill may be.
    pub max_gap_levels: f32,
    /// How much a skill that helps counts beside a must-have, which counts 1.
    pub helpful_weight: f32,
    /// How long a customer waits before less is asked, in ms.
    pub relax_after_ms: u64,
    /// After how long the most is taken off, in ms.
    pub relax_full_ms: u64,
    /// The most levels taken off for waiting.
    pub relax_levels: f32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            complexity_levels: 1.0,
            gap_cost: 0.25,
            surplus_cost: 0.02,
            max_gap_levels: 1.0,
            helpful_weight: 0.4,
            relax_after_ms: 60_000,
            relax_full_ms: 300_000,
            relax_levels: 2.0,
        }
    }
}

impl Config {
    /// Refuses numbers that make no sense.
    pub(crate) fn check(&self) -> Result<(), MatcherError> {
        let ranges = [
            ("complexity_levels", self.complexity_levels, 4.0),
            ("gap_cost", self.gap_cost, 1.0),
            ("surplus_cost", self.surplus_cost, 0.25),
            ("max_gap_levels", self.max_gap_levels, 4.0),
            ("helpful_weight", self.helpful_weight, 1.0),
            ("relax_levels", self.relax_levels, 4.0),
        ];
        for (key, value, highest) in ranges {
            if !(0.0..=highest).contains(&value) {
                return Err(MatcherError::Config(format!(
                    "{key} is {value}, it must be between 0 and {highest}"
                )));
            }
        }
        if self.relax_full_ms < self.relax_after_ms {
            return Err(MatcherError::Config("relax_full_ms must not be below relax_after_ms".to_owned()));
        }
        Ok(())
    }

    /// How many levels the time waited takes off.
    pub(crate) fn relaxed_levels(&self, waiting_ms: u64) -> f32 {
        if waiting_ms <= self.relax_after_ms {
            return 0.0;
        }
        if waiting_ms >= self.relax_full_ms {
            return self.relax_levels;
        }
        let share =
            (waiting_ms - self.relax_after_ms) as f32 / (self.relax_full_ms - self.relax_after_ms) as f32;
        share * self.relax_levels
    }
}
