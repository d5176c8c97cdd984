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

/// One row of the answer; see [`Scores::rows_mut`].
#[derive(Debug)]
pub struct RowMut<'row> {
    score: &'row mut f32,
    confidence: &'row mut f32,
    reason_code: &'row mut u32,
    eligible: &'row mut u8,
}

impl RowMut<'_> {
    /// Sets the answer for this candidate.
    #[inline]
    pub fn set(self, score: Score) {
        *self.score = score.score;
        *self.confidence = score.confidence;
        *self.reason_code = score.reason;
        *self.eligible = u8::from(score.eligible);
    }
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

    /// All rows in order, for matchers that set one after the other: this saves looking for the row each time.
    pub fn rows_mut(&mut self) -> impl DoubleEndedIterator<Item = RowMut<'_>> + ExactSizeIterator {
        let numbers = self.scores.iter_mut().zip(self.confidences.iter_mut());
        let marks = self.reason_codes.iter_mut().zip(self.eligible.iter_mut());
        numbers.zip(marks).map(|((score, confidence), (reason_code, eligible))| RowMut {
            score,
            confidence,
            reason_code,
            eligible,
        })
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
    fn rows_are_set_one_by_one_or_all_alike() {
        let (mut numbers, mut confidences) = ([f32::NAN; 2], [f32::NAN; 2]);
        let (mut reasons, mut eligible) = ([0; 2], [255; 2]);
        let mut scores = Scores::from_columns(&mut numbers, &mut confidences, &mut reasons, &mut eligible);
        scores.fill(Score { score: 0.25, eligible: true, confidence: 0.5, reason: 9 });
        let last = scores.rows_mut().next_back();
        last.unwrap().set(Score { score: 0.75, eligible: false, confidence: 1.0, reason: 3 });
        assert_eq!((numbers, confidences, reasons, eligible), ([0.25, 0.75], [0.5, 1.0], [9, 3], [1, 0]));
    }
}
