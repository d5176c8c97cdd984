//! From samples to the encoder's frames: checks, level, spectrogram, batching, encoder. Inference and training share
//! it, so that both see the same numbers.

use std::path::Path;

use burn::tensor::{Tensor, TensorData};

use super::encoder::{Encoder, Padding};
use super::level::Level;
use super::mel::{HOP, LogMel};
use super::{EncoderConfig, LONGEST_MS, SAMPLE_RATE_HZ, SHORTEST_MS, loader};
use crate::direct::each_row;
use crate::precision::weights_in;
use crate::shapes::{each_row_step, fill_up, row_steps};
use crate::{Device, ModelError, ModelFolder, Weights};

/// How many clips a processor encodes at once.
const BATCH_ROWS: usize = 8;
/// How many samples a processor encodes at once, padding included: 60 s.
const BATCH_SAMPLES: usize = 60 * SAMPLE_RATE_HZ as usize;
/// The lengths that clips are filled up to on a GPU, in frames of 10 ms, below the longest that the encoder reads.
const GPU_FRAMES: [usize; 8] = [100, 200, 300, 400, 500, 600, 1000, 2000];
/// Frames that a GPU encodes at once.
const GPU_FRAMES_A_BATCH: usize = 64_000;

/// The encoded frames of several clips.
#[derive(Debug, Clone)]
pub struct FrameBatch {
    /// `[batch, frames of 20 ms, width]`; rows of shorter clips end in padding.
    pub frames: Tensor<3>,
    /// How many frames each clip has.
    pub lengths: Vec<usize>,
    /// What is padding; none where all clips are equally long.
    pub padding: Option<Padding>,
}

/// Everything before the head.
#[derive(Debug, Clone)]
pub struct FrontEnd {
    mel: LogMel,
    encoder: Encoder,
    config: EncoderConfig,
    device: Device,
}

impl FrontEnd {
    /// Opens a converted encoder that has no head yet.
    ///
    /// # Errors
    /// Any of [`ModelError`] that concerns files, or [`ModelError::Input`] for sizes that cannot be built.
    pub fn open(folder: &Path, device: &Device) -> Result<Self, ModelError> {
        let folder = ModelFolder::<EncoderConfig>::open(folder)?;
        Self::from_weights(&folder.weights()?, &folder.manifest.config, device)
    }

    pub(super) fn from_weights(
        weights: &Weights<'_>,
        config: &EncoderConfig,
        device: &Device,
    ) -> Result<Self, ModelError> {
        config.check()?;
        let encoder = weights_in(loader::load_encoder(weights, config, device)?, device.precision());
        let mel = LogMel::new(config.mel_bands);
        Ok(Self { mel, encoder, config: config.clone(), device: device.clone() })
    }

    /// The encoder.
    #[must_use]
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// The encoder's sizes.
    #[must_use]
    pub fn config(&self) -> &EncoderConfig {
        &self.config
    }

    /// The device that computes.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The spectrogram of samples as they are, `[1, bands, frames]`.
    ///
    /// # Errors
    /// As [`LogMel::compute`].
    pub fn spectrogram(&self, samples: &[f32]) -> Result<Tensor<3>, ModelError> {
        let mel = self.mel.compute(samples)?;
        let shape = [1, self.config.mel_bands, LogMel::frames(samples.len())];
        Ok(Tensor::from_data(TensorData::new(mel, shape), self.device.as_burn()))
    }

    /// Encodes clips of 16 kHz mono samples in one batch, each brought to the level of training.
    ///
    /// # Errors
    /// [`ModelError::Input`] where a clip is too short, too long or holds something that is no finite number.
    pub fn encode(&self, clips: &[&[f32]]) -> Result<FrameBatch, ModelError> {
        let mel_lengths: Vec<usize> = clips.iter().map(|clip| LogMel::frames(clip.len())).collect();
        let longest = mel_lengths.iter().copied().max().unwrap_or(0);
        if clips.is_empty() {
            return Err(ModelError::Input("a batch needs clips".to_owned()));
        }
        self.check_frames(longest)?;
        let spectrograms = each_row(clips.to_vec(), |clip| self.checked_spectrogram(clip));
        let spectrograms = spectrograms.into_iter().collect::<Result<Vec<_>, _>>()?;
        self.encode_spectrograms(&spectrograms, mel_lengths, longest)
    }

    /// Encodes spectrograms of these lengths. On a GPU the batch is filled up to one of a few shapes.
    fn encode_spectrograms(
        &self,
        spectrograms: &[Vec<f32>],
        mut mel_lengths: Vec<usize>,
        longest: usize,
    ) -> Result<FrameBatch, ModelError> {
        let is_cpu = self.device.is_cpu();
        let bands = self.config.mel_bands;
        let longest = if is_cpu { longest } else { fill_up(self.gpu_frames(), longest) };
        let rows = if is_cpu {
            mel_lengths.len()
        } else {
            fill_up(row_steps(self.filled_rows(longest)), mel_lengths.len())
        };
        let mut values = Vec::with_capacity(rows * bands * longest);
        for (mel, length) in spectrograms.iter().zip(&mel_lengths) {
            for band in mel.chunks(*length) {
                values.extend_from_slice(band);
                values.extend(std::iter::repeat_n(0.0, longest - band.len()));
            }
        }
        values.resize(rows * bands * longest, 0.0);
        // A row without a clip has one frame, so that its attention has something to look at.
        mel_lengths.resize(rows, 2);
        let mel = self.device.upload(values, [rows, bands, longest]);
        let is_even = is_cpu && mel_lengths.iter().all(|length| *length == longest);
        let padding = (!is_even).then(|| self.padding(&mel_lengths, longest));
        let frames = self.encoder.forward(mel, padding.as_ref());
        let lengths = mel_lengths.iter().map(|length| length.div_ceil(2)).collect();
        Ok(FrameBatch { frames, lengths, padding })
    }

    /// The most clips with so many samples that are encoded at once.
    pub(super) fn most_rows(&self, samples: usize) -> usize {
        if self.device.is_cpu() {
            return BATCH_ROWS.min(BATCH_SAMPLES / samples.max(1));
        }
        self.filled_rows(fill_up(self.gpu_frames(), LogMel::frames(samples)))
    }

    /// The most clips with so many frames, filled up, that are encoded at once.
    fn filled_rows(&self, frames: usize) -> usize {
        if self.device.is_gpu() { (GPU_FRAMES_A_BATCH / frames.max(1)).max(1) } else { BATCH_ROWS }
    }

    /// The lengths in frames that clips are filled up to on a GPU.
    fn gpu_frames(&self) -> impl Iterator<Item = usize> {
        let longest = 2 * self.config.longest_frames;
        GPU_FRAMES.into_iter().filter(move |frames| *frames < longest).chain(std::iter::once(longest))
    }

    /// Encodes a batch of every shape that up to so many clips can have, where the device compiles by shape.
    pub(super) fn each_shape(
        &self,
        rows: usize,
        mut then: impl FnMut(FrameBatch) -> Result<(), ModelError>,
    ) -> Result<(), ModelError> {
        if self.device.is_cpu() {
            return Ok(());
        }
        for frames in self.gpu_frames() {
            let silence = vec![0.0; self.config.mel_bands * frames];
            each_row_step(self.filled_rows(frames), rows, |rows| {
                then(self.encode_spectrograms(&vec![silence.clone(); rows], vec![frames; rows], frames)?)
            })?;
        }
        Ok(())
    }

    /// The spectrogram `[bands, frames]` of a clip that the network can take, brought to the level of training.
    pub(super) fn checked_spectrogram(&self, clip: &[f32]) -> Result<Vec<f32>, ModelError> {
        check(clip)?;
        self.check_frames(LogMel::frames(clip.len()))?;
        self.leveled(clip)
    }

    fn check_frames(&self, mel_frames: usize) -> Result<(), ModelError> {
        if mel_frames.div_ceil(2) > self.config.longest_frames {
            return Err(ModelError::Input(
                "a batch needs clips that the encoder has positions for".to_owned(),
            ));
        }
        Ok(())
    }

    fn leveled(&self, clip: &[f32]) -> Result<Vec<f32>, ModelError> {
        let gain = Level::measure(clip).gain();
        let leveled: Vec<f32> = clip.iter().map(|sample| sample * gain).collect();
        self.mel.compute(&leveled)
    }

    fn padding(&self, mel_lengths: &[usize], longest: usize) -> Padding {
        let batch = mel_lengths.len();
        let present = mel_lengths
            .iter()
            .flat_map(|length| (0..longest).map(move |frame| if frame < *length { 1.0_f32 } else { 0.0 }));
        let frames = longest.div_ceil(2);
        let absent =
            mel_lengths.iter().flat_map(|length| (0..frames).map(move |frame| frame >= length.div_ceil(2)));
        let device = self.device.as_burn();
        Padding {
            present: Tensor::from_data(TensorData::new(present.collect(), [batch, 1, longest]), device),
            absent: Tensor::from_data(TensorData::new(absent.collect(), [batch, frames]), device),
        }
    }
}

/// Refuses what the network cannot take.
fn check(clip: &[f32]) -> Result<(), ModelError> {
    let samples = |milliseconds: u32| (milliseconds * (SAMPLE_RATE_HZ / 1000)) as usize;
    // Media arrives in whole packets, so a clip may end a little after the limit.
    if clip.len() < samples(SHORTEST_MS) || clip.len() > samples(LONGEST_MS) + HOP - 1 {
        let found = clip.len() / (SAMPLE_RATE_HZ as usize / 1000);
        return Err(ModelError::Input(format!(
            "a clip needs {SHORTEST_MS} to {LONGEST_MS} ms, this one has {found} ms"
        )));
    }
    if clip.iter().any(|sample| !sample.is_finite()) {
        return Err(ModelError::Input("a clip holds samples that are no finite numbers".to_owned()));
    }
    Ok(())
}
