//! Emotion from tone of voice: the lower blocks of a speech encoder and an attention-pooling head.
//!
//! A clip is brought to one level, turned into a log-mel spectrogram ([`LogMel`]) and encoded ([`Encoder`]); the
//! head ([`VoiceHead`]) pools its frames and classifies them, against what the caller usually sounds like where that
//! is known ([`CallerBaseline`]). The encoder stops after block 3 of 6: the blocks above
//! have learned to forget how something is said. On the CPU `direct` computes both without burn, up to the features.

mod attention;
mod baseline;
mod block;
mod config;
mod dimensions;
mod direct;
mod encoder;
mod front_end;
mod head;
mod level;
mod loader;
mod mel;

use std::path::Path;

use burn::tensor::activation::softmax;
use burn::tensor::{Tensor, TensorData};
use rayon::prelude::*;

use direct::DirectVoice;

pub use baseline::{CallerBaseline, HALF_STRENGTH_WINDOWS, VoiceClip};
pub use config::{EncoderConfig, HeadConfig, VoiceConfig};
pub use encoder::{Encoder, Padding};
pub use front_end::{FrameBatch, FrontEnd};
pub use head::{Standard, VoiceHead};
pub use level::Level;
pub use loader::write_head;
pub use mel::LogMel;

use crate::direct::each_row;
use crate::readback::read_together;
use crate::shapes::plan;
use crate::{CATEGORY_COUNT, Category, Device, Doubt, ModelError, ModelFolder, Trust};

/// The sample rate of every clip, in hertz.
pub const SAMPLE_RATE_HZ: u32 = 16_000;
/// The shortest clip the model takes, in milliseconds.
pub const SHORTEST_MS: u32 = 400;
/// The longest clip the model takes, in milliseconds.
pub const LONGEST_MS: u32 = 30_000;

/// What a clip sounds like.
#[derive(Debug, Clone, PartialEq)]
pub struct VoicePrediction {
    /// Calibrated probabilities in the order of [`Category`]; they sum to 1.
    pub categories: [f32; CATEGORY_COUNT],
    /// Unpleasant to pleasant, -1 to 1; follows from the categories.
    pub valence: f32,
    /// Calm to excited, -1 to 1; follows from the categories.
    pub arousal: f32,
    /// Controlled to in control, -1 to 1; follows from the categories.
    pub dominance: f32,
    /// The model's own labels with their probabilities: the seven categories.
    pub labels: Vec<(String, f32)>,
    /// How usable the clip is, from level, clipping and noise, 0 to 1.
    pub quality: f32,
    /// How like the clips of calibration this one is, 0 to 1.
    pub familiarity: f32,
    /// Why the model abstains, where it does.
    pub doubt: Option<Doubt>,
    /// What the heads read the categories from, one head after the other; a [`CallerBaseline`] averages it.
    pub features: Vec<f32>,
}

/// Categories of a clip, and the features of all heads.
type Output = ([f32; CATEGORY_COUNT], Vec<f32>);

/// The voice model, ready to predict.
#[derive(Debug, Clone)]
pub struct VoiceModel {
    front_end: FrontEnd,
    heads: Vec<VoiceHead>,
    /// What computes the features in place of the encoder and the heads, where this is the CPU.
    direct: Option<DirectVoice>,
    trust: Trust,
    feature_width: usize,
    temperature: f32,
}

impl VoiceModel {
    /// Loads a model folder onto a device.
    ///
    /// # Errors
    /// Any of [`ModelError`] that concerns files, or [`ModelError::Input`] for sizes that cannot be built.
    pub fn load(folder: &Path, device: &Device) -> Result<Self, ModelError> {
        let folder = ModelFolder::<VoiceConfig>::open(folder)?;
        let config = &folder.manifest.config;
        config.check()?;
        let weights = folder.weights()?;
        let front_end = FrontEnd::from_weights(&weights, &config.encoder, device)?;
        let heads = (0..config.members)
            .map(|member| loader::load_head(&weights, member, &config.head, device))
            .collect::<Result<_, _>>()?;
        let direct = (device.is_cpu() && DirectVoice::suits(config))
            .then(|| DirectVoice::load(&weights, config))
            .transpose()?;
        let feature_width = config.head.pooled_width();
        let trust = Trust::open(&folder, feature_width)?;
        Ok(Self { front_end, heads, direct, trust, feature_width, temperature: config.temperature })
    }

    /// Everything before the head.
    #[must_use]
    pub fn front_end(&self) -> &FrontEnd {
        &self.front_end
    }

    /// How many features one head reads a clip from.
    #[must_use]
    pub fn feature_width(&self) -> usize {
        self.feature_width
    }

    /// Predicts clips of 16 kHz mono samples between -1 and 1, each 0.4 s to 30 s long; 3 to 5 s of speech is what it
    /// was trained with. A clip's answer does not depend on the clips beside it.
    ///
    /// # Errors
    /// [`ModelError::Input`] for a clip that is too short, too long or not finite, [`ModelError::Computation`] where
    /// the device gives no numbers back.
    pub fn predict(&self, clips: &[Vec<f32>]) -> Result<Vec<VoicePrediction>, ModelError> {
        let strangers: Vec<VoiceClip> = clips.iter().cloned().map(VoiceClip::from).collect();
        self.predict_callers(&strangers)
    }

    /// As [`Self::predict`], each clip against what its caller usually sounds like.
    ///
    /// # Errors
    /// As [`Self::predict`].
    pub fn predict_callers(&self, clips: &[VoiceClip]) -> Result<Vec<VoicePrediction>, ModelError> {
        let mut order: Vec<usize> = (0..clips.len()).collect();
        order.sort_by_key(|index| clips[*index].samples.len());
        let lengths: Vec<usize> = clips.iter().map(|clip| clip.samples.len()).collect();
        let mut predictions: Vec<Option<VoicePrediction>> = vec![None; clips.len()];
        for rows in batches(&order, &lengths, |samples| self.front_end.most_rows(samples)) {
            let batch: Vec<&VoiceClip> = rows.iter().map(|index| &clips[*index]).collect();
            let outputs = self.run(&batch)?;
            let made = batch
                .into_par_iter()
                .zip(outputs)
                .map(|(clip, (categories, features))| self.prediction(categories, features, &clip.samples));
            for (index, prediction) in rows.iter().zip(made.collect::<Vec<_>>()) {
                predictions[*index] = Some(prediction);
            }
        }
        Ok(predictions.into_iter().flatten().collect())
    }

    /// The categories of clips, and the features of all heads that they were read from, the baseline not taken off.
    fn run(&self, clips: &[&VoiceClip]) -> Result<Vec<Output>, ModelError> {
        let samples: Vec<&[f32]> = clips.iter().map(|clip| clip.samples.as_slice()).collect();
        let features = match &self.direct {
            Some(direct) => self.run_direct(direct, &samples)?,
            None => self.run_burn(&samples)?,
        };
        let width = features.dims()[1];
        // On a GPU rows without a clip may follow.
        let [features, values] = self.answer(features, shifts(clips, width))?;
        let rows = features.chunks(width.max(1)).map(<[f32]>::to_vec);
        let values = &values.as_chunks::<CATEGORY_COUNT>().0[..clips.len()];
        if values.iter().flatten().any(|value| !value.is_finite()) {
            return Err(ModelError::Computation(
                "the voice model gave values that are no numbers".to_owned(),
            ));
        }
        Ok(values.iter().copied().zip(rows).collect())
    }

    /// The features, row after row, and the probabilities that follow from them less the shifts of known callers.
    fn answer(&self, features: Tensor<2>, shifts: Option<Vec<f32>>) -> Result<[Vec<f32>; 2], ModelError> {
        let shape = features.dims();
        let shifted = match shifts {
            Some(mut shifts) => {
                shifts.resize(shape[0] * shape[1], 0.0);
                features.clone() - Tensor::from_data(TensorData::new(shifts, shape), &features.device())
            }
            None => features.clone(),
        };
        let probabilities = self.probabilities(&shifted)?;
        read_together([features, probabilities])
    }

    /// The probabilities of the categories `[rows, categories]`, from features of all heads.
    fn probabilities(&self, features: &Tensor<2>) -> Result<Tensor<2>, ModelError> {
        let own = self.feature_width;
        let logits = self
            .heads
            .iter()
            .enumerate()
            .map(|(member, head)| head.classify_features(features.clone().narrow(1, member * own, own)));
        let Some(sum) = logits.reduce(|left, right| left + right) else {
            return Err(ModelError::Computation("the voice model has no heads".to_owned()));
        };
        #[expect(clippy::cast_precision_loss, reason = "there are a handful of heads")]
        let divisor = self.temperature * self.heads.len() as f32;
        Ok(softmax(sum / divisor, 1))
    }

    /// The features of all heads `[clips, features]`, without burn.
    fn run_direct(&self, direct: &DirectVoice, clips: &[&[f32]]) -> Result<Tensor<2>, ModelError> {
        let read = |clip: &[f32]| Ok(direct.features(&self.front_end.checked_spectrogram(clip)?));
        let rows = each_row(clips.to_vec(), read).into_iter().collect::<Result<Vec<_>, ModelError>>()?;
        let shape = [rows.len(), self.feature_width * self.heads.len()];
        Ok(Tensor::from_data(TensorData::new(rows.concat(), shape), self.front_end.device().as_burn()))
    }

    /// As [`Self::run_direct`], by burn.
    fn run_burn(&self, clips: &[&[f32]]) -> Result<Tensor<2>, ModelError> {
        Ok(self.pool(self.front_end.encode(clips)?))
    }

    /// The features of all heads.
    fn pool(&self, batch: FrameBatch) -> Tensor<2> {
        let absent = batch.padding.map(|padding| padding.absent);
        let pooled =
            self.heads.iter().map(|head| head.features(head.pool(batch.frames.clone(), absent.clone())));
        Tensor::cat(pooled.collect(), 1)
    }

    /// Computes a batch of every shape that up to so many clips can have, where the device compiles by shape.
    ///
    /// # Errors
    /// [`ModelError::Computation`]
    pub fn warm_up(&self, rows: usize) -> Result<(), ModelError> {
        // A caller who is known is computed otherwise than a stranger.
        for shifts in [None, Some(Vec::new())] {
            let answer = |batch| self.answer(self.pool(batch), shifts.clone()).map(drop);
            self.front_end.each_shape(rows, answer)?;
        }
        Ok(())
    }

    fn prediction(
        &self,
        categories: [f32; CATEGORY_COUNT],
        features: Vec<f32>,
        clip: &[f32],
    ) -> VoicePrediction {
        let [valence, arousal, dominance] = dimensions::from_categories(&categories);
        let labels =
            Category::ALL.iter().map(|category| (category.name().to_owned(), categories[category.index()]));
        let quality = Level::measure(clip).quality();
        let familiarity = self.trust.familiarity(&features[..self.feature_width]);
        let doubt = self.trust.doubt(quality, familiarity, &categories);
        VoicePrediction {
            categories,
            valence,
            arousal,
            dominance,
            labels: labels.collect(),
            quality,
            familiarity,
            doubt,
            features,
        }
    }
}

/// What is taken off the features of each clip, row after row; none where nothing is known of any caller.
fn shifts(clips: &[&VoiceClip], width: usize) -> Option<Vec<f32>> {
    let rows: Vec<Option<Vec<f32>>> = clips.iter().map(|clip| clip.baseline.shift(width)).collect();
    rows.iter()
        .any(Option::is_some)
        .then(|| rows.into_iter().flat_map(|row| row.unwrap_or_else(|| vec![0.0; width])).collect())
}

/// Cuts clips, shortest first, into batches that are not too large once padded to their longest.
fn batches<'a>(order: &'a [usize], lengths: &[usize], most: impl Fn(usize) -> usize) -> Vec<&'a [usize]> {
    let in_order: Vec<usize> = order.iter().map(|index| lengths[*index]).collect();
    plan(&in_order, most).into_iter().map(|range| &order[range]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_hold_every_clip_once_and_stay_small() {
        let lengths: Vec<usize> = [480_000, 6400, 480_000, 480_000].into_iter().chain([80_000; 20]).collect();
        let mut order: Vec<usize> = (0..lengths.len()).collect();
        order.sort_by_key(|index| lengths[*index]);
        let most = |samples: usize| 8.min(960_000 / samples);
        let batches = batches(&order, &lengths, most);
        assert_eq!(batches.concat(), order);
        for batch in batches {
            let longest = batch.iter().map(|index| lengths[*index]).max().unwrap();
            assert!(batch.len() <= most(longest));
        }
        assert!(super::batches(&[], &[], most).is_empty());
    }
}
