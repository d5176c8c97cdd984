//! Converting, training and evaluating the text model.

use clap::Args;

use crate::error::TrainError;

/// Arguments.
#[derive(Debug, Args)]
pub(crate) struct ConvertArguments {}

pub(crate) fn convert(_arguments: &ConvertArguments) -> Result<(), TrainError> {
    Ok(())
}

/// Arguments.
#[derive(Debug, Args)]
pub(crate) struct TrainArguments {}

pub(crate) fn train(_arguments: &TrainArguments) -> Result<(), TrainError> {
    Ok(())
}

/// Arguments.
#[derive(Debug, Args)]
pub(crate) struct EvaluateArguments {}

pub(crate) fn evaluate(_arguments: &EvaluateArguments) -> Result<(), TrainError> {
    Ok(())
}
