//! A separable convolution: first across channels, then across space.

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Initializer, PaddingConfig2d};
use burn::tensor::Tensor;

/// A 1x1 convolution and a 3x3 convolution of each channel by itself, both with a bias, without an activation
/// between them. burn's CPU backend has a path of its own for the second kind, so it is written as a grouped
/// convolution and not as sums of shifted pictures.
#[derive(Module, Debug)]
pub struct Separable {
    pointwise: Conv2d,
    depthwise: Conv2d,
}

impl Separable {
    /// From `[out, in, 1, 1]`, `[out]`, `[out, 1, 3, 3]` and `[out]`.
    #[must_use]
    pub fn from_weights(pointwise: (Tensor<4>, Tensor<1>), depthwise: (Tensor<4>, Tensor<1>)) -> Self {
        let channels = pointwise.0.dims()[0];
        Self { pointwise: convolution(pointwise, 1, 1), depthwise: convolution(depthwise, 1, channels) }
    }

    /// `[batch, in, height, width]` to `[batch, out, height, width]`.
    #[must_use]
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        self.depthwise.forward(self.pointwise.forward(input))
    }
}

/// A convolution that keeps the sides (or divides them by the stride) from its weights and bias.
pub(super) fn convolution((weight, bias): (Tensor<4>, Tensor<1>), stride: usize, groups: usize) -> Conv2d {
    let [channels_out, group_channels, kernel, _] = weight.dims();
    let padding = kernel / 2;
    let mut conv = Conv2dConfig::new([group_channels * groups, channels_out], [kernel, kernel])
        .with_stride([stride, stride])
        .with_groups(groups)
        .with_padding(PaddingConfig2d::Explicit(padding, padding, padding, padding))
        .with_initializer(Initializer::Zeros)
        .init(&weight.device());
    conv.weight = Param::from_tensor(weight);
    conv.bias = Some(Param::from_tensor(bias));
    conv
}
