//! The whole detector network.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;

use super::Separable;
use crate::precision::{full, like};

/// The pixels between two places of each level of the answer.
pub const STRIDES: [usize; 3] = [8, 16, 32];

/// The backbone's units in front of which the picture is halved.
pub(super) const HALVED_BEFORE: [usize; 4] = [1, 5, 7, 9];
/// The backbone's units whose results feed the levels of stride 8 and 16.
pub(super) const TAPPED: [usize; 2] = [6, 8];

/// A backbone of eleven separable convolutions, a neck that brings what the deep levels saw back to the fine ones,
/// and one head a level.
#[derive(Module, Debug)]
pub struct DetectorNetwork {
    pub(super) stem: Conv2d,
    pub(super) backbone: Vec<Separable>,
    /// For strides 8, 16 and 32.
    pub(super) neck: Vec<Separable>,
    /// For strides 8, 16 and 32.
    pub(super) heads: Vec<Separable>,
}

impl DetectorNetwork {
    /// `[batch, 3, height, width]` (blue, green, red; 0 to 255; sides of a multiple of 32) to one tensor
    /// `[batch, 16, height / stride, width / stride]` for each of [`STRIDES`]. Its channels: a face's logit, an
    /// object's logit, the box (4), the landmarks (10).
    #[must_use]
    pub fn forward(&self, input: Tensor<4>) -> Vec<Tensor<4>> {
        let mut hidden = relu(self.stem.forward(like(input, &self.stem.weight)));
        let mut taps = Vec::new();
        for (index, unit) in self.backbone.iter().enumerate() {
            if HALVED_BEFORE.contains(&index) {
                hidden = halve(hidden);
            }
            hidden = relu(unit.forward(hidden));
            if TAPPED.contains(&index) {
                taps.push(hidden.clone());
            }
        }
        taps.push(hidden);
        let mut answers = Vec::new();
        let mut deeper: Option<Tensor<4>> = None;
        for ((tap, neck), head) in taps.into_iter().zip(&self.neck).zip(&self.heads).rev() {
            let merged = match deeper {
                Some(deeper) => tap + double(deeper),
                None => tap,
            };
            let level = relu(neck.forward(merged));
            answers.push(full(head.forward(level.clone())));
            deeper = Some(level);
        }
        answers.reverse();
        answers
    }
}

/// The largest of each 2 x 2 pixels.
fn halve(input: Tensor<4>) -> Tensor<4> {
    max_pool2d(input, MaxPoolOptions::new([2, 2]))
}

/// Each pixel four times.
fn double(input: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = input.dims();
    input
        .reshape([batch, channels, height, 1, width, 1])
        .expand([batch, channels, height, 2, width, 2])
        .reshape([batch, channels, 2 * height, 2 * width])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubling_and_halving_undo_each_other() {
        let device = crate::Device::cpu();
        let values: Vec<f32> = (0..12_u8).map(f32::from).collect();
        let data = burn::tensor::TensorData::new(values.clone(), [1, 2, 2, 3]);
        let doubled = double(Tensor::from_data(data, device.as_burn()));
        assert_eq!(doubled.dims(), [1, 2, 4, 6]);
        let first: Vec<f32> = doubled.clone().into_data().try_to_vec().unwrap();
        assert_eq!(first[..12], [0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 0.0, 0.0, 1.0, 1.0, 2.0, 2.0]);
        let halved: Vec<f32> = halve(doubled).into_data().try_to_vec().unwrap();
        assert_eq!(halved, values);
    }
}
