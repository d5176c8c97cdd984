//! `GET /v1/twilio`: the WebSocket that a telephone company opens for a call.

use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use tokio::time::Instant;

use super::call::{Ending, Step};
use super::calls::Calls;
use super::line::Line;
use super::signature;
use crate::app::App;
use crate::config::TelephonyConfig;
use crate::http::sessions::{self, Key};
use crate::http::{ApiError, ErrorBody, ErrorCode, KeyName};
use crate::live::{CloseReason, LiveError, Origin, Transport};

/// How long the other side has to take a goodbye.
const GOODBYE_TIME: Duration = Duration::from_secs(1);

/// The route, with the calls that it keeps in mind.
pub(in crate::http) fn route() -> MethodRouter<App> {
    let calls = Calls::default();
    get(async move |State(app): State<App>, key: Key, headers: HeaderMap, upgrade: Upgrade| {
        let origin = authorize(&app, &headers, key.as_deref())?;
        twilio(app, calls, origin, upgrade)
    })
}

type Upgrade = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

/// Takes a telephone call.
#[utoipa::path(
    get,
    path = "/v1/twilio",
    responses(
        (status = 101, description = "A WebSocket with the messages of Twilio Media Streams or a related dialect; \
                                      see docs/telephony.md. Nothing is sent to the telephone's side."),
        (status = 401, description = "The server has keys, and there is neither a key nor a signature.", body = ErrorBody),
        (status = 403, description = "The request is not signed by the account.", body = ErrorBody),
        (status = 422, description = "The request opens no WebSocket.", body = ErrorBody),
        (status = 503, description = "The server is stopping.", body = ErrorBody)
    )
)]
pub(in crate::http) fn twilio(
    app: App,
    calls: Calls,
    origin: Origin,
    upgrade: Upgrade,
) -> Result<Response, ApiError> {
    if app.is_draining() {
        return Err(ApiError::new(ErrorCode::NotReady, "the server is stopping"));
    }
    let upgrade = upgrade.map_err(|rejection| {
        ApiError::new(ErrorCode::RequestInvalid, format!("this route takes WebSockets: {rejection}"))
    })?;
    // A message over the limit is counted by the call; the transport's own limit only bounds what is read for that.
    let limit = app.config().telephony.max_message_bytes.saturating_mul(2);
    let upgrade = upgrade.max_message_size(limit).max_frame_size(limit);
    Ok(upgrade.on_upgrade(async move |socket| {
        let line = Line::new(&app, &calls, origin);
        attend(socket, line, app.config().telephony.start_timeout()).await;
    }))
}

/// Says who calls. Where a token is configured its signature stands for an API key, because a telephone company cannot
/// send one.
fn authorize(app: &App, headers: &HeaderMap, key: Option<&KeyName>) -> Result<Origin, ApiError> {
    let needs_key = !app.config().access.keys.is_empty();
    check(&app.config().telephony, headers, needs_key && key.is_none())?;
    Ok(sessions::origin(app, key, Transport::Twilio))
}

/// Checks the signature; `is_stranger` says that a key is needed and there is none.
fn check(config: &TelephonyConfig, headers: &HeaderMap, is_stranger: bool) -> Result<(), ApiError> {
    let token = config.auth_token.as_ref().map(|token| token.reveal());
    if token.is_none() && is_stranger {
        let message =
            "this server has keys: send one, or let the telephone company sign (telephony.auth_token)";
        return Err(ApiError::new(ErrorCode::Unauthenticated, message));
    }
    if let (Some(token), Some(url)) = (token, &config.public_url)
        && !signature::is_signed(headers, token, url)
    {
        let message = "the signature is missing or not this account's; see telephony.public_url";
        return Err(ApiError::new(ErrorCode::SignatureInvalid, message));
    }
    Ok(())
}

/// How a connection ended.
#[derive(Debug)]
enum Over {
    /// As the call says.
    Call(Ending),
    /// The other side went without a word; it may come back.
    Left,
    /// No stream began in time.
    NotStarted,
    /// There is no room for its session.
    Refused(LiveError),
    /// The session ended by itself.
    SessionEnded,
}

/// Leads a connection through its call.
async fn attend(mut socket: WebSocket, mut line: Line, start_time: Duration) {
    let start_by = Instant::now() + start_time;
    let over = loop {
        let message = tokio::select! {
            message = socket.recv() => message,
            () = line.ended() => break Over::SessionEnded,
            () = tokio::time::sleep_until(start_by), if !line.is_open() => break Over::NotStarted,
        };
        let step = match message {
            Some(Ok(Message::Text(text))) => line.call.take_text(&text),
            Some(Ok(Message::Binary(bytes))) => line.call.take_binary(bytes),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
            // The dialect of bare samples has no other way to say that the call is over.
            Some(Ok(Message::Close(_))) if line.call.is_binary() => break Over::Call(Ending::Stopped),
            Some(Ok(Message::Close(_)) | Err(_)) | None => break Over::Left,
        };
        line.tell_of_agent().await;
        let is_taken = match step {
            Step::Nothing => true,
            Step::Open(opening) => match line.open(&opening) {
                Ok(()) => true,
                Err(error) => break Over::Refused(error),
            },
            Step::Sound(sounds) => line.pass(sounds).await,
            Step::End(ending, rest) => {
                line.pass(rest).await;
                break Over::Call(ending);
            }
        };
        if !is_taken {
            break Over::SessionEnded;
        }
    };
    finish(socket, line, over).await;
}

/// Ends a connection, and its session where the call is over.
async fn finish(mut socket: WebSocket, mut line: Line, over: Over) {
    let rest = line.call.rest();
    line.pass(rest).await;
    tracing::info!(session = line.session(), ?over, counts = ?line.call.counts(), "a telephone connection ended");
    let (code, reason) = match &over {
        Over::Call(Ending::Stopped) => (close_code::NORMAL, ""),
        Over::Call(Ending::TooManyFaults) => (close_code::POLICY, "too many faulty messages"),
        Over::Call(Ending::Format(_)) => (close_code::UNSUPPORTED, "the encoding cannot be read"),
        Over::Left => (close_code::NORMAL, ""),
        Over::NotStarted => (close_code::POLICY, "no stream began"),
        Over::Refused(LiveError::TooManySessions { .. }) => (close_code::AGAIN, "too many calls are open"),
        Over::Refused(_) => (close_code::ERROR, "the call cannot be opened"),
        Over::SessionEnded => (close_code::AWAY, "the session has ended"),
    };
    let goodbye = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
    // Whoever does not take a goodbye has gone already.
    let _ = tokio::time::timeout(GOODBYE_TIME, socket.send(goodbye)).await;
    drop(socket);
    match over {
        Over::Left => line.leave(),
        Over::Call(Ending::TooManyFaults) => drop(line.close(CloseReason::TooManyFaults).await),
        _ => drop(line.close(CloseReason::Requested).await),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    #[test]
    fn without_a_token_nobody_is_asked_unless_the_server_has_keys() {
        check(&TelephonyConfig::default(), &HeaderMap::new(), false).unwrap();
        let error = check(&TelephonyConfig::default(), &HeaderMap::new(), true).unwrap_err();
        assert_eq!(error.code, ErrorCode::Unauthenticated);
    }

    #[test]
    fn with_a_token_an_unsigned_request_is_refused() {
        let config = TelephonyConfig {
            auth_token: Some(Secret::from("token")),
            public_url: Some("wss://calls.example.com/v1/twilio".to_owned()),
            ..TelephonyConfig::default()
        };
        let error = check(&config, &HeaderMap::new(), true).unwrap_err();
        assert_eq!(error.code, ErrorCode::SignatureInvalid);
    }
}
