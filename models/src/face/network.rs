//! The whole face network.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::{Convolution, FaceConfig, LABEL_COUNT, Residual};
use crate::Precision;
use crate::precision::{full, like, weights_in};

/// The share of features that training leaves out before the head.
const DROPOUT: f64 = 0.2;

/// A stem that halves the sides, stages of residual blocks, the mean over the picture and a linear head. It takes
/// pictures of any side, so that training can start on small ones; the shipped weights are for 48 x 48.
#[derive(Module, Debug)]
pub struct FaceNetwork {
    pub(super) stem: Convolution,
    pub(super) blocks: Vec<Residual>,
    pub(super) dropout: Dropout,
    pub(super) head: Linear,
}

impl FaceNetwork {
    /// The network with its convolutions in a format; the head stays in f32.
    #[must_use]
    pub(super) fn in_precision(self, precision: Precision) -> Self {
        Self { stem: weights_in(self.stem, precision), blocks: weights_in(self.blocks, precision), ..self }
    }

    /// A network initialised for training.
    #[must_use]
    pub fn init(config: &FaceConfig, device: &Device) -> Self {
        let blocks = config.blocks().into_iter().flatten();
        Self {
            stem: Convolution::init([1, config.stem], 5, 2, device),
            blocks: blocks.map(|(channels, stride)| Residual::init(channels, stride, device)).collect(),
            dropout: DropoutConfig::new(DROPOUT).init(),
            head: LinearConfig::new(config.features(), LABEL_COUNT).init(device),
        }
    }

    /// `[batch, 1, side, side]`, normalised grey, to logits `[batch, LABEL_COUNT]`.
    #[must_use]
    pub fn forward(&self, input: Tensor<4>) -> Tensor<2> {
        self.classify(self.features(input))
    }

    /// Features `[batch, features]` to logits `[batch, LABEL_COUNT]`.
    #[must_use]
    pub fn classify(&self, features: Tensor<2>) -> Tensor<2> {
        self.head.forward(self.dropout.forward(features))
    }

    /// `[batch, 1, side, side]`, normalised grey, to the mean features `[batch, features]`.
    #[must_use]
    pub fn features(&self, input: Tensor<4>) -> Tensor<2> {
        let mut hidden = relu(self.stem.forward(like(input, self.stem.weight())));
        for block in &self.blocks {
            hidden = block.forward(hidden);
        }
        let [batch, channels, height, width] = hidden.dims();
        full(hidden).reshape([batch, channels, height * width]).mean_dim(2).reshape([batch, channels])
    }
}
