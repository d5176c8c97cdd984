//! Help for a matcher's own tests, in three depths: [`score`] calls the matcher as the Rust type it is, a [`Bench`] calls
//! it as a host does, through the functions that the library exports, and [`conforms`] holds it to the whole contract.
//!
//! ```
//! # use garde::Validate;
//! # use heartline_plugin_sdk::{Candidates, Matcher, MatcherError, Reason, Request, Score, Scores};
//! # #[derive(Default, serde::Deserialize, schemars::JsonSchema, Validate)]
//! # #[serde(default, deny_unknown_fields)]
//! # struct Config {}
//! # struct Refunds;
//! # impl Matcher for Refunds {
//! #     type Config = Config;
//! #     const ID: &'static str = "com.example.refunds";
//! #     const NAME: &'static str = "Refunds";
//! #     const VERSION: &'static str = "1.0.0";
//! #     const DESCRIPTION: &'static str = "Likes who can do refunds.";
//! #     const REASONS: &'static [Reason] = &[Reason { code: 1, text: "by refunds" }];
//! #     fn create(_: Config) -> Result<Self, MatcherError> { Ok(Self) }
//! #     fn score(&mut self, request: &Request, candidates: &Candidates, scores: &mut Scores) -> Result<(), MatcherError> {
//! #         let asked = request.needs.first().and_then(|need| need.skill);
//! #         for row in 0..candidates.len() {
//! #             let has = candidates.skills(row).any(|(skill, _)| Some(skill) == asked);
//! #             scores.set(row, Score { score: f32::from(has), eligible: true, confidence: 1.0, reason: 1 });
//! #         }
//! #         Ok(())
//! #     }
//! # }
//! use heartline_plugin_sdk::testing::{Agent, Agents, Bench, conforms, must};
//!
//! let agents = Agents::new(&[Agent::default().skill("refunds", 4.0), Agent::default()]);
//! let request = Request { needs: vec![must("refunds", 3.0)], ..Request::default() };
//! let mut bench = Bench::new::<Refunds>("{}")?;
//! let scores = bench.score(&request, &agents)?;
//! assert_eq!((scores[0].score, scores[1].score), (1.0, 0.0));
//!
//! conforms::<Refunds>("{}")?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod agents;
mod bench;
mod conformance;
mod population;
pub(crate) mod raw;
#[cfg(test)]
mod tests;

pub use agents::{Agent, Agents, Column};
pub use bench::{Bench, BenchError, ExplainedFactor};
pub use conformance::{Nonconformity, conforms, conforms_with};

use heartline_plugin_abi as abi;

use crate::{Category, Emotion, Matcher, MatcherError, Request, Score, Scores, SkillNeed, Spoken, config};

/// A skill that the issue cannot do without; a host resolves its id when it asks.
#[must_use]
pub fn must(name: &str, level: f32) -> SkillNeed<'_> {
    SkillNeed { name, skill: None, level, must_have: true }
}

/// A skill that helps; a host resolves its id when it asks.
#[must_use]
pub fn helps(name: &str, level: f32) -> SkillNeed<'_> {
    SkillNeed { must_have: false, ..must(name, level) }
}

/// A language that the customer speaks for this share of the call, at a level that nobody knows.
#[must_use]
pub fn speaks(tag: &str, share: f32) -> Spoken<'_> {
    Spoken { tag, share, level: None }
}

/// An emotion vector of which one category has this much, and the others the rest in equal parts.
#[must_use]
pub fn feeling(category: Category, probability: f32, confidence: f32) -> Emotion {
    let rest = (1.0 - probability) / (abi::CATEGORY_COUNT - 1) as f32;
    let mut categories = [rest; abi::CATEGORY_COUNT];
    categories[category as usize] = probability;
    Emotion { categories, confidence, abstain: false, ..Emotion::default() }
}

/// Makes an instance of the Rust type, from a configuration in JSON.
///
/// # Errors
/// What the host would be told.
pub fn create<M: Matcher>(config_json: &str) -> Result<M, MatcherError> {
    config::create(config_json)
}

/// Scores with the Rust type, and holds the answer to what a host demands.
///
/// # Errors
/// What the matcher says, or [`MatcherError::Failed`] where a host would refuse the answer.
pub fn score<M: Matcher>(
    matcher: &mut M,
    request: &Request<'_>,
    agents: &Agents,
) -> Result<Vec<Score>, MatcherError> {
    let mut columns = AnswerColumns::blank(agents.len());
    matcher.score(request, &agents.candidates(), &mut columns.lend())?;
    let known = |code| M::REASONS.iter().any(|reason| reason.code == code);
    columns.read(known).map_err(MatcherError::Failed)
}

/// The columns of an answer, filled with what is no answer.
pub(crate) struct AnswerColumns {
    scores: Vec<f32>,
    confidences: Vec<f32>,
    reason_codes: Vec<u32>,
    eligible: Vec<u8>,
}

impl AnswerColumns {
    pub(crate) fn blank(count: usize) -> Self {
        Self {
            scores: vec![f32::NAN; count],
            confidences: vec![f32::NAN; count],
            reason_codes: vec![abi::NONE; count],
            eligible: vec![u8::MAX; count],
        }
    }

    fn lend(&mut self) -> Scores<'_> {
        Scores {
            scores: &mut self.scores,
            confidences: &mut self.confidences,
            reason_codes: &mut self.reason_codes,
            eligible: &mut self.eligible,
        }
    }

    /// The ABI's shape; valid for as long as `self` is not touched.
    pub(crate) fn to_abi(&mut self) -> abi::Scores {
        abi::Scores {
            size: abi::size_of_struct::<abi::Scores>(),
            // No test has four billion agents.
            capacity: u32::try_from(self.scores.len()).unwrap_or(0),
            count: 0,
            reserved: 0,
            scores: self.scores.as_mut_ptr(),
            confidences: self.confidences.as_mut_ptr(),
            reason_codes: self.reason_codes.as_mut_ptr(),
            eligible: self.eligible.as_mut_ptr(),
        }
    }

    /// The rows, or what a host would refuse of them.
    pub(crate) fn read(&self, is_reason: impl Fn(u32) -> bool) -> Result<Vec<Score>, String> {
        let rows = 0..self.scores.len();
        rows.map(|row| {
            let score = Score {
                score: self.scores[row],
                eligible: self.eligible[row] == 1,
                confidence: self.confidences[row],
                reason: self.reason_codes[row],
            };
            let fault = if self.eligible[row] > 1 {
                "was not set"
            } else if !(0.0..=1.0).contains(&score.score) {
                "has a score outside [0, 1]"
            } else if !(0.0..=1.0).contains(&score.confidence) {
                "has a confidence outside [0, 1]"
            } else if !is_reason(score.reason) {
                "has a reason that REASONS does not name"
            } else {
                return Ok(score);
            };
            Err(format!("row {row} {fault}: {score:?}"))
        })
        .collect()
    }
}
