//! Tensor names of a weights file and the places in the network they fill. Matrices are stored one row an output.
//!
//! | tensor | shape | fills |
//! |---|---|---|
//! | `encoder.stem.{first,second}.weight` | width, channels in, 3 | the convolutions |
//! | `encoder.stem.{first,second}.bias` | width | |
//! | `encoder.block.N.attention.norm.{gamma,beta}` | width | norm before the attention of block N, from 0 |
//! | `encoder.block.N.attention.query_key_value.{weight,bias}` | 3 width, width | queries, keys, values |
//! | `encoder.block.N.attention.output.{weight,bias}` | width, width | |
//! | `encoder.block.N.feed_forward.norm.{gamma,beta}` | width | norm before the feed-forward layer |
//! | `encoder.block.N.feed_forward.expand.{weight,bias}` | feed-forward width, width | |
//! | `encoder.block.N.feed_forward.contract.{weight,bias}` | width, feed-forward width | |
//! | `head.M.frame.{mean,scale}` | width | standard of the frames in head M, from 0 |
//! | `head.M.attention.{weight,bias}` | attention width, width | |
//! | `head.M.score.weight` | attention heads, attention width | |
//! | `head.M.pool.{mean,scale}` | pooled width | standard of the pooled values |
//! | `head.M.hidden.{weight,bias}` | hidden width, pooled width | |
//! | `head.M.output.{weight,bias}` | categories, hidden width | |

use burn::module::Param;
use burn::nn::conv::Conv1d;
use burn::nn::{LayerNorm, Linear};
use burn::tensor::{Tensor, TensorData};

use super::encoder::Encoder;
use super::head::{Standard, VoiceHead};
use super::{EncoderConfig, HeadConfig};
use crate::readback::read;
use crate::{CATEGORY_COUNT, Device, ModelError, Weights, WeightsWriter};

/// Reads tensors under a growing name.
struct Reader<'a> {
    weights: &'a Weights<'a>,
    device: &'a Device,
}

impl Reader<'_> {
    /// Matrices are transposed: the file has a row for each output, the network a column.
    fn linear(&self, name: &str, into: &mut Linear) -> Result<(), ModelError> {
        let [inputs, outputs] = into.weight.dims();
        let values = self.weights.values(&format!("{name}.weight"), &[outputs, inputs])?;
        let data = TensorData::new(transpose(&values, inputs), [inputs, outputs]);
        into.weight = Param::from_tensor(Tensor::from_data(data, self.device.as_burn()));
        if into.bias.is_some() {
            into.bias = Some(self.vector(&format!("{name}.bias"), outputs)?);
        }
        Ok(())
    }

    fn convolution(&self, name: &str, into: &mut Conv1d) -> Result<(), ModelError> {
        let shape: [usize; 3] = into.weight.dims();
        let weight = self.weights.tensor(&format!("{name}.weight"), shape, self.device.as_burn())?;
        into.weight = Param::from_tensor(weight);
        into.bias = Some(self.vector(&format!("{name}.bias"), shape[0])?);
        Ok(())
    }

    fn norm(&self, name: &str, into: &mut LayerNorm) -> Result<(), ModelError> {
        let [width] = into.gamma.dims();
        into.gamma = self.vector(&format!("{name}.gamma"), width)?;
        into.beta = Some(self.vector(&format!("{name}.beta"), width)?);
        Ok(())
    }

    fn standard(&self, name: &str, width: usize) -> Result<Standard, ModelError> {
        let mean = self.weights.values(&format!("{name}.mean"), &[width])?;
        let scale = self.weights.values(&format!("{name}.scale"), &[width])?;
        Ok(Standard::new(&mean, &scale, self.device.as_burn()))
    }

    fn vector(&self, name: &str, length: usize) -> Result<Param<Tensor<1>>, ModelError> {
        Ok(Param::from_tensor(self.weights.tensor(name, [length], self.device.as_burn())?))
    }
}

/// Builds the encoder and fills it.
pub(super) fn load_encoder(
    weights: &Weights<'_>,
    config: &EncoderConfig,
    device: &Device,
) -> Result<Encoder, ModelError> {
    let reader = Reader { weights, device };
    let mut encoder = config.init(device.as_burn());
    reader.convolution("encoder.stem.first", &mut encoder.stem.first)?;
    reader.convolution("encoder.stem.second", &mut encoder.stem.second)?;
    for (index, block) in encoder.blocks.iter_mut().enumerate() {
        let name = format!("encoder.block.{index}");
        reader.norm(&format!("{name}.attention.norm"), &mut block.attention_norm)?;
        let attention = &mut block.attention;
        reader.linear(&format!("{name}.attention.query_key_value"), &mut attention.query_key_value)?;
        reader.linear(&format!("{name}.attention.output"), &mut attention.output)?;
        reader.norm(&format!("{name}.feed_forward.norm"), &mut block.feed_forward_norm)?;
        reader.linear(&format!("{name}.feed_forward.expand"), &mut block.expand)?;
        reader.linear(&format!("{name}.feed_forward.contract"), &mut block.contract)?;
    }
    Ok(encoder)
}

/// Builds a head and fills it with member `member`'s tensors.
pub(super) fn load_head(
    weights: &Weights<'_>,
    member: usize,
    config: &HeadConfig,
    device: &Device,
) -> Result<VoiceHead, ModelError> {
    let reader = Reader { weights, device };
    let mut head = config.init(device.as_burn());
    let name = format!("head.{member}");
    head.frame_standard = reader.standard(&format!("{name}.frame"), config.width)?;
    reader.linear(&format!("{name}.attention"), &mut head.attention)?;
    reader.linear(&format!("{name}.score"), &mut head.score)?;
    head.pool_standard = reader.standard(&format!("{name}.pool"), config.pooled_width())?;
    reader.linear(&format!("{name}.hidden"), &mut head.hidden)?;
    reader.linear(&format!("{name}.output"), &mut head.output)?;
    Ok(head)
}

/// Adds a trained head to a weights file, its hidden layer as 8-bit integers: the pooled values are standardised, so
/// the rounding is far below their spread.
///
/// # Errors
/// [`ModelError::Computation`] where the device does not give the values back.
pub fn write_head(head: &VoiceHead, member: usize, writer: &mut WeightsWriter) -> Result<(), ModelError> {
    let name = format!("head.{member}");
    for (part, standard) in [("frame", &head.frame_standard), ("pool", &head.pool_standard)] {
        for (suffix, values) in [("mean", &standard.mean), ("scale", &standard.scale)] {
            let values = read(values.val())?;
            writer.put_f32(&format!("{name}.{part}.{suffix}"), &[values.len()], &values);
        }
    }
    for (part, linear) in [
        ("attention", &head.attention),
        ("score", &head.score),
        ("hidden", &head.hidden),
        ("output", &head.output),
    ] {
        let [inputs, outputs] = linear.weight.dims();
        let weight = transpose(&read(linear.weight.val())?, outputs);
        let full = format!("{name}.{part}.weight");
        if part == "hidden" {
            writer.put_int8(&full, &[outputs, inputs], &weight);
        } else {
            writer.put_f16(&full, &[outputs, inputs], &weight);
        }
        if let Some(bias) = &linear.bias {
            writer.put_f32(&format!("{name}.{part}.bias"), &[outputs], &read(bias.val())?);
        }
    }
    debug_assert_eq!(head.output.weight.dims()[1], CATEGORY_COUNT);
    Ok(())
}

/// Every `columns` values of the input become a column.
fn transpose(values: &[f32], columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|column| values.iter().skip(column).step_by(columns).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_columns() {
        assert_eq!(transpose(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    }

    #[test]
    fn a_written_head_answers_like_the_original() {
        let device = Device::cpu();
        let config =
            HeadConfig { width: 8, attention_width: 4, attention_heads: 1, hidden_width: 6, dropout: 0.0 };
        let head = config.init(device.as_burn());
        let mut writer = WeightsWriter::default();
        write_head(&head, 1, &mut writer).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        writer.write(&path).unwrap();
        let bytes = std::fs::read(path).unwrap();
        let weights = Weights::parse(&bytes).unwrap();
        let loaded = load_head(&weights, 1, &config, &device).unwrap();
        let values: Vec<f32> = (0..40_u8).map(|value| (f32::from(value) * 0.9).cos()).collect();
        let frames = Tensor::<3>::from_data(TensorData::new(values, [1, 5, 8]), device.as_burn());
        let expected = read(head.valid_forward(frames.clone())).unwrap();
        let found = read(loaded.valid_forward(frames)).unwrap();
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() < 0.03, "{found} {expected}");
        }
        assert!(matches!(load_head(&weights, 0, &config, &device), Err(ModelError::MissingTensor(_))));
    }

    impl VoiceHead {
        fn valid_forward(&self, frames: Tensor<3>) -> Tensor<2> {
            self.forward(frames, None)
        }
    }
}
