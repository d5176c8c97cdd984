//! What can be set, with its defaults and their schema.

use garde::Validate;
use heartline_plugin_sdk::MatcherError;
use heartline_plugin_sdk::abi::TRAIT_COUNT;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much one part of the emotional state asks for each trait; what is not named is 0.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
#[serde(default, deny_unknown_fields)]
pub struct TraitWeights {
    /// Sympathy.
    pub warmth: f32,
    /// Calm under attack.
    pub calm: f32,
    /// Taking time.
    pub patience: f32,
    /// Explaining well.
    pub clarity: f32,
    /// Liveliness.
    pub energy: f32,
}

impl TraitWeights {
    /// The weights in the order of the traits.
    pub(crate) fn to_array(self) -> [f32; TRAIT_COUNT] {
        [self.warmth, self.calm, self.patience, self.clarity, self.energy]
    }
}

/// What each part of the emotional state asks for. A part that the configuration names is replaced as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
#[serde(default, deny_unknown_fields)]
pub struct NeedTable {
    /// For the probability of neutral.
    pub neutral: TraitWeights,
    /// For the probability of happiness.
    pub happiness: TraitWeights,
    /// For the probability of surprise.
    pub surprise: TraitWeights,
    /// For the probability of sadness.
    pub sadness: TraitWeights,
    /// For the probability of anger.
    pub anger: TraitWeights,
    /// For the probability of disgust.
    pub disgust: TraitWeights,
    /// For the probability of fear.
    pub fear: TraitWeights,
    /// For the strength of frustration.
    pub frustration: TraitWeights,
    /// For the strength of confusion.
    pub confusion: TraitWeights,
    /// For the strength of concern.
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

/// The configuration of the attitude matcher.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What each part of the emotional state asks for.
    pub needs: NeedTable,
    /// How far a long record can replace the traits, in [0, 1].
    pub outcome_weight: f32,
    /// How many calls of a new agent are imagined to have gone as `prior_success` says.
    pub prior_calls: f32,
    /// The share of imagined calls that ended well.
    pub prior_success: f32,
    /// The confidence where nothing was observed or nothing is needed.
    pub abstain_confidence: f32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            needs: NeedTable::default(),
            outcome_weight: 0.3,
            prior_calls: 10.0,
            prior_success: 0.7,
            abstain_confidence: 0.05,
        }
    }
}

impl Config {
    /// Refuses numbers that make no sense.
    pub(crate) fn check(&self) -> Result<(), MatcherError> {
        let shares = [
            ("outcome_weight", self.outcome_weight),
            ("prior_success", self.prior_success),
            ("abstain_confidence", self.abstain_confidence),
        ];
        for (key, value) in shares {
            within(key, value, 0.0, 1.0)?;
        }
        within("prior_calls", self.prior_calls, 1.0, 10_000.0)?;
        let rows = crate::demand::rows(&self.needs);
        for weight in rows.iter().flatten() {
            within("a weight of needs", *weight, 0.0, 10.0)?;
        }
        Ok(())
    }
}

fn within(key: &str, value: f32, low: f32, high: f32) -> Result<(), MatcherError> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(MatcherError::Config(format!("{key} is {value}, it must be between {low} and {high}")))
}
