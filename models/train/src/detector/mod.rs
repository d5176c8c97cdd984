//! Converting the face detector.

use clap::Args;

use crate::error::TrainError;

/// Arguments.
#[derive(Debug, Args)]
pub(crate) struct ConvertArguments {}

pub(crate) fn convert(_arguments: &ConvertArguments) -> Result<(), TrainError> {
    Ok(())
}
