//! What a caller usually sounds like, so that a low or a lively voice is not taken for an emotion.
//!
//! The features of a caller's earlier speech are averaged and a share of that average is taken off later ones. The
//! share grows with what was heard: one window says as much of the moment as of the person.

use super::VoicePrediction;

/// Good windows after which half of the average is taken off.
pub const HALF_STRENGTH_WINDOWS: f32 = 4.0;

/// The running average of a caller's features. A new one changes nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CallerBaseline {
    sum: Vec<f32>,
    windows: f32,
}

impl CallerBaseline {
    /// Takes in what was heard; a bad window counts little. Features of another model start the average anew.
    pub fn add(&mut self, heard: &VoicePrediction) {
        self.add_features(&heard.features, heard.quality * heard.familiarity);
    }

    /// As [`Self::add`], from features and how much they count, 0 to 1.
    pub fn add_features(&mut self, features: &[f32], weight: f32) {
        if weight.is_nan() || weight <= 0.0 || features.iter().any(|value| !value.is_finite()) {
            return;
        }
        if self.sum.len() != features.len() {
            *self = Self { sum: vec![0.0; features.len()], windows: 0.0 };
        }
        let weight = weight.min(1.0);
        self.windows += weight;
        for (sum, value) in self.sum.iter_mut().zip(features) {
            *sum += weight * value;
        }
    }

    /// The share of the average that is taken off, 0 to below 1.
    #[must_use]
    pub fn strength(&self) -> f32 {
        self.windows / (self.windows + HALF_STRENGTH_WINDOWS)
    }

    /// What is taken off each feature; none where nothing was heard, or features of another number.
    #[must_use]
    pub fn shift(&self, width: usize) -> Option<Vec<f32>> {
        if self.windows <= 0.0 || self.sum.len() != width {
            return None;
        }
        let scale = self.strength() / self.windows;
        Some(self.sum.iter().map(|sum| sum * scale).collect())
    }
}

/// A clip of 16 kHz mono samples between -1 and 1, and what is known of who speaks.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VoiceClip {
    /// The samples.
    pub samples: Vec<f32>,
    /// The caller's earlier speech.
    pub baseline: CallerBaseline,
}

impl From<Vec<f32>> for VoiceClip {
    /// A clip of somebody who was not heard before.
    fn from(samples: Vec<f32>) -> Self {
        Self { samples, baseline: CallerBaseline::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_grows_with_what_was_heard() {
        let mut baseline = CallerBaseline::default();
        assert_eq!(baseline.shift(2), None);
        baseline.add_features(&[4.0, -2.0], 1.0);
        assert_eq!(baseline.shift(2), Some(vec![4.0 / 5.0, -2.0 / 5.0]));
        for _ in 0..3 {
            baseline.add_features(&[4.0, -2.0], 1.0);
        }
        assert_eq!(baseline.shift(2), Some(vec![2.0, -1.0]));
        assert!(baseline.strength() < 1.0);
    }

    #[test]
    fn bad_windows_count_little_and_damaged_ones_nothing() {
        let mut baseline = CallerBaseline::default();
        baseline.add_features(&[1.0], 0.0);
        baseline.add_features(&[1.0], f32::NAN);
        baseline.add_features(&[f32::INFINITY], 1.0);
        assert_eq!(baseline, CallerBaseline::default());
        baseline.add_features(&[1.0], 0.5);
        baseline.add_features(&[4.0], 1.0);
        let shift = baseline.shift(1).unwrap()[0];
        assert!((shift - 3.0 * 1.5 / 5.5).abs() < 1e-6, "{shift}");
    }

    #[test]
    fn features_of_another_model_start_anew() {
        let mut baseline = CallerBaseline::default();
        baseline.add_features(&[1.0, 2.0], 1.0);
        assert_eq!(baseline.shift(3), None);
        baseline.add_features(&[5.0, 5.0, 5.0], 1.0);
        assert_eq!(baseline.shift(3), Some(vec![1.0, 1.0, 1.0]));
    }
}
