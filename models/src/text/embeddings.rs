//! From piece numbers to vectors: word, position and token-type embeddings, normalised.

use burn::module::{Module, Param};
use burn::nn::LayerNorm;
use burn::tensor::module::embedding;
use burn::tensor::{Int, Tensor};

use crate::precision::normalise;

/// The tables a token's first vector is made of.
#[derive(Module, Debug)]
pub struct Embeddings {
    /// A row for each piece: `[vocabulary, width]`.
    pub word: Param<Tensor<2>>,
    /// A row for each position: `[positions, width]`.
    pub position: Param<Tensor<2>>,
    /// The one token type in use: `[width]`.
    pub kind: Param<Tensor<1>>,
    /// Normalises the sum.
    pub norm: LayerNorm,
}

impl Embeddings {
    /// Looks up the pieces of a batch.
    ///
    /// # Shapes
    /// - `ids`: `[rows, length]`, with `length` at most `positions`
    /// - output: `[rows * length, width]`
    pub fn forward(&self, ids: Tensor<2, Int>) -> Tensor<2> {
        let [rows, length] = ids.dims();
        let words = embedding(self.word.val(), ids);
        let width = words.dims()[2];
        let positions = self.position.val().narrow(0, 0, length) + self.kind.val().unsqueeze();
        let sum = words + positions.unsqueeze();
        normalise(&self.norm, sum.reshape([rows * length, width]))
    }
}
