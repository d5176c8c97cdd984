//! What the face network is made of, what its outputs mean, and how they become the seven categories.

use burn::tensor::{Int, Tensor};
use serde::{Deserialize, Serialize};

use crate::precision::full;
use crate::{CATEGORY_COUNT, Category, ModelError};

/// The side of a crop, in pixels.
pub const CROP_SIDE: usize = 48;

/// How many expressions the network tells apart.
pub const LABEL_COUNT: usize = 8;

/// The network's outputs, in order; the first seven are the seven categories in their order.
pub const LABELS: [&str; LABEL_COUNT] =
    ["neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt"];

/// Where each label stands on valence and arousal: its customary place on the circumplex of affect. These are
/// conventions, not measurements of the training data, which carries no such labels.
const CIRCUMPLEX: [[f32; 2]; LABEL_COUNT] = [
    [0.0, 0.0],
    [0.75, 0.35],
    [0.15, 0.7],
    [-0.65, -0.35],
    [-0.6, 0.65],
    [-0.6, 0.3],
    [-0.55, 0.65],
    [-0.45, 0.1],
];

/// The configuration in a face model's manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaceConfig {
    /// The side of a crop in pixels; [`CROP_SIDE`].
    pub side: usize,
    /// The labels of the outputs; [`LABELS`].
    pub labels: Vec<String>,
    /// The channels after the stem, which halves the sides.
    pub stem: usize,
    /// The residual blocks: one list of channels a stage; every stage but the first halves the sides.
    pub stages: Vec<Vec<usize>>,
    /// Every crop is brought to mean 0 and deviation 1, so that dark and bright, flat and hard light look alike. A
    /// crop whose pixels, as shares of 255, deviate by less than this is stretched no further.
    pub least_deviation: f32,
    /// What the logits are divided by, so that the probabilities say how often the model is right.
    pub temperature: f32,
}

impl FaceConfig {
    /// Checks that this program can run such a network.
    ///
    /// # Errors
    /// [`ModelError::Input`] that says what is not supported.
    pub fn check(&self) -> Result<(), ModelError> {
        let fault = if self.side != CROP_SIDE {
            Some(format!("crops of {} pixels; this version takes {CROP_SIDE}", self.side))
        } else if self.labels != LABELS {
            Some(format!("labels {:?}; this version knows {LABELS:?}", self.labels))
        } else if self.stem == 0 || self.stages.is_empty() || self.stages.len() > 5 {
            Some("no stem or not between 1 and 5 stages".to_owned())
        } else if self.stages.iter().any(|stage| stage.is_empty() || stage.contains(&0)) {
            Some("a stage without channels".to_owned())
        } else if !(self.temperature.is_finite() && self.temperature > 0.0) {
            Some(format!("a temperature of {}", self.temperature))
        } else if !(self.least_deviation.is_finite() && self.least_deviation > 0.0) {
            Some(format!("a least deviation of {}", self.least_deviation))
        } else {
            None
        };
        fault.map_or(Ok(()), |fault| {
            Err(ModelError::Input(format!("the face model's configuration has {fault}")))
        })
    }

    /// Brings one crop's values, 0 to 1, to the network's range; see [`Self::least_deviation`].
    pub fn normalise(&self, values: &mut [f32]) {
        let count = values.len().max(1) as f32;
        let mean = values.iter().sum::<f32>() / count;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / count;
        let scale = 1.0 / variance.sqrt().max(self.least_deviation);
        values.iter_mut().for_each(|value| *value = (*value - mean) * scale);
    }

    /// As [`Self::normalise`], of bytes on a device: `[crops, 1, side, side]`.
    pub(super) fn normalise_there(&self, bytes: Tensor<4, Int>) -> Tensor<4> {
        let [crops, channels, height, width] = bytes.dims();
        let values = full(bytes.float()).div_scalar(255.0).reshape([crops, channels * height * width]);
        let mean = values.clone().mean_dim(1);
        let centred = values - mean;
        let deviation = (centred.clone() * centred.clone()).mean_dim(1).sqrt();
        let scaled = centred / deviation.clamp_min(self.least_deviation);
        scaled.reshape([crops, channels, height, width])
    }

    /// The channels and the stride of every residual block, in order, stage by stage.
    #[must_use]
    pub fn blocks(&self) -> Vec<Vec<([usize; 2], usize)>> {
        let mut channels = self.stem;
        let mut stages = Vec::new();
        for (stage, widths) in self.stages.iter().enumerate() {
            let mut blocks = Vec::new();
            for (block, width) in widths.iter().enumerate() {
                let stride = if stage > 0 && block == 0 { 2 } else { 1 };
                blocks.push(([channels, *width], stride));
                channels = *width;
            }
            stages.push(blocks);
        }
        stages
    }

    /// The channels that the head sees.
    #[must_use]
    pub fn features(&self) -> usize {
        self.stages.iter().flatten().last().copied().unwrap_or(self.stem)
    }
}

/// Probabilities of the labels, and what follows from them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VoteModel {
    /// One probability a label; they sum to 1.
    pub probabilities: [f32; LABEL_COUNT],
}

impl VoteModel {
    /// Softmax of the logits divided by a temperature.
    #[must_use]
    pub fn from_logits(logits: &[f32; LABEL_COUNT], temperature: f32) -> Self {
        let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut probabilities = logits.map(|logit| ((logit - largest) / temperature).exp());
        let sum: f32 = probabilities.iter().sum();
        probabilities.iter_mut().for_each(|value| *value /= sum);
        Self { probabilities }
    }

    /// The seven categories: contempt counts as disgust, everything else is itself.
    #[must_use]
    pub fn categories(&self) -> [f32; CATEGORY_COUNT] {
        let mut categories = [0.0; CATEGORY_COUNT];
        categories.copy_from_slice(&self.probabilities[..CATEGORY_COUNT]);
        categories[Category::Disgust.index()] += self.probabilities[CATEGORY_COUNT];
        categories
    }

    /// Valence and arousal in -1 to 1: the mean of the labels' places on the circumplex of affect.
    #[must_use]
    pub fn dimensions(&self) -> [f32; 2] {
        let mut sums = [0.0; 2];
        for (probability, place) in self.probabilities.iter().zip(CIRCUMPLEX) {
            sums[0] += probability * place[0];
            sums[1] += probability * place[1];
        }
        sums
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn small() -> FaceConfig {
        FaceConfig {
            side: CROP_SIDE,
            labels: LABELS.map(ToOwned::to_owned).to_vec(),
            stem: 4,
            stages: vec![vec![4], vec![8, 8]],
            least_deviation: 0.03,
            temperature: 1.0,
        }
    }

    #[test]
    fn the_labels_begin_with_the_categories() {
        for category in Category::ALL {
            assert_eq!(LABELS[category.index()], category.name());
        }
    }

    #[test]
    fn blocks_follow_each_other() {
        let blocks = small().blocks();
        assert_eq!(blocks, [vec![([4, 4], 1)], vec![([4, 8], 2), ([8, 8], 1)]]);
        assert_eq!(small().features(), 8);
    }

    #[test]
    fn contempt_counts_as_disgust_and_sums_stay_one() {
        let votes = VoteModel::from_logits(&[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 9.0], 1.0);
        let categories = votes.categories();
        assert!(categories[Category::Disgust.index()] > 0.99);
        assert!((categories.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        assert!(votes.dimensions()[0] < -0.4);
    }

    #[test]
    fn a_temperature_flattens_and_large_logits_stay_finite() {
        let logits = [1000.0, 990.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1000.0];
        let sharp = VoteModel::from_logits(&logits, 1.0).probabilities;
        let flat = VoteModel::from_logits(&logits, 10.0).probabilities;
        assert!(sharp[0] > flat[0] && flat.iter().all(|value| value.is_finite()));
    }

    #[test]
    fn light_does_not_change_the_input_but_noise_is_not_blown_up() {
        let crop: Vec<f32> = (0..100_u8).map(|index| f32::from(index % 10) / 10.0).collect();
        let (mut bright, mut dark) = (crop.clone(), crop.iter().map(|value| value * 0.2).collect::<Vec<_>>());
        small().normalise(&mut bright);
        small().normalise(&mut dark);
        assert!(bright.iter().zip(&dark).all(|(bright, dark)| (bright - dark).abs() < 1e-4));
        let mut flat: Vec<f32> = crop.iter().map(|value| 0.5 + value * 0.01).collect();
        small().normalise(&mut flat);
        assert!(flat.iter().all(|value| value.abs() < 0.3));
        small().normalise(&mut []);
    }

    #[test]
    fn faulty_configurations_are_refused() {
        assert!(small().check().is_ok());
        for change in [
            |config: &mut FaceConfig| config.side = 64,
            |config: &mut FaceConfig| config.stages.clear(),
            |config: &mut FaceConfig| config.temperature = 0.0,
            |config: &mut FaceConfig| config.least_deviation = f32::NAN,
            |config: &mut FaceConfig| config.labels.truncate(7),
        ] {
            let mut config = small();
            change(&mut config);
            assert!(matches!(config.check(), Err(ModelError::Input(_))));
        }
    }
}
