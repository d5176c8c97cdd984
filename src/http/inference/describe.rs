//! What the server and its models say of themselves.

use std::path::Path;

use heartline_models::{Category, MANIFEST_FILE};
use serde::{Deserialize, Serialize};

use super::Inference;
use super::catalogue::ModelMetadata;
use crate::app::AppError;
use crate::http::ApiError;

/// The server's name.
pub(super) const SERVER_NAME: &str = "heartline";
/// The server's version.
pub(super) const SERVER_VERSION: &str = env!("CARGO_PKG_VERSION");
/// The extensions that are spoken.
pub(super) const EXTENSIONS: [&str; 6] = [
    "binary_tensor_data",
    "classification",
    "model_repository",
    "parameters",
    "schedule_policy",
    "statistics",
];

/// What the protocol says of the server.
#[derive(Debug, Serialize)]
pub(super) struct ServerMetadata {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    pub(super) extensions: [&'static str; EXTENSIONS.len()],
    /// Beside the protocol: where the models compute.
    pub(super) parameters: Place,
}

/// Where the models compute.
#[derive(Debug, Serialize)]
pub(super) struct Place {
    pub(super) device: String,
}

/// The part of a manifest that names the model's labels.
#[derive(Deserialize)]
struct Manifest {
    config: Labels,
}

#[derive(Deserialize)]
struct Labels {
    labels: Option<Vec<String>>,
}

impl Inference {
    /// What the server says of itself.
    pub(super) fn server_metadata(&self) -> ServerMetadata {
        ServerMetadata {
            name: SERVER_NAME,
            version: SERVER_VERSION,
            extensions: EXTENSIONS,
            parameters: Place { device: self.app().engine().device().to_owned() },
        }
    }

    /// What a model says of itself.
    pub(super) async fn model_metadata(&self, name: &str, version: &str) -> Result<ModelMetadata, ApiError> {
        let (spec, version) = self.find(name, version)?;
        let models = self.app().engine().models();
        let folder = models.into_iter().find(|model| model.name == spec.reader()).map(|model| model.folder);
        let reading =
            self.app().run_blocking(move || folder.map(|folder| labels(&folder)).unwrap_or_default());
        let labels = reading.await.map_err(AppError::from)?;
        Ok(spec.metadata(version, &labels))
    }

    /// Whether a version of a model takes work.
    pub(super) fn model_ready(&self, name: &str, version: &str) -> Result<(), ApiError> {
        self.find(name, version).map(|_| ())
    }
}

/// The labels of the model in a folder: its manifest's, or where that names none the categories, which every model
/// has. A folder that has gone since the model was loaded leaves the names unknown.
fn labels(folder: &Path) -> Vec<String> {
    let Ok(bytes) = std::fs::read(folder.join(MANIFEST_FILE)) else { return Vec::new() };
    let manifest = serde_json::from_slice::<Manifest>(&bytes).ok();
    let categories = || Category::ALL.map(|category| category.name().to_owned()).to_vec();
    manifest.map(|manifest| manifest.config.labels.unwrap_or_else(categories)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_the_manifests_or_the_categories() {
        let weights = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/weights");
        assert_eq!(labels(&weights.join("text/1")).len(), 28);
        assert_eq!(labels(&weights.join("voice/1"))[1], "happiness");
        assert_eq!(labels(&weights.join("face/1")).last().unwrap(), "contempt");
        assert!(labels(&weights.join("none")).is_empty());
    }
}
