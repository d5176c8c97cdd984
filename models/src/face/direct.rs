//! The face network on the CPU: [`super::FaceNetwork`] over plain slices.

use super::{CROP_SIDE, FaceConfig, LABEL_COUNT, Residual};
use crate::direct::{Eight, Finish, LANES, Packed, Reading, Scratch, Sheet, each_row};
use crate::{ModelError, Weights};

/// The stem's kernel.
const STEM_KERNEL: usize = 5;

/// A square convolution that keeps the sides or halves them.
#[derive(Debug)]
struct Convolution {
    weights: Packed,
    kernel: usize,
    stride: usize,
}

/// A residual block.
#[derive(Debug)]
struct Block {
    first: Convolution,
    second: Convolution,
    shortcut: Option<Convolution>,
}

/// The face network, ready for the CPU.
#[derive(Debug)]
pub(super) struct DirectFace {
    stem: Packed,
    blocks: Vec<Block>,
    features: usize,
    /// `[features, LABEL_COUNT]`.
    head: Vec<f32>,
    head_bias: Vec<f32>,
}

impl DirectFace {
    /// # Errors
    /// [`ModelError`] where the configuration is not supported, or a tensor is missing or of another shape.
    pub(super) fn load(config: &FaceConfig, weights: &Weights<'_>) -> Result<Self, ModelError> {
        config.check()?;
        let read = |name: &str, shape: [usize; 4]| {
            let bias = weights.values(&format!("{name}.bias"), &[shape[0]])?;
            Ok::<_, ModelError>((weights.values(&format!("{name}.weight"), &shape)?, bias))
        };
        let convolution = |name: &str, channels: [usize; 2], kernel: usize, stride: usize| {
            let (weight, bias) = read(name, [channels[1], channels[0], kernel, kernel])?;
            Ok::<_, ModelError>(Convolution::new(&weight, &bias, channels[0], [kernel, stride]))
        };
        let (weight, bias) = read("stem", [config.stem, 1, STEM_KERNEL, STEM_KERNEL])?;
        let stem = Packed::from_rows(&weight, &bias);
        let mut blocks = Vec::new();
        for (stage, descriptions) in config.blocks().into_iter().enumerate() {
            for (block, (channels, stride)) in descriptions.into_iter().enumerate() {
                let name = |part: &str| format!("stages.{stage}.{block}.{part}");
                let shortcut = Residual::needs_shortcut(channels, stride)
                    .then(|| convolution(&name("shortcut"), channels, 1, stride))
                    .transpose()?;
                blocks.push(Block {
                    first: convolution(&name("first"), channels, 3, stride)?,
                    second: convolution(&name("second"), [channels[1], channels[1]], 3, 1)?,
                    shortcut,
                });
            }
        }
        let features = config.features();
        let head = weights.values("head.weight", &[features, LABEL_COUNT])?;
        Ok(Self { stem, blocks, features, head, head_bias: weights.values("head.bias", &[LABEL_COUNT])? })
    }

    /// Normalised grey crops `[batch, side, side]` to logits and features, crop by crop.
    pub(super) fn forward(&self, values: &[f32]) -> Vec<([f32; LABEL_COUNT], Vec<f32>)> {
        let crops = values.chunks(CROP_SIDE * CROP_SIDE).collect();
        each_row(crops, |crop| self.forward_one(crop))
    }

    fn forward_one(&self, crop: &[f32]) -> ([f32; LABEL_COUNT], Vec<f32>) {
        let mut hidden = self.stem(crop);
        let mut side = CROP_SIDE / 2;
        for block in &self.blocks {
            hidden = block.apply(&hidden, side);
            side = side.div_ceil(block.first.stride);
        }
        let features = self.mean(&hidden);
        let mut logits = [0.0; LABEL_COUNT];
        logits.copy_from_slice(&self.head_bias);
        for (feature, weights) in features.iter().zip(self.head.chunks_exact(LABEL_COUNT)) {
            for (logit, weight) in logits.iter_mut().zip(weights) {
                *logit += feature * weight;
            }
        }
        (logits, features)
    }

    /// The first convolution, over one channel, with its rectification.
    fn stem(&self, crop: &[f32]) -> Sheet {
        let side = CROP_SIDE / 2;
        let steps = (STEM_KERNEL * STEM_KERNEL).div_ceil(LANES);
        // The kernel reaches two pixels beyond the crop, which are zero.
        let wide = CROP_SIDE + STEM_KERNEL - 1;
        let mut padded = vec![0.0; wide * wide];
        for (line, pixels) in padded[2 * wide..].chunks_mut(wide).zip(crop.chunks_exact(CROP_SIDE)) {
            line[2..2 + CROP_SIDE].copy_from_slice(pixels);
        }
        let mut inputs = Scratch::zeros(steps * side * side);
        for input in 0..STEM_KERNEL * STEM_KERNEL {
            let (down, across) = (input / STEM_KERNEL, input % STEM_KERNEL);
            let targets = &mut inputs[input / LANES * side * side..][..side * side];
            for (row, targets) in targets.chunks_exact_mut(side).enumerate() {
                let line = &padded[(2 * row + down) * wide + across..][..CROP_SIDE - 1];
                for (target, pixels) in targets.iter_mut().zip(line.chunks(2)) {
                    target.0[input % LANES] = pixels[0];
                }
            }
        }
        let places: Vec<usize> = (0..side * side).collect();
        let offsets: Vec<usize> = (0..steps).map(|step| step * side * side).collect();
        let reading = Reading { values: &inputs, places: &places, offsets: &offsets };
        let mut result = Sheet::unset(1, self.stem.panels(), side * side);
        self.stem.multiply(reading, Finish::Relu, &mut result.values);
        result
    }

    /// The mean of each channel over a picture.
    fn mean(&self, picture: &Sheet) -> Vec<f32> {
        #[expect(clippy::cast_precision_loss, reason = "a crop has few thousand pixels")]
        let count = picture.columns as f32;
        let mut means = Vec::with_capacity(picture.panels * LANES);
        for panel in 0..picture.panels {
            let mut sums = [0.0; LANES];
            for eight in picture.panel(panel) {
                sums.iter_mut().zip(eight.0).for_each(|(sum, value)| *sum += value);
            }
            means.extend(sums.map(|sum| sum / count));
        }
        means.truncate(self.features);
        means
    }
}

/// A square picture whose pixels are the columns of a single row, with one pixel of border around it:
/// `[panels, side + 2, side + 2]`.
fn bordered(picture: &Sheet, side: usize) -> Scratch {
    let (whole, wide) = ((side + 2) * (side + 2), side + 2);
    let mut result = Scratch::zeros(picture.panels * whole);
    for (panel, target) in result.chunks_exact_mut(whole).enumerate() {
        for (row, line) in picture.panel(panel).chunks_exact(side).enumerate() {
            target[(row + 1) * wide + 1..][..side].copy_from_slice(line);
        }
    }
    result
}

impl Block {
    /// A picture with this many pixels a side.
    fn apply(&self, input: &Sheet, side: usize) -> Sheet {
        let wide = bordered(input, side);
        let hidden = self.first.apply(&wide, side, Finish::Relu);
        let shortcut = self.shortcut.as_ref().map(|shortcut| shortcut.apply(&wide, side, Finish::Nothing));
        let side = side.div_ceil(self.first.stride);
        let added = shortcut.as_ref().unwrap_or(input);
        self.second.apply(&bordered(&hidden, side), side, Finish::AddRelu(&added.values))
    }
}

impl Convolution {
    /// From `[out, in, kernel, kernel]`; the inputs' order is row, column, channel.
    fn new(weight: &[f32], bias: &[f32], channels_in: usize, [kernel, stride]: [usize; 2]) -> Self {
        let padded = channels_in.next_multiple_of(LANES);
        let taps = kernel * kernel;
        let weights = Packed::new(taps * padded, bias, |input, output| {
            let (tap, channel) = (input / padded, input % padded);
            if channel < channels_in { weight[(output * channels_in + channel) * taps + tap] } else { 0.0 }
        });
        Self { weights, kernel, stride }
    }

    /// A bordered picture with this many pixels a side to a picture without border.
    fn apply(&self, input: &[Eight], side: usize, finish: Finish<'_>) -> Sheet {
        let (wide, half) = (side + 2, side.div_ceil(self.stride));
        let panels = input.len() / (wide * wide);
        // A kernel of one pixel begins where the border ends.
        let skip = if self.kernel == 1 { wide + 1 } else { 0 };
        let offsets: Vec<usize> = (0..self.kernel * self.kernel * panels)
            .map(|step| {
                let (tap, panel) = (step / panels, step % panels);
                skip + panel * wide * wide + tap / self.kernel * wide + tap % self.kernel
            })
            .collect();
        let places: Vec<usize> =
            (0..half * half).map(|pixel| (pixel / half * wide + pixel % half) * self.stride).collect();
        let mut result = Sheet::unset(1, self.weights.panels(), half * half);
        self.weights.multiply(
            Reading { values: input, places: &places, offsets: &offsets },
            finish,
            &mut result.values,
        );
        result
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::face::load;
    use crate::readback::read;
    use crate::{Device, ModelFolder};
    use burn::tensor::{Tensor, TensorData};

    #[test]
    fn it_gives_what_the_burn_network_gives() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("weights/face/1");
        let folder = ModelFolder::<FaceConfig>::open(&folder).unwrap();
        let (weights, config, device) = (folder.weights().unwrap(), &folder.manifest.config, Device::cpu());
        let direct = DirectFace::load(config, &weights).unwrap();
        let network = load(config, &weights, device.as_burn()).unwrap();
        for count in [1, 3] {
            let values: Vec<f32> = (0..count * CROP_SIDE * CROP_SIDE)
                .map(|index| ((index * 31 % 257) as f32 * 0.7).sin() * 1.7)
                .collect();
            let data = TensorData::new(values.clone(), [count, 1, CROP_SIDE, CROP_SIDE]);
            let expected = network.features(Tensor::from_data(data, device.as_burn()));
            let (logits, features) =
                (read(network.classify(expected.clone())).unwrap(), read(expected).unwrap());
            let found = direct.forward(&values);
            assert_eq!(found.len(), count);
            let found_logits = found.iter().flat_map(|(logits, _)| logits).zip(&logits);
            for (found, expected) in found.iter().flat_map(|(_, own)| own).zip(&features).chain(found_logits)
            {
                assert!((found - expected).abs() < 1e-4 * expected.abs().max(1.0), "{found} {expected}");
            }
        }
    }
}
