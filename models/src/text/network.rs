//! The network: embeddings, blocks, heads.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Int, Tensor};

use super::attention::Attention;
use super::batch::Padding;
use super::embeddings::Embeddings;
use super::feed_forward::FeedForward;
use crate::CATEGORY_COUNT;

/// One block of the encoder: attention, then the feed-forward network, each normalised after its residual sum.
#[derive(Module, Debug)]
pub struct Block {
    /// Tokens look at each other.
    pub attention: Attention,
    /// Each token alone.
    pub feed_forward: FeedForward,
}

impl Block {
    /// Applies the block.
    ///
    /// # Shapes
    /// - `hidden`: `[rows * length, width]`
    /// - output: `[rows * length, width]`
    pub fn forward(&self, hidden: Tensor<2>, padding: &Padding) -> Tensor<2> {
        self.feed_forward.forward(self.attention.forward(hidden, padding))
    }
}

/// One linear layer for each thing that is read off a text's mean vector.
#[derive(Module, Debug)]
pub struct Heads {
    /// The native labels, each on its own.
    pub native: Linear,
    /// The seven categories.
    pub categories: Linear,
    /// Valence, arousal and dominance, in standard deviations.
    pub dimensions: Linear,
    /// Satisfaction.
    pub satisfaction: Linear,
}

/// What the heads say, before any sigmoid, softmax or scale.
#[derive(Debug, Clone)]
pub struct HeadOutputs {
    /// `[rows, labels]`
    pub native: Tensor<2>,
    /// `[rows, 7]`
    pub categories: Tensor<2>,
    /// `[rows, 3]`
    pub dimensions: Tensor<2>,
    /// `[rows, 1]`
    pub satisfaction: Tensor<2>,
}

impl Heads {
    /// Untrained heads.
    #[must_use]
    pub fn init(width: usize, labels: usize, device: &Device) -> Self {
        let linear = |outputs| LinearConfig::new(width, outputs).init(device);
        Self {
            native: linear(labels),
            categories: linear(CATEGORY_COUNT),
            dimensions: linear(3),
            satisfaction: linear(1),
        }
    }

    /// Reads everything off.
    ///
    /// # Shapes
    /// - `pooled`: `[rows, width]`
    pub fn forward(&self, pooled: Tensor<2>) -> HeadOutputs {
        HeadOutputs {
            native: self.native.forward(pooled.clone()),
            categories: self.categories.forward(pooled.clone()),
            dimensions: self.dimensions.forward(pooled.clone()),
            satisfaction: self.satisfaction.forward(pooled),
        }
    }
}

/// Embeddings and blocks.
#[derive(Module, Debug)]
pub struct Encoder {
    /// The first vectors.
    pub embeddings: Embeddings,
    /// The blocks in order.
    pub blocks: Vec<Block>,
}

impl Encoder {
    /// The tokens' vectors after the last block.
    ///
    /// # Shapes
    /// - `ids`: `[rows, length]`
    /// - output: `[rows * length, width]`
    pub fn forward(&self, ids: Tensor<2, Int>, padding: &Padding) -> Tensor<2> {
        let first = self.embeddings.forward(ids);
        self.blocks.iter().fold(first, |hidden, block| block.forward(hidden, padding))
    }
}

/// The whole network.
#[derive(Module, Debug)]
pub struct TextNetwork {
    /// From pieces to vectors.
    pub encoder: Encoder,
    /// From the mean vector to outputs.
    pub heads: Heads,
}

impl TextNetwork {
    /// The mean vector of each text, from which the heads read everything.
    ///
    /// # Shapes
    /// - `ids`: `[rows, length]`
    /// - output: `[rows, width]`
    pub fn features(&self, ids: Tensor<2, Int>, padding: &Padding) -> Tensor<2> {
        padding.mean(self.encoder.forward(ids, padding))
    }

    /// Reads a batch of texts.
    ///
    /// # Shapes
    /// - `ids`: `[rows, length]`
    pub fn forward(&self, ids: Tensor<2, Int>, padding: &Padding) -> HeadOutputs {
        self.heads.forward(self.features(ids, padding))
    }
}
