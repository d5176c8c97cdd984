//! Multi-head self-attention over the tokens of each text.

use burn::module::Module;
use burn::nn::{LayerNorm, Linear};
use burn::tensor::Tensor;
use burn::tensor::activation::softmax;

use super::batch::Padding;
use crate::precision::{in_full, normalise};

/// Attention, followed by the residual sum and its normalisation.
#[derive(Module, Debug)]
pub struct Attention {
    /// What a token asks for.
    pub query: Linear,
    /// What a token offers to be found by.
    pub key: Linear,
    /// What a token passes on.
    pub value: Linear,
    /// Mixes the heads.
    pub output: Linear,
    /// Normalises the residual sum.
    pub norm: LayerNorm,
    /// The number of heads.
    #[module(skip)]
    pub heads: usize,
}

impl Attention {
    /// Lets the tokens of each text look at each other; padding is never looked at.
    ///
    /// # Shapes
    /// - `hidden`: `[rows * length, width]`
    /// - output: `[rows * length, width]`
    pub fn forward(&self, hidden: Tensor<2>, padding: &Padding) -> Tensor<2> {
        let [tokens, width] = hidden.dims();
        let head_width = width / self.heads;
        let split = |tensor: Tensor<2>| -> Tensor<4> {
            tensor.reshape([padding.rows, padding.length, self.heads, head_width]).swap_dims(1, 2)
        };
        #[expect(clippy::cast_precision_loss, reason = "a head is a few dozen wide")]
        let scale = (head_width as f32).powf(-0.5);
        let query = split(self.query.forward(hidden.clone()).mul_scalar(scale));
        let key = split(self.key.forward(hidden.clone()));
        let value = split(self.value.forward(hidden.clone()));
        let shares = in_full(query.matmul(key.swap_dims(2, 3)), |scores| {
            let scores = match &padding.attention_bias {
                Some(bias) => scores + bias.clone(),
                None => scores,
            };
            softmax(scores, 3)
        });
        let context = shares.matmul(value).swap_dims(1, 2).reshape([tokens, width]);
        normalise(&self.norm, hidden + self.output.forward(context))
    }
}
