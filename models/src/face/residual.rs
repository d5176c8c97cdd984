//! A residual block: two 3x3 convolutions beside a shortcut.

use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::Convolution;

/// Two 3x3 convolutions whose result is added to the input. Where the block changes the number of channels or halves
/// the sides, the shortcut is a 1x1 convolution.
#[derive(Module, Debug)]
pub struct Residual {
    pub(super) first: Convolution,
    pub(super) second: Convolution,
    pub(super) shortcut: Option<Convolution>,
}

impl Residual {
    /// A block initialised for training.
    #[must_use]
    pub fn init(channels: [usize; 2], stride: usize, device: &Device) -> Self {
        let [_, channels_out] = channels;
        let shortcut = Self::needs_shortcut(channels, stride);
        Self {
            first: Convolution::init(channels, 3, stride, device),
            second: Convolution::init([channels_out, channels_out], 3, 1, device),
            shortcut: shortcut.then(|| Convolution::init(channels, 1, stride, device)),
        }
    }

    /// Whether the input has another shape than the output.
    pub(super) fn needs_shortcut(channels: [usize; 2], stride: usize) -> bool {
        channels[0] != channels[1] || stride != 1
    }

    /// `[batch, channels_in, height, width]` to `[batch, channels_out, height / stride, width / stride]`.
    #[must_use]
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let hidden = relu(self.first.forward(input.clone()));
        let hidden = self.second.forward(hidden);
        let shortcut = match &self.shortcut {
            Some(shortcut) => shortcut.forward(input),
            None => input,
        };
        relu(hidden + shortcut)
    }
}
