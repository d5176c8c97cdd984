//! What can go wrong between a request and its answer.

use std::path::PathBuf;

use heartline_models::ModelError;

use crate::telemetry::Fault;

/// An error of the engine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The model's queue is full.
    #[error("the queue is full; try again in {retry_after_ms} ms")]
    Overloaded {
        /// When there may be room again, estimated from what waits and how fast the model is.
        retry_after_ms: u64,
    },
    /// One request has more rows than the queue could ever hold.
    #[error("{found} rows for model {model} are more than its queue holds, {limit}")]
    TooManyRows {
        /// The model.
        model: &'static str,
        /// The rows of the request.
        found: usize,
        /// The rows that the queue holds (`engine.queue_rows`).
        limit: usize,
    },
    /// The answer did not come in time.
    #[error("the deadline passed before the answer came")]
    Deadline,
    /// The model refused its input or failed.
    #[error("the model failed")]
    Model(#[source] ModelError),
    /// The model panicked; the request's rows are at fault or the model is.
    #[error("model {model} panicked: {message}")]
    Panicked {
        /// The model.
        model: &'static str,
        /// What the panic said.
        message: String,
    },
    /// The device's thread was lost while the model computed; another one takes over.
    #[error("the device's thread was lost while model {model} computed")]
    Lost {
        /// The model.
        model: &'static str,
    },
    /// The model is unloaded.
    #[error("model {model} is not loaded")]
    NotLoaded {
        /// The model.
        model: &'static str,
    },
    /// No model has this name.
    #[error("there is no model \"{name}\"; there are text, voice, detector and face")]
    UnknownModel {
        /// The name.
        name: String,
    },
    /// The model has no such version.
    #[error("model {model} has no version {version} in {folder}", folder = folder.display())]
    UnknownVersion {
        /// The model.
        model: &'static str,
        /// The version that was asked for.
        version: u32,
        /// Where its versions are.
        folder: PathBuf,
    },
    /// The engine is shutting down or has ended.
    #[error("the engine has stopped")]
    Stopped,
    /// A model's folder is not there.
    #[error(
        "model {model} has no weights in {folder}; fetch or train them, or set engine.models_folder",
        folder = folder.display()
    )]
    NoWeights {
        /// The model.
        model: &'static str,
        /// Where a folder named after the version was expected.
        folder: PathBuf,
    },
    /// A model's folder is there, and the model cannot be loaded from it.
    #[error("model {model} cannot be loaded from {folder}", folder = folder.display())]
    Load {
        /// The model.
        model: &'static str,
        /// Its folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: ModelError,
    },
    /// The device cannot be opened.
    #[error("the device cannot be opened; set engine.device")]
    Device(#[source] ModelError),
    /// The device's thread cannot be started.
    #[error("the device's thread cannot be started")]
    Thread(#[source] std::io::Error),
}

impl EngineError {
    /// Whose fault it was.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Overloaded { .. } => Fault::Overload,
            Self::TooManyRows { .. }
            | Self::Model(ModelError::Input(_))
            | Self::UnknownModel { .. }
            | Self::UnknownVersion { .. } => Fault::Client,
            Self::Deadline | Self::Model(_) | Self::Panicked { .. } | Self::Lost { .. } => Fault::Model,
            Self::Stopped
            | Self::NotLoaded { .. }
            | Self::NoWeights { .. }
            | Self::Load { .. }
            | Self::Device(_)
            | Self::Thread(_) => Fault::Internal,
        }
    }
}
