//! The face network on the CPU: [`super::FaceNetwork`] over plain slices.

use rayon::prelude::*;

use super::{CROP_SIDE, FaceConfig, LABEL_COUNT, Residual};
use crate::direct::{Eight, Finish, LANES, Packed, Reading, Sheet};
use crate::{ModelError, Weights};

/// The stem's kernel.
const STEM_KERNEL: usize = 5;
/// A result of fewer rows than this is not shared between threads.
const LEAST_BAND_ROWS: usize = 2;

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
        values.par_chunks(CROP_SIDE * CROP_SIDE).map(|crop| self.forward_one(crop)).collect()
    }

    fn forward_one(&self, crop: &[f32]) -> ([f32; LABEL_COUNT], Vec<f32>) {
        let mut hidden = self.stem(crop);
        for block in &self.blocks {
            hidden = block.apply(&hidden);
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
        let mut inputs = vec![Eight::ZERO; steps * side * side];
        for input in 0..STEM_KERNEL * STEM_KERNEL {
            let (down, across) = (input / STEM_KERNEL, input % STEM_KERNEL);
            let targets = &mut inputs[input / LANES * side * side..][..side * side];
            for (index, target) in targets.iter_mut().enumerate() {
                let (y, x) = (index / side * 2 + down, index % side * 2 + across);
                let inside = (2..CROP_SIDE + 2).contains(&y) && (2..CROP_SIDE + 2).contains(&x);
                target.0[input % LANES] = if inside { crop[(y - 2) * CROP_SIDE + x - 2] } else { 0.0 };
            }
        }
        let places: Vec<usize> = (0..side * side).collect();
        let offsets: Vec<usize> = (0..steps).map(|step| step * side * side).collect();
        let reading = Reading { values: &inputs, places: &places, offsets: &offsets };
        let panels = self.stem.panels();
        let mut flat = vec![Eight::ZERO; panels * side * side];
        self.stem.multiply(reading, Finish::Relu, &mut flat);
        let mut result = bordered(side, panels);
        for (index, line) in flat.chunks_exact(side).enumerate() {
            let (panel, row) = (index / side, index % side);
            let start = ((row + 1) * panels + panel) * result.columns + 1;
            result.values[start..start + side].copy_from_slice(line);
        }
        result
    }

    /// The mean of each channel over a bordered picture.
    fn mean(&self, picture: &Sheet) -> Vec<f32> {
        let mut sums = vec![Eight::ZERO; picture.panels];
        // The border is zero, so it adds nothing.
        for (index, line) in picture.values.chunks_exact(picture.columns).enumerate() {
            let sum = &mut sums[index % picture.panels];
            for eight in line {
                for (sum, value) in sum.0.iter_mut().zip(eight.0) {
                    *sum += value;
                }
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a crop has few thousand pixels")]
        let count = ((picture.rows - 2) * (picture.columns - 2)) as f32;
        sums.iter().flat_map(|sum| sum.0).take(self.features).map(|sum| sum / count).collect()
    }
}

/// An empty picture with one pixel of border around it.
fn bordered(side: usize, panels: usize) -> Sheet {
    Sheet::zeros(side + 2, panels, side + 2)
}

impl Block {
    fn apply(&self, input: &Sheet) -> Sheet {
        let hidden = self.first.apply(input, Finish::Relu);
        match &self.shortcut {
            Some(shortcut) => {
                let shortcut = shortcut.apply(input, Finish::Nothing);
                self.second.apply(&hidden, Finish::AddRelu(&shortcut.values))
            }
            None => self.second.apply(&hidden, Finish::AddRelu(&input.values)),
        }
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

    /// From a bordered picture to a bordered picture; `finish` sees the result with its border.
    fn apply(&self, input: &Sheet, finish: Finish<'_>) -> Sheet {
        let side = (input.columns - 2).div_ceil(self.stride);
        let mut result = bordered(side, self.weights.panels());
        let (columns, row_length) = (result.columns, result.row_length());
        let line = input.row_length();
        // A kernel of one pixel begins where the border ends.
        let skip = if self.kernel == 1 { line + 1 } else { 0 };
        let offsets: Vec<usize> = (0..self.kernel * self.kernel * input.panels)
            .map(|step| {
                let (tap, panel) = (step / input.panels, step % input.panels);
                skip + tap / self.kernel * line + panel * input.columns + tap % self.kernel
            })
            .collect();
        let band = side.div_ceil(rayon::current_num_threads()).max(LEAST_BAND_ROWS);
        let inner = &mut result.values[row_length..(side + 1) * row_length];
        inner.par_chunks_mut(band * row_length).enumerate().for_each(|(index, rows)| {
            let mut places = vec![0; side];
            for pair in 0..self.weights.pairs() {
                for (row, values) in rows.chunks_exact_mut(row_length).enumerate() {
                    let start = (index * band + row) * self.stride * line;
                    for (column, place) in places.iter_mut().enumerate() {
                        *place = start + column * self.stride;
                    }
                    let reading = Reading { values: &input.values, places: &places, offsets: &offsets };
                    let (first, second) = values[2 * pair * columns..].split_at_mut(columns);
                    let second = second.get_mut(1..=side).unwrap_or_default();
                    self.weights.pair(reading, pair, &mut first[1..=side], second);
                    for panel in 2 * pair..(2 * pair + 2).min(self.weights.panels()) {
                        let from = (index * band + row + 1) * row_length + panel * columns + 1;
                        let start = panel * columns + 1;
                        finish.apply(from, &mut values[start..start + side]);
                    }
                }
            }
        });
        result
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::face::convolution::read;
    use crate::face::load;
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
