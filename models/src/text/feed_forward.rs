//! The network applied to each token alone.

use burn::module::Module;
use burn::nn::{LayerNorm, Linear};
use burn::tensor::Tensor;

use super::activation::gelu;
use crate::precision::{in_full, normalise};

/// Two layers with GELU (the exact one, by the error function) between them, the residual sum and its normalisation.
#[derive(Module, Debug)]
pub struct FeedForward {
    /// Widens.
    pub inner: Linear,
    /// Narrows again.
    pub outer: Linear,
    /// Normalises the residual sum.
    pub norm: LayerNorm,
}

impl FeedForward {
    /// Transforms each token.
    ///
    /// # Shapes
    /// - `hidden`: `[tokens, width]`
    /// - output: `[tokens, width]`
    pub fn forward(&self, hidden: Tensor<2>) -> Tensor<2> {
        let inner = in_full(self.inner.forward(hidden.clone()), gelu);
        normalise(&self.norm, hidden + self.outer.forward(inner))
    }
}
