//! The language matcher: the customer's languages and how well they speak them against the languages of agents.
//!
//! Tags are compared by BCP 47: the same language counts fully where neither side names another region or script, a
//! little less where they do, and a closely related language counts in part. The level asked follows the customer's own
//! between `minimum_level` and `comfortable_level`, raised by the complexity. Of a customer who mixes languages,
//! each counts by its share. Whoever shares no language with the customer is not eligible, unless an interpreter can be
//! brought in; of a customer whose language is unknown, everybody is. Worked numbers are in `docs/matchers/language.md`.

#![forbid(unsafe_code)]

mod closeness;
mod config;
mod cover;
mod explain;
mod names;
mod tag;

pub use config::Config;

use cover::Customer;
use heartline_plugin_sdk::{
    Candidates, Explain, Extensions, Factor, Factors, Matcher, MatcherError, Postings, Reason, Request,
    Score, Scores, export_matcher,
};
use names::Names;
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
    pub(crate) const INTERPRETER: u32 = 8;
    pub(crate) const PART: u32 = 9;
    pub(crate) const TOO_LITTLE: u32 = 10;
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
    names: Names,
    spoken: SpokenTags,
    /// Which candidates speak which language.
    postings: Postings,
    /// Room for one number a candidate, kept from call to call.
    keys: Vec<u64>,
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
        Reason { code: reason::INTERPRETER, text: "can take the call with an interpreter" },
        Reason { code: reason::PART, text: "speaks enough of the languages that the customer mixes" },
        Reason { code: reason::TOO_LITTLE, text: "speaks too few of the languages that the customer mixes" },
    ];
    const EXTENSIONS: Extensions<Self> = Extensions::none().explain();

    fn create(config: Config) -> Result<Self, MatcherError> {
        config.check()?;
        Ok(Self {
            names: Names::new(&config),
            config,
            spoken: SpokenTags::default(),
            postings: Postings::default(),
            keys: Vec::new(),
        })
    }

    fn score(
        &mut self,
        request: &Request<'_>,
        candidates: &Candidates<'_>,
        scores: &mut Scores<'_>,
    ) -> Result<(), MatcherError> {
        let Some(customer) = self.customer(request, candidates) else {
            let confidence = self.config.unknown_confidence as f32;
            scores.fill(Score { score: UNDECIDED, eligible: true, confidence, reason: reason::UNKNOWN });
            return Ok(());
        };
        let tag_count = candidates.language_tags().len();
        self.postings.refresh(candidates.snapshot(), candidates.language_rows(), tag_count);
        let mut columns = scores.columns();
        customer.answer(&self.postings, &mut self.keys, &mut columns);
        columns.confidences.fill(if customer.is_level_known { SURE } else { LEVEL_ASSUMED });
        Ok(())
    }
}

impl Language {
    /// What the customer speaks, compared with the candidates' languages; `None` where it is unknown.
    fn customer<'call>(
        &mut self,
        request: &Request<'call>,
        candidates: &Candidates<'_>,
    ) -> Option<Customer<'call>> {
        let spoken = self.spoken.of(&self.names, candidates);
        Customer::new(&self.config, &self.names, request, spoken)
    }
}

impl Explain for Language {
    fn explain<'call>(
        &mut self,
        request: &Request<'call>,
        candidates: &Candidates<'call>,
        row: usize,
        factors: &mut Factors<'_, 'call>,
    ) -> Result<(), MatcherError> {
        self.factors(request, candidates, row).into_iter().for_each(|factor| factors.push(factor));
        Ok(())
    }
}

impl Language {
    fn factors<'call>(
        &mut self,
        request: &Request<'call>,
        candidates: &Candidates<'call>,
        row: usize,
    ) -> Vec<Factor<'call>> {
        explain::factors(self.customer(request, candidates).as_ref(), candidates, row)
    }
}

/// The tags of the candidates' table, read once for all calls with the same columns.
#[derive(Debug, Clone, Default)]
struct SpokenTags {
    snapshot: Option<u64>,
    tags: Vec<Option<Tag>>,
}

impl SpokenTags {
    fn of(&mut self, names: &Names, candidates: &Candidates<'_>) -> &[Option<Tag>] {
        let snapshot = candidates.snapshot();
        if snapshot.is_none() || snapshot != self.snapshot {
            self.tags = candidates.language_tags().iter().map(|text| Tag::parse(names, text)).collect();
            self.snapshot = snapshot;
        }
        &self.tags
    }
}

export_matcher!(Language);

#[cfg(test)]
mod tests;
