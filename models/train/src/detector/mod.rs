//! Converting and evaluating the face detector. [`onnx`] reads the source's weights, [`conversion`] renames and
//! merges them, [`figures`] counts what is found in photographs.

mod conversion;
mod figures;
mod onnx;

use std::path::PathBuf;

use clap::Args;
use heartline_models::Device;
use heartline_models::detector::{DetectorConfig, FaceDetector};

use crate::error::TrainError;

pub(crate) use figures::{Known, read_boxes, read_image};

/// Arguments of `convert detector`.
#[derive(Debug, Args)]
pub(crate) struct ConvertArguments {
    /// The file face_detection_yunet_2023mar.onnx.
    #[arg(long)]
    source: PathBuf,
    /// The model folder to write.
    #[arg(long)]
    output: PathBuf,
}

/// Writes a model folder from the source's weights.
pub(crate) fn convert(arguments: &ConvertArguments) -> Result<(), TrainError> {
    conversion::run(&arguments.source, &arguments.output)
}

/// Arguments of `evaluate detector`.
#[derive(Debug, Args)]
pub(crate) struct EvaluateArguments {
    /// The model's folder.
    #[arg(long)]
    model: PathBuf,
    /// A folder with photographs and their `boxes.tsv`.
    #[arg(long)]
    data: PathBuf,
    /// Scale photographs to this longest side instead of the model's own.
    #[arg(long)]
    longest_side: Option<usize>,
    /// Count boxes from this score on instead of the model's own.
    #[arg(long)]
    threshold: Option<f32>,
}

/// Prints recall and false positives.
#[expect(clippy::print_stdout, reason = "the figures are what this command is for")]
pub(crate) fn evaluate(arguments: &EvaluateArguments) -> Result<(), TrainError> {
    let detector = FaceDetector::load(&arguments.model, &Device::cpu())?;
    let config = detector.manifest().config.clone();
    let config = DetectorConfig {
        longest_side: arguments.longest_side.unwrap_or(config.longest_side),
        threshold: arguments.threshold.unwrap_or(config.threshold),
        ..config
    };
    println!("{}", figures::report(&detector.with_config(config)?, &arguments.data)?);
    Ok(())
}
