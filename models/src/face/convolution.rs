//! A convolution with its normalisation, the unit that the face network is made of.

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, PaddingConfig2d};
use burn::tensor::{Device, Tensor};

use crate::readback::read;

/// The weights and the bias of a convolution into which its normalisation was multiplied, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Folded {
    /// The shape of the weights: `[channels_out, channels_in, kernel, kernel]`.
    pub shape: [usize; 4],
    /// The weights.
    pub weight: Vec<f32>,
    /// One value a channel.
    pub bias: Vec<f32>,
}

/// A square convolution. While training it is followed by a batch normalisation; for inference that is folded into
/// the weights and a bias, which gives the same numbers for half of the memory traffic.
#[derive(Module, Debug)]
pub struct Convolution {
    conv: Conv2d,
    norm: Option<BatchNorm>,
}

impl Convolution {
    /// A convolution with a normalisation, initialised for training.
    #[must_use]
    pub fn init(channels: [usize; 2], kernel: usize, stride: usize, device: &Device) -> Self {
        let initializer = Initializer::KaimingNormal { gain: std::f64::consts::SQRT_2, fan_out_only: true };
        let conv = Self::describe(channels, kernel, stride)
            .with_bias(false)
            .with_initializer(initializer)
            .init(device);
        Self { conv, norm: Some(BatchNormConfig::new(channels[1]).init(device)) }
    }

    /// A convolution with a bias and no normalisation, as [`Self::folded`] gives them.
    #[must_use]
    pub fn from_folded(stride: usize, weight: Tensor<4>, bias: Tensor<1>) -> Self {
        let [channels_out, channels_in, kernel, _] = weight.dims();
        let mut conv = Self::describe([channels_in, channels_out], kernel, stride)
            .with_initializer(Initializer::Zeros)
            .init(&weight.device());
        conv.weight = Param::from_tensor(weight);
        conv.bias = Some(Param::from_tensor(bias));
        Self { conv, norm: None }
    }

    /// The weights, whose format the input must have.
    pub(super) fn weight(&self) -> &Param<Tensor<4>> {
        &self.conv.weight
    }

    fn describe(channels: [usize; 2], kernel: usize, stride: usize) -> Conv2dConfig {
        let padding = kernel / 2;
        Conv2dConfig::new(channels, [kernel, kernel])
            .with_stride([stride, stride])
            .with_padding(PaddingConfig2d::Explicit(padding, padding, padding, padding))
    }

    /// `[batch, channels_in, height, width]` to `[batch, channels_out, height / stride, width / stride]`.
    #[must_use]
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let output = self.conv.forward(input);
        match &self.norm {
            Some(norm) => norm.forward(output),
            None => output,
        }
    }

    /// Multiplies the normalisation's running statistics into the weights; a folded convolution comes back as it is.
    ///
    /// # Errors
    /// [`crate::ModelError::Computation`] where the device does not give its values back.
    pub fn folded(&self) -> Result<Folded, crate::ModelError> {
        let shape = self.conv.weight.dims();
        let mut weight = read(self.conv.weight.val())?;
        let mut bias = match &self.conv.bias {
            Some(bias) => read(bias.val())?,
            None => vec![0.0; shape[0]],
        };
        if let Some(norm) = &self.norm {
            let gamma = read(norm.gamma.val())?;
            let beta = read(norm.beta.val())?;
            let mean = read(norm.running_mean.value_sync())?;
            let variance = read(norm.running_var.value_sync())?;
            let fan_in = shape[1] * shape[2] * shape[3];
            for (channel, row) in weight.chunks_mut(fan_in.max(1)).enumerate() {
                #[expect(clippy::cast_possible_truncation, reason = "epsilon is an ordinary f32 constant")]
                let scale = gamma[channel] / (variance[channel] + norm.epsilon as f32).sqrt();
                row.iter_mut().for_each(|value| *value *= scale);
                bias[channel] = (bias[channel] - mean[channel]) * scale + beta[channel];
            }
        }
        Ok(Folded { shape, weight, bias })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Distribution;

    #[test]
    fn folding_changes_nothing_but_the_shape_of_the_sum() {
        let device = crate::Device::cpu();
        let mut unit = Convolution::init([3, 5], 3, 2, device.as_burn());
        let norm = unit.norm.as_mut().unwrap();
        norm.running_mean.update(Tensor::random([5], Distribution::Uniform(-1.0, 1.0), device.as_burn()));
        norm.running_var.update(Tensor::random([5], Distribution::Uniform(0.5, 2.0), device.as_burn()));
        norm.running_mean.value_sync();
        norm.running_var.value_sync();
        let input = Tensor::random([2, 3, 9, 8], Distribution::Uniform(-1.0, 1.0), device.as_burn());
        let expected = read(unit.forward(input.clone())).unwrap();
        let folded = unit.folded().unwrap();
        let weight = burn::tensor::TensorData::new(folded.weight, folded.shape);
        let bias = burn::tensor::TensorData::new(folded.bias, [5]);
        let plain = Convolution::from_folded(
            2,
            Tensor::from_data(weight, device.as_burn()),
            Tensor::from_data(bias, device.as_burn()),
        );
        let output = plain.forward(input);
        assert_eq!(output.dims(), [2, 5, 5, 4]);
        for (found, expected) in read(output).unwrap().iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-4, "{found} {expected}");
        }
    }
}
