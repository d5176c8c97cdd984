//! Self-attention over the frames of a clip.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::module::attention;
use burn::tensor::ops::AttentionModuleOptions;
use burn::tensor::{Bool, Device, Tensor};

use super::EncoderConfig;

/// Multi-head self-attention with one fused projection to queries, keys and values.
#[derive(Module, Debug)]
pub(super) struct SelfAttention {
    pub(super) query_key_value: Linear,
    pub(super) output: Linear,
    heads: usize,
}

impl SelfAttention {
    pub(super) fn new(config: &EncoderConfig, device: &Device) -> Self {
        Self {
            query_key_value: LinearConfig::new(config.width, 3 * config.width).init(device),
            output: LinearConfig::new(config.width, config.width).init(device),
            heads: config.heads,
        }
    }

    /// `frames` `[batch, time, width]`, `padding` `[batch, time]` true where a frame is none; gives
    /// `[batch, time, width]`. Padding is not attended to.
    pub(super) fn forward(&self, frames: Tensor<3>, padding: Option<Tensor<2, Bool>>) -> Tensor<3> {
        let [batch, time, width] = frames.dims();
        let fused = self.query_key_value.forward(frames);
        let part = |index: usize| {
            let part = fused.clone().narrow(2, index * width, width);
            part.reshape([batch, time, self.heads, width / self.heads]).swap_dims(1, 2)
        };
        let mask = padding.map(|padding| {
            padding.unsqueeze_dims::<4>(&[1, 2]).expand::<4, _>([batch, self.heads, time, time])
        });
        let options = AttentionModuleOptions::default();
        let mixed = attention(part(0), part(1), part(2), mask, None, options);
        self.output.forward(mixed.swap_dims(1, 2).reshape([batch, time, width]))
    }
}
