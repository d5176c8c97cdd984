//! Training and evaluating the face network on FER-2013's pictures with FER+ votes.
//!
//! [`data`] reads the pictures and the votes, [`augment`] makes each view of a picture different, [`training`] is the
//! loop, [`average`] the smoothed copy of the weights that is shipped, [`figures`] what training measures, [`export`]
//! the way into a model folder. [`mod@evaluate`] judges a finished folder: with [`disturbances`], on [`unfamiliar`] crops
//! and on [`photographs`].

mod augment;
mod average;
mod data;
mod disturbances;
mod evaluate;
mod export;
mod figures;
mod photographs;
mod settings;
mod training;
mod unfamiliar;

use std::path::PathBuf;

pub(crate) use augment::blur;
pub(crate) use data::{Face, read};
pub(crate) use disturbances::framed;

use clap::Args;

pub(crate) use evaluate::{EvaluateArguments, evaluate};

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
