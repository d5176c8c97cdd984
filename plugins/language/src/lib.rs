//! The language matcher: the customer's language and how well they speak it against the languages of agents.
//!
//! Tags are compared by BCP 47: the same language counts fully where neither side names another region or script, a
//! little less where they do, and a closely related language counts in part. The level asked follows the customer's own
//! between `minimum_level` and `comfortable_level`, raised by the complexity. Whoever shares no language with the
//! customer is not eligible; of a customer whose language is unknown, everybody is. Worked numbers are in
//! `docs/matchers.md`.

#![forbid(unsafe_code)]

mod closeness;
mod config;
mod tag;

pub use config::Config;

use closeness::{Closeness, Kinship};
use heartline_plugin_sdk::{
    Candidates, Matcher, MatcherError, Reason, Request, Score, Scores, export_matcher,
};
use tag::Tag;

/// Why an agent got its score.
mod reason {
    pub(crate) const AT_LEVEL: u32 = 1;
    pub(crate) const BELOW_LEVEL: u32 = 2;
    pub(crate) const OTHER_VARIETY: u32 = 3;
    pub(crate) const RELATED: u32 = 4;
    pub(crate) const TOO_LOW: u32 = 5;
    pub(crate) const NO_COMMON: u32 = 6;
    pub(crate) const UNKNOWN: u32 = 7;
}

/// How sure the matcher is where the customer's level is known.
const SURE: f32 = 0.95;
/// How sure it is where the level had to be assumed.
const LEVEL_ASSUMED: f32 = 0.75;
/// The score of everybody where the language is unknown.
const UNDECIDED: f32 = 0.5;

/// Scores agents by their languages.
#[derive(Debug, Clone)]
pub struct Language {
    config: Config,
}

impl Matcher for Language {
    type Config = Config;
    const ID: &'static str = "language";
    const NAME: &'static str = "Language";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str =
        "Compares the customer's language and level with the languages agents speak.";
    const REASONS: &'static [Reason] = &[
        Reason { code: reason::AT_LEVEL, text: "speaks the customer's language at the level asked" },
        Reason { code: reason::BELOW_LEVEL, text: "speaks the customer's language, below the level asked" },
        Reason {
            code: reason::OTHER_VARIETY,
            text: "speaks another regional or written form of the customer's language",
        },
        Reason { code: reason::RELATED, text: "speaks a language closely related to the customer's" },
        Reason { code: reason::TOO_LOW, text: "speaks the customer's language too little for a call" },
        Reason { code: reason::NO_COMMON, text: "has no language in common with the customer" },
        Reason { code: reason::UNKNOWN, text: "the customer's language is unknown" },
    ];

    fn create(config: Config) -> Result<Self, MatcherError> {
        config.check()?;
        Ok(Self { config })
    }

    fn score(
        &mut self,
        request: &Request<'_>,
        candidates: &Candidates<'_>,
        scores: &mut Scores<'_>,
    ) -> Result<(), MatcherError> {
        let Some(wanted) = request.languages.first().map(|spoken| spoken.tag).and_then(Tag::parse) else {
            let score = Score {
                score: UNDECIDED,
                eligible: true,
                confidence: self.config.unknown_confidence,
                reason: reason::UNKNOWN,
            };
            (0..candidates.len()).for_each(|row| scores.set(row, score));
            return Ok(());
        };
        // Agents share few languages, so each is compared with the customer's once instead of once an agent.
        let table: Vec<Option<Closeness>> = candidates
            .language_tags()
            .iter()
            .map(|tag| Tag::parse(tag).and_then(|spoken| closeness::compare(&self.config, &wanted, &spoken)))
            .collect();
        let asked = Asked::new(&self.config, request);
        for row in 0..candidates.len() {
            let spoken = candidates.languages(row).filter_map(|(language, level)| {
                table.get(language as usize).copied().flatten().map(|closeness| (closeness, level))
            });
            scores.set(row, asked.score(&self.config, spoken));
        }
        Ok(())
    }
}

/// What is asked of an agent.
struct Asked {
    level: f32,
    confidence: f32,
}

impl Asked {
    fn new(config: &Config, request: &Request<'_>) -> Self {
        let own = request.languages.first().and_then(|spoken| spoken.level).unwrap_or(config.assumed_level);
        let level = own.clamp(config.minimum_level, config.comfortable_level)
            + request.complexity * config.complexity_levels;
        let confidence = if request.languages.first().is_some_and(|spoken| spoken.level.is_some()) {
            SURE
        } else {
            LEVEL_ASSUMED
        };
        Self { level: level.min(config::HIGHEST_LEVEL), confidence }
    }

    /// The best that an agent can offer among the languages that have to do with the customer's.
    fn score(&self, config: &Config, spoken: impl Iterator<Item = (Closeness, f32)>) -> Score {
        let refused = |reason| Score { score: 0.0, eligible: false, confidence: self.confidence, reason };
        let mut best = refused(reason::NO_COMMON);
        for (closeness, level) in spoken {
            if level >= config.minimum_level {
                let offer = self.offer(config, closeness, level);
                if !best.eligible || offer.score > best.score {
                    best = offer;
                }
            } else if !best.eligible && closeness.kinship != Kinship::Related {
                best = refused(reason::TOO_LOW);
            }
        }
        best
    }

    fn offer(&self, config: &Config, closeness: Closeness, level: f32) -> Score {
        let gap = (self.level - level).max(0.0);
        let reason = match closeness.kinship {
            Kinship::Related => reason::RELATED,
            _ if gap > 0.0 => reason::BELOW_LEVEL,
            Kinship::OtherVariety => reason::OTHER_VARIETY,
            Kinship::Same => reason::AT_LEVEL,
        };
        let score = (closeness.factor * (1.0 - config.gap_cost * gap)).clamp(0.0, 1.0);
        Score { score, eligible: true, confidence: self.confidence, reason }
    }
}

export_matcher!(Language);

#[cfg(test)]
mod tests;
