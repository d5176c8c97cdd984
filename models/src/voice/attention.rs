//! Self-attention over the frames of a clip.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::softmax;
use burn::tensor::{Bool, Device, Tensor};

use super::EncoderConfig;
use crate::precision::in_full;

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
        #[expect(clippy::cast_precision_loss, reason = "a head is a few dozen wide")]
        let scale = ((width / self.heads) as f32).powf(-0.5);
        let scores = part(0).mul_scalar(scale).matmul(part(1).swap_dims(2, 3));
        let shares = in_full(scores, |scores| {
            let scores = match padding {
                Some(padding) => {
                    let mask = padding.unsqueeze_dims::<4>(&[1, 2]);
                    scores.mask_fill(mask.expand::<4, _>([batch, self.heads, time, time]), f32::NEG_INFINITY)
                }
                None => scores,
            };
            softmax(scores, 3)
        });
        let mixed = shares.matmul(part(2));
        self.output.forward(mixed.swap_dims(1, 2).reshape([batch, time, width]))
    }
}
