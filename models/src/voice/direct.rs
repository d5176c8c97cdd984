//! The encoder and the heads' pooling on the CPU: [`super::Encoder`] and [`super::VoiceHead`] over plain slices.
//!
//! Clips are encoded one by one, so there is no padding to compute and none to hide.

use super::encoder::sinusoids;
use super::head::SMALLEST_VARIANCE;
use super::{EncoderConfig, HeadConfig, VoiceConfig};
use crate::direct::attention::attend;
use crate::direct::curves::tanh;
use crate::direct::norm::Norm;
use crate::direct::{Eight, Finish, LANES, Packed, Reading, Sheet, share};
use crate::{ModelError, Weights};

/// What burn's layer normalisation adds to the variance.
const EPSILON: f32 = 1e-5;
/// The width of the stem's kernels.
const KERNEL: usize = 3;

/// A pre-norm transformer block.
#[derive(Debug, Clone)]
struct Block {
    attention_norm: Norm,
    query_key_value: Packed,
    output: Packed,
    feed_forward_norm: Norm,
    expand: Packed,
    contract: Packed,
}

/// What a head needs for its features; the standard of the frames is part of `attention`.
#[derive(Debug, Clone)]
struct Pooling {
    attention: Packed,
    /// `[attention heads, attention width]`.
    score: Vec<f32>,
    frame_mean: Vec<f32>,
    frame_scale: Vec<f32>,
    pool_mean: Vec<f32>,
    pool_scale: Vec<f32>,
}

/// Spectrogram to features, ready for the CPU.
#[derive(Debug, Clone)]
pub(super) struct DirectVoice {
    config: EncoderConfig,
    first: Packed,
    second: Packed,
    /// `[width, longest frames]`.
    positions: Sheet,
    blocks: Vec<Block>,
    heads: Vec<Pooling>,
}

/// Reads parts of a network under a name.
struct Source<'a> {
    weights: &'a Weights<'a>,
}

impl Source<'_> {
    fn vector(&self, name: &str, length: usize) -> Result<Vec<f32>, ModelError> {
        self.weights.values(name, &[length])
    }

    fn linear(&self, name: &str, [inputs, outputs]: [usize; 2]) -> Result<Packed, ModelError> {
        let weights = self.weights.values(&format!("{name}.weight"), &[outputs, inputs])?;
        Ok(Packed::from_rows(&weights, &self.vector(&format!("{name}.bias"), outputs)?))
    }

    fn norm(&self, name: &str, width: usize) -> Result<Norm, ModelError> {
        let (gamma, beta) = (format!("{name}.gamma"), format!("{name}.beta"));
        Ok(Norm::new(&self.vector(&gamma, width)?, &self.vector(&beta, width)?, EPSILON))
    }

    /// A convolution over time, its inputs in the order tap, channel.
    fn convolution(&self, name: &str, [inputs, outputs]: [usize; 2]) -> Result<Packed, ModelError> {
        let weights = self.weights.values(&format!("{name}.weight"), &[outputs, inputs, KERNEL])?;
        let bias = self.vector(&format!("{name}.bias"), outputs)?;
        Ok(Packed::new(KERNEL * inputs, &bias, |input, output| {
            weights[(output * inputs + input % inputs) * KERNEL + input / inputs]
        }))
    }

    /// Queries, keys and values; the queries are divided by the square root of a head's width.
    fn query_key_value(&self, name: &str, width: usize, heads: usize) -> Result<Packed, ModelError> {
        let mut weights = self.weights.values(&format!("{name}.weight"), &[3 * width, width])?;
        let mut bias = self.vector(&format!("{name}.bias"), 3 * width)?;
        #[expect(clippy::cast_precision_loss, reason = "a head is a few dozen wide")]
        let scale = ((width / heads) as f32).sqrt().recip();
        weights[..width * width].iter_mut().chain(&mut bias[..width]).for_each(|value| *value *= scale);
        Ok(Packed::from_rows(&weights, &bias))
    }

    fn block(&self, index: usize, config: &EncoderConfig) -> Result<Block, ModelError> {
        let (width, inner) = (config.width, config.feed_forward_width);
        let name = |part: &str| format!("encoder.block.{index}.{part}");
        Ok(Block {
            attention_norm: self.norm(&name("attention.norm"), width)?,
            query_key_value: self.query_key_value(&name("attention.query_key_value"), width, config.heads)?,
            output: self.linear(&name("attention.output"), [width, width])?,
            feed_forward_norm: self.norm(&name("feed_forward.norm"), width)?,
            expand: self.linear(&name("feed_forward.expand"), [width, inner])?,
            contract: self.linear(&name("feed_forward.contract"), [inner, width])?,
        })
    }

    fn pooling(&self, member: usize, config: &HeadConfig) -> Result<Pooling, ModelError> {
        let (width, own) = (config.width, config.attention_width);
        let name = |part: &str| format!("head.{member}.{part}");
        let frame_mean = self.vector(&name("frame.mean"), width)?;
        let frame_scale = self.vector(&name("frame.scale"), width)?;
        let weights = self.weights.values(&name("attention.weight"), &[own, width])?;
        Ok(Pooling {
            attention: Packed::from_rows(&weights, &self.vector(&name("attention.bias"), own)?),
            score: self.weights.values(&name("score.weight"), &[config.attention_heads, own])?,
            frame_mean,
            frame_scale,
            pool_mean: self.vector(&name("pool.mean"), config.pooled_width())?,
            pool_scale: self.vector(&name("pool.scale"), config.pooled_width())?,
        })
    }
}

impl DirectVoice {
    /// Whether the sizes fit panels of eight.
    pub(super) fn suits(config: &VoiceConfig) -> bool {
        let encoder = &config.encoder;
        let sizes = [encoder.mel_bands, encoder.width / encoder.heads, encoder.feed_forward_width];
        sizes.iter().all(|size| size.is_multiple_of(LANES))
            && config.head.attention_width.is_multiple_of(LANES)
    }

    /// # Errors
    /// [`ModelError`] where a tensor is missing or of another shape.
    pub(super) fn load(weights: &Weights<'_>, config: &VoiceConfig) -> Result<Self, ModelError> {
        let (source, encoder) = (Source { weights }, &config.encoder);
        let width = encoder.width;
        Ok(Self {
            first: source.convolution("encoder.stem.first", [encoder.mel_bands, width])?,
            second: source.convolution("encoder.stem.second", [width, width])?,
            positions: Sheet::from_matrix(&sinusoids(encoder.longest_frames, width), width),
            blocks: (0..encoder.blocks)
                .map(|index| source.block(index, encoder))
                .collect::<Result<_, _>>()?,
            heads: (0..config.members)
                .map(|member| source.pooling(member, &config.head))
                .collect::<Result<_, _>>()?,
            config: encoder.clone(),
        })
    }

    /// A spectrogram `[bands, frames]` to the features of all heads, one after the other.
    pub(super) fn features(&self, mel: &[f32]) -> Vec<f32> {
        let frames = self.encode(mel);
        let mut features: Vec<Vec<f32>> = vec![Vec::new(); self.heads.len()];
        share(self.heads.iter().zip(&mut features).collect(), |(head, features)| {
            *features = head.features(&frames);
        });
        features.concat()
    }

    /// The residual stream `[width, frames / 2 rounded up]` after the last block.
    fn encode(&self, mel: &[f32]) -> Sheet {
        let count = mel.len() / self.config.mel_bands;
        let mut input = Sheet::zeros(1, self.config.mel_bands / LANES, count + 2);
        for (band, values) in mel.chunks_exact(count.max(1)).enumerate() {
            let panel = &mut input.values[band / LANES * (count + 2) + 1..][..count];
            for (eight, value) in panel.iter_mut().zip(values) {
                eight.0[band % LANES] = *value;
            }
        }
        // Two columns more than there are, which then become the border of the second convolution.
        let places: Vec<usize> = std::iter::once(0).chain(0..count).chain([0]).collect();
        let mut middle = convolve(&self.first, &input, &places);
        for panel in middle.values.chunks_exact_mut(count + 2) {
            panel[0] = Eight::ZERO;
            panel[count + 1] = Eight::ZERO;
        }
        let places: Vec<usize> = (0..count).step_by(2).collect();
        let mut frames = convolve(&self.second, &middle, &places);
        for (panel, values) in frames.values.chunks_exact_mut(frames.columns.max(1)).enumerate() {
            Finish::Add(self.positions.panel(panel)).apply(0, values);
        }
        for block in &self.blocks {
            frames = block.apply(&frames, self.config.heads);
        }
        frames
    }
}

/// A convolution over time and its GELU; the input has a border of one column.
fn convolve(weights: &Packed, input: &Sheet, places: &[usize]) -> Sheet {
    let offsets: Vec<usize> = (0..KERNEL * input.panels)
        .map(|step| step % input.panels * input.columns + step / input.panels)
        .collect();
    let reading = Reading { values: &input.values, places, offsets: &offsets };
    let mut result = Sheet::unset(1, weights.panels(), places.len());
    weights.multiply(reading, Finish::Gelu, &mut result.values);
    result
}

impl Block {
    fn apply(&self, frames: &Sheet, heads: usize) -> Sheet {
        let mut normal = frames.clone();
        self.attention_norm.apply(&mut normal);
        let fused = self.query_key_value.of(&normal, Finish::Nothing);
        let whole = 0..frames.columns;
        let mixed = attend(&fused, heads, std::slice::from_ref(&whole));
        let attended = self.output.of(&mixed, Finish::Add(&frames.values));
        normal.values.copy_from_slice(&attended.values);
        self.feed_forward_norm.apply(&mut normal);
        let hidden = self.expand.of(&normal, Finish::Gelu);
        self.contract.of(&hidden, Finish::Add(&attended.values))
    }
}

impl Pooling {
    /// The pooled values of a clip's frames by the standard of the training data.
    fn features(&self, frames: &Sheet) -> Vec<f32> {
        let standard = self.standardised(frames);
        let mut hidden = self.attention.of(&standard, Finish::Nothing);
        tanh(&mut hidden.values);
        let width = hidden.panels * LANES;
        let mut pooled = Vec::with_capacity(self.pool_mean.len());
        for score in self.score.chunks_exact(width) {
            let shares = shares(&hidden, score);
            let moments: Vec<[Eight; 2]> =
                (0..standard.panels).map(|panel| moments(standard.panel(panel), &shares)).collect();
            pooled.extend(moments.iter().flat_map(|[mean, _]| mean.0));
            pooled.extend(moments.iter().flat_map(|[_, deviation]| deviation.0));
        }
        for ((value, mean), scale) in pooled.iter_mut().zip(&self.pool_mean).zip(&self.pool_scale) {
            *value = (*value - mean) * scale;
        }
        pooled
    }

    fn standardised(&self, frames: &Sheet) -> Sheet {
        let mut standard = frames.clone();
        let (means, scales) = (Eight::from_values(&self.frame_mean), Eight::from_values(&self.frame_scale));
        let panels = standard.values.chunks_exact_mut(frames.columns.max(1));
        for (panel, (mean, scale)) in panels.zip(means.iter().zip(&scales)) {
            for eight in panel {
                for lane in 0..LANES {
                    eight.0[lane] = (eight.0[lane] - mean.0[lane]) * scale.0[lane];
                }
            }
        }
        standard
    }
}

/// How much each frame counts: the softmax of its score.
fn shares(hidden: &Sheet, score: &[f32]) -> Vec<f32> {
    let mut scores = vec![0.0_f32; hidden.columns];
    for (panel, weights) in score.chunks_exact(LANES).enumerate() {
        for (score, values) in scores.iter_mut().zip(hidden.panel(panel)) {
            *score += values.0.iter().zip(weights).map(|(value, weight)| value * weight).sum::<f32>();
        }
    }
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    scores.iter_mut().for_each(|score| *score = (*score - largest).exp());
    let sum: f32 = scores.iter().sum();
    scores.iter_mut().for_each(|score| *score /= sum);
    scores
}

/// The mean and the deviation of each channel of a panel.
fn moments(panel: &[Eight], shares: &[f32]) -> [Eight; 2] {
    let (mut mean, mut square) = (Eight::ZERO, Eight::ZERO);
    for (values, share) in panel.iter().zip(shares) {
        for lane in 0..LANES {
            mean.0[lane] += share * values.0[lane];
            square.0[lane] += share * values.0[lane] * values.0[lane];
        }
    }
    let mut deviation = Eight::ZERO;
    for lane in 0..LANES {
        let variance = square.0[lane] - mean.0[lane] * mean.0[lane];
        deviation.0[lane] = variance.max(SMALLEST_VARIANCE).sqrt();
    }
    [mean, deviation]
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::readback::read;
    use crate::voice::loader;
    use crate::{Device, ModelFolder};
    use burn::tensor::{Tensor, TensorData};

    #[test]
    fn it_gives_what_the_burn_network_gives() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("weights/voice/1");
        let folder = ModelFolder::<VoiceConfig>::open(&folder).unwrap();
        let (weights, config, device) = (folder.weights().unwrap(), &folder.manifest.config, Device::cpu());
        assert!(DirectVoice::suits(config));
        let direct = DirectVoice::load(&weights, config).unwrap();
        let encoder = loader::load_encoder(&weights, &config.encoder, &device).unwrap();
        let head = loader::load_head(&weights, 0, &config.head, &device).unwrap();
        for frames in [40, 121] {
            let bands = config.encoder.mel_bands;
            let mel: Vec<f32> =
                (0..bands * frames).map(|index| ((index * 31 % 257) as f32 * 0.7).sin()).collect();
            let data = TensorData::new(mel.clone(), [1, bands, frames]);
            let encoded = encoder.forward(Tensor::from_data(data, device.as_burn()), None);
            let expected = read(encoded.clone()).unwrap();
            let found = direct.encode(&mel);
            assert_eq!(found.columns, frames.div_ceil(2));
            let width = config.encoder.width;
            for (column, expected) in expected.chunks(width).enumerate() {
                for (found, expected) in found.take(column, width).into_iter().zip(expected) {
                    assert!((found - expected).abs() < 1e-4 * expected.abs().max(1.0), "{found} {expected}");
                }
            }
            let expected = read(head.features(head.pool(encoded, None))).unwrap();
            for (found, expected) in direct.features(&mel).iter().zip(&expected) {
                assert!((found - expected).abs() < 2e-4 * expected.abs().max(1.0), "{found} {expected}");
            }
        }
    }
}
