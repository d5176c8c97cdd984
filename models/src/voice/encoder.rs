//! The encoder: two convolutions, positions and the transformer blocks.

use burn::module::{Module, Param};
use burn::nn::PaddingConfig1d;
use burn::nn::conv::{Conv1d, Conv1dConfig};
use burn::tensor::activation::gelu;
use burn::tensor::{Bool, Device, Tensor, TensorData};
use half::f16;

use super::EncoderConfig;
use super::block::Block;
use crate::precision::{full, in_full, like};

/// The two convolutions that turn a spectrogram into frames of 20 ms.
#[derive(Module, Debug)]
pub(super) struct Stem {
    pub(super) first: Conv1d,
    pub(super) second: Conv1d,
    positions: Param<Tensor<2>>,
}

impl Stem {
    fn new(config: &EncoderConfig, device: &Device) -> Self {
        let convolution = |channels, stride| {
            Conv1dConfig::new(channels, config.width, 3)
                .with_stride(stride)
                .with_padding(PaddingConfig1d::Explicit(1, 1))
                .init(device)
        };
        let values = sinusoids(config.longest_frames, config.width);
        let positions =
            Tensor::from_data(TensorData::new(values, [config.longest_frames, config.width]), device);
        Self {
            first: convolution(config.mel_bands, 1),
            second: convolution(config.width, 2),
            positions: Param::from_tensor(positions).set_require_grad(false),
        }
    }

    /// `mel` `[batch, bands, frames]`, `present` `[batch, 1, frames]` 1 where a frame is part of the clip and 0 where
    /// it is padding; gives `[batch, frames / 2 rounded up, width]`.
    ///
    /// A clip that ends before the batch does must look to the second convolution as if zeros followed, as they do
    /// when it is alone; so the first convolution's answer to the padding is erased.
    fn forward(&self, mel: Tensor<3>, present: Option<Tensor<3>>) -> Tensor<3> {
        let mut frames = in_full(self.first.forward(like(mel, &self.first.weight)), gelu);
        if let Some(present) = present {
            frames = frames * like(present, &self.first.weight);
        }
        let frames = in_full(self.second.forward(frames), gelu).swap_dims(1, 2);
        let time = frames.dims()[1];
        frames + self.positions.val().narrow(0, 0, time).unsqueeze::<3>()
    }
}

/// The lower part of a speech encoder.
#[derive(Module, Debug)]
pub struct Encoder {
    pub(super) stem: Stem,
    pub(super) blocks: Vec<Block>,
}

/// What tells a batch's clips from their padding.
#[derive(Debug, Clone)]
pub struct Padding {
    /// `[batch, 1, mel frames]`: 1 where a frame is part of the clip, 0 where it is padding.
    pub present: Tensor<3>,
    /// `[batch, frames]`: true where a frame after the convolutions is padding.
    pub absent: Tensor<2, Bool>,
}

impl EncoderConfig {
    /// An encoder with random weights; the loader fills them in.
    #[must_use]
    pub fn init(&self, device: &Device) -> Encoder {
        let blocks = (0..self.blocks).map(|_| Block::new(self, device)).collect();
        Encoder { stem: Stem::new(self, device), blocks }
    }
}

impl Encoder {
    /// `mel` `[batch, bands, frames]`, with padding where the clips differ in length; gives the residual stream
    /// `[batch, frames / 2 rounded up, width]` after the last block.
    #[must_use]
    pub fn forward(&self, mel: Tensor<3>, padding: Option<&Padding>) -> Tensor<3> {
        let mut frames = self.stem.forward(mel, padding.map(|padding| padding.present.clone()));
        for block in &self.blocks {
            frames = block.forward(frames, padding.map(|padding| padding.absent.clone()));
        }
        full(frames)
    }

    /// The residual stream after the stem and after each block, for one spectrogram without padding: what golden
    /// numbers are compared with.
    #[must_use]
    pub fn stages(&self, mel: Tensor<3>) -> Vec<Tensor<3>> {
        let mut stages = vec![self.stem.forward(mel, None)];
        for block in &self.blocks {
            let before = stages[stages.len() - 1].clone();
            stages.push(block.forward(before, None));
        }
        stages.into_iter().map(full).collect()
    }
}

/// Positions `[length, width]`: sines in the first half of the columns, cosines in the second, with wavelengths from
/// 2 pi to 10000 times that. The source network was run with positions rounded to half precision, so they are here.
pub(super) fn sinusoids(length: usize, width: usize) -> Vec<f32> {
    let half = width / 2;
    let step = 10_000.0_f64.ln() / to_f64(half.saturating_sub(1).max(1));
    let rates: Vec<f64> = (0..half).map(|index| (-step * to_f64(index)).exp()).collect();
    (0..length)
        .flat_map(|position| {
            let sines = rates.iter().map(move |rate| (to_f64(position) * rate).sin());
            sines.chain(rates.iter().map(move |rate| (to_f64(position) * rate).cos()))
        })
        .map(|value| f16::from_f64(value).to_f32())
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "indices here are far below 2^52")]
fn to_f64(index: usize) -> f64 {
    index as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_start_with_zero_sines_and_unit_cosines() {
        let values = sinusoids(3, 8);
        assert_eq!(values[..8], [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]);
        assert!((values[8] - 1.0_f32.sin()).abs() < 3e-4);
        assert!((values[11] - 1e-4).abs() < 1e-7);
    }

    #[test]
    fn odd_lengths_round_up() {
        let device = crate::Device::cpu();
        let config = EncoderConfig {
            mel_bands: 4,
            width: 8,
            heads: 2,
            feed_forward_width: 16,
            blocks: 1,
            longest_frames: 10,
        };
        let encoder = config.init(device.as_burn());
        for (frames, expected) in [(6, 3), (7, 4), (20, 10)] {
            let mel = Tensor::zeros([1, 4, frames], device.as_burn());
            assert_eq!(encoder.forward(mel, None).dims(), [1, expected, 8]);
        }
    }
}
