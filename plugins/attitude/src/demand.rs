//! What a customer's emotional state asks for.

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
}
