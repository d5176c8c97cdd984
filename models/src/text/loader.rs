//! From a weights file to the network, and the table of tensor names both the loader and the trainer go by.
//!
//! Matrices lie in the file as `[outputs, inputs]` and are turned around here, because burn multiplies from the left.
//!
//! | tensor | shape |
//! |---|---|
//! | `embeddings.word` | `[vocabulary, width]` |
//! | `embeddings.position` | `[positions, width]` |
//! | `embeddings.kind` | `[width]` |
//! | `embeddings.norm.scale`, `.shift` | `[width]` |
//! | `blocks.N.attention.query`, `.key`, `.value`, `.output` with `.weight`, `.bias` | `[width, width]`, `[width]` |
//! | `blocks.N.feed_forward.inner.weight`, `.bias` | `[inner_width, width]`, `[inner_width]` |
//! | `blocks.N.feed_forward.outer.weight`, `.bias` | `[width, inner_width]`, `[width]` |
//! | `blocks.N.attention.norm.scale`, `.shift`; `blocks.N.feed_forward.norm.scale`, `.shift` | `[width]` |
//! | `heads.native`, `.categories`, `.dimensions`, `.satisfaction` with `.weight`, `.bias` | `[outputs, width]`, `[outputs]` |

use burn::module::Param;
use burn::nn::{LayerNorm, LayerNormConfig, Linear};
use burn::tensor::{Device, Tensor, TensorData};

use super::attention::Attention;
use super::config::{EncoderConfig, TextConfig};
use super::embeddings::Embeddings;
use super::feed_forward::FeedForward;
use super::network::{Block, Encoder, Heads, TextNetwork};
use crate::{CATEGORY_COUNT, ModelError, Weights};

/// Ends of tensor names, each with where the part of that name is found in `M`.
pub type NameTable<M, P, const N: usize> = [(&'static str, fn(&M) -> &P); N];

/// The linear layers of a block, by the end of their name.
pub const BLOCK_LINEARS: NameTable<Block, Linear, 6> = [
    ("attention.query", |block| &block.attention.query),
    ("attention.key", |block| &block.attention.key),
    ("attention.value", |block| &block.attention.value),
    ("attention.output", |block| &block.attention.output),
    ("feed_forward.inner", |block| &block.feed_forward.inner),
    ("feed_forward.outer", |block| &block.feed_forward.outer),
];

/// The normalisations of a block, by the end of their name.
pub const BLOCK_NORMS: NameTable<Block, LayerNorm, 2> = [
    ("attention.norm", |block| &block.attention.norm),
    ("feed_forward.norm", |block| &block.feed_forward.norm),
];

/// The heads, by name.
pub const HEADS: NameTable<Heads, Linear, 4> = [
    ("heads.native", |heads| &heads.native),
    ("heads.categories", |heads| &heads.categories),
    ("heads.dimensions", |heads| &heads.dimensions),
    ("heads.satisfaction", |heads| &heads.satisfaction),
];

/// Loads the whole network.
///
/// # Errors
/// [`ModelError::MissingTensor`], [`ModelError::Shape`] or [`ModelError::Weights`].
pub fn load_network(
    weights: &Weights<'_>,
    config: &TextConfig,
    device: &Device,
) -> Result<TextNetwork, ModelError> {
    let source = Source { weights, config: &config.encoder, device };
    let encoder = load_encoder(weights, &config.encoder, device)?;
    let width = config.encoder.width;
    let heads = Heads {
        native: source.linear("heads.native", width, config.labels.len())?,
        categories: source.linear("heads.categories", width, CATEGORY_COUNT)?,
        dimensions: source.linear("heads.dimensions", width, 3)?,
        satisfaction: source.linear("heads.satisfaction", width, 1)?,
    };
    Ok(TextNetwork { encoder, heads })
}

/// Loads embeddings and blocks, for a folder that has no heads yet.
///
/// # Errors
/// As [`load_network`].
pub fn load_encoder(
    weights: &Weights<'_>,
    config: &EncoderConfig,
    device: &Device,
) -> Result<Encoder, ModelError> {
    let source = Source { weights, config, device };
    let width = config.width;
    let matrix = |name: &str, rows| weights.tensor(name, [rows, width], device);
    let embeddings = Embeddings {
        word: Param::from_tensor(matrix("embeddings.word", config.vocabulary)?),
        position: Param::from_tensor(matrix("embeddings.position", config.positions)?),
        kind: Param::from_tensor(weights.tensor("embeddings.kind", [width], device)?),
        norm: source.norm("embeddings.norm")?,
    };
    let blocks = (0..config.blocks).map(|index| source.block(index)).collect::<Result<_, _>>()?;
    Ok(Encoder { embeddings, blocks })
}

/// Loads the blocks from one index on, for training them on a device of their own.
///
/// # Errors
/// As [`load_network`].
pub fn load_blocks(
    weights: &Weights<'_>,
    config: &EncoderConfig,
    first: usize,
    device: &Device,
) -> Result<Vec<Block>, ModelError> {
    let source = Source { weights, config, device };
    (first..config.blocks).map(|index| source.block(index)).collect()
}

struct Source<'a> {
    weights: &'a Weights<'a>,
    config: &'a EncoderConfig,
    device: &'a Device,
}

impl Source<'_> {
    fn block(&self, index: usize) -> Result<Block, ModelError> {
        let (width, inner) = (self.config.width, self.config.inner_width);
        let linear =
            |name: &str, inputs, outputs| self.linear(&format!("blocks.{index}.{name}"), inputs, outputs);
        let norm = |name: &str| self.norm(&format!("blocks.{index}.{name}"));
        let attention = Attention {
            query: linear("attention.query", width, width)?,
            key: linear("attention.key", width, width)?,
            value: linear("attention.value", width, width)?,
            output: linear("attention.output", width, width)?,
            norm: norm("attention.norm")?,
            heads: self.config.heads,
        };
        let feed_forward = FeedForward {
            inner: linear("feed_forward.inner", width, inner)?,
            outer: linear("feed_forward.outer", inner, width)?,
            norm: norm("feed_forward.norm")?,
        };
        Ok(Block { attention, feed_forward })
    }

    fn linear(&self, name: &str, inputs: usize, outputs: usize) -> Result<Linear, ModelError> {
        let values = self.weights.values(&format!("{name}.weight"), &[outputs, inputs])?;
        let turned = transpose(&values, outputs, inputs);
        let weight = Tensor::from_data(TensorData::new(turned, [inputs, outputs]), self.device);
        let bias = self.weights.tensor(&format!("{name}.bias"), [outputs], self.device)?;
        Ok(Linear { weight: Param::from_tensor(weight), bias: Some(Param::from_tensor(bias)) })
    }

    fn norm(&self, name: &str) -> Result<LayerNorm, ModelError> {
        let width = self.config.width;
        let mut norm = LayerNormConfig::new(width).with_epsilon(self.config.epsilon).init(self.device);
        let vector = |end: &str| self.weights.tensor(&format!("{name}.{end}"), [width], self.device);
        norm.gamma = Param::from_tensor(vector("scale")?);
        norm.beta = Some(Param::from_tensor(vector("shift")?));
        Ok(norm)
    }
}

/// Turns a row-major `[rows, columns]` matrix around.
#[must_use]
pub fn transpose(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let mut turned = Vec::with_capacity(values.len());
    for column in 0..columns {
        turned.extend((0..rows).map(|row| values[row * columns + column]));
    }
    turned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transposing_swaps_rows_and_columns() {
        assert_eq!(transpose(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2, 3), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    }
}
