//! Writing a model folder: the encoder's tensors as they were converted, and the trained heads.

use std::collections::BTreeMap;
use std::path::Path;

use heartline_models::voice::{VoiceConfig, VoiceHead, write_head};
use heartline_models::{Manifest, TrustLimits, WEIGHTS_FILE, Weights, WeightsWriter};
use safetensors::{Dtype, SafeTensors};

use crate::error::TrainError;

/// What a user must know before shipping the weights on.
const LICENCE: &str = "non-commercial use only: the head was trained on RAVDESS and nEMO (CC BY-NC-SA 4.0), TESS \
    (CC BY-NC-ND 4.0) and EmoDB; the encoder is OpenAI Whisper base (MIT). Retrain with heartline-train on licensed \
    data for other uses";

/// Writes the folder.
pub(crate) fn write(
    encoder: &Path,
    output: &Path,
    config: &VoiceConfig,
    heads: &[VoiceHead],
) -> Result<(), TrainError> {
    let mut writer = WeightsWriter::default();
    copy_encoder(&encoder.join(WEIGHTS_FILE), &mut writer)?;
    for (member, head) in heads.iter().enumerate() {
        write_head(head, member, &mut writer)?;
    }
    std::fs::create_dir_all(output).map_err(TrainError::file(output))?;
    writer.write(&output.join(WEIGHTS_FILE))?;
    let mut manifest = Manifest {
        format: 1,
        name: "voice".to_owned(),
        version: 1,
        licence: LICENCE.to_owned(),
        source: "OpenAI Whisper base encoder up to block 3, and heads trained by heartline-train".to_owned(),
        config: config.clone(),
        trust: TrustLimits::default(),
        files: BTreeMap::new(),
    };
    manifest.write(output, &[WEIGHTS_FILE])?;
    Ok(())
}

/// Encodes each tensor again as it was; rounding what is already rounded changes nothing.
fn copy_encoder(path: &Path, writer: &mut WeightsWriter) -> Result<(), TrainError> {
    let bytes = std::fs::read(path).map_err(TrainError::file(path))?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(|error| TrainError::data(path, error))?;
    let weights = Weights::parse(&bytes)?;
    for (name, view) in tensors.iter().filter(|(name, _)| !name.ends_with(".weight.scale")) {
        let values = weights.values(name, view.shape())?;
        match view.dtype() {
            Dtype::F32 => writer.put_f32(name, view.shape(), &values),
            Dtype::F16 => writer.put_f16(name, view.shape(), &values),
            Dtype::I8 => writer.put_int8(name, view.shape(), &values),
            other => return Err(TrainError::data(path, format!("{name} is {other:?}"))),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copying_changes_no_value() {
        let folder = tempfile::tempdir().unwrap();
        let values: Vec<f32> = (0..200_u8).map(|value| (f32::from(value) * 0.37).sin() * 0.03).collect();
        let mut writer = WeightsWriter::default();
        writer.put_int8("a.weight", &[10, 20], &values);
        writer.put_f16("b.weight", &[200], &values);
        let (first, second) = (folder.path().join("first"), folder.path().join("second"));
        writer.write(&first).unwrap();
        let mut copy = WeightsWriter::default();
        copy_encoder(&first, &mut copy).unwrap();
        copy.write(&second).unwrap();
        let (first, second) = (std::fs::read(first).unwrap(), std::fs::read(second).unwrap());
        let (first, second) = (Weights::parse(&first).unwrap(), Weights::parse(&second).unwrap());
        for (name, shape) in [("a.weight", vec![10, 20]), ("b.weight", vec![200])] {
            let pairs =
                first.values(name, &shape).unwrap().into_iter().zip(second.values(name, &shape).unwrap());
            for (left, right) in pairs {
                assert!((left - right).abs() < 1e-7, "{name}: {left} {right}");
            }
        }
    }
}
