//! The factors of a score: one a needed skill.

use heartline_plugin_sdk::{Candidates, Factor};

use crate::Config;
use crate::asked::{Asked, Duty};
use crate::fit::Costs;

/// The factors of one candidate's score, the weightiest first.
pub(crate) fn factors<'call>(
    config: &Config,
    asked: &Asked<'call>,
    candidates: &Candidates<'call>,
    row: usize,
) -> Vec<Factor<'call>> {
    if asked.needs.is_empty() {
        return vec![alone("no skill asked for")];
    }
    let costs = Costs::new(config);
    let mut factors: Vec<Factor<'call>> = asked
        .needs
        .iter()
        .map(|need| {
            let level = candidates.skills(row).find(|(skill, _)| Some(*skill) == need.skill);
            let value = level.map_or(0.0, |(_, level)| costs.met(need, level));
            let name = match need.duty {
                Duty::Must => "must-have skill",
                Duty::WaivedMust => "must-have skill, waived after the wait",
                Duty::Helpful => "helpful skill",
            };
            let contribution = need.weight * value;
            Factor { name, subject: need.name, value, weight: need.weight, contribution }
        })
        .collect();
    if asked.base > 0.0 {
        factors.insert(0, alone("no skill that counts"));
    }
    // Stable, so that equal weights stay in the order of the request.
    factors.sort_by(|left, right| right.weight.total_cmp(&left.weight));
    factors
}

/// The one factor that counts where no need does.
fn alone(name: &'static str) -> Factor<'static> {
    Factor { name, subject: "", value: 1.0, weight: 1.0, contribution: 1.0 }
}
