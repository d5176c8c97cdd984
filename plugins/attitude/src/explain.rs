//! The factors of a score: one a trait, and the record of past calls.

use heartline_plugin_sdk::Factor;
use heartline_plugin_sdk::abi::TRAIT_COUNT;

use crate::demand::{Demand, UNKNOWN_TRAIT};
use crate::outcomes::Record;

/// The traits by name, in their order.
const TRAITS: [&str; TRAIT_COUNT] = ["warmth", "calm", "patience", "clarity", "energy"];

/// The factors of one agent's score, the weightiest first. Traits that are not asked for and a record without calls are
/// left out.
pub(crate) fn factors(
    demand: &Demand,
    attitude: &[f32; TRAIT_COUNT],
    record: Record,
) -> Vec<Factor<'static>> {
    let factor = |name, value: f32, weight: f32| Factor {
        name,
        subject: "",
        value,
        weight,
        contribution: weight * value,
    };
    let mut factors: Vec<Factor<'static>> = TRAITS
        .iter()
        .zip(demand.shares)
        .zip(attitude)
        .map(|((name, share), value)| {
            let value = if value.is_nan() { UNKNOWN_TRAIT } else { *value };
            factor(name, value, (1.0 - record.weight) * share)
        })
        .collect();
    factors.push(factor("past outcomes", record.success, record.weight));
    factors.retain(|factor| factor.weight > 0.0);
    // Stable, so that equal weights stay in the order of the traits.
    factors.sort_by(|left, right| right.weight.total_cmp(&left.weight));
    factors
}

/// The one factor of a customer for whom nobody is preferred.
pub(crate) fn undecided(score: f32) -> Factor<'static> {
    Factor { name: "no preference", subject: "", value: score, weight: 1.0, contribution: score }
}
