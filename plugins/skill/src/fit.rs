//! How well an agent's skills fit what is asked.
//!
//! Agents have few skills and there are many agents, so nothing here branches on what is found: every skill of an agent
//! is looked up in a table that says what it is worth, and what was found is collected in bits.

use crate::Config;
use crate::asked::{Asked, Duty};
use crate::reason;

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
}

/// The reason for each highest bit of what was found, from none to [`found::MUST_MISSING`].
const REASONS: [u32; 6] = [
    reason::ALL_AT_LEVEL,
    reason::HELPFUL_MISSING,
    reason::BELOW_LEVEL,
    reason::RELAXED,
    reason::MUST_TOO_LOW,
    reason::MUST_MISSING,
];

/// What one skill of the candidates' table is worth to this request.
#[derive(Debug, Clone, Copy)]
struct Slot {
    /// The bit of the need that it meets; none for a skill that is not needed.
    bit: u64,
    weight: f32,
    level: f32,
    patient_level: f32,
    /// Below this the agent is excluded.
    lowest: f32,
    /// Below this the agent would be excluded if the customer had not waited.
    patient_lowest: f32,
    /// What is found where the agent is below the level asked.
    below: u32,
}

impl Slot {
    /// A skill that is not needed.
    const NONE: Self = Self {
        bit: 0,
        weight: 0.0,
        level: 0.0,
        patient_level: 0.0,
        lowest: 0.0,
        patient_lowest: 0.0,
        below: 0,
    };
}

/// What an agent gets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Fit {
    pub(crate) score: f32,
    pub(crate) eligible: bool,
    pub(crate) reason: u32,
}

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
    pub(crate) fn met(self, level: f32, asked: f32, patient: f32) -> f32 {
        let gap = (asked - level).max(0.0);
        let surplus = (level - patient).max(0.0);
        (1.0 - self.gap * gap - self.surplus * surplus).max(0.0)
    }
}

/// The table of one request.
#[derive(Debug)]
pub(crate) struct Table {
    slots: Vec<Slot>,
    costs: Costs,
    base: f32,
    musts: u64,
    waived_musts: u64,
    helpful: u64,
}

impl Table {
    /// Lays the needs out by the ids of `skill_count` skills.
    pub(crate) fn new(config: &Config, asked: &Asked<'_>, skill_count: usize) -> Self {
        let mut table = Self {
            slots: vec![Slot::NONE; skill_count],
            costs: Costs::new(config),
            base: asked.base,
            musts: 0,
            waived_musts: 0,
            helpful: 0,
        };
        let max_gap = config.max_gap_levels as f32;
        for (index, need) in asked.needs.iter().enumerate() {
            let bit = 1 << index;
            let (lowest, patient_lowest, below) = match need.duty {
                Duty::Must => (need.level - max_gap, need.patient_level - max_gap, found::MUST_BELOW),
                Duty::WaivedMust => (f32::MIN, need.patient_level - max_gap, found::MUST_BELOW),
                Duty::Helpful => (f32::MIN, f32::MIN, found::HELPFUL_MISSING),
            };
            match need.duty {
                Duty::Must => table.musts |= bit,
                Duty::WaivedMust => table.waived_musts |= bit,
                Duty::Helpful => table.helpful |= bit,
            }
            let slot = need.skill.and_then(|skill| table.slots.get_mut(skill as usize));
            if let Some(slot) = slot {
                let (level, patient_level) = (need.level, need.patient_level);
                *slot =
                    Slot { bit, weight: need.weight, level, patient_level, lowest, patient_lowest, below };
            }
        }
        table
    }

    /// Compares one agent's skills with what is asked.
    #[inline]
    pub(crate) fn fit(&self, ids: &[u32], levels: &[f32]) -> Fit {
        let mut score = self.base;
        let mut met = 0_u64;
        let mut found = 0;
        for (id, &level) in ids.iter().zip(levels) {
            let slot = self.slots.get(*id as usize).unwrap_or(&Slot::NONE);
            score += slot.weight * self.costs.met(level, slot.level, slot.patient_level);
            met |= slot.bit;
            found |= slot.below * u32::from(level < slot.level)
                | found::RELAXED * u32::from(level < slot.patient_lowest)
                | found::MUST_TOO_LOW * u32::from(level < slot.lowest);
        }
        let is_missing = |bits: u64| u32::from(bits & !met != 0);
        found |= found::HELPFUL_MISSING * is_missing(self.helpful)
            | found::RELAXED * is_missing(self.waived_musts)
            | found::MUST_MISSING * is_missing(self.musts);
        let eligible = found < found::MUST_TOO_LOW;
        let highest = (u32::BITS - found.leading_zeros()) as usize;
        // No product with `eligible`, because a score is finite; the sum of the shares can round to above 1.
        let score = if eligible { score.min(1.0) } else { 0.0 };
        Fit { score, eligible, reason: REASONS[highest.min(REASONS.len() - 1)] }
    }
}
