//! `POST /v1/rank`: agents are ranked for an emotion vector that the caller has already.

use axum::Json;
use axum::extract::{Request, State};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{ApiError, ErrorBody, json};
use crate::app::{AgentList, App};
use crate::routing::{Agent, Ranking, RankingRequest};

/// Who is to be ranked, and for whom.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RankBody {
    /// The customer's state and needs.
    pub request: RankingRequest,
    /// The agents.
    #[schema(value_type = Vec<Agent>)]
    pub agents: Value,
}

/// Ranks agents for a customer whose state is known.
#[utoipa::path(
    post,
    path = "/v1/rank",
    request_body = RankBody,
    responses(
        (status = 200, description = "The agents in order, with every factor.", body = Ranking),
        (status = 400, description = "Malformed JSON.", body = ErrorBody),
        (status = 413, description = "The body is beyond its limit.", body = ErrorBody),
        (status = 415, description = "Not JSON.", body = ErrorBody),
        (status = 422, description = "Well-formed, but not usable.", body = ErrorBody),
        (status = 429, description = "Full; `Retry-After` says when to try again.", body = ErrorBody),
        (status = "5XX", description = "The server or the matchers failed, or the deadline passed.", body = ErrorBody)
    )
)]
pub(super) async fn rank(State(app): State<App>, request: Request) -> Result<Json<Ranking>, ApiError> {
    json::expect(&request)?;
    let place = app.admit()?;
    let body: RankBody = json::read(&app, request).await?;
    Ok(Json(app.rank_admitted(place, body.request, AgentList::Parsed(body.agents)).await?))
}
