//! Training and evaluating the face network on FER-2013's pictures with FER+ votes.
//!
//! [`data`] reads the pictures and the votes, [`augment`] makes each view of a picture different, [`training`] is the
//! loop, [`average`] the smoothed copy of the weights that is shipped, [`figures`] what is measured, [`export`] the
//! way into a model folder.

mod augment;
mod average;
mod data;
mod export;
mod figures;
mod settings;
mod training;

use std::path::PathBuf;

pub(crate) use augment::blur;
pub(crate) use data::read;

use clap::Args;
use heartline_models::Device;
use heartline_models::face::FaceModel;

use crate::error::TrainError;

/// Arguments of `train face`.
#[derive(Debug, Args)]
pub(crate) struct TrainArguments {
    /// The TOML file with the settings of the run.
    #[arg(long)]
    config: PathBuf,
}

/// Trains from the newest checkpoint of the run, or from nothing.
pub(crate) fn train(arguments: &TrainArguments) -> Result<(), TrainError> {
    let settings = settings::Settings::read(&arguments.config)?;
    training::run(&settings)
}

/// Arguments of `evaluate face`.
#[derive(Debug, Args)]
pub(crate) struct EvaluateArguments {
    /// The model's folder.
    #[arg(long)]
    model: PathBuf,
    /// The folder with the pictures and the votes.
    #[arg(long)]
    data: PathBuf,
    /// The part of the data.
    #[arg(long, default_value = "val")]
    part: String,
}

/// Prints the figures of a model folder.
#[expect(clippy::print_stdout, reason = "the figures are what this command is for")]
pub(crate) fn evaluate(arguments: &EvaluateArguments) -> Result<(), TrainError> {
    let faces = read(&arguments.data, &arguments.part)?;
    let model = FaceModel::load(&arguments.model, &Device::cpu())?;
    println!("{}", figures::of_model(&model, &faces)?);
    Ok(())
}
