//! `/v1/sessions`: live calls by plain requests. They are opened, shown, changed and ended here, and words are handed in;
//! `events` tells what they say.
//!
//! A session belongs to the key that opened it. For every other key it is not there.

pub(super) mod events;
pub(super) mod transcript;

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ApiError, ErrorBody, KeyName, json, status};
use crate::app::App;
use crate::live::{
    CloseReason, Input, LiveError, Origin, Session, SessionInfo, SessionOptions, SessionUpdate, Summary,
    Transport,
};

pub use transcript::{TranscriptParts, TranscriptTaken};

/// The key of a request, if the server asks for one.
pub(super) type Key = Option<Extension<KeyName>>;

/// A session that was opened.
#[derive(Debug, Serialize, ToSchema)]
pub struct OpenedSession {
    /// The session's identifier.
    pub session_id: String,
    /// With this a WebSocket takes the session over.
    pub resume_token: String,
    /// How long the session lives without any message, in milliseconds.
    pub idle_timeout_ms: u64,
    /// How long it lives at most, in milliseconds.
    pub max_duration_ms: u64,
}

/// The open sessions of a key.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionList {
    /// The sessions, the oldest first.
    pub sessions: Vec<SessionInfo>,
}

/// Where a session comes from, with what its key may have.
pub(super) fn origin(app: &App, key: Option<&KeyName>, transport: Transport) -> Origin {
    let most = key.and_then(|key| app.config().access.key(&key.0)).map(|key| key.max_sessions as usize);
    Origin { transport, key: key.map(|key| Arc::clone(&key.0)), max_sessions: most }
}

/// The session of this identifier, if it belongs to the key.
pub(super) fn find(app: &App, key: &Key, id: &str) -> Result<Session, ApiError> {
    let owner = key.as_ref().map(|key| &*key.0.0);
    let session = app.live().find(id).filter(|session| session.key() == owner);
    session.ok_or_else(|| ApiError::from(LiveError::NotFound))
}

async fn read<T>(app: &App, request: Request) -> Result<T, ApiError>
where
    T: serde::de::DeserializeOwned + Send + 'static,
{
    json::expect(&request)?;
    json::read(app, request).await
}

/// Opens a session. Words are handed in by request; media come by a WebSocket that takes the session over.
#[utoipa::path(
    post,
    path = "/v1/sessions",
    request_body = SessionOptions,
    responses(
        (status = 201, description = "Open; `Location` says where.", body = OpenedSession),
        (status = 403, description = "A track of an agent, without a lawful basis.", body = ErrorBody),
        (status = 422, description = "Options that are not usable.", body = ErrorBody),
        (status = 429, description = "The server or the key has as many sessions as may be.", body = ErrorBody)
    )
)]
pub(super) async fn open(State(app): State<App>, key: Key, request: Request) -> Result<Response, ApiError> {
    let options: SessionOptions = read(&app, request).await?;
    let origin = origin(&app, key.as_deref(), Transport::Http);
    let session = app.live().open(options, origin)?;
    let live = app.live().config();
    let opened = OpenedSession {
        session_id: session.id().to_owned(),
        resume_token: session.resume_token().to_owned(),
        idle_timeout_ms: live.idle_timeout_ms,
        max_duration_ms: live.max_duration_ms,
    };
    let location = format!("/v1/sessions/{}", session.id());
    Ok((status::CREATED, [(LOCATION, location)], Json(opened)).into_response())
}

/// The open sessions of this key as they are now.
#[utoipa::path(
    get,
    path = "/v1/sessions",
    responses((status = 200, description = "The sessions.", body = SessionList))
)]
pub(super) async fn list(State(app): State<App>, key: Key) -> Json<SessionList> {
    let owner = key.as_ref().map(|key| &*key.0.0);
    let sessions = app.live().sessions();
    Json(SessionList {
        sessions: sessions.iter().filter(|session| session.key() == owner).map(Session::info).collect(),
    })
}

/// One session as it is now: the customer's state, the last ranking, totals.
#[utoipa::path(
    get,
    path = "/v1/sessions/{id}",
    params(("id" = String, Path, description = "The session's identifier.")),
    responses(
        (status = 200, description = "The session.", body = SessionInfo),
        (status = 404, description = "There is none, or not for this key.", body = ErrorBody)
    )
)]
pub(super) async fn info(
    State(app): State<App>,
    key: Key,
    Path(id): Path<String>,
) -> Result<Json<SessionInfo>, ApiError> {
    Ok(Json(find(&app, &key, &id)?.info()))
}

/// Changes what is known of a call: agents, needs, language, waiting time. What is left out stays.
#[utoipa::path(
    patch,
    path = "/v1/sessions/{id}",
    params(("id" = String, Path, description = "The session's identifier.")),
    request_body = SessionUpdate,
    responses(
        (status = 200, description = "Taken; the next ranking has it.", body = SessionInfo),
        (status = 404, description = "There is none, or not for this key.", body = ErrorBody),
        (status = 422, description = "Values that are not usable.", body = ErrorBody)
    )
)]
pub(super) async fn update(
    State(app): State<App>,
    key: Key,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<SessionInfo>, ApiError> {
    let session = find(&app, &key, &id)?;
    let update: SessionUpdate = read(&app, request).await?;
    session.send(Input::Update(Box::new(update))).await?;
    Ok(Json(session.info()))
}

/// Ends a session and answers its summary, when what came in is read.
#[utoipa::path(
    delete,
    path = "/v1/sessions/{id}",
    params(("id" = String, Path, description = "The session's identifier.")),
    responses(
        (status = 200, description = "Ended.", body = Summary),
        (status = 404, description = "There is none, or not for this key.", body = ErrorBody)
    )
)]
pub(super) async fn close(
    State(app): State<App>,
    key: Key,
    Path(id): Path<String>,
) -> Result<Json<Summary>, ApiError> {
    let summary = find(&app, &key, &id)?.close(CloseReason::Requested).await?;
    Ok(Json((*summary).clone()))
}
