//! `/v1/matchers`: the loaded matchers, how they fare, and the two things that whoever runs the server may do to one
//! while rankings go on: load its library anew, and end its quarantine.
//!
//! Which file is loaded is the configuration's to say. A request never names one.

use axum::Json;
use axum::extract::{Path, Request, State};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::guard::Caller;
use super::{ApiError, ErrorBody, ErrorCode, json};
use crate::app::{App, MatcherDetail, MatcherInfo, Reload};
use crate::telemetry::with_causes;

/// The matchers.
#[derive(Debug, Serialize, ToSchema)]
pub struct MatcherList {
    /// One entry a matcher, by name.
    pub matchers: Vec<MatcherInfo>,
}

/// How a matcher is to be loaded anew.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReloadBody {
    /// The settings of the new generation; left out, those of the present one.
    #[schema(value_type = Option<Object>)]
    pub config: Option<Map<String, Value>>,
    /// Whether it begins with nothing learned. What was learned stays beside the file of its state.
    pub forget: bool,
}

/// The loaded matchers with version, mode and weight.
#[utoipa::path(
    get,
    path = "/v1/matchers",
    responses((status = 200, description = "The matchers.", body = MatcherList))
)]
pub(super) async fn list(State(app): State<App>) -> Json<MatcherList> {
    Json(MatcherList { matchers: app.matcher_infos() })
}

/// One matcher: what it is, its settings with their schema, and how its calls went.
#[utoipa::path(
    get,
    path = "/v1/matchers/{id}",
    params(("id" = String, Path, description = "The name that policies call it by.")),
    responses(
        (status = 200, description = "The matcher.", body = MatcherDetail),
        (status = 404, description = "There is none of that name.", body = ErrorBody)
    )
)]
pub(super) async fn one(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<MatcherDetail>, ApiError> {
    app.matcher_detail(&id).map(Json).ok_or_else(|| unknown(&id))
}

/// Loads a matcher's library anew from the configured path, while rankings go on; what it has learned is carried over.
/// Where the new one cannot be used or does not take what was learned, the present one stays.
#[utoipa::path(
    post,
    path = "/v1/matchers/{id}/reload",
    params(("id" = String, Path, description = "The name that policies call it by.")),
    request_body = ReloadBody,
    responses(
        (status = 200, description = "The new generation ranks.", body = MatcherDetail),
        (status = 403, description = "Not for this client.", body = ErrorBody),
        (status = 404, description = "There is none of that name.", body = ErrorBody),
        (status = 422, description = "The new one cannot be used; the present one stays.", body = ErrorBody)
    )
)]
pub(super) async fn reload(
    State(app): State<App>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<MatcherDetail>, ApiError> {
    Caller::of_request(&request).check(app.config().inference.management)?;
    let body: ReloadBody = json::read_or_default(&app, request).await?;
    match app.reload_matcher(&id, Reload { config: body.config, forget: body.forget }).await {
        None => Err(unknown(&id)),
        Some(Err(error)) => Err(ApiError::new(ErrorCode::MatcherRefused, with_causes(&error))),
        Some(Ok(_)) => one(State(app), Path(id)).await,
    }
}

/// Ends a matcher's quarantine: the next ranking asks it again.
#[utoipa::path(
    post,
    path = "/v1/matchers/{id}/reset",
    params(("id" = String, Path, description = "The name that policies call it by.")),
    responses(
        (status = 200, description = "It is asked again.", body = MatcherDetail),
        (status = 403, description = "Not for this client.", body = ErrorBody),
        (status = 404, description = "There is none of that name.", body = ErrorBody)
    )
)]
pub(super) async fn reset(
    State(app): State<App>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<MatcherDetail>, ApiError> {
    Caller::of_request(&request).check(app.config().inference.management)?;
    if !app.reset_matcher(&id) {
        return Err(unknown(&id));
    }
    one(State(app), Path(id)).await
}

fn unknown(id: &str) -> ApiError {
    ApiError::new(ErrorCode::NotFound, format!("there is no matcher {id:?}; see /v1/matchers"))
}
