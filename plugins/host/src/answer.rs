//! A matcher's answer: the columns it writes, and the checks before anybody believes them.

use std::time::Duration;

use heartline_plugin_abi as abi;

/// What a matcher says of one candidate.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentScore {
    /// How well the candidate fits, in [0, 1].
    pub score: f32,
    /// Whether the candidate may take the call.
    pub eligible: bool,
    /// How sure the matcher is, in [0, 1].
    pub confidence: f32,
    /// Why, as the matcher's own code.
    pub reason_code: u32,
    /// Why, in a few words.
    pub reason: String,
}

/// A valid answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// One entry a candidate, in the candidates' order.
    pub scores: Vec<AgentScore>,
    /// How long the matcher itself took, without waiting for its turn and without the checks.
    pub elapsed: Duration,
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
        Self {
            scores: vec![f32::NAN; count],
            confidences: vec![f32::NAN; count],
            reason_codes: vec![abi::NONE; count],
            eligible: vec![u8::MAX; count],
        }
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

    /// Checks all rows and turns them into scores; `describe` gives the text of a reason code.
    pub(crate) fn check(
        &self,
        written: u32,
        mut describe: impl FnMut(usize, u32) -> Result<String, AnswerFault>,
    ) -> Result<Vec<AgentScore>, AnswerFault> {
        let expected = self.scores.len();
        if written as usize != expected {
            return Err(AnswerFault::WrongLength { expected, found: written as usize });
        }
        (0..expected)
            .map(|row| {
                let reason_code = self.reason_codes[row];
                Ok(AgentScore {
                    score: share("score", row, self.scores[row])?,
                    confidence: share("confidence", row, self.confidences[row])?,
                    eligible: match self.eligible[row] {
                        0 => false,
                        1 => true,
                        value => return Err(AnswerFault::EligibleMark { row, value }),
                    },
                    reason_code,
                    reason: describe(row, reason_code)?,
                })
            })
            .collect()
    }
}

fn share(column: &'static str, row: usize, value: f32) -> Result<f32, AnswerFault> {
    // NaN is in no range, so it is refused too.
    if (0.0..=1.0).contains(&value) { Ok(value) } else { Err(AnswerFault::OutOfRange { column, row, value }) }
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

    fn fault(answer: &Answer) -> AnswerFault {
        answer.check(2, |_, code| Ok(code.to_string())).unwrap_err()
    }

    #[test]
    fn a_good_answer_passes() {
        let scores = good().check(2, |_, code| Ok(code.to_string())).unwrap();
        assert_eq!((scores[1].score, scores[1].eligible, scores[1].reason.as_str()), (1.0, true, "7"));
    }

    #[test]
    fn a_blank_answer_is_no_answer() {
        assert_eq!(
            Answer::blank(3).check(0, |_, _| Ok(String::new())),
            Err(AnswerFault::WrongLength { expected: 3, found: 0 })
        );
        assert!(matches!(fault(&Answer::blank(2)), AnswerFault::OutOfRange { column: "score", row: 0, .. }));
    }

    #[test]
    fn every_column_is_checked() {
        for value in [f32::NAN, f32::INFINITY, -0.001, 1.001] {
            let mut answer = good();
            answer.scores[1] = value;
            assert!(matches!(fault(&answer), AnswerFault::OutOfRange { column: "score", row: 1, .. }));
            let mut answer = good();
            answer.confidences[0] = value;
            assert!(matches!(fault(&answer), AnswerFault::OutOfRange { column: "confidence", row: 0, .. }));
        }
        let mut answer = good();
        answer.eligible[1] = 2;
        assert_eq!(fault(&answer), AnswerFault::EligibleMark { row: 1, value: 2 });
        let unknown = good().check(2, |row, code| Err(AnswerFault::UnknownReason { row, code }));
        assert_eq!(unknown, Err(AnswerFault::UnknownReason { row: 0, code: 0 }));
    }
}
