//! How well an agent covers what a customer speaks.
//!
//! There are many agents and few languages, so each language of the candidates' table is compared with each of the
//! customer's once, and those that have to do with one go through the agents who speak them. What an agent can offer in a
//! language is one number, a key, made so that the greater key is the better offer and the best of several is their
//! maximum.

use heartline_plugin_sdk::{Columns, Postings, Request};

use crate::closeness::{self, Kinship};
use crate::config::HIGHEST_LEVEL;
use crate::names::Names;
use crate::tag::Tag;
use crate::{Config, reason};

/// What an offer is, the worse first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Nothing,
    TooLow,
    Related,
    BelowLevel,
    OtherVariety,
    AtLevel,
}

impl Kind {
    /// From this kind on a call can be held.
    const USABLE: u8 = Self::Related as u8;
    /// The reasons, in the order of the kinds.
    const REASONS: [u32; 6] = [
        reason::NO_COMMON,
        reason::TOO_LOW,
        reason::RELATED,
        reason::BELOW_LEVEL,
        reason::OTHER_VARIETY,
        reason::AT_LEVEL,
    ];
}

/// An offer: how well a call can be held, then the kind. The bits of floats from 0 up are in the floats' order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key(u64);

impl Key {
    const NOTHING: Self = Self(Kind::Nothing as u64);

    #[inline]
    fn new(score: f32, kind: u8) -> Self {
        Self(u64::from(score.to_bits()) << 8 | u64::from(kind))
    }

    #[inline]
    fn kind(self) -> u8 {
        (self.0 & 0xff) as u8
    }

    #[inline]
    fn score(self) -> f32 {
        f32::from_bits((self.0 >> 8) as u32)
    }
}

/// What is known of an agent while the customer's languages are gone through.
#[derive(Debug, Clone, Copy)]
struct Tally {
    score: f32,
    /// The shares of the languages in which a call can be held.
    covered: f32,
    /// How many those are.
    count: u32,
    /// What is offered in the main language.
    main: u8,
}

impl Tally {
    const NONE: Self = Self { score: 0.0, covered: 0.0, count: 0, main: Kind::Nothing as u8 };

    #[inline]
    fn add(&mut self, share: f32, offer: Key) {
        let is_usable = offer.kind() >= Kind::USABLE;
        self.score += share * offer.score();
        self.covered += if is_usable { share } else { 0.0 };
        self.count += u32::from(is_usable);
    }
}

/// What one language of the candidates' table is worth for one of the customer's.
#[derive(Debug, Clone, Copy)]
struct Worth {
    factor: f32,
    /// From this level on a call can be held.
    lowest: f32,
    /// The kinds of an offer at the level asked, below it, and too low for a call.
    kinds: [u8; 3],
}

impl Worth {
    /// A language that has nothing to do with the customer's.
    const NONE: Self = Self { factor: 0.0, lowest: f32::INFINITY, kinds: [Kind::Nothing as u8; 3] };

    /// What a level of the language is as an offer, where `asked` is the level asked.
    #[inline]
    fn offer(&self, asked: f32, gap_cost: f32, level: f32) -> Key {
        let gap = (asked - level).max(0.0);
        let is_usable = level >= self.lowest;
        let score = (self.factor * (1.0 - gap_cost * gap)).max(0.0);
        let kind = self.kinds[if is_usable { usize::from(gap > 0.0) } else { 2 }];
        // Adding 0 makes a negative zero a positive one, whose bits are in order.
        Key::new(if is_usable { score + 0.0 } else { 0.0 }, kind)
    }
}

/// One language of the customer.
#[derive(Debug, Clone)]
pub(crate) struct Wanted<'call> {
    pub(crate) tag: &'call str,
    /// The share of what was said in languages that are known; all shares sum to 1.
    pub(crate) share: f32,
    /// The level asked of agents.
    level: f32,
    worths: Vec<Worth>,
}

/// Everything that the customer speaks, the largest share first.
#[derive(Debug, Clone)]
pub(crate) struct Customer<'call> {
    pub(crate) languages: Vec<Wanted<'call>>,
    /// Whether the level of the main language is known.
    pub(crate) is_level_known: bool,
    gap_cost: f32,
    minimum_cover: f32,
    /// The score of whoever needs an interpreter; `None` where there is none to be had.
    interpreter: Option<f32>,
}

/// What an agent gets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cover {
    pub(crate) score: f32,
    pub(crate) eligible: bool,
    pub(crate) reason: u32,
}

impl<'call> Customer<'call> {
    /// The customer's languages; `None` where none of them is known. `spoken` are the tags of the candidates' table.
    pub(crate) fn new(
        config: &Config,
        names: &Names,
        request: &Request<'call>,
        spoken: &[Option<Tag>],
    ) -> Option<Self> {
        let known: Vec<_> = request
            .languages
            .iter()
            .filter_map(|language| Tag::parse(names, language.tag).map(|tag| (language, tag)))
            .collect();
        let shares: f32 = known.iter().map(|(language, _)| language.share).sum();
        let is_level_known = known.first()?.0.level.is_some();
        let (lowest, comfortable) = (config.minimum_level as f32, config.comfortable_level as f32);
        let raised = request.complexity * config.complexity_levels as f32;
        let languages = known
            .iter()
            .map(|(language, tag)| {
                let own = language.level.unwrap_or(config.assumed_level as f32);
                let level = (own.clamp(lowest, comfortable) + raised).min(HIGHEST_LEVEL as f32);
                let worth = |spoken: &Option<Tag>| worth(config, tag, spoken.as_ref());
                let worths = spoken.iter().map(worth).collect();
                // Shares are above 0 by the contract; without any, all languages count the same.
                let share = if shares > 0.0 { language.share / shares } else { 1.0 / known.len() as f32 };
                Wanted { tag: language.tag, share, level, worths }
            })
            .collect();
        Some(Self {
            languages,
            is_level_known,
            gap_cost: config.gap_cost as f32,
            minimum_cover: config.minimum_cover as f32,
            interpreter: request.interpreter.then_some(config.interpreter_score as f32),
        })
    }

    /// Answers for all agents but for the confidence; `keys` is room that is used again.
    pub(crate) fn answer(&self, postings: &Postings, keys: &mut Vec<u64>, columns: &mut Columns<'_>) {
        if let [main] = self.languages.as_slice() {
            self.best_of_all(main, postings, keys, columns.scores.len());
            for (row, key) in keys.iter().enumerate() {
                let mut tally = Tally { main: Key(*key).kind(), ..Tally::NONE };
                tally.add(main.share, Key(*key));
                self.set(columns, row, tally);
            }
            return;
        }
        // While languages are gone through the columns hold the tallies; no room beside them is needed.
        columns.scores.fill(0.0);
        columns.confidences.fill(0.0);
        columns.reason_codes.fill(0);
        for (index, wanted) in self.languages.iter().enumerate() {
            self.best_of_all(wanted, postings, keys, columns.scores.len());
            let rows = columns
                .scores
                .iter_mut()
                .zip(columns.confidences.iter_mut())
                .zip(columns.reason_codes.iter_mut());
            for (key, ((score, covered), packed)) in keys.iter().zip(rows) {
                let mut tally = Tally { score: *score, covered: *covered, ..Tally::NONE };
                tally.add(wanted.share, Key(*key));
                (*score, *covered) = (tally.score, tally.covered);
                *packed += tally.count << 8 | if index == 0 { u32::from(Key(*key).kind()) } else { 0 };
            }
        }
        for row in 0..columns.scores.len() {
            let (score, covered, packed) =
                (columns.scores[row], columns.confidences[row], columns.reason_codes[row]);
            self.set(columns, row, Tally { score, covered, count: packed >> 8, main: (packed & 0xff) as u8 });
        }
    }

    #[inline]
    fn set(&self, columns: &mut Columns<'_>, row: usize, tally: Tally) {
        let cover = self.decide(tally);
        columns.scores[row] = cover.score;
        columns.reason_codes[row] = cover.reason;
        columns.eligible[row] = u8::from(cover.eligible);
    }

    /// The best offer of every agent in one of the customer's languages.
    fn best_of_all(&self, wanted: &Wanted<'_>, postings: &Postings, keys: &mut Vec<u64>, count: usize) {
        keys.clear();
        keys.resize(count, Key::NOTHING.0);
        for (id, worth) in (0_u32..).zip(&wanted.worths).filter(|(_, worth)| worth.lowest.is_finite()) {
            for posting in postings.of(id) {
                if let Some(key) = keys.get_mut(posting.row as usize) {
                    *key = (*key).max(worth.offer(wanted.level, self.gap_cost, posting.level).0);
                }
            }
        }
    }

    /// Whether and how well an agent can take the call.
    #[inline]
    fn decide(&self, tally: Tally) -> Cover {
        let has_main = tally.main >= Kind::USABLE;
        // Shares that make up the minimum exactly must not fail by a rounding.
        let has_any = tally.count > 0;
        let is_enough = has_any && tally.covered >= self.minimum_cover - 1e-6;
        let eligible = has_main || is_enough;
        let is_whole = tally.count as usize == self.languages.len();
        let by_main = Kind::REASONS[usize::from(tally.main) % Kind::REASONS.len()];
        let of_part = if eligible { reason::PART } else { reason::TOO_LITTLE };
        let reason = if is_whole || !has_any { by_main } else { of_part };
        // The sum of the shares can round to above 1.
        let score = if eligible { tally.score.min(1.0) } else { 0.0 };
        match self.interpreter {
            Some(least) if !eligible || score < least => {
                Cover { score: least, eligible: true, reason: reason::INTERPRETER }
            }
            _ => Cover { score, eligible, reason },
        }
    }

    /// How well one agent covers what the customer speaks, from the agent's ids and levels.
    pub(crate) fn cover(&self, ids: &[u32], levels: &[f32]) -> Cover {
        let mut tally = Tally::NONE;
        for (index, wanted) in self.languages.iter().enumerate() {
            let offer = self.best(wanted, ids, levels);
            tally.add(wanted.share, offer);
            if index == 0 {
                tally.main = offer.kind();
            }
        }
        self.decide(tally)
    }

    /// The best that one agent offers in one of the customer's languages.
    fn best(&self, wanted: &Wanted<'_>, ids: &[u32], levels: &[f32]) -> Key {
        let offer = |(id, level): (&u32, &f32)| {
            let worth = wanted.worths.get(*id as usize).unwrap_or(&Worth::NONE);
            worth.offer(wanted.level, self.gap_cost, *level)
        };
        ids.iter().zip(levels).map(offer).max().unwrap_or(Key::NOTHING)
    }

    /// What one agent offers in one of the customer's languages, in [0, 1].
    pub(crate) fn value(&self, wanted: &Wanted<'_>, ids: &[u32], levels: &[f32]) -> f32 {
        self.best(wanted, ids, levels).score()
    }
}

fn worth(config: &Config, wanted: &Tag, spoken: Option<&Tag>) -> Worth {
    let Some(closeness) = spoken.and_then(|spoken| closeness::compare(config, wanted, spoken)) else {
        return Worth::NONE;
    };
    let kinds = match closeness.kinship {
        Kinship::Same => [Kind::AtLevel, Kind::BelowLevel, Kind::TooLow],
        Kinship::OtherVariety => [Kind::OtherVariety, Kind::BelowLevel, Kind::TooLow],
        // A little of a related language is nothing in common.
        Kinship::Related => [Kind::Related, Kind::Related, Kind::Nothing],
    };
    Worth {
        factor: closeness.factor,
        lowest: config.minimum_level as f32,
        kinds: kinds.map(|kind| kind as u8),
    }
}
