//! What each part of the state needs, learned from how calls end.
//!
//! The model is a logistic regression: the log-odds that a call ends well are a constant, plus something for each part of
//! the state as far as it is there (the angry are harder to please, whoever takes the call), plus, for each part and trait,
//! a need times the part's strength times what the agent has of the trait above the middle. Every coefficient has a
//! Gaussian prior: the needs with the configured table as their mean, the others around 0. Each outcome moves the means
//! and narrows the variances by one step of the extended Kalman filter with a diagonal covariance, which is an online
//! Laplace approximation.
//!
//! What is kept is the evidence beyond the prior, in the natural parameters of the Gaussian: added precision, and added
//! precision times mean. So a state can be loaded under another table of needs, and forgetting is one multiplication.

use heartline_plugin_sdk::Outcome;
use heartline_plugin_sdk::abi::TRAIT_COUNT;

use crate::logistic::logistic;
use crate::parts::PART_COUNT;
use crate::{Config, Learning};

/// What each part asks of each trait.
pub(crate) type Needs = [[f32; TRAIT_COUNT]; PART_COUNT];

/// The needs first, then the parts' own terms, then the constant.
pub(crate) const COEFFICIENT_COUNT: usize = PART_COUNT * TRAIT_COUNT + PART_COUNT + 1;
const FIRST_PART: usize = PART_COUNT * TRAIT_COUNT;
const CONSTANT: usize = COEFFICIENT_COUNT - 1;

/// The precision that one call adds to a need whose part is there in full, with the trait at an end of its range and the
/// outcome open: the variance of a coin times half a range squared.
const PRECISION_OF_A_CALL: f64 = 0.25 * 0.25;
/// The prior precision of the terms that are no needs: a standard deviation of 2 in log-odds.
const LOOSE_PRECISION: f64 = 0.25;
/// The highest need that scores use; the configuration has the same limit.
const HIGHEST_NEED: f64 = 10.0;
/// The middle of a trait's range.
const MIDDLE: f64 = 0.5;

/// What was learned of one coefficient beyond its prior.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Evidence {
    /// The precision that outcomes have added, at least 0.
    pub(crate) precision: f64,
    /// What they have added to precision times mean.
    pub(crate) shift: f64,
}

/// How well a call ended, and how much that is to be believed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Target {
    /// From 0 (badly) to 1 (well).
    pub(crate) value: f64,
    /// In [0, 1]; of 0 nothing is learned.
    pub(crate) weight: f64,
}

impl Target {
    /// Joins what is known of an outcome: whether the issue was resolved counts 3, the customer's rating 2, and the change
    /// of valence 1, where a change of 1 up or down is the end of the range. An agent who had to transfer the call did not
    /// resolve it, whoever did later. `None` where nothing is known.
    pub(crate) fn of(outcome: &Outcome) -> Option<Self> {
        let is_resolved = if outcome.is_transferred { Some(false) } else { outcome.is_resolved };
        let signs = [
            (3.0, is_resolved.map(|is_resolved| f64::from(u8::from(is_resolved)))),
            (2.0, outcome.rating.map(f64::from)),
            (1.0, outcome.valence_change.map(|change| f64::from(change) / 2.0 + 0.5)),
        ];
        let (mut sum, mut weights) = (0.0, 0.0);
        for (weight, value) in signs {
            if let Some(value) = value.filter(|value| value.is_finite()) {
                sum += weight * value.clamp(0.0, 1.0);
                weights += weight;
            }
        }
        // Being resolved or not is enough to be believed in full; a change of valence alone is a third of that.
        (weights > 0.0).then(|| Self { value: sum / weights, weight: (weights / 3.0).min(1.0) })
    }
}

/// The learned needs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Learned {
    prior_means: [f64; COEFFICIENT_COUNT],
    prior_precisions: [f64; COEFFICIENT_COUNT],
    /// What is kept of the evidence from one outcome to the next.
    kept: f64,
    max_step: f64,
    pub(crate) evidence: [Evidence; COEFFICIENT_COUNT],
    /// How many outcomes were learned from.
    pub(crate) outcomes: u64,
    needs: Needs,
}

impl Learned {
    /// Nothing but the prior.
    pub(crate) fn new(config: &Config) -> Self {
        let Learning { prior_calls, remembered_calls, max_step, .. } = config.learning;
        let mut prior_means = [0.0; COEFFICIENT_COUNT];
        let mut prior_precisions = [LOOSE_PRECISION; COEFFICIENT_COUNT];
        let table = config.needs.rows();
        for (index, need) in table.as_flattened().iter().enumerate() {
            prior_means[index] = *need;
            prior_precisions[index] = prior_calls * PRECISION_OF_A_CALL;
        }
        let mut learned = Self {
            prior_means,
            prior_precisions,
            kept: 1.0 - 1.0 / remembered_calls,
            max_step,
            evidence: [Evidence::default(); COEFFICIENT_COUNT],
            outcomes: 0,
            needs: [[0.0; TRAIT_COUNT]; PART_COUNT],
        };
        learned.refresh();
        learned
    }

    /// The needs that scores use: the means, not below 0, because having more of a trait must never cost an agent.
    pub(crate) fn needs(&self) -> &Needs {
        &self.needs
    }

    /// Replaces the evidence.
    pub(crate) fn restore(&mut self, evidence: [Evidence; COEFFICIENT_COUNT], outcomes: u64) {
        self.evidence = evidence;
        self.outcomes = outcomes;
        self.refresh();
    }

    /// Learns from one call: the state at its ranking, the agent's traits, and how it ended. An end that is not believed at
    /// all and an agent of whom no trait is known teach nothing, and then nothing fades either.
    pub(crate) fn learn(
        &mut self,
        strengths: &[f32; PART_COUNT],
        traits: &[f32; TRAIT_COUNT],
        target: Target,
    ) {
        if target.weight <= 0.0 || traits.iter().all(|value| value.is_nan()) {
            return;
        }
        let features = features(strengths, traits);
        for evidence in &mut self.evidence {
            evidence.precision *= self.kept;
            evidence.shift *= self.kept;
        }
        let (mut log_odds, mut spread) = (0.0, 0.0);
        for (index, feature) in features.iter().enumerate() {
            log_odds += feature * self.mean(index);
            spread += feature * feature / self.precision(index);
        }
        let expected = logistic(log_odds);
        let curvature = target.weight * expected * (1.0 - expected);
        let surprise = target.weight * (target.value - expected) / (1.0 + curvature * spread);
        for (index, feature) in features.iter().enumerate() {
            if *feature == 0.0 {
                continue;
            }
            let (mean, precision) = (self.mean(index), self.precision(index));
            let step = feature * surprise / precision;
            // Only needs decide scores; how hard a state is to please may be found out as fast as it shows.
            let step = if index < FIRST_PART { step.clamp(-self.max_step, self.max_step) } else { step };
            let added = curvature * feature * feature;
            let evidence = &mut self.evidence[index];
            evidence.precision += added;
            evidence.shift += added * mean + (precision + added) * step;
        }
        self.outcomes = self.outcomes.saturating_add(1);
        self.refresh();
    }

    fn precision(&self, index: usize) -> f64 {
        self.prior_precisions[index] + self.evidence[index].precision
    }

    fn mean(&self, index: usize) -> f64 {
        let prior = self.prior_precisions[index] * self.prior_means[index];
        (prior + self.evidence[index].shift) / self.precision(index)
    }

    fn refresh(&mut self) {
        for index in 0..FIRST_PART {
            let need = self.mean(index).clamp(0.0, HIGHEST_NEED);
            self.needs[index / TRAIT_COUNT][index % TRAIT_COUNT] = need as f32;
        }
    }
}

/// What the coefficients are multiplied with. An unknown trait says nothing about any need.
fn features(strengths: &[f32; PART_COUNT], traits: &[f32; TRAIT_COUNT]) -> [f64; COEFFICIENT_COUNT] {
    let mut features = [0.0; COEFFICIENT_COUNT];
    features[CONSTANT] = 1.0;
    for (part, strength) in strengths.iter().enumerate() {
        features[FIRST_PART + part] = f64::from(*strength);
        for (index, value) in traits.iter().enumerate() {
            if !value.is_nan() {
                features[part * TRAIT_COUNT + index] = f64::from(*strength) * (f64::from(*value) - MIDDLE);
            }
        }
    }
    features
}

#[cfg(test)]
mod tests;
