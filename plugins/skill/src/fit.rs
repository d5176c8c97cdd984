//! How well agents' skills fit what is asked.
//!
//! Agents are many and needs are few, so each need goes through the agents who have its skill, and adds what they get to
//! their rows; what was found of an agent is collected in one number. Nothing branches on what is found.

use heartline_plugin_sdk::{Columns, Posting, Postings};

use crate::asked::{Asked, Duty, Need};
use crate::{Config, reason};

/// What can be found of an agent. The highest bit decides the answer.
mod found {
    /// A skill that helps is missing or below the level asked.
    pub(super) const HELPFUL_MISSING: u32 = 1;
    /// A must-have is below the level asked.
    pub(super) const MUST_BELOW: u32 = 1 << 1;
    /// The agent would be excluded if the customer had not waited.
    pub(super) const RELAXED: u32 = 1 << 2;
    /// A must-have is too far below the level asked.
    pub(super) const MUST_TOO_LOW: u32 = 1 << 3;
    /// A must-have is not there at all.
    pub(super) const MUST_MISSING: u32 = 1 << 4;
    /// How many different collections of bits there are.
    pub(super) const COUNT: usize = 1 << 5;
}

/// Where a row's number holds what was found; below are three counts of one byte, of needs met by their [`Duty`].
const FOUND_SHIFT: u32 = 24;

/// The reason for everything that can be found.
const REASONS: [u32; found::COUNT] = {
    let mut reasons = [reason::ALL_AT_LEVEL; found::COUNT];
    let by_highest_bit = [
        reason::HELPFUL_MISSING,
        reason::BELOW_LEVEL,
        reason::RELAXED,
        reason::MUST_TOO_LOW,
        reason::MUST_MISSING,
    ];
    let mut found = 1;
    while found < found::COUNT {
        reasons[found] = by_highest_bit[found.ilog2() as usize];
        found += 1;
    }
    reasons
};

/// The costs of levels below and above the one asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Costs {
    gap: f32,
    surplus: f32,
}

impl Costs {
    pub(crate) fn new(config: &Config) -> Self {
        Self { gap: config.gap_cost as f32, surplus: config.surplus_cost as f32 }
    }

    /// How far a level meets a need, in [0, 1].
    #[inline]
    pub(crate) fn met(self, need: &Need<'_>, level: f32) -> f32 {
        let gap = (need.level - level).max(0.0);
        let surplus = (level - need.patient_level).max(0.0);
        (1.0 - self.gap * gap - self.surplus * surplus).max(0.0)
    }
}

/// The byte of a row's number that counts the needs of a duty.
fn shift(duty: Duty) -> u32 {
    match duty {
        Duty::Must => 0,
        Duty::WaivedMust => 8,
        Duty::Helpful => 16,
    }
}

/// Answers for all agents.
pub(crate) fn answer(config: &Config, asked: &Asked<'_>, postings: &Postings, columns: Columns<'_>) {
    columns.scores.fill(asked.base);
    columns.confidences.fill(1.0);
    columns.reason_codes.fill(0);
    let costs = Costs::new(config);
    let max_gap = config.max_gap_levels as f32;
    let mut all_met = 0;
    for need in &asked.needs {
        all_met += 1 << shift(need.duty);
        let postings = need.skill.map_or(&[][..], |skill| postings.of(skill));
        add(need, (costs, max_gap), postings, (columns.scores, columns.reason_codes));
    }
    let answers = columns.scores.iter_mut().zip(columns.reason_codes).zip(columns.eligible);
    for ((score, number), eligible) in answers {
        let found = found_of(*number, all_met);
        let is_eligible = found < found::MUST_TOO_LOW;
        // The sum of the shares can round to above 1.
        *score = if is_eligible { score.min(1.0) } else { 0.0 };
        *number = REASONS[found as usize % found::COUNT];
        *eligible = u8::from(is_eligible);
    }
}

/// Adds what one need gives the agents who have its skill.
fn add(
    need: &Need<'_>,
    (costs, max_gap): (Costs, f32),
    postings: &[Posting],
    (scores, numbers): (&mut [f32], &mut [u32]),
) {
    let (lowest, patient_lowest, below) = match need.duty {
        Duty::Must => (need.level - max_gap, need.patient_level - max_gap, found::MUST_BELOW),
        Duty::WaivedMust => (f32::MIN, need.patient_level - max_gap, found::MUST_BELOW),
        Duty::Helpful => (f32::MIN, f32::MIN, found::HELPFUL_MISSING),
    };
    let one = 1 << shift(need.duty);
    let mut last = u32::MAX;
    for &Posting { row, level } in postings {
        // No host names a skill of an agent twice; where one did, the first counts, and only once.
        if row == last {
            continue;
        }
        last = row;
        let found = below * u32::from(level < need.level)
            | found::RELAXED * u32::from(level < patient_lowest)
            | found::MUST_TOO_LOW * u32::from(level < lowest);
        if let Some((score, number)) = scores.get_mut(row as usize).zip(numbers.get_mut(row as usize)) {
            *score += need.weight * costs.met(need, level);
            *number = (*number + one) | found << FOUND_SHIFT;
        }
    }
}

/// What was found of an agent, with what is missing.
#[inline]
fn found_of(number: u32, all_met: u32) -> u32 {
    let missing = number ^ all_met;
    let is_missing = |duty| u32::from(missing & 0xff << shift(duty) != 0);
    number >> FOUND_SHIFT
        | found::HELPFUL_MISSING * is_missing(Duty::Helpful)
        | found::RELAXED * is_missing(Duty::WaivedMust)
        | found::MUST_MISSING * is_missing(Duty::Must)
}
