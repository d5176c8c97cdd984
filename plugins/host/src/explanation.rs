//! A matcher's explanation of one score: its factors, read and checked.

use std::mem::MaybeUninit;

use heartline_plugin_abi as abi;
use heartline_plugin_abi::Text;
use serde::{Deserialize, Serialize};

use crate::services::readable;
use crate::{AnswerFault, HostLimits};

/// Why a candidate has the score it has.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Explanation {
    /// The factors, the weightiest first. Their contributions sum to the score of an eligible candidate.
    pub factors: Vec<ScoreFactor>,
}

impl Explanation {
    /// Checks what another process says.
    pub(crate) fn check(&self, limits: &HostLimits) -> Result<(), AnswerFault> {
        let (capacity, found) = (limits.max_factors, self.factors.len());
        if found > capacity {
            return Err(AnswerFault::TooManyFactors { capacity, found });
        }
        // Replacement characters may have made a text longer than it was, by three bytes for one.
        let limit = limits.max_text_bytes.saturating_mul(3);
        for (index, factor) in self.factors.iter().enumerate() {
            if factor.name.is_empty() || factor.name.len().max(factor.subject.len()) > limit {
                return Err(AnswerFault::FactorText { index });
            }
            factor.check(index)?;
        }
        Ok(())
    }
}

/// One factor of a score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreFactor {
    /// What kind of factor, in a few words.
    pub name: String,
    /// What it is about, such as a skill's name; empty where it is about nothing in particular.
    pub subject: String,
    /// What was found, in [0, 1].
    pub value: f32,
    /// How much it counts beside the other factors, in [0, 1].
    pub weight: f32,
    /// What it adds to the score, in [-1, 1].
    pub contribution: f32,
}

impl ScoreFactor {
    fn check(&self, index: usize) -> Result<(), AnswerFault> {
        for (field, value, low) in [
            ("value", self.value, 0.0),
            ("weight", self.weight, 0.0),
            ("contribution", self.contribution, -1.0),
        ] {
            if !(low..=1.0).contains(&value) {
                return Err(AnswerFault::FactorRange { index, field, value });
            }
        }
        Ok(())
    }
}

/// Room for the factors that a matcher writes.
pub(crate) struct Room(Vec<MaybeUninit<abi::Factor>>);

impl Room {
    pub(crate) fn new(capacity: usize) -> Self {
        // All bytes 0 is a valid factor, so that a count which claims more than was written reads nothing strange.
        Self(vec![MaybeUninit::zeroed(); capacity])
    }

    /// The structure to pass; its pointer is valid for as long as `self` is not touched.
    pub(crate) fn lend(&mut self) -> abi::Factors {
        abi::Factors {
            size: abi::size_of_struct::<abi::Factors>(),
            // The limit is a small number.
            capacity: u32::try_from(self.0.len()).unwrap_or(0),
            count: 0,
            reserved: 0,
            factors: self.0.as_mut_ptr().cast(),
        }
    }

    /// Reads and checks `count` factors.
    ///
    /// # Safety
    /// The texts that the matcher wrote must point at as many bytes as their lengths say.
    pub(crate) unsafe fn read(&self, count: u32, limits: &HostLimits) -> Result<Explanation, AnswerFault> {
        let (capacity, found) = (self.0.len(), count as usize);
        if found > capacity {
            return Err(AnswerFault::TooManyFactors { capacity, found });
        }
        let mut factors = Vec::with_capacity(found);
        for (index, factor) in self.0[..found].iter().enumerate() {
            // SAFETY: the room was zeroed, and all bytes 0 is a valid factor.
            let factor = unsafe { factor.assume_init_ref() };
            let text = |text: Text| {
                // SAFETY: the caller promises that the text is as long as it says; the length is limited before.
                let bytes = (text.length <= limits.max_text_bytes).then(|| unsafe { text.bytes() }).flatten();
                bytes
                    .map(|bytes| readable(bytes, limits.max_text_bytes))
                    .ok_or(AnswerFault::FactorText { index })
            };
            let name = text(factor.name)?;
            if name.is_empty() {
                return Err(AnswerFault::FactorText { index });
            }
            let abi::Factor { value, weight, contribution, .. } = *factor;
            let factor = ScoreFactor { name, subject: text(factor.subject)?, value, weight, contribution };
            factor.check(index)?;
            factors.push(factor);
        }
        Ok(Explanation { factors })
    }
}
