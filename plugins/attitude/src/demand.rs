//! What a customer's emotional state asks for, and how far an agent's traits give it.

use heartline_plugin_sdk::Emotion;
use heartline_plugin_sdk::abi::TRAIT_COUNT;

use crate::learning::Needs;
use crate::parts;

/// Below this sum the state asks for nothing.
const NO_DEMAND: f32 = 1e-3;
/// What is assumed of a trait that is not known.
pub(crate) const UNKNOWN_TRAIT: f32 = 0.5;

/// How much of each trait a state asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Demand {
    /// The share of the whole demand that falls on each trait; they sum to 1.
    pub(crate) shares: [f32; TRAIT_COUNT],
    /// How strong the demand is as a whole, in [0, 1]: a calm customer gets along with anybody.
    pub(crate) strength: f32,
    /// The trait that is needed most; the first of equals.
    pub(crate) leading: usize,
}

/// How far an agent meets a demand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Fit {
    /// The demand-weighted mean of the traits, in [0, 1].
    pub(crate) score: f32,
    /// The share of the demand that falls on traits that are known, in [0, 1].
    pub(crate) known: f32,
}

impl Demand {
    /// The demand of a state; `None` where it asks for nothing.
    pub(crate) fn new(needs: &Needs, emotion: &Emotion) -> Option<Self> {
        let mut traits = [0.0_f32; TRAIT_COUNT];
        for (strength, row) in parts::strengths(emotion).iter().zip(needs) {
            for (demand, weight) in traits.iter_mut().zip(row) {
                *demand += strength * weight;
            }
        }
        let total: f32 = traits.iter().sum();
        let mut leading = 0;
        for (index, demand) in traits.iter().enumerate() {
            if *demand > traits[leading] {
                leading = index;
            }
        }
        (total > NO_DEMAND).then(|| Self {
            shares: traits.map(|demand| demand / total),
            strength: total.min(1.0),
            leading,
        })
    }

    /// Compares an agent's traits with the demand. There are many agents, so nothing here branches on what is known.
    #[inline]
    pub(crate) fn fit(&self, attitude: &[f32; TRAIT_COUNT]) -> Fit {
        let (mut score, mut known) = (0.0_f32, 0.0_f32);
        for (share, value) in self.shares.iter().zip(attitude) {
            let is_unknown = value.is_nan();
            score += share * if is_unknown { UNKNOWN_TRAIT } else { *value };
            known += if is_unknown { 0.0 } else { *share };
        }
        // The sum of the shares can round to above 1.
        Fit { score: score.min(1.0), known: known.min(1.0) }
    }
}
