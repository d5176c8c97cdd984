//! What can be set, with its defaults; the schema is made of the comments and the ranges here.

use garde::Validate;
use heartline_plugin_sdk::abi::TRAIT_COUNT;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::parts::PART_COUNT;

/// How much one part of the emotional state asks for each trait; what is not named is 0.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct TraitWeights {
    /// Sympathy.
    #[garde(range(min = 0.0, max = 10.0))]
    pub warmth: f64,
    /// Calm under attack.
    #[garde(range(min = 0.0, max = 10.0))]
    pub calm: f64,
    /// Taking time.
    #[garde(range(min = 0.0, max = 10.0))]
    pub patience: f64,
    /// Explaining well.
    #[garde(range(min = 0.0, max = 10.0))]
    pub clarity: f64,
    /// Liveliness.
    #[garde(range(min = 0.0, max = 10.0))]
    pub energy: f64,
}

impl TraitWeights {
    /// The weights in the order of the traits.
    fn to_array(self) -> [f64; TRAIT_COUNT] {
        [self.warmth, self.calm, self.patience, self.clarity, self.energy]
    }
}

/// What each part of the emotional state asks for, before anything was learned. A part that the configuration names is
/// replaced as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct NeedTable {
    /// For the probability of neutral.
    #[garde(dive)]
    pub neutral: TraitWeights,
    /// For the probability of happiness.
    #[garde(dive)]
    pub happiness: TraitWeights,
    /// For the probability of surprise.
    #[garde(dive)]
    pub surprise: TraitWeights,
    /// For the probability of sadness.
    #[garde(dive)]
    pub sadness: TraitWeights,
    /// For the probability of anger.
    #[garde(dive)]
    pub anger: TraitWeights,
    /// For the probability of disgust.
    #[garde(dive)]
    pub disgust: TraitWeights,
    /// For the probability of fear.
    #[garde(dive)]
    pub fear: TraitWeights,
    /// For the strength of frustration.
    #[garde(dive)]
    pub frustration: TraitWeights,
    /// For the strength of confusion.
    #[garde(dive)]
    pub confusion: TraitWeights,
    /// For the strength of concern.
    #[garde(dive)]
    pub concern: TraitWeights,
}

impl Default for NeedTable {
    fn default() -> Self {
        let none = TraitWeights::default();
        Self {
            neutral: TraitWeights { clarity: 0.2, ..none },
            happiness: TraitWeights { warmth: 0.3, energy: 1.0, ..none },
            surprise: TraitWeights { clarity: 0.5, calm: 0.2, ..none },
            sadness: TraitWeights { warmth: 1.0, patience: 0.4, ..none },
            anger: TraitWeights { calm: 1.0, patience: 0.8, ..none },
            disgust: TraitWeights { calm: 0.6, patience: 0.4, ..none },
            fear: TraitWeights { warmth: 0.6, calm: 0.6, clarity: 0.4, ..none },
            frustration: TraitWeights { calm: 0.6, patience: 0.8, ..none },
            confusion: TraitWeights { patience: 0.4, clarity: 1.0, ..none },
            concern: TraitWeights { patience: 0.5, clarity: 0.5, ..none },
        }
    }
}

impl NeedTable {
    /// The table in the order of the parts and the traits.
    pub(crate) fn rows(&self) -> [[f64; TRAIT_COUNT]; PART_COUNT] {
        [
            self.neutral,
            self.happiness,
            self.surprise,
            self.sadness,
            self.anger,
            self.disgust,
            self.fear,
            self.frustration,
            self.confusion,
            self.concern,
        ]
        .map(TraitWeights::to_array)
    }
}

/// How the needs are learned from the way calls end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct Learning {
    /// Whether outcomes change the needs; off, they stay as configured.
    #[garde(skip)]
    pub enabled: bool,
    /// How many calls the configured needs count for, each with one part of the state in full and the trait at an end of
    /// its range: the more, the slower they change.
    #[garde(range(min = 1.0, max = 100_000.0))]
    pub prior_calls: f64,
    /// How many calls are remembered: with each one, what was learned before fades by this fraction of it.
    #[garde(range(min = 10.0, max = 10_000_000.0))]
    pub remembered_calls: f64,
    /// The most that what is learned from one call can change one need; what fades with it comes on top.
    #[garde(range(min = 0.0, max = 1.0))]
    pub max_step: f64,
}

impl Default for Learning {
    fn default() -> Self {
        Self { enabled: true, prior_calls: 50.0, remembered_calls: 20_000.0, max_step: 0.05 }
    }
}

/// The configuration of the attitude matcher.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What each part of the emotional state asks for, before anything was learned.
    #[garde(dive)]
    pub needs: NeedTable,
    /// How the needs are learned.
    #[garde(dive)]
    pub learning: Learning,
    /// How far a long record can replace the traits.
    #[garde(range(min = 0.0, max = 1.0))]
    pub outcome_weight: f64,
    /// How many calls of a new agent are imagined to have gone as `prior_success` says.
    #[garde(range(min = 1.0, max = 10_000.0))]
    pub prior_calls: f64,
    /// The share of imagined calls that ended well.
    #[garde(range(min = 0.0, max = 1.0))]
    pub prior_success: f64,
    /// The confidence where nothing was observed or nothing is needed.
    #[garde(range(min = 0.0, max = 1.0))]
    pub abstain_confidence: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            needs: NeedTable::default(),
            learning: Learning::default(),
            outcome_weight: 0.3,
            prior_calls: 10.0,
            prior_success: 0.7,
            abstain_confidence: 0.05,
        }
    }
}
