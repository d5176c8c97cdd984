//! Texts of different lengths side by side: piece numbers with padding, and what keeps the padding without effect.

use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::precision::full;

/// The piece that fills short rows.
pub const PADDING_PIECE: u32 = 1;

/// Added to the attention scores of padding, so that its share after the softmax is exactly zero in single precision.
const HIDDEN_SCORE: f32 = -1e9;

/// Where a batch is padded.
#[derive(Debug, Clone)]
pub struct Padding {
    /// Texts.
    pub rows: usize,
    /// Tokens of the longest text.
    pub length: usize,
    /// 0 for tokens, a large negative number for padding: `[rows, 1, 1, length]`; none where all texts are equally long.
    pub attention_bias: Option<Tensor<4>>,
    /// What each token contributes to its text's mean: `[rows, 1, length]`.
    pub pooling: Tensor<3>,
}

impl Padding {
    /// The padding of texts with these lengths, none of which may be zero.
    #[must_use]
    pub fn new(lengths: &[usize], device: &Device) -> Self {
        let length = lengths.iter().copied().max().unwrap_or(0);
        let even = lengths.iter().all(|tokens| *tokens == length);
        let padding = Self::to_length(lengths, length, device);
        Self { attention_bias: padding.attention_bias.filter(|_| !even), ..padding }
    }

    /// For texts of these lengths in a tensor that is so long, always with a bias, so that a device that compiles its
    /// kernels sees one kind of batch only.
    #[must_use]
    pub fn to_length(lengths: &[usize], length: usize, device: &Device) -> Self {
        let rows = lengths.len();
        let mut pooling = vec![0.0_f32; rows * length];
        let mut bias = vec![HIDDEN_SCORE; rows * length];
        for (row, tokens) in lengths.iter().enumerate() {
            #[expect(clippy::cast_precision_loss, reason = "texts are a few hundred tokens long")]
            pooling[row * length..row * length + tokens].fill(1.0 / *tokens as f32);
            bias[row * length..row * length + tokens].fill(0.0);
        }
        let attention_bias = Some(Tensor::from_data(TensorData::new(bias, [rows, 1, 1, length]), device));
        let pooling = Tensor::from_data(TensorData::new(pooling, [rows, 1, length]), device);
        Self { rows, length, attention_bias, pooling }
    }

    /// The mean of each text's tokens.
    ///
    /// # Shapes
    /// - `hidden`: `[rows * length, width]`
    /// - output: `[rows, width]`
    #[must_use]
    pub fn mean(&self, hidden: Tensor<2>) -> Tensor<2> {
        let width = hidden.dims()[1];
        let hidden = full(hidden).reshape([self.rows, self.length, width]);
        self.pooling.clone().matmul(hidden).reshape([self.rows, width])
    }
}

/// The pieces of several texts as one tensor `[rows, length]`, short rows filled up.
#[must_use]
pub fn pad(texts: &[&[u32]], device: &Device) -> Tensor<2, Int> {
    let length = texts.iter().map(|pieces| pieces.len()).max().unwrap_or(0);
    pad_to_length(texts, length, device)
}

/// As [`pad`], to a length that is at least that of the longest text.
#[must_use]
pub(super) fn pad_to_length(texts: &[&[u32]], length: usize, device: &Device) -> Tensor<2, Int> {
    let mut ids = Vec::with_capacity(texts.len() * length);
    for pieces in texts {
        ids.extend(pieces.iter().map(|piece| i64::from(*piece)));
        ids.extend(std::iter::repeat_n(i64::from(PADDING_PIECE), length - pieces.len()));
    }
    Tensor::from_data(TensorData::new(ids, [texts.len(), length]), device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_has_no_part_in_the_mean() {
        let device = Device::flex();
        let padding = Padding::new(&[1, 3], &device);
        let hidden = Tensor::from_data([[2.0_f32], [9.0], [9.0], [1.0], [2.0], [6.0]], &device);
        assert_eq!(padding.mean(hidden).into_data().try_into_vec::<f32>().unwrap(), [2.0, 3.0]);
        assert!(padding.attention_bias.is_some());
        assert!(Padding::new(&[2, 2], &device).attention_bias.is_none());
        let longer = Padding::to_length(&[2, 2], 4, &device);
        assert!(longer.attention_bias.is_some() && longer.length == 4);
    }

    #[test]
    fn short_rows_are_filled() {
        let ids = pad(&[&[5], &[6, 7]], &Device::flex());
        assert_eq!(ids.into_data().try_to_vec_as::<i64>().unwrap(), [5, 1, 6, 7]);
        let ids = pad_to_length(&[&[5]], 3, &Device::flex());
        assert_eq!(ids.into_data().try_to_vec_as::<i64>().unwrap(), [5, 1, 1]);
    }
}
