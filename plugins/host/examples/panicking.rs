//! A matcher that panics where its configuration says, built as a shared library for the host's tests.

#![forbid(unsafe_code)]

use heartline_plugin_sdk::{
    Candidates, Matcher, MatcherError, Reason, Request, Score, Scores, export_matcher,
};

/// Panics on purpose.
#[derive(Debug)]
pub struct Panicking {
    config: Config,
}

/// Where to panic.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema, garde::Validate)]
#[garde(allow_unvalidated)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    create: bool,
    score: bool,
    destroy: bool,
}

impl Matcher for Panicking {
    type Config = Config;
    const ID: &'static str = "panicking";
    const NAME: &'static str = "Panicking";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "Panics where its configuration says.";
    const REASONS: &'static [Reason] = &[Reason { code: 1, text: "it did not panic" }];

    fn create(config: Config) -> Result<Self, MatcherError> {
        assert!(!config.create, "asked to panic in create");
        Ok(Self { config })
    }

    fn score(
        &mut self,
        _: &Request<'_>,
        candidates: &Candidates<'_>,
        scores: &mut Scores<'_>,
    ) -> Result<(), MatcherError> {
        let score = Score { score: 1.0, eligible: true, confidence: 1.0, reason: 1 };
        for row in 0..candidates.len() {
            scores.set(row, score);
            // Half of the answer is written: none of it may be used.
            assert!(!self.config.score, "asked to panic in score");
        }
        Ok(())
    }
}

impl Drop for Panicking {
    fn drop(&mut self) {
        assert!(!self.config.destroy, "asked to panic in destroy");
    }
}

export_matcher!(Panicking);
