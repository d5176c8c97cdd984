//! What is asked of agents: each needed skill with the level that complexity and waiting time make of it.

use heartline_plugin_sdk::{MatcherError, Request};

use crate::Config;

/// The lowest and the highest proficiency there is.
const LEVELS: (f32, f32) = (1.0, 5.0);
/// The most different skills of one request: [`crate::fit`] counts them in bytes.
const NEED_LIMIT: usize = 64;

/// How a missing skill counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Duty {
    /// It excludes.
    Must,
    /// It would have excluded before the customer had waited so long.
    WaivedMust,
    /// It only costs.
    Helpful,
}

/// One needed skill.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Need<'call> {
    pub(crate) name: &'call str,
    pub(crate) skill: Option<u32>,
    /// The level asked now.
    pub(crate) level: f32,
    /// The level that would be asked of a customer who has not waited.
    pub(crate) patient_level: f32,
    pub(crate) duty: Duty,
    /// The share of the score that this need decides; all shares sum to 1, or are 0.
    pub(crate) weight: f32,
}

/// All needs of a request, each skill once.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asked<'call> {
    pub(crate) needs: Vec<Need<'call>>,
    /// What everybody gets: 1 where no need counts anything, because only helpful skills are asked for and the
    /// configuration gives those no weight.
    pub(crate) base: f32,
}

impl<'call> Asked<'call> {
    pub(crate) fn new(config: &Config, request: &Request<'call>) -> Result<Self, MatcherError> {
        let raised = request.complexity * config.complexity_levels as f32;
        let relaxed = config.relaxed_levels(request.waiting_ms);
        let must = if config.waives_must_haves(request.waiting_ms) { Duty::WaivedMust } else { Duty::Must };
        let mut needs: Vec<Need<'call>> = Vec::with_capacity(request.needs.len());
        for need in &request.needs {
            // Clamped before relaxing: complexity cannot ask for more than the best there are, and waiting still takes its
            // full share off that.
            let patient_level = (need.level + raised).clamp(LEVELS.0, LEVELS.1);
            let duty = if need.must_have { must } else { Duty::Helpful };
            // A skill that is asked for twice counts once, at the higher level, and as a must where one of both is.
            if let Some(known) = needs.iter_mut().find(|known| known.name == need.name) {
                known.patient_level = known.patient_level.max(patient_level);
                known.duty = if known.duty == Duty::Helpful { duty } else { known.duty };
            } else {
                let skill = need.skill;
                needs.push(Need { name: need.name, skill, level: 0.0, patient_level, duty, weight: 0.0 });
            }
        }
        if needs.len() > NEED_LIMIT {
            let found = needs.len();
            return Err(MatcherError::Failed(format!("{found} needed skills are more than {NEED_LIMIT}")));
        }
        let weight = |duty| if duty == Duty::Helpful { config.helpful_weight as f32 } else { 1.0 };
        let total: f32 = needs.iter().map(|need| weight(need.duty)).sum();
        for need in &mut needs {
            need.level = (need.patient_level - relaxed).max(LEVELS.0);
            need.weight = if total > 0.0 { weight(need.duty) / total } else { 0.0 };
        }
        Ok(Self { needs, base: if total > 0.0 { 0.0 } else { 1.0 } })
    }
}
