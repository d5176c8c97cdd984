//! What can be set, with its defaults; the schema is made of the comments and the ranges here.

use garde::Validate;
use heartline_plugin_sdk::MatcherError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The configuration of the skill matcher.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How many levels more a fully complex issue asks for.
    #[garde(range(min = 0.0, max = 4.0))]
    pub complexity_levels: f64,
    /// What an agent loses of a need for each level below the one asked.
    #[garde(range(min = 0.0, max = 1.0))]
    pub gap_cost: f64,
    /// What an agent loses of a need for each level above the one asked before any wait: it keeps experts free for harder
    /// issues.
    #[garde(range(min = 0.0, max = 0.25))]
    pub surplus_cost: f64,
    /// How far below the level asked a must-have skill may be.
    #[garde(range(min = 0.0, max = 4.0))]
    pub max_gap_levels: f64,
    /// How much a skill that helps counts beside a must-have, which counts 1.
    #[garde(range(min = 0.0, max = 1.0))]
    pub helpful_weight: f64,
    /// How long a customer waits before less is asked, in ms.
    #[garde(range(max = 86_400_000))]
    pub relax_after_ms: u64,
    /// After how long the most is taken off, in ms.
    #[garde(range(max = 86_400_000))]
    pub relax_full_ms: u64,
    /// The most levels taken off for waiting.
    #[garde(range(min = 0.0, max = 4.0))]
    pub relax_levels: f64,
    /// The levels are taken off in steps of this size; 0 takes them off smoothly.
    #[garde(range(min = 0.0, max = 4.0))]
    pub relax_step_levels: f64,
    /// After how long a wait nobody is excluded for lack of a must-have any more, in ms; null: never.
    #[garde(range(max = 86_400_000))]
    pub must_have_until_ms: Option<u64>,
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
            relax_step_levels: 0.0,
            must_have_until_ms: None,
        }
    }
}

impl Config {
    /// Refuses what the ranges cannot: values that do not go together.
    pub(crate) fn check(&self) -> Result<(), MatcherError> {
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
            return self.relax_levels as f32;
        }
        let share =
            (waiting_ms - self.relax_after_ms) as f64 / (self.relax_full_ms - self.relax_after_ms) as f64;
        let levels = share * self.relax_levels;
        let step = self.relax_step_levels;
        (if step > 0.0 { (levels / step).floor() * step } else { levels }) as f32
    }

    /// Whether the customer has waited so long that a must-have excludes nobody.
    pub(crate) fn waives_must_haves(&self, waiting_ms: u64) -> bool {
        self.must_have_until_ms.is_some_and(|until_ms| waiting_ms >= until_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_takes_levels_off_along_a_line_or_in_steps() {
        let smooth = Config::default();
        let stepped = Config { relax_step_levels: 0.5, ..Config::default() };
        for (waiting_ms, line, steps) in [
            (0, 0.0, 0.0),
            (60_000, 0.0, 0.0),
            (119_000, 0.491_666_67, 0.0),
            (120_000, 0.5, 0.5),
            (299_999, 1.999_991_7, 1.5),
            (300_000, 2.0, 2.0),
            (u64::MAX, 2.0, 2.0),
        ] {
            assert!((smooth.relaxed_levels(waiting_ms) - line).abs() < 1e-6, "{waiting_ms}");
            assert!((stepped.relaxed_levels(waiting_ms) - steps).abs() < 1e-6, "{waiting_ms}");
        }
    }

    #[test]
    fn a_line_without_length_is_a_step() {
        let config = Config { relax_after_ms: 5, relax_full_ms: 5, ..Config::default() };
        assert_eq!((config.relaxed_levels(5), config.relaxed_levels(6)), (0.0, 2.0));
    }

    #[test]
    fn must_haves_stay_hard_unless_a_time_is_given() {
        assert!(!Config::default().waives_must_haves(u64::MAX));
        let config = Config { must_have_until_ms: Some(10), ..Config::default() };
        assert_eq!([9, 10].map(|waiting_ms| config.waives_must_haves(waiting_ms)), [false, true]);
    }
}
