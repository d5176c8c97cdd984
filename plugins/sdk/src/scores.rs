//! What a matcher answers, as safe columns.

use heartline_plugin_abi as abi;

use crate::{MatcherError, raw};

/// What a matcher says of one candidate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// How well the candidate fits, in [0, 1].
    pub score: f32,
    /// Whether the candidate may take the call.
    pub eligible: bool,
    /// How sure the matcher is, in [0, 1].
    pub confidence: f32,
    /// Why: a code of [`crate::Matcher::REASONS`].
    pub reason: u32,
}

/// The answer, one row a candidate. The host refuses an answer with a row that was not set.
#[derive(Debug)]
pub struct Scores<'call> {
    pub(crate) scores: &'call mut [f32],
    pub(crate) confidences: &'call mut [f32],
    pub(crate) reason_codes: &'call mut [u32],
    pub(crate) eligible: &'call mut [u8],
}

impl<'call> Scores<'call> {
    /// How many rows there are: the number of candidates.
    #[must_use]
    pub fn len(&self) -> usize {
        self.scores.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scores.is_empty()
    }

    /// Sets the answer for one candidate. A row that does not exist panics, like indexing a slice.
    pub fn set(&mut self, row: usize, score: Score) {
        self.scores[row] = score.score;
        self.confidences[row] = score.confidence;
        self.reason_codes[row] = score.reason;
        self.eligible[row] = u8::from(score.eligible);
    }

    /// Borrows the ABI's answer.
    ///
    /// # Safety
    /// The pointer and all it leads to must be as the header says, and nobody else's, for as long as `'call`.
    pub(crate) unsafe fn from_abi(pointer: *mut abi::Scores) -> Result<Self, MatcherError> {
        // SAFETY: the caller promises that the structure is as the header says.
        let columns = unsafe { raw::structure(pointer.cast_const(), "the scores are null or too short") }?;
        let count = columns.capacity as usize;
        // SAFETY: as before; the columns are initialised by the host and no two of them overlap.
        unsafe {
            Ok(Self {
                scores: raw::column_mut(columns.scores, count, "the column of scores is null")?,
                confidences: raw::column_mut(columns.confidences, count, "the confidences are null")?,
                reason_codes: raw::column_mut(columns.reason_codes, count, "the reason codes are null")?,
                eligible: raw::column_mut(columns.eligible, count, "the column of eligible is null")?,
            })
        }
    }
}
