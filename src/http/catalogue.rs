//! `GET /v1/models` and `/v1/matchers`: what this server computes with.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::{App, MatcherInfo};
use crate::engine::ModelInfo;

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

/// The matchers.
#[derive(Debug, Serialize, ToSchema)]
pub struct MatcherList {
    /// One entry a matcher of the policy, in the order in which they are asked.
    pub matchers: Vec<MatcherInfo>,
}

/// The loaded models with version, licence and device.
#[utoipa::path(get, path = "/v1/models", responses((status = 200, description = "The models.", body = ModelList)))]
pub(super) async fn models(State(app): State<App>) -> Json<ModelList> {
    Json(ModelList { models: app.engine().models().iter().map(ModelEntry::from).collect() })
}

/// The loaded matchers with version, mode and weight.
#[utoipa::path(
    get,
    path = "/v1/matchers",
    responses((status = 200, description = "The matchers.", body = MatcherList))
)]
pub(super) async fn matchers(State(app): State<App>) -> Json<MatcherList> {
    Json(MatcherList { matchers: app.matchers().to_vec() })
}
