//! What a category alone lets one expect of dominance and of the service signals.
//!
//! These are anchors by judgement, not measurements: they speak only where a modality has no reading of its own,
//! and then with a part of its weight.

use crate::emotion::label::CategoryArray;

// The order is that of `Category::ALL`: neutral, happiness, surprise, sadness, anger, disgust, fear.

/// Dominance in [-1, 1]: the angry push, the afraid and the sad give way.
pub(super) const DOMINANCE: CategoryArray = [0.0, 0.3, -0.1, -0.4, 0.4, 0.1, -0.6];
/// Satisfaction in [0, 1]: neutral is the middle, since a call without complaint is no praise either.
pub(super) const SATISFACTION: CategoryArray = [0.5, 0.9, 0.5, 0.2, 0.05, 0.1, 0.25];
/// Frustration in [0, 1].
pub(super) const FRUSTRATION: CategoryArray = [0.1, 0.02, 0.2, 0.45, 0.9, 0.7, 0.35];
/// Confusion in [0, 1]: surprise is the nearest of the seven.
pub(super) const CONFUSION: CategoryArray = [0.1, 0.05, 0.5, 0.2, 0.15, 0.1, 0.4];

/// The expected value of an anchor under a distribution over the categories.
pub(super) fn expect(anchor: &CategoryArray, probabilities: &CategoryArray) -> f32 {
    anchor.iter().zip(probabilities).map(|(value, probability)| value * probability).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_stay_in_their_ranges() {
        assert!(DOMINANCE.iter().all(|value| (-1.0..=1.0).contains(value)));
        for anchor in [SATISFACTION, FRUSTRATION, CONFUSION] {
            assert!(anchor.iter().all(|value| (0.0..=1.0).contains(value)));
        }
    }

    #[test]
    fn the_expectation_is_the_weighted_mean() {
        let half = [0.5, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0];
        assert!((expect(&FRUSTRATION, &half) - 0.5).abs() < 1e-6);
    }
}
