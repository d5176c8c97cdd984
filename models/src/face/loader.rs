//! Weights to network and back.
//!
//! | tensor | shape | what |
//! |---|---|---|
//! | `stem.weight`, `stem.bias` | `[stem, 1, 5, 5]`, `[stem]` | first convolution, stride 2 |
//! | `stages.S.B.first.weight`, `.bias` | `[out, in, 3, 3]`, `[out]` | first convolution of block B of stage S |
//! | `stages.S.B.second.weight`, `.bias` | `[out, out, 3, 3]`, `[out]` | its second convolution |
//! | `stages.S.B.shortcut.weight`, `.bias` | `[out, in, 1, 1]`, `[out]` | where the block changes the shape |
//! | `head.weight`, `head.bias` | `[features, 8]`, `[8]` | labels from the mean features |
//!
//! Normalisations are folded into the convolutions. Weights are stored in half precision, biases in single.

use burn::module::Param;
use burn::nn::{DropoutConfig, LinearConfig};
use burn::tensor::Device;

use super::{Convolution, FaceConfig, FaceNetwork, LABEL_COUNT, Residual};
use crate::readback::read;
use crate::{ModelError, Weights, WeightsWriter};

/// Builds the network for inference from its weights.
///
/// # Errors
/// [`ModelError`] where the configuration is not supported, or a tensor is missing or of another shape.
pub fn load(config: &FaceConfig, weights: &Weights<'_>, device: &Device) -> Result<FaceNetwork, ModelError> {
    config.check()?;
    let convolution = |name: &str, channels: [usize; 2], kernel: usize, stride: usize| {
        let shape = [channels[1], channels[0], kernel, kernel];
        let weight = weights.tensor(&format!("{name}.weight"), shape, device)?;
        let bias = weights.tensor(&format!("{name}.bias"), [channels[1]], device)?;
        Ok::<_, ModelError>(Convolution::from_folded(stride, weight, bias))
    };
    let stem = convolution("stem", [1, config.stem], 5, 2)?;
    let mut blocks = Vec::new();
    for (stage, descriptions) in config.blocks().into_iter().enumerate() {
        for (block, (channels, stride)) in descriptions.into_iter().enumerate() {
            let name = |part: &str| format!("stages.{stage}.{block}.{part}");
            let shortcut = if Residual::needs_shortcut(channels, stride) {
                Some(convolution(&name("shortcut"), channels, 1, stride)?)
            } else {
                None
            };
            blocks.push(Residual {
                first: convolution(&name("first"), channels, 3, stride)?,
                second: convolution(&name("second"), [channels[1], channels[1]], 3, 1)?,
                shortcut,
            });
        }
    }
    let mut head = LinearConfig::new(config.features(), LABEL_COUNT).init(device);
    head.weight =
        Param::from_tensor(weights.tensor("head.weight", [config.features(), LABEL_COUNT], device)?);
    head.bias = Some(Param::from_tensor(weights.tensor("head.bias", [LABEL_COUNT], device)?));
    Ok(FaceNetwork { stem, blocks, dropout: DropoutConfig::new(0.0).init(), head })
}

/// Writes the network's weights, with its normalisations folded in.
///
/// # Errors
/// [`ModelError::Computation`] where the device does not give its values back.
pub fn store(
    config: &FaceConfig,
    network: &FaceNetwork,
    writer: &mut WeightsWriter,
) -> Result<(), ModelError> {
    let mut put = |name: &str, convolution: &Convolution| {
        let folded = convolution.folded()?;
        writer.put_f16(&format!("{name}.weight"), &folded.shape, &folded.weight);
        writer.put_f32(&format!("{name}.bias"), &[folded.shape[0]], &folded.bias);
        Ok::<_, ModelError>(())
    };
    put("stem", &network.stem)?;
    let mut blocks = network.blocks.iter();
    for (stage, widths) in config.stages.iter().enumerate() {
        for (index, block) in blocks.by_ref().take(widths.len()).enumerate() {
            let name = |part: &str| format!("stages.{stage}.{index}.{part}");
            put(&name("first"), &block.first)?;
            put(&name("second"), &block.second)?;
            if let Some(shortcut) = &block.shortcut {
                put(&name("shortcut"), shortcut)?;
            }
        }
    }
    let head = &network.head;
    writer.put_f16("head.weight", &head.weight.dims(), &read(head.weight.val())?);
    let bias = head.bias.as_ref().map_or_else(|| Ok(vec![0.0; LABEL_COUNT]), |bias| read(bias.val()))?;
    writer.put_f32("head.bias", &[LABEL_COUNT], &bias);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::config::tests::small;
    use burn::tensor::{Distribution, Tensor};

    #[test]
    fn a_network_survives_its_file() {
        let (config, device) = (small(), crate::Device::cpu());
        let network = FaceNetwork::init(&config, device.as_burn());
        let mut writer = WeightsWriter::default();
        store(&config, &network, &mut writer).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        writer.write(&path).unwrap();
        let bytes = std::fs::read(path).unwrap();
        let loaded = load(&config, &Weights::parse(&bytes).unwrap(), device.as_burn()).unwrap();
        let input = Tensor::random([2, 1, 48, 48], Distribution::Uniform(-2.0, 2.0), device.as_burn());
        let expected = read(network.forward(input.clone())).unwrap();
        assert_eq!(expected.len(), 2 * LABEL_COUNT);
        for (found, expected) in read(loaded.forward(input)).unwrap().iter().zip(&expected) {
            assert!((found - expected).abs() < 2e-2, "{found} {expected}");
        }
    }

    #[test]
    fn weights_of_another_network_are_refused() {
        let (config, device) = (small(), crate::Device::cpu());
        let mut writer = WeightsWriter::default();
        store(&config, &FaceNetwork::init(&config, device.as_burn()), &mut writer).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        writer.write(&path).unwrap();
        let bytes = std::fs::read(path).unwrap();
        let mut larger = config.clone();
        larger.stages.push(vec![16]);
        let missing = load(&larger, &Weights::parse(&bytes).unwrap(), device.as_burn());
        assert!(matches!(missing, Err(ModelError::MissingTensor(_))));
        let mut wider = config;
        wider.stem = 8;
        let other = load(&wider, &Weights::parse(&bytes).unwrap(), device.as_burn());
        assert!(matches!(other, Err(ModelError::Shape { .. })));
    }
}
