//! The pool: opinions of several modalities at one moment become one state.

use super::anchors;
use super::config::FusionConfig;
use super::learned;
use crate::emotion::CATEGORY_COUNT;
use crate::emotion::label::CategoryArray;

/// What one modality says at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Opinion {
    /// Its own distribution over the categories.
    pub(super) probabilities: CategoryArray,
    /// Its logarithms, but for a constant.
    pub(super) log_probabilities: CategoryArray,
    /// The logarithms of the category shares that are already inside of that distribution.
    pub(super) log_prior: CategoryArray,
    pub(super) valence: f32,
    pub(super) arousal: f32,
    pub(super) dominance: Option<f32>,
    /// Satisfaction, frustration and confusion.
    pub(super) service: [Option<f32>; 3],
    /// Its exponent in the pool: reliability x quality x freshness.
    pub(super) weight: f32,
    pub(super) quality: f32,
    pub(super) age_ms: u64,
    pub(super) readings: u32,
}

/// At most one opinion a modality, in the order of `Modality::ALL`.
pub(super) type Opinions = [Option<Opinion>; 3];

/// The pooled state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct State {
    pub(super) categories: CategoryArray,
    pub(super) valence: f32,
    pub(super) arousal: f32,
    pub(super) dominance: f32,
    /// Satisfaction, frustration and confusion.
    pub(super) service: [f32; 3],
}

/// Pools opinions: logarithmically for the categories, by weighted means for everything else.
pub(super) fn pool(opinions: &Opinions, config: &FusionConfig) -> State {
    let categories = pool_categories(opinions);
    let rest = [(0.0, config.rest_weight)];
    let dimension = |value: &dyn Fn(&Opinion) -> (f32, f32)| {
        let weighed = opinions.iter().flatten().map(|opinion| {
            let (value, share) = value(opinion);
            (value, share * opinion.weight)
        });
        mean(weighed.chain(rest)).clamp(-1.0, 1.0)
    };
    let share = config.derived_share;
    State {
        categories,
        valence: dimension(&|opinion| (opinion.valence, 1.0)),
        arousal: dimension(&|opinion| (opinion.arousal, 1.0)),
        dominance: dimension(&|opinion| {
            read_or_derive(opinion.dominance, &anchors::DOMINANCE, opinion, share)
        }),
        service: pool_service(opinions, config),
    }
}

/// The logarithmic opinion pool with the prior counted once:
/// log p(c) = sum over modalities of weight x (log p_m(c) - (1 - r) x log prior_m(c)), normalised, where the weights are
/// tempered (see [`temper`]) and r = min(sum of weights, 1) / sum of weights gives the modalities' own priors back with
/// no more weight than there is evidence. So a lone modality keeps the order of its categories, and no evidence at all
/// is an even spread.
fn pool_categories(opinions: &Opinions) -> CategoryArray {
    let temper = temper(opinions);
    let total = temper * opinions.iter().flatten().map(|opinion| opinion.weight).sum::<f32>();
    let repeated = if total > 1.0 { 1.0 - 1.0 / total } else { 0.0 };
    let mut scores = [0.0; CATEGORY_COUNT];
    for opinion in opinions.iter().flatten() {
        let weight = temper * opinion.weight;
        for ((score, own), prior) in scores.iter_mut().zip(opinion.log_probabilities).zip(opinion.log_prior) {
            *score += weight * (own - repeated * prior);
        }
    }
    softmax(scores)
}

/// What is left of the weights because modalities also fail together: 1 / (1 + overlap x (n - 1)), where n is how many
/// equally heavy witnesses the weights amount to. A lone modality, or one beside another of no weight, loses nothing.
fn temper(opinions: &Opinions) -> f32 {
    let (sum, squares) = opinions.iter().flatten().fold((0.0, 0.0), |(sum, squares), opinion| {
        (sum + opinion.weight, squares + opinion.weight * opinion.weight)
    });
    let witnesses = if squares > 0.0 { sum * sum / squares } else { 1.0 };
    1.0 / (1.0 + learned::OVERLAP * (witnesses - 1.0))
}

/// Weighted means of the service signals. Where nothing speaks, the signal is what the prior alone lets one expect.
fn pool_service(opinions: &Opinions, config: &FusionConfig) -> [f32; 3] {
    let mut pooled = [0.0; 3];
    let signals = [&anchors::SATISFACTION, &anchors::FRUSTRATION, &anchors::CONFUSION];
    for (index, anchor) in signals.into_iter().enumerate() {
        let rest = [(anchors::expect(anchor, &config.prior), config.rest_weight.max(f32::MIN_POSITIVE))];
        let weighed = opinions.iter().flatten().map(|opinion| {
            let (value, share) =
                read_or_derive(opinion.service[index], anchor, opinion, config.derived_share);
            (value, share * opinion.weight)
        });
        pooled[index] = mean(weighed.chain(rest)).clamp(0.0, 1.0);
    }
    pooled
}

/// The modality's own value with its whole weight, or what its categories let one expect with a part of it.
fn read_or_derive(read: Option<f32>, anchor: &CategoryArray, opinion: &Opinion, share: f32) -> (f32, f32) {
    read.map_or_else(|| (anchors::expect(anchor, &opinion.probabilities), share), |value| (value, 1.0))
}

/// The weighted mean of (value, weight) pairs; 0 where all weights are 0.
fn mean(pairs: impl Iterator<Item = (f32, f32)>) -> f32 {
    let (sum, weight) =
        pairs.fold((0.0, 0.0), |(sum, total), (value, weight)| (sum + value * weight, total + weight));
    if weight > 0.0 { sum / weight } else { 0.0 }
}

/// Normalises log-probabilities; sums to 1.
pub(super) fn softmax(scores: CategoryArray) -> CategoryArray {
    let highest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers = scores.map(|score| (score - highest).exp());
    let sum: f32 = powers.iter().sum();
    powers.map(|power| power / sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opinion(probabilities: CategoryArray, weight: f32) -> Opinion {
        Opinion {
            probabilities,
            log_probabilities: probabilities.map(f32::ln),
            log_prior: FusionConfig::default().prior.map(f32::ln),
            valence: -0.5,
            arousal: 0.5,
            dominance: None,
            service: [None; 3],
            weight,
            quality: 1.0,
            age_ms: 0,
            readings: 1,
        }
    }

    #[test]
    fn nothing_pools_to_an_even_spread() {
        let state = pool(&[None, None, None], &FusionConfig::default());
        assert!(state.categories.iter().all(|probability| (probability - 1.0 / 7.0).abs() < 1e-6));
        assert_eq!((state.valence, state.dominance), (0.0, 0.0));
    }

    #[test]
    fn one_opinion_of_full_weight_is_taken_at_its_word() {
        let own = [0.1, 0.05, 0.05, 0.1, 0.6, 0.05, 0.05];
        let state = pool(&[Some(opinion(own, 1.0)), None, None], &FusionConfig::default());
        for (found, expected) in state.categories.iter().zip(own) {
            assert!((found - expected).abs() < 1e-5);
        }
    }

    #[test]
    fn a_lone_opinion_of_any_weight_keeps_its_order() {
        let own = [0.33, 0.04, 0.05, 0.12, 0.36, 0.05, 0.05];
        for weight in [0.05, 0.3, 0.7] {
            let state = pool(&[Some(opinion(own, weight)), None, None], &FusionConfig::default());
            assert!(state.categories[4] > state.categories[0] && state.categories[4] < own[4], "{weight}");
        }
    }

    #[test]
    fn the_prior_is_counted_once() {
        // Three modalities that saw nothing repeat the prior, and the pool must not grow more neutral by that.
        let config = FusionConfig::default();
        let idle = Some(opinion(config.prior, 1.0));
        let state = pool(&[idle, idle, idle], &config);
        assert!((state.categories[0] - config.prior[0]).abs() < 1e-5);
    }

    #[test]
    fn two_that_agree_are_surer_than_one() {
        let own = [0.2, 0.05, 0.05, 0.1, 0.5, 0.05, 0.05];
        let config = FusionConfig::default();
        let one = pool(&[Some(opinion(own, 0.8)), None, None], &config);
        let two = pool(&[Some(opinion(own, 0.8)), Some(opinion(own, 0.8)), None], &config);
        assert!(two.categories[4] > one.categories[4] + 0.1);
        assert!(two.valence < one.valence);
    }

    #[test]
    fn a_read_dominance_outweighs_a_derived_one() {
        let angry = [0.02, 0.01, 0.01, 0.01, 0.93, 0.01, 0.01];
        let mut reader = opinion(angry, 0.8);
        reader.dominance = Some(-0.5);
        let state = pool(&[Some(reader), None, Some(opinion(angry, 0.8))], &FusionConfig::default());
        assert!((-0.4..0.0).contains(&state.dominance), "{}", state.dominance);
    }
}
