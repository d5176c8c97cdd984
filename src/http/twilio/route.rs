//! `GET /v1/twilio`: the WebSocket that a telephone company opens for a call.

use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use tokio::time::Instant;

use super::call::{Ending, Step};
use super::calls::Calls;
use super::line::{Line, Refusal};
use super::signature;
use crate::app::{App, Seat};
use crate::config::TelephonyConfig;
use crate::http::{Access, ApiError, ErrorBody, ErrorCode, KeyName, sessions};
use crate::live::{CloseReason, LiveError, Transport};

/// How long the other side has to take a goodbye.
const GOODBYE_TIME: Duration = Duration::from_secs(1);

/// The route, with the calls that it keeps in mind.
pub(in crate::http) fn route() -> MethodRouter<App> {
    let calls = Calls::default();
    get(async move |State(app): State<App>, request: Parts, upgrade: Upgrade| {
        twilio(app, calls, &request, upgrade)
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
    request: &Parts,
    upgrade: Upgrade,
) -> Result<Response, ApiError> {
    let (key, access) = (request.extensions.get::<KeyName>(), request.extensions.get::<Access>());
    let asks = authorize(&app.config().telephony, &request.headers, key, access.cloned())?;
    let origin = sessions::origin(&app, key, Transport::Twilio);
    if app.is_draining() {
        return Err(ApiError::new(ErrorCode::NotReady, "the server is stopping"));
    }
    let upgrade = upgrade.map_err(|rejection| {
        ApiError::new(ErrorCode::RequestInvalid, format!("this route takes WebSockets: {rejection}"))
    })?;
    // A message over the limit is counted by the call; the transport's own limit only bounds what is read for that.
    let limit = app.config().telephony.max_message_bytes.saturating_mul(2);
    let upgrade = upgrade.max_message_size(limit).max_frame_size(limit);
    let seat = request.extensions.get::<Seat>().cloned();
    Ok(upgrade.on_upgrade(async move |socket| {
        let line = Line::new(&app, &calls, origin, asks);
        attend(socket, line, app.config().telephony.start_timeout()).await;
        drop(seat);
    }))
}

/// Says who calls, or who is to ask for a key when the stream begins. A key in a header is as good as anywhere; where a
/// token is configured its signature stands for a key, because the company that signs cannot send one; otherwise the
/// key comes with the start.
fn authorize(
    config: &TelephonyConfig,
    headers: &HeaderMap,
    key: Option<&KeyName>,
    access: Option<Access>,
) -> Result<Option<Access>, ApiError> {
    if key.is_some() {
        return Ok(None);
    }
    let token = config.auth_token.as_ref().map(|token| token.reveal());
    if let (Some(token), Some(url)) = (token, &config.public_url) {
        if signature::is_signed(headers, token, url) {
            return Ok(None);
        }
        let message = "the signature is missing or not this account's; see telephony.public_url";
        return Err(ApiError::new(ErrorCode::SignatureInvalid, message));
    }
    Ok(access.filter(|access| access.verify(None).is_err()))
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
    /// It gets no session.
    Refused(Refusal),
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
        Over::Refused(Refusal::Key) => (close_code::POLICY, "the start needs a valid api_key"),
        Over::Refused(Refusal::Session(LiveError::TooManySessions { .. })) => {
            (close_code::AGAIN, "too many calls are open")
        }
        Over::Refused(Refusal::Session(_)) => (close_code::ERROR, "the call cannot be opened"),
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
    use crate::config::{AccessConfig, KeyConfig, Secret};

    /// The hash of "abc".
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn keyed() -> Access {
        let key = KeyConfig {
            name: "desk".to_owned(),
            sha256: ABC.to_owned(),
            requests_per_second: 1,
            burst: 3,
            max_sessions: 1,
        };
        Access::new(&AccessConfig { keys: vec![key], ..AccessConfig::default() })
    }

    #[test]
    fn without_keys_and_token_nobody_is_asked() {
        let access = Access::new(&AccessConfig::default());
        let asks = authorize(&TelephonyConfig::default(), &HeaderMap::new(), None, Some(access)).unwrap();
        assert!(asks.is_none());
    }

    #[test]
    fn with_keys_the_start_must_bring_one_unless_a_header_did() {
        let config = TelephonyConfig::default();
        assert!(authorize(&config, &HeaderMap::new(), None, Some(keyed())).unwrap().is_some());
        let name = KeyName("desk".into());
        assert!(authorize(&config, &HeaderMap::new(), Some(&name), Some(keyed())).unwrap().is_none());
    }

    #[test]
    fn with_a_token_an_unsigned_request_is_refused() {
        let config = TelephonyConfig {
            auth_token: Some(Secret::from("token")),
            public_url: Some("wss://calls.example.com/v1/twilio".to_owned()),
            ..TelephonyConfig::default()
        };
        let error = authorize(&config, &HeaderMap::new(), None, Some(keyed())).unwrap_err();
        assert_eq!(error.code, ErrorCode::SignatureInvalid);
    }
}
