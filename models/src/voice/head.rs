//! The head: frames are pooled to a mean and a deviation, weighted by attention, and classified.

use burn::module::{Initializer, Module, Param};
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::activation::{gelu, softmax};
use burn::tensor::{Bool, Device, Tensor, TensorData};

use super::HeadConfig;
use crate::CATEGORY_COUNT;

/// Keeps the square root of a variance away from 0, where its slope is infinite.
pub(super) const SMALLEST_VARIANCE: f32 = 1e-4;

/// Means and deviations that were measured on the training data and are not learned.
#[derive(Module, Debug)]
pub struct Standard {
    pub(super) mean: Param<Tensor<1>>,
    pub(super) scale: Param<Tensor<1>>,
}

impl Standard {
    fn neutral(width: usize, device: &Device) -> Self {
        Self::new(&vec![0.0; width], &vec![1.0; width], device)
    }

    /// From measured means and the factors that bring the deviations to 1.
    #[must_use]
    pub fn new(mean: &[f32], scale: &[f32], device: &Device) -> Self {
        let fixed = |values: &[f32]| {
            let data = TensorData::new(values.to_vec(), [values.len()]);
            Param::from_tensor(Tensor::from_data(data, device)).set_require_grad(false)
        };
        Self { mean: fixed(mean), scale: fixed(scale) }
    }

    /// `values` `[..., width]`; the same shape.
    fn forward<const D: usize>(&self, values: Tensor<D>) -> Tensor<D> {
        (values - self.mean.val().unsqueeze()) * self.scale.val().unsqueeze()
    }
}

/// Attentive statistics pooling and a classifier with one hidden layer.
#[derive(Module, Debug)]
pub struct VoiceHead {
    /// Standardises the encoder's frames.
    pub frame_standard: Standard,
    pub(super) attention: Linear,
    pub(super) score: Linear,
    /// Standardises the pooled values.
    pub pool_standard: Standard,
    dropout: Dropout,
    pub(super) hidden: Linear,
    pub(super) output: Linear,
}

impl HeadConfig {
    /// How many values a clip is pooled to: a mean and a deviation of each channel for each weighting.
    #[must_use]
    pub fn pooled_width(&self) -> usize {
        2 * self.width * self.attention_heads
    }

    /// A head with random weights. Every frame counts the same at first: training starts from plain pooling.
    #[must_use]
    pub fn init(&self, device: &Device) -> VoiceHead {
        let score = LinearConfig::new(self.attention_width, self.attention_heads)
            .with_bias(false)
            .with_initializer(Initializer::Zeros);
        VoiceHead {
            frame_standard: Standard::neutral(self.width, device),
            attention: LinearConfig::new(self.width, self.attention_width).init(device),
            score: score.init(device),
            pool_standard: Standard::neutral(self.pooled_width(), device),
            dropout: DropoutConfig::new(self.dropout).init(),
            hidden: LinearConfig::new(self.pooled_width(), self.hidden_width).init(device),
            output: LinearConfig::new(self.hidden_width, CATEGORY_COUNT).init(device),
        }
    }
}

impl VoiceHead {
    /// `frames` `[batch, time, width]`, `absent` `[batch, time]` true where a frame is padding; gives
    /// `[batch, pooled width]`, not standardised.
    #[must_use]
    pub fn pool(&self, frames: Tensor<3>, absent: Option<Tensor<2, Bool>>) -> Tensor<2> {
        let frames = self.frame_standard.forward(frames);
        let scores = self.score.forward(self.attention.forward(frames.clone()).tanh()).swap_dims(1, 2);
        let [batch, heads, time] = scores.dims();
        let scores = match absent {
            Some(absent) => {
                let absent = absent.unsqueeze_dim::<3>(1).expand::<3, _>([batch, heads, time]);
                scores.mask_fill(absent, f32::NEG_INFINITY)
            }
            None => scores,
        };
        let weights = softmax(scores, 2);
        let mean = weights.clone().matmul(frames.clone());
        let square = weights.matmul(frames.clone() * frames);
        let variance = square - mean.clone() * mean.clone();
        let deviation = variance.clamp_min(SMALLEST_VARIANCE).sqrt();
        Tensor::cat(vec![mean, deviation], 2).flatten(1, 2)
    }

    /// `pooled` `[batch, pooled width]`; gives logits `[batch, categories]` in the order of `Category`.
    #[must_use]
    pub fn classify(&self, pooled: Tensor<2>) -> Tensor<2> {
        self.classify_features(self.features(pooled))
    }

    /// `pooled` `[batch, pooled width]` by the standard of the training data; the same shape.
    #[must_use]
    pub fn features(&self, pooled: Tensor<2>) -> Tensor<2> {
        self.pool_standard.forward(pooled)
    }

    /// Features `[batch, pooled width]`, as [`Self::features`] gives them; gives logits `[batch, categories]`.
    #[must_use]
    pub fn classify_features(&self, features: Tensor<2>) -> Tensor<2> {
        let pooled = self.dropout.forward(features);
        let hidden = self.dropout.forward(gelu(self.hidden.forward(pooled)));
        self.output.forward(hidden)
    }

    /// `frames` `[batch, time, width]`, `absent` `[batch, time]`; gives logits `[batch, categories]`.
    #[must_use]
    pub fn forward(&self, frames: Tensor<3>, absent: Option<Tensor<2, Bool>>) -> Tensor<2> {
        self.classify(self.pool(frames, absent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_does_not_count() {
        let device = crate::Device::cpu();
        let device = device.as_burn();
        let config =
            HeadConfig { width: 4, attention_width: 3, attention_heads: 2, hidden_width: 5, dropout: 0.0 };
        let mut head = config.init(device);
        head.score = LinearConfig::new(3, 2).with_bias(false).init(device);
        let values: Vec<f32> = (0..12_u8).map(|value| (f32::from(value) * 1.7).sin()).collect();
        let alone = Tensor::<3>::from_data(TensorData::new(values.clone(), [1, 3, 4]), device);
        let padded = [values, vec![9.0; 8]].concat();
        let padded = Tensor::<3>::from_data(TensorData::new(padded, [1, 5, 4]), device);
        let absent = TensorData::new(vec![false, false, false, true, true], [1, 5]);
        let absent = Tensor::<2, Bool>::from_data(absent, device);
        let expected = head.forward(alone, None).into_data().try_to_vec::<f32>().unwrap();
        let found = head.forward(padded, Some(absent)).into_data().try_to_vec::<f32>().unwrap();
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-5, "{found} {expected}");
        }
    }

    #[test]
    fn an_untrained_head_pools_plainly() {
        let device = crate::Device::cpu();
        let device = device.as_burn();
        let config =
            HeadConfig { width: 2, attention_width: 3, attention_heads: 1, hidden_width: 5, dropout: 0.0 };
        let frames = TensorData::new(vec![1.0_f32, 2.0, 3.0, 2.0], [1, 2, 2]);
        let pooled = config.init(device).pool(Tensor::from_data(frames, device), None);
        let pooled = pooled.into_data().try_to_vec::<f32>().unwrap();
        for (found, expected) in pooled.iter().zip([2.0, 2.0, 1.0, 0.01]) {
            assert!((found - expected).abs() < 1e-5, "{pooled:?}");
        }
    }
}
