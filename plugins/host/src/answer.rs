//! A matcher's answer: the columns it writes, and the checks before anybody believes them.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::mem::ManuallyDrop;
use std::sync::{Arc, Once};
use std::time::Duration;

use heartline_plugin_abi as abi;

/// What a matcher says of one candidate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AgentScore<'scored> {
    /// How well the candidate fits, in [0, 1].
    pub score: f32,
    /// Whether the candidate may take the call.
    pub eligible: bool,
    /// How sure the matcher is, in [0, 1].
    pub confidence: f32,
    /// Why, as the matcher's own code.
    pub reason_code: u32,
    /// Why, in a few words.
    pub reason: &'scored str,
}

/// A valid answer: columns with one row a candidate, in the candidates' order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scored {
    /// How well each candidate fits, in [0, 1].
    pub scores: Vec<f32>,
    /// How sure the matcher is, in [0, 1].
    pub confidences: Vec<f32>,
    /// Why, as the matcher's own codes; every code is in `reasons`.
    pub reason_codes: Vec<u32>,
    /// Whether each candidate may take the call.
    pub eligible: Vec<bool>,
    /// What the codes mean.
    pub reasons: BTreeMap<u32, Arc<str>>,
    /// How long the matcher itself took, without waiting for its turn and without the checks.
    pub elapsed: Duration,
}

impl Scored {
    /// How many candidates were scored.
    #[must_use]
    pub fn len(&self) -> usize {
        self.scores.len()
    }

    /// Whether there were none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scores.is_empty()
    }

    /// What was said of one candidate. A row that does not exist panics, like indexing a slice.
    #[must_use]
    pub fn row(&self, row: usize) -> AgentScore<'_> {
        let reason_code = self.reason_codes[row];
        AgentScore {
            score: self.scores[row],
            eligible: self.eligible[row],
            confidence: self.confidences[row],
            reason_code,
            reason: self.reasons.get(&reason_code).map_or("", |text| text),
        }
    }
}

/// What is wrong with an answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerFault {
    /// The matcher did not write as many rows as there are candidates.
    #[error("it has {found} rows for {expected} candidates")]
    WrongLength {
        /// The candidates.
        expected: usize,
        /// The rows the matcher says it wrote.
        found: usize,
    },
    /// A number is not finite or outside [0, 1].
    #[error("the {column} of candidate {row} is {value}, it must be between 0 and 1")]
    OutOfRange {
        /// `score` or `confidence`.
        column: &'static str,
        /// The candidate.
        row: usize,
        /// The number.
        value: f32,
    },
    /// The matcher left it open whether a candidate is eligible.
    #[error("candidate {row} is eligible by the mark {value}, it must be 0 or 1")]
    EligibleMark {
        /// The candidate.
        row: usize,
        /// The mark.
        value: u8,
    },
    /// The matcher has no text for a reason code.
    #[error("the reason code {code} of candidate {row} means nothing to the matcher itself")]
    UnknownReason {
        /// The candidate.
        row: usize,
        /// The code.
        code: u32,
    },
    /// The text of a reason code is null, not UTF-8 or too long.
    #[error("the text of the reason code {code} is not valid")]
    ReasonText {
        /// The code.
        code: u32,
    },
    /// The matcher has more reason codes than are allowed.
    #[error("it uses more than {limit} different reason codes")]
    TooManyReasons {
        /// The most codes.
        limit: usize,
    },
    /// The matcher reports more factors than there was room for.
    #[error("it reports {found} factors where there is room for {capacity}")]
    TooManyFactors {
        /// The room.
        capacity: usize,
        /// The factors.
        found: usize,
    },
    /// A text of a factor is null, not UTF-8 or too long, or its name is empty.
    #[error("a text of factor {index} is not valid")]
    FactorText {
        /// The factor.
        index: usize,
    },
    /// A number of a factor is not finite or outside its range.
    #[error("the {field} of factor {index} is {value}, outside its range")]
    FactorRange {
        /// The factor.
        index: usize,
        /// `value`, `weight` or `contribution`.
        field: &'static str,
        /// The number.
        value: f32,
    },
    /// Something that was found where the matcher runs, in another process.
    #[error("{words}")]
    Told {
        /// What was found.
        words: String,
    },
    /// The matcher reports success but made no instance.
    #[error("it reports success without an instance")]
    NoInstance,
}

/// The columns that a matcher writes.
pub(crate) struct Answer {
    scores: Vec<f32>,
    confidences: Vec<f32>,
    reason_codes: Vec<u32>,
    eligible: Vec<u8>,
}

impl Answer {
    /// Columns filled with values that are no answer, so that a row left out is found.
    pub(crate) fn blank(count: usize) -> Self {
        keep_freed_memory();
        Self {
            scores: vec![f32::NAN; count],
            confidences: vec![f32::NAN; count],
            reason_codes: vec![abi::NONE; count],
            eligible: vec![u8::MAX; count],
        }
    }

    /// Columns that were written elsewhere; all have the same length.
    pub(crate) fn from_columns(
        scores: Vec<f32>,
        confidences: Vec<f32>,
        reason_codes: Vec<u32>,
        eligible: Vec<u8>,
    ) -> Self {
        Self { scores, confidences, reason_codes, eligible }
    }

    /// The structure to pass; its pointers are valid for as long as the columns are neither moved nor touched.
    pub(crate) fn lend(&mut self, capacity: u32) -> abi::Scores {
        abi::Scores {
            size: abi::size_of_struct::<abi::Scores>(),
            capacity,
            count: 0,
            reserved: 0,
            scores: self.scores.as_mut_ptr(),
            confidences: self.confidences.as_mut_ptr(),
            reason_codes: self.reason_codes.as_mut_ptr(),
            eligible: self.eligible.as_mut_ptr(),
        }
    }

    /// Checks all rows; `describe` gives the text of a reason code, and is asked once a code.
    pub(crate) fn check(
        self,
        written: u32,
        describe: impl FnMut(usize, u32) -> Result<Arc<str>, AnswerFault>,
    ) -> Result<Scored, AnswerFault> {
        let expected = self.scores.len();
        if written as usize != expected {
            return Err(AnswerFault::WrongLength { expected, found: written as usize });
        }
        check_shares("score", &self.scores)?;
        check_shares("confidence", &self.confidences)?;
        let eligible = to_flags(self.eligible)?;
        let reasons = describe_all(&self.reason_codes, describe)?;
        Ok(Scored {
            scores: self.scores,
            confidences: self.confidences,
            reason_codes: self.reason_codes,
            eligible,
            reasons,
            elapsed: Duration::ZERO,
        })
    }
}

/// Lets the allocator keep the memory of answers for the next ones.
///
/// An answer for many agents is large enough for glibc to give its memory back to the system as soon as it is dropped; to
/// get it again costs several times what writing to it does. Its threshold for that rises to the size of the largest block
/// that was freed so far, so freeing one large block once is all it takes. Other allocators do not mind.
fn keep_freed_memory() {
    const LARGE_BYTES: usize = 8 << 20;
    static ONCE: Once = Once::new();
    ONCE.call_once(|| drop(black_box(Vec::<u8>::with_capacity(LARGE_BYTES))));
}

/// All values must be in [0, 1]; NaN is in no range, so it is refused too.
fn check_shares(column: &'static str, values: &[f32]) -> Result<(), AnswerFault> {
    // Without an early end the compiler goes through many rows at once; the row is looked for only where there is one.
    let is_share = |value: &f32| (0.0..=1.0).contains(value);
    if values.iter().fold(0, |bad, value| bad | u32::from(!is_share(value))) == 0 {
        return Ok(());
    }
    let row = values.iter().position(|value| !is_share(value)).unwrap_or_default();
    Err(AnswerFault::OutOfRange { column, row, value: values[row] })
}

/// Makes the marks what they say, in the same memory.
fn to_flags(marks: Vec<u8>) -> Result<Vec<bool>, AnswerFault> {
    if marks.iter().fold(0, |all, mark| all | mark) > 1 {
        let row = marks.iter().position(|mark| *mark > 1).unwrap_or_default();
        return Err(AnswerFault::EligibleMark { row, value: marks[row] });
    }
    let mut marks = ManuallyDrop::new(marks);
    // SAFETY: pointer, length and capacity are those of a vector that is not dropped; `bool` has the size and alignment of
    // `u8`, and every mark was found to be 0 or 1.
    Ok(unsafe { Vec::from_raw_parts(marks.as_mut_ptr().cast::<bool>(), marks.len(), marks.capacity()) })
}

/// The text of every code that appears, each asked for once.
fn describe_all(
    codes: &[u32],
    mut describe: impl FnMut(usize, u32) -> Result<Arc<str>, AnswerFault>,
) -> Result<BTreeMap<u32, Arc<str>>, AnswerFault> {
    // Almost all matchers have a few small codes: one bit each, without a search for every row.
    let mut seen = 0_u64;
    let mut largest = 0;
    for code in codes {
        seen |= 1 << (code % u64::BITS);
        largest = largest.max(*code);
    }
    let mut reasons = BTreeMap::new();
    if largest < u64::BITS {
        for code in (0..u64::BITS).filter(|code| seen & (1 << code) != 0) {
            // The row matters only where something is wrong, so it is looked for then.
            let row_of = || codes.iter().position(|found| *found == code).unwrap_or_default();
            let text = describe(0, code).map_err(|fault| match fault {
                AnswerFault::UnknownReason { code, .. } => AnswerFault::UnknownReason { row: row_of(), code },
                other => other,
            });
            reasons.insert(code, text?);
        }
        return Ok(reasons);
    }
    let mut last = None;
    for (row, &code) in codes.iter().enumerate() {
        if last != Some(code) && !reasons.contains_key(&code) {
            reasons.insert(code, describe(row, code)?);
        }
        last = Some(code);
    }
    Ok(reasons)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Answer {
        Answer {
            scores: vec![0.0, 1.0],
            confidences: vec![1.0, 0.0],
            reason_codes: vec![0, 7],
            eligible: vec![0, 1],
        }
    }

    fn fault(answer: Answer) -> AnswerFault {
        answer.check(2, |_, code| Ok(code.to_string().into())).unwrap_err()
    }

    #[test]
    fn a_good_answer_passes() {
        let scored = good().check(2, |_, code| Ok(code.to_string().into())).unwrap();
        let row = scored.row(1);
        assert_eq!((row.score, row.eligible, row.reason), (1.0, true, "7"));
    }

    #[test]
    fn a_blank_answer_is_no_answer() {
        assert_eq!(
            Answer::blank(3).check(0, |_, _| Ok("".into())),
            Err(AnswerFault::WrongLength { expected: 3, found: 0 })
        );
        assert!(matches!(fault(Answer::blank(2)), AnswerFault::OutOfRange { column: "score", row: 0, .. }));
    }

    #[test]
    fn every_column_is_checked() {
        for value in [f32::NAN, f32::INFINITY, -0.001, 1.001] {
            let mut answer = good();
            answer.scores[1] = value;
            assert!(matches!(fault(answer), AnswerFault::OutOfRange { column: "score", row: 1, .. }));
            let mut answer = good();
            answer.confidences[0] = value;
            assert!(matches!(fault(answer), AnswerFault::OutOfRange { column: "confidence", row: 0, .. }));
        }
        let mut answer = good();
        answer.eligible[1] = 2;
        assert_eq!(fault(answer), AnswerFault::EligibleMark { row: 1, value: 2 });
    }

    #[test]
    fn an_unknown_reason_is_named_with_its_first_row_whether_the_code_is_small_or_large() {
        for unknown in [7, 64, u32::MAX - 1] {
            let answer = Answer { reason_codes: vec![3, unknown], ..good() };
            let checked = answer.check(2, |row, code| match code {
                3 => Ok("three".into()),
                _ => Err(AnswerFault::UnknownReason { row, code }),
            });
            assert_eq!(checked, Err(AnswerFault::UnknownReason { row: 1, code: unknown }));
        }
    }

    #[test]
    fn each_code_is_asked_for_once() {
        for codes in [vec![5, 63, 5, 0, 63], vec![500, 63, 500, 0, 63]] {
            let mut asked = Vec::new();
            let describe = |_, code: u32| {
                asked.push(code);
                Ok(code.to_string().into())
            };
            let reasons = describe_all(&codes, describe).unwrap();
            asked.sort_unstable();
            assert_eq!(reasons.keys().copied().collect::<Vec<_>>(), asked);
            assert_eq!(asked.len(), 3);
        }
    }
}
