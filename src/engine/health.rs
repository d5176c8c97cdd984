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

/// How the device and the models are: each computed something just now, or did not.
#[derive(Debug)]
pub struct Health {
    /// One entry a loaded model.
    pub models: Vec<ModelHealth>,
    /// Why the device does not compute, if so.
    pub device_fault: Option<String>,
}

impl Health {
    /// Whether the device computes, some model is loaded, and every loaded model answered.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.fault().is_none()
    }

    /// What is wrong, if something is.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        if let Some(fault) = &self.device_fault {
            return Some(format!("the device is being brought back: {fault}"));
        }
        if self.models.is_empty() {
            return Some("no model is loaded".to_owned());
        }
        let broken = self.models.iter().find_map(|model| Some((model.name, model.error.as_ref()?)));
        broken.map(|(name, error)| format!("model {name} does not answer: {error}"))
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
