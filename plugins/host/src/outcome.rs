//! How a call ended, for matchers that learn.

use heartline_plugin_abi as abi;
use serde::{Deserialize, Serialize};

use crate::HostError;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// Whether the issue was resolved; `None` where nobody said.
    pub is_resolved: Option<bool>,
    /// Whether the call was transferred to another agent.
    pub is_transferred: bool,
    /// The customer's own rating, in [0, 1].
    pub rating: Option<f32>,
    /// How the emotion vector's valence changed from the ranking to the end, in [-2, 2].
    pub valence_change: Option<f32>,
    /// How long the call took, in ms.
    pub handling_ms: Option<u64>,
}

impl Outcome {
    /// Refuses numbers outside their ranges.
    pub(crate) fn check(&self) -> Result<(), HostError> {
        let within = |field, value: Option<f32>, low: f32, high: f32| match value {
            Some(value) if !(low..=high).contains(&value) => {
                let reason = format!("{value} is not between {low} and {high}");
                Err(HostError::InvalidRequest { field, reason })
            }
            _ => Ok(()),
        };
        within("outcome.rating", self.rating, 0.0, 1.0)?;
        within("outcome.valence_change", self.valence_change, -2.0, 2.0)
    }

    pub(crate) fn to_abi(self) -> abi::Outcome {
        abi::Outcome {
            size: abi::size_of_struct::<abi::Outcome>(),
            result: match self.is_resolved {
                None => abi::CallResult::UNKNOWN,
                Some(true) => abi::CallResult::RESOLVED,
                Some(false) => abi::CallResult::UNRESOLVED,
            },
            transferred: u32::from(self.is_transferred),
            rating: self.rating.unwrap_or(f32::NAN),
            valence_change: self.valence_change.unwrap_or(f32::NAN),
            reserved: 0,
            handling_ms: self.handling_ms.unwrap_or(0),
        }
    }
}
