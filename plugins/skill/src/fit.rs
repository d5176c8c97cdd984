//! How well one agent's skills fit what is asked.

use heartline_plugin_sdk::Request;

use crate::Config;

/// The lowest and the highest proficiency there is.
const LEVELS: (f32, f32) = (1.0, 5.0);

/// One need with the level that is asked for it now.
#[derive(Debug, Clone, Copy)]
struct AskedSkill {
    skill: Option<u32>,
    level: f32,
    /// The level that would be asked of a customer who has not waited.
    patient_level: f32,
    must_have: bool,
    weight: f32,
}

/// All needs of a request, with the levels that are asked now.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    skills: Vec<AskedSkill>,
    weights: f32,
}

/// What comparing an agent with the needs gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Finding {
    /// The agent does not have a must-have skill at all.
    MustMissing,
    /// The agent has a must-have skill too far below the level asked.
    MustTooLow,
    /// The agent can take the call.
    Fits {
        /// The weighted mean over all needs, in [0, 1].
        score: f32,
        /// Whether this is so only because the customer has waited.
        relaxed: bool,
        /// Whether a must-have skill is below the level asked.
        must_below: bool,
        /// Whether a skill that helps is missing or below the level asked.
        helpful_missing: bool,
    },
}

impl Asked {
    pub(crate) fn new(config: &Config, request: &Request<'_>) -> Self {
        let raised = request.complexity * config.complexity_levels;
        let relaxed = config.relaxed_levels(request.waiting_ms);
        let skills: Vec<AskedSkill> = request
            .needs
            .iter()
            .map(|need| AskedSkill {
                skill: need.skill,
                // Clamped before relaxing: complexity cannot ask for more than the best there are, and waiting still
                // takes its full share off that.
                level: ((need.level + raised).clamp(LEVELS.0, LEVELS.1) - relaxed).max(LEVELS.0),
                patient_level: (need.level + raised).clamp(LEVELS.0, LEVELS.1),
                must_have: need.must_have,
                weight: if need.must_have { 1.0 } else { config.helpful_weight },
            })
            .collect();
        let weights = skills.iter().map(|asked| asked.weight).sum();
        Self { skills, weights }
    }

    /// Compares one agent's skills, given as ids and levels.
    pub(crate) fn compare(
        &self,
        config: &Config,
        skills: &(impl Iterator<Item = (u32, f32)> + Clone),
    ) -> Finding {
        let mut sum = 0.0;
        let (mut relaxed, mut must_below, mut helpful_missing) = (false, false, false);
        let mut too_low = false;
        for asked in &self.skills {
            let level = skills.clone().find(|(skill, _)| Some(*skill) == asked.skill).map(|(_, level)| level);
            let Some(level) = level else {
                if asked.must_have {
                    return Finding::MustMissing;
                }
                helpful_missing = true;
                continue;
            };
            let gap = asked.level - level;
            if asked.must_have {
                too_low |= gap > config.max_gap_levels;
                relaxed |= asked.patient_level - level > config.max_gap_levels;
                must_below |= gap > 0.0;
            } else {
                helpful_missing |= gap > 0.0;
            }
            let cost = if gap > 0.0 { config.gap_cost * gap } else { -config.surplus_cost * gap };
            sum += asked.weight * (1.0 - cost).max(0.0);
        }
        if too_low {
            return Finding::MustTooLow;
        }
        // All weights are 0 where nothing but helpful skills is asked and those are set to count nothing.
        let score = if self.weights > 0.0 { (sum / self.weights).clamp(0.0, 1.0) } else { 1.0 };
        Finding::Fits { score, relaxed, must_below, helpful_missing }
    }
}
