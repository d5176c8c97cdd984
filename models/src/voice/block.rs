//! A pre-norm transformer block: attention, then a feed-forward layer, each added to the residual stream.

use burn::module::Module;
use burn::nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::activation::gelu;
use burn::tensor::{Bool, Device, Tensor};

use super::EncoderConfig;
use super::attention::SelfAttention;
use crate::precision::{in_full, normalise};

/// A block of the encoder.
#[derive(Module, Debug)]
pub(super) struct Block {
    pub(super) attention_norm: LayerNorm,
    pub(super) attention: SelfAttention,
    pub(super) feed_forward_norm: LayerNorm,
    pub(super) expand: Linear,
    pub(super) contract: Linear,
}

impl Block {
    pub(super) fn new(config: &EncoderConfig, device: &Device) -> Self {
        Self {
            attention_norm: LayerNormConfig::new(config.width).init(device),
            attention: SelfAttention::new(config, device),
            feed_forward_norm: LayerNormConfig::new(config.width).init(device),
            expand: LinearConfig::new(config.width, config.feed_forward_width).init(device),
            contract: LinearConfig::new(config.feed_forward_width, config.width).init(device),
        }
    }

    /// `frames` `[batch, time, width]`, `padding` `[batch, time]`; gives `[batch, time, width]`.
    pub(super) fn forward(&self, frames: Tensor<3>, padding: Option<Tensor<2, Bool>>) -> Tensor<3> {
        let attended = self.attention.forward(normalise(&self.attention_norm, frames.clone()), padding);
        let frames = frames + attended;
        let hidden = self.expand.forward(normalise(&self.feed_forward_norm, frames.clone()));
        let hidden = in_full(hidden, gelu);
        frames + self.contract.forward(hidden)
    }
}
