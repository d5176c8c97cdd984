//! `GET /v1/models` and `/v1/engine`: what this server computes with, and what it is doing.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::{ApiError, ErrorCode};
use crate::app::App;
use crate::engine::{EngineView, ModelInfo};

/// The models.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModelList {
    /// One entry a model.
    pub models: Vec<ModelEntry>,
}

/// A loaded model.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModelEntry {
    /// Its name: `text`, `voice`, `detector` or `face`.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// The licence of its weights.
    pub licence: String,
    /// Where its weights come from.
    pub source: String,
    /// The device that it computes on.
    pub device: String,
}

impl From<&ModelInfo> for ModelEntry {
    fn from(info: &ModelInfo) -> Self {
        // The folder stays out: where the weights lie is of no use to a client and of some to an attacker.
        Self {
            name: info.name.clone(),
            version: info.version,
            licence: info.licence.clone(),
            source: info.source.clone(),
            device: info.device.clone(),
        }
    }
}

/// The loaded models with version, licence and device.
#[utoipa::path(get, path = "/v1/models", responses((status = 200, description = "The models.", body = ModelList)))]
pub(super) async fn models(State(app): State<App>) -> Json<ModelList> {
    Json(ModelList { models: app.engine().models().iter().map(ModelEntry::from).collect() })
}

/// What the engine is doing: what computes, what waits, how batches formed, what is loaded.
#[utoipa::path(
    get,
    path = "/v1/engine",
    responses((status = 200, description = "The engine at this moment.", body = EngineView))
)]
pub(super) async fn engine(State(app): State<App>) -> Result<Json<EngineView>, ApiError> {
    // The listing of the repository reads folders.
    let view = tokio::task::spawn_blocking(move || app.engine().view()).await;
    view.map(Json).map_err(|error| ApiError::new(ErrorCode::Internal, error.to_string()))
}
