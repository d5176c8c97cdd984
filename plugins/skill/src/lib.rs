//! The skill matcher: needed skills and their levels against what agents can do.
//!
//! For each needed skill the level asked is the need's own, raised by the complexity and lowered by the time the
//! customer has waited. An agent fits a need fully at that level and loses `gap_cost` for each level below it. Must-have
//! skills may be missed by no more than `max_gap_levels`; skills that merely help count less and never exclude anybody.
//! Worked numbers are in `docs/matchers/skill.md`.

#![forbid(unsafe_code)]

mod asked;
mod config;
mod explain;
mod fit;

pub use config::Config;

use asked::Asked;
use heartline_plugin_sdk::{
    Candidates, Explain, Extensions, Factor, Factors, Matcher, MatcherError, Postings, Reason, Request,
    Score, Scores, export_matcher,
};

/// Why an agent got its score.
mod reason {
    pub(crate) const ALL_AT_LEVEL: u32 = 1;
    pub(crate) const HELPFUL_MISSING: u32 = 2;
    pub(crate) const BELOW_LEVEL: u32 = 3;
    pub(crate) const RELAXED: u32 = 4;
    pub(crate) const MUST_MISSING: u32 = 5;
    pub(crate) const MUST_TOO_LOW: u32 = 6;
    pub(crate) const NOTHING_ASKED: u32 = 7;
}

/// Scores agents by their skills.
#[derive(Debug, Clone)]
pub struct Skill {
    config: Config,
    /// Which candidates have which skill.
    postings: Postings,
}

impl Matcher for Skill {
    type Config = Config;
    const ID: &'static str = "skill";
    const NAME: &'static str = "Skill";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str =
        "Compares the skills an issue needs, and their levels, with what agents can do.";
    const REASONS: &'static [Reason] = &[
        Reason { code: reason::ALL_AT_LEVEL, text: "has every needed skill at the level asked" },
        Reason { code: reason::HELPFUL_MISSING, text: "has what is needed, but not every skill that helps" },
        Reason { code: reason::BELOW_LEVEL, text: "has what is needed, slightly below the level asked" },
        Reason { code: reason::RELAXED, text: "is acceptable because the customer has waited" },
        Reason { code: reason::MUST_MISSING, text: "lacks a skill the issue cannot do without" },
        Reason {
            code: reason::MUST_TOO_LOW,
            text: "is too far below the level asked of a skill the issue cannot do without",
        },
        Reason { code: reason::NOTHING_ASKED, text: "no skill was asked for" },
    ];
    const EXTENSIONS: Extensions<Self> = Extensions::none().explain();

    fn create(config: Config) -> Result<Self, MatcherError> {
        config.check()?;
        Ok(Self { config, postings: Postings::default() })
    }

    fn score(
        &mut self,
        request: &Request<'_>,
        candidates: &Candidates<'_>,
        scores: &mut Scores<'_>,
    ) -> Result<(), MatcherError> {
        if request.needs.is_empty() {
            // Everybody can do nothing in particular; with no confidence this has no say in a ranking.
            scores.fill(Score { score: 1.0, eligible: true, confidence: 0.0, reason: reason::NOTHING_ASKED });
            return Ok(());
        }
        let asked = Asked::new(&self.config, request)?;
        let skill_count = candidates.skill_names().len();
        self.postings.refresh(candidates.snapshot(), candidates.skill_rows(), skill_count);
        fit::answer(&self.config, &asked, &self.postings, scores.columns());
        Ok(())
    }
}

impl Explain for Skill {
    fn explain<'call>(
        &mut self,
        request: &Request<'call>,
        candidates: &Candidates<'call>,
        row: usize,
        factors: &mut Factors<'_, 'call>,
    ) -> Result<(), MatcherError> {
        self.factors(request, candidates, row)?.into_iter().for_each(|factor| factors.push(factor));
        Ok(())
    }
}

impl Skill {
    fn factors<'call>(
        &self,
        request: &Request<'call>,
        candidates: &Candidates<'call>,
        row: usize,
    ) -> Result<Vec<Factor<'call>>, MatcherError> {
        let asked = Asked::new(&self.config, request)?;
        Ok(explain::factors(&self.config, &asked, candidates, row))
    }
}

export_matcher!(Skill);

#[cfg(test)]
mod tests;
