//! `GET /healthz`, `/readyz` and `/metrics`: for those who run the server.

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ApiError, ErrorBody, ErrorCode};
use crate::app::App;
use crate::telemetry::Metrics;

/// The content type of Prometheus' text format.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// That the server is alive.
#[derive(Debug, Serialize, ToSchema)]
pub struct Liveness {
    /// Always true: what cannot recover by itself answers with an error.
    pub live: bool,
    /// The program's version.
    pub version: &'static str,
}

/// That the server takes work.
#[derive(Debug, Serialize, ToSchema)]
pub struct Readiness {
    /// Always true: what is not ready answers with an error.
    pub ready: bool,
}

/// Says that the server is alive, whether or not it takes work; it is not where only a new start can help.
#[utoipa::path(
    get,
    path = "/healthz",
    responses(
        (status = 200, description = "Alive.", body = Liveness),
        (status = 503, description = "No device can be brought back; start the program anew.", body = ErrorBody)
    )
)]
pub(super) async fn healthz(State(app): State<App>) -> Result<Json<Liveness>, ApiError> {
    if !app.engine().is_alive() {
        return Err(ApiError::new(ErrorCode::EngineStopped, "no device can be brought back"));
    }
    Ok(Json(Liveness { live: true, version: env!("CARGO_PKG_VERSION") }))
}

/// Says whether the server takes work: it does not while it is full or draining, or when a model does not answer.
#[utoipa::path(
    get,
    path = "/readyz",
    responses(
        (status = 200, description = "Ready.", body = Readiness),
        (status = 503, description = "Full, draining, or a model does not answer.", body = ErrorBody)
    )
)]
pub(super) async fn readyz(State(app): State<App>) -> Result<Json<Readiness>, ApiError> {
    check(&app).await?;
    Ok(Json(Readiness { ready: true }))
}

/// Whether the server takes work.
///
/// # Errors
/// `not_ready`, with the reason.
pub(super) async fn check(app: &App) -> Result<(), ApiError> {
    if app.is_draining() {
        return Err(ApiError::new(ErrorCode::NotReady, "the server is draining"));
    }
    if app.is_full() {
        return Err(ApiError::new(ErrorCode::NotReady, "as many requests are in work as the server takes"));
    }
    match app.engine_fault().await {
        None => Ok(()),
        Some(fault) => Err(ApiError::new(ErrorCode::NotReady, fault)),
    }
}

/// All metrics in Prometheus' text format.
#[utoipa::path(
    get,
    path = "/metrics",
    responses((status = 200, description = "The metrics.", body = String, content_type = "text/plain"))
)]
pub(super) async fn metrics(State(app): State<App>) -> Result<Response, ApiError> {
    let metrics =
        Metrics::install().map_err(|error| ApiError::new(ErrorCode::Internal, error.to_string()))?;
    app.publish_metrics();
    Ok(([(CONTENT_TYPE, METRICS_TYPE)], metrics.render()).into_response())
}
