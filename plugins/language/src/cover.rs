//! How well an agent covers what a customer speaks.
//!
//! There are many agents and few languages, so each language of the candidates' table is compared with each of the
//! customer's once, and the loop over agents only looks up. What an agent can offer in a language is one number, a key,
//! made so that the greater key is the better offer and the best of several is their maximum.

use heartline_plugin_sdk::Request;

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

/// An offer: whether a call can be held, then how well, then the kind. The bits of floats from 0 up are in the floats'
/// order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key(u64);

impl Key {
    const USABLE: u64 = 1 << 40;

    #[inline]
    fn new(usable: bool, score: f32, kind: u64) -> Self {
        Self(Self::USABLE * u64::from(usable) | u64::from(score.to_bits()) << 8 | kind)
    }

    #[inline]
    fn is_usable(self) -> bool {
        self.0 >= Self::USABLE
    }

    #[inline]
    fn score(self) -> f32 {
        f32::from_bits((self.0 >> 8) as u32)
    }

    #[inline]
    fn reason(self) -> u32 {
        Kind::REASONS[((self.0 & 0xff) as usize).min(Kind::REASONS.len() - 1)]
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

    /// How well an agent covers what the customer speaks.
    #[inline]
    pub(crate) fn cover(&self, ids: &[u32], levels: &[f32]) -> Cover {
        let Some((main, others)) = self.languages.split_first() else {
            return Cover { score: 0.0, eligible: false, reason: reason::NO_COMMON };
        };
        let best = self.best(main, ids, levels);
        let mut cover =
            Cover { score: main.share * best.score(), eligible: best.is_usable(), reason: best.reason() };
        if !others.is_empty() {
            self.add_others(others, main.share, (ids, levels), &mut cover);
        }
        match self.interpreter {
            Some(score) if !cover.eligible || cover.score < score => {
                Cover { score, eligible: true, reason: reason::INTERPRETER }
            }
            _ if cover.eligible => cover,
            _ => Cover { score: 0.0, ..cover },
        }
    }

    /// Adds what an agent offers in the languages beside the main one.
    fn add_others(
        &self,
        others: &[Wanted<'_>],
        main_share: f32,
        entries: (&[u32], &[f32]),
        cover: &mut Cover,
    ) {
        let mut covered = if cover.eligible { main_share } else { 0.0 };
        let mut is_whole = cover.eligible;
        for wanted in others {
            let offer = self.best(wanted, entries.0, entries.1);
            cover.score += wanted.share * offer.score();
            covered += if offer.is_usable() { wanted.share } else { 0.0 };
            is_whole &= offer.is_usable();
        }
        cover.score = cover.score.min(1.0);
        // Shares that make up the minimum exactly must not fail by a rounding.
        let is_enough = covered > 0.0 && covered >= self.minimum_cover - 1e-6;
        cover.reason = if is_whole {
            cover.reason
        } else if cover.eligible || is_enough {
            reason::PART
        } else if covered > 0.0 {
            reason::TOO_LITTLE
        } else {
            cover.reason
        };
        cover.eligible |= is_enough;
    }

    /// The best that an agent offers in one of the customer's languages; its score is 0 where no call can be held.
    #[inline]
    fn best(&self, wanted: &Wanted<'_>, ids: &[u32], levels: &[f32]) -> Key {
        let mut best = Key(0);
        for (id, &level) in ids.iter().zip(levels) {
            let worth = wanted.worths.get(*id as usize).unwrap_or(&Worth::NONE);
            let gap = (wanted.level - level).max(0.0);
            let is_usable = level >= worth.lowest;
            let score = (worth.factor * (1.0 - self.gap_cost * gap)).max(0.0);
            let grade = usize::from(gap > 0.0).max(2 * usize::from(!is_usable));
            // Adding 0 makes a negative zero a positive one, whose bits are in order.
            let score = if is_usable { score + 0.0 } else { 0.0 };
            best = best.max(Key::new(is_usable, score, u64::from(worth.kinds[grade])));
        }
        best
    }

    /// What an agent offers in one of the customer's languages, in [0, 1].
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
