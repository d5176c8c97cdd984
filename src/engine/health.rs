//! What the engine says of itself.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use super::EngineError;

/// A loaded model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ModelInfo {
    /// Its name: `text`, `voice`, `detector` or `face`.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// Where it was loaded from.
    #[schema(value_type = String)]
    pub folder: PathBuf,
    /// The licence of its weights.
    pub licence: String,
    /// Where its weights come from.
    pub source: String,
    /// The device that it computes on.
    pub device: String,
}

/// How the models are: each computed something just now, or did not.
#[derive(Debug)]
pub struct Health {
    /// One entry a model.
    pub models: Vec<ModelHealth>,
}

impl Health {
    /// Whether every model answered.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.models.iter().all(|model| model.error.is_none())
    }
}

/// How one model is.
#[derive(Debug)]
pub struct ModelHealth {
    /// The model.
    pub name: &'static str,
    /// How long it took to answer, with its time in the queue.
    pub elapsed: Duration,
    /// Why it did not answer.
    pub error: Option<EngineError>,
}
