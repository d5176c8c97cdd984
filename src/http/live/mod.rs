//! Live calls over WebSocket: `/v1/live` opens a session, `/v1/live/{session_id}` takes one up.
//!
//! Text messages carry control by `type`, binary messages carry media behind a header of twelve bytes. docs/streaming.md
//! has every message.

mod connection;
pub mod message;

use axum::Extension;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};

use self::connection::{Opening, attend};
use super::ApiError;
use super::sessions::{self, Key};
use crate::app::{App, Seat};
use crate::live::{LiveError, SessionOptions, Transport};

/// The subprotocol, which a page offers beside its key so that there is one to choose.
const SUBPROTOCOL: &str = "heartline.v1";
/// What a connection reads ahead, in bytes: small, because there is one for each call.
const READ_BUFFER_BYTES: usize = 16 << 10;
/// What may wait to be sent to a client that does not take it, in bytes.
const WRITE_BUFFER_BYTES: usize = 256 << 10;

/// Opens a live call over WebSocket; docs/streaming.md has the messages.
#[utoipa::path(
    get,
    path = "/v1/live",
    responses(
        (status = 101, description = "The connection becomes a WebSocket; `session.created` is its first message."),
        (status = 429, description = "As many calls are open as may be.", body = super::ErrorBody)
    )
)]
pub(super) async fn open(
    State(app): State<App>,
    key: Key,
    seat: Option<Extension<Seat>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    if app.is_draining() {
        return ApiError::from(LiveError::Stopping).into_response();
    }
    // Opened before the upgrade, so that a refusal is an ordinary answer with a status.
    let origin = sessions::origin(&app, key.as_deref(), Transport::WebSocket);
    match app.live().open(SessionOptions::default(), origin) {
        Ok(session) => upgraded(&app, upgrade, Opening::New(session), seat),
        Err(error) => ApiError::from(error).into_response(),
    }
}

/// Takes a live call up again over WebSocket; `session.resume` is the client's first message.
#[utoipa::path(
    get,
    path = "/v1/live/{session_id}",
    params(("session_id" = String, Path, description = "The session's identifier.")),
    responses(
        (status = 101, description = "The connection becomes a WebSocket."),
        (status = 404, description = "There is no such session, or it has ended.", body = super::ErrorBody)
    )
)]
pub(super) async fn resume(
    State(app): State<App>,
    key: Key,
    seat: Option<Extension<Seat>>,
    Path(session_id): Path<String>,
    upgrade: WebSocketUpgrade,
) -> Response {
    match sessions::find(&app, &key, &session_id) {
        Ok(session) => upgraded(&app, upgrade, Opening::Known(session), seat),
        Err(error) => error.into_response(),
    }
}

fn upgraded(
    app: &App,
    upgrade: WebSocketUpgrade,
    opening: Opening,
    seat: Option<Extension<Seat>>,
) -> Response {
    let limit = app.live().config().max_message_bytes + message::HEADER_BYTES;
    let patience = app.config().server.header_timeout;
    upgrade
        .protocols([SUBPROTOCOL])
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(limit.max(WRITE_BUFFER_BYTES))
        .max_message_size(limit)
        .max_frame_size(limit)
        .on_upgrade(async move |socket| {
            attend(socket, opening, patience).await;
            drop(seat);
        })
}
