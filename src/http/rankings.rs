//! `/v1/rankings`: rankings that were made. They are remembered for a while, and how their calls ended is taken in.

use axum::Json;
use axum::extract::{Path, Request, State};

use super::{ApiError, ErrorBody, json};
use crate::app::App;
use crate::routing::record::{KeptRanking, OutcomeReport, ReportedOutcome};

/// A ranking as it was made: the request, the policy and the matchers of that moment, and the order.
#[utoipa::path(
    get,
    path = "/v1/rankings/{id}",
    params(("id" = String, Path, description = "The ranking's identifier.")),
    responses(
        (status = 200, description = "The ranking.", body = KeptRanking),
        (status = 404, description = "There is none, or it is too long ago.", body = ErrorBody)
    )
)]
pub(super) async fn one(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<KeptRanking>, ApiError> {
    Ok(Json(app.kept_ranking(id).await?))
}

/// Takes in how the call of a ranking ended, and tells the matchers that learn. The same outcome again changes nothing;
/// another one is refused.
#[utoipa::path(
    post,
    path = "/v1/rankings/{id}/outcome",
    params(("id" = String, Path, description = "The ranking's identifier.")),
    request_body = ReportedOutcome,
    responses(
        (status = 200, description = "Taken in, now or before.", body = OutcomeReport),
        (status = 404, description = "There is no such ranking, or it is too long ago.", body = ErrorBody),
        (status = 409, description = "The ranking has another outcome.", body = ErrorBody),
        (status = 422, description = "An agent who was not ranked, or a number out of range.", body = ErrorBody),
        (status = 429, description = "Full; `Retry-After` says when to try again.", body = ErrorBody)
    )
)]
pub(super) async fn outcome(
    State(app): State<App>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<OutcomeReport>, ApiError> {
    json::expect(&request)?;
    let outcome: ReportedOutcome = json::read(&app, request).await?;
    Ok(Json(app.conclude(id, outcome).await?))
}
