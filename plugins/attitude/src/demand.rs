//! What a customer's emotional state asks for, and how far an agent's traits give it.

use heartline_plugin_sdk::abi::{CATEGORY_COUNT, TRAIT_COUNT};
use heartline_plugin_sdk::{Category, Emotion};

use crate::NeedTable;

/// The parts of the state: seven categories, then frustration, confusion and concern.
const PART_COUNT: usize = CATEGORY_COUNT + 3;
/// Below this sum the state asks for nothing.
const NO_DEMAND: f32 = 1e-3;
/// What is assumed of a trait that is not known.
const UNKNOWN_TRAIT: f32 = 0.5;

/// The table's rows in the order of the parts.
pub(crate) fn rows(needs: &NeedTable) -> [[f32; TRAIT_COUNT]; PART_COUNT] {
    [
        needs.neutral,
        needs.happiness,
        needs.surprise,
        needs.sadness,
        needs.anger,
        needs.disgust,
        needs.fear,
        needs.frustration,
        needs.confusion,
        needs.concern,
    ]
    .map(crate::TraitWeights::to_array)
}

/// How upset the customer is: the share of unpleasant categories, or frustration where that is stronger.
pub(crate) fn upset_share(emotion: &Emotion) -> f32 {
    let unpleasant: f32 = [Category::Sadness, Category::Anger, Category::Disgust, Category::Fear]
        .iter()
        .map(|category| emotion.category(*category))
        .sum();
    unpleasant.max(emotion.frustration).clamp(0.0, 1.0)
}

/// How much of each trait a state asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Demand {
    traits: [f32; TRAIT_COUNT],
    total: f32,
}

/// How far an agent meets a demand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Fit {
    /// The demand-weighted mean of the traits, in [0, 1].
    pub(crate) score: f32,
    /// The share of the demand that falls on traits that are known, in [0, 1].
    pub(crate) known: f32,
    /// The trait that is needed most; NaN where unknown.
    pub(crate) leading: f32,
}

impl Demand {
    /// The demand of a state; `None` where it asks for nothing.
    pub(crate) fn new(needs: &NeedTable, emotion: &Emotion) -> Option<Self> {
        let signals = [emotion.frustration, emotion.confusion, emotion.concern];
        let parts = emotion.categories.iter().chain(&signals);
        let mut traits = [0.0; TRAIT_COUNT];
        for (strength, row) in parts.zip(rows(needs)) {
            for (demand, weight) in traits.iter_mut().zip(row) {
                *demand += strength * weight;
            }
        }
        let total = traits.iter().sum();
        (total > NO_DEMAND).then_some(Self { traits, total })
    }

    /// How strong the demand is as a whole, in [0, 1]: a calm customer gets along with anybody.
    pub(crate) fn strength(&self) -> f32 {
        self.total.min(1.0)
    }

    /// The index of the trait that is needed most; the first of equals.
    pub(crate) fn leading_trait(&self) -> u32 {
        let mut leading = 0_u32;
        let mut most = self.traits[0];
        for (index, demand) in (0_u32..).zip(self.traits) {
            if demand > most {
                (leading, most) = (index, demand);
            }
        }
        leading
    }

    pub(crate) fn fit(&self, attitude: &[f32; TRAIT_COUNT]) -> Fit {
        let (mut score, mut known) = (0.0, 0.0);
        for (demand, value) in self.traits.iter().zip(attitude) {
            if value.is_nan() {
                score += demand * UNKNOWN_TRAIT;
            } else {
                score += demand * value;
                known += demand;
            }
        }
        Fit {
            score: (score / self.total).clamp(0.0, 1.0),
            known: (known / self.total).clamp(0.0, 1.0),
            leading: attitude[self.leading_trait() as usize],
        }
    }
}
