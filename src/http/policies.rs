//! `/v1/policies`: the policies that rank. A change holds at once and until the next start, which takes those of the
//! configuration again.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::guard::Caller;
use super::{ApiError, ErrorBody, ErrorCode, json, status};
use crate::app::{App, AppError};
use crate::routing::{Policies, Policy};

/// All policies.
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyList {
    /// The name of the one that ranks where a request names none.
    pub active: String,
    /// The policies by name.
    pub policies: Vec<Policy>,
}

fn all(policies: &Policies) -> PolicyList {
    let book = policies.book();
    let policies = book.policies().values().map(|policy| Policy::clone(policy)).collect();
    PolicyList { active: book.active().to_owned(), policies }
}

/// All policies.
#[utoipa::path(
    get,
    path = "/v1/policies",
    responses((status = 200, description = "The policies.", body = PolicyList))
)]
pub(super) async fn list(State(app): State<App>) -> Json<PolicyList> {
    Json(app.with_policies(all))
}

/// One policy.
#[utoipa::path(
    get,
    path = "/v1/policies/{name}",
    params(("name" = String, Path, description = "The policy's name.")),
    responses(
        (status = 200, description = "The policy.", body = Policy),
        (status = 404, description = "There is none of that name.", body = ErrorBody)
    )
)]
pub(super) async fn one(State(app): State<App>, Path(name): Path<String>) -> Result<Json<Policy>, ApiError> {
    let found = app.with_policies(|policies| policies.find(Some(&name)));
    Ok(Json(Policy::clone(&*found.map_err(AppError::Routing)?)))
}

/// Adds a policy or replaces the one of this name. It is checked as a whole first, all its faults are answered, and
/// rankings that begin afterwards take it. It is kept until the next start.
#[utoipa::path(
    put,
    path = "/v1/policies/{name}",
    params(("name" = String, Path, description = "The policy's name.")),
    request_body = Policy,
    responses(
        (status = 200, description = "Replaced.", body = Policy),
        (status = 201, description = "Added.", body = Policy),
        (status = 403, description = "Not for this client.", body = ErrorBody),
        (status = 422, description = "Faults, or a matcher that is not loaded.", body = ErrorBody)
    )
)]
pub(super) async fn put(
    State(app): State<App>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    Caller::of_request(&request).check(app.config().inference.management)?;
    json::expect(&request)?;
    let mut body: serde_json::Map<String, serde_json::Value> = json::read(&app, request).await?;
    // The name stands in the address already.
    let named = body.entry("name").or_insert_with(|| name.clone().into());
    if *named != name {
        let message = format!("name: the body says {named}, the address {name:?}");
        return Err(ApiError::new(ErrorCode::PolicyInvalid, message));
    }
    let policy: Policy = serde_json::from_value(body.into())
        .map_err(|error| ApiError::new(ErrorCode::PolicyInvalid, error.to_string()))?;
    let is_new = app.put_policy(policy.clone())?;
    tracing::info!(policy = name, is_new, "a policy was changed on request");
    Ok(if is_new { (status::CREATED, Json(policy)).into_response() } else { Json(policy).into_response() })
}

/// Makes a policy the one that ranks where a request names none, until the next start.
#[utoipa::path(
    post,
    path = "/v1/policies/{name}/activate",
    params(("name" = String, Path, description = "The policy's name.")),
    responses(
        (status = 200, description = "It ranks.", body = PolicyList),
        (status = 403, description = "Not for this client.", body = ErrorBody),
        (status = 404, description = "There is none of that name.", body = ErrorBody)
    )
)]
pub(super) async fn activate(
    State(app): State<App>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Json<PolicyList>, ApiError> {
    Caller::of_request(&request).check(app.config().inference.management)?;
    app.with_policies(|policies| policies.activate(&name)).map_err(AppError::Routing)?;
    tracing::info!(policy = name, "a policy was activated on request");
    Ok(Json(app.with_policies(all)))
}

/// Takes a policy out, until the next start.
#[utoipa::path(
    delete,
    path = "/v1/policies/{name}",
    params(("name" = String, Path, description = "The policy's name.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 403, description = "Not for this client.", body = ErrorBody),
        (status = 404, description = "There is none of that name.", body = ErrorBody),
        (status = 409, description = "It is the active one.", body = ErrorBody)
    )
)]
pub(super) async fn remove(
    State(app): State<App>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    Caller::of_request(&request).check(app.config().inference.management)?;
    app.with_policies(|policies| policies.remove(&name)).map_err(AppError::Routing)?;
    tracing::info!(policy = name, "a policy was taken out on request");
    Ok(status::NOTED.into_response())
}
