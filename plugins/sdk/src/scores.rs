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

/// The columns of the answer, all equally long; see [`Scores::columns`].
#[derive(Debug)]
pub struct Columns<'scores> {
    /// How well each candidate fits, in [0, 1].
    pub scores: &'scores mut [f32],
    /// How sure the matcher is, in [0, 1].
    pub confidences: &'scores mut [f32],
    /// Why: codes of [`crate::Matcher::REASONS`].
    pub reason_codes: &'scores mut [u32],
    /// 1 where the candidate may take the call, 0 where not.
    pub eligible: &'scores mut [u8],
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

    /// Sets the same answer for every candidate.
    pub fn fill(&mut self, score: Score) {
        self.scores.fill(score.score);
        self.confidences.fill(score.confidence);
        self.reason_codes.fill(score.reason);
        self.eligible.fill(u8::from(score.eligible));
    }

    /// The columns themselves, for matchers that write them one by one. Every row of each must be written.
    #[must_use]
    pub fn columns(&mut self) -> Columns<'_> {
        Columns {
            scores: self.scores,
            confidences: self.confidences,
            reason_codes: self.reason_codes,
            eligible: self.eligible,
        }
    }

    /// Borrows columns that a test has made; all must be equally long.
    ///
    /// # Panics
    /// Where they are not.
    #[must_use]
    pub fn from_columns(
        scores: &'call mut [f32],
        confidences: &'call mut [f32],
        reason_codes: &'call mut [u32],
        eligible: &'call mut [u8],
    ) -> Self {
        let lengths = [confidences.len(), reason_codes.len(), eligible.len()];
        assert_eq!(lengths, [scores.len(); 3], "the columns of an answer are equally long");
        Self { scores, confidences, reason_codes, eligible }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_set_all_alike_one_by_one_or_by_columns() {
        let (mut numbers, mut confidences) = ([f32::NAN; 2], [f32::NAN; 2]);
        let (mut reasons, mut eligible) = ([0; 2], [255; 2]);
        let mut scores = Scores::from_columns(&mut numbers, &mut confidences, &mut reasons, &mut eligible);
        scores.fill(Score { score: 0.25, eligible: true, confidence: 0.5, reason: 9 });
        scores.set(1, Score { score: 0.75, eligible: false, confidence: 1.0, reason: 3 });
        scores.columns().confidences[0] = 0.75;
        assert_eq!((numbers, confidences, reasons, eligible), ([0.25, 0.75], [0.75, 1.0], [9, 3], [1, 0]));
    }
}
