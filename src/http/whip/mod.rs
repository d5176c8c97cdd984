//! Browsers publish by WHIP (RFC 9725): `POST /v1/whip` opens a session of its own, `POST /v1/whip/{id}` publishes into
//! one that is open. The address in `Location` then changes and ends the publication. docs/webrtc.md explains it.

mod call;
mod trickle;

use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::header::{CONTENT_TYPE, ETAG, HeaderName, IF_MATCH, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use http_body_util::LengthLimitError;

use super::sessions::{self, Key};
use super::{ApiError, ErrorBody, ErrorCode, status};
use crate::app::App;
use crate::live::{LiveError, Transport};
use crate::telemetry::with_causes;
use crate::webrtc::{MAX_OFFER_BYTES, WebRtc, WebRtcError};

use self::call::{Call, Published};

const OFFER: &str = "application/sdp";
const FRAGMENT: &str = "application/trickle-ice-sdpfrag";
/// Which session a publication goes into.
const SESSION: HeaderName = HeaderName::from_static("x-session-id");
const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");
const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");
/// When a browser that found the server full may try again, in milliseconds.
const RETRY_AFTER_MS: u64 = 5_000;

/// Publishes a browser's camera and microphone into a new session.
#[utoipa::path(
    post,
    path = "/v1/whip",
    request_body(content = String, content_type = "application/sdp", description = "The SDP offer: Opus audio, VP8 video."),
    responses(
        (status = 201, description = "The SDP answer; `Location` is the publication, `x-session-id` its session.",
            body = String, content_type = "application/sdp"),
        (status = "4XX", description = "Not an offer, nothing that is taken, too large, too many, or switched off.",
            body = ErrorBody)
    )
)]
pub(super) async fn publish(
    State(app): State<App>,
    key: Key,
    request: Request,
) -> Result<Response, ApiError> {
    let server = server(&app)?;
    let offer = read(request, OFFER).await?;
    let origin = sessions::origin(&app, key.as_deref(), Transport::WebRtc);
    answer(Call::open(&app, server, origin, offer).await?)
}

/// Publishes a browser's camera and microphone into an open session, in place of what was published into it before.
#[utoipa::path(
    post,
    path = "/v1/whip/{id}",
    params(("id" = String, Path, description = "The session's identifier.")),
    request_body(content = String, content_type = "application/sdp", description = "The SDP offer: Opus audio, VP8 video."),
    responses(
        (status = 201, description = "The SDP answer; `Location` is the publication.", body = String,
            content_type = "application/sdp"),
        (status = 404, description = "There is no such session, or browsers may not publish.", body = ErrorBody),
        (status = "4XX", description = "Not an offer, nothing that is taken, too large, or too many.",
            body = ErrorBody)
    )
)]
pub(super) async fn publish_into(
    State(app): State<App>,
    key: Key,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let server = server(&app)?;
    let session = sessions::find(&app, &key, &id)?;
    let offer = read(request, OFFER).await?;
    answer(Call::join(&app, server, session, offer).await?)
}

/// Takes note of a browser's further addresses. The server learns where a browser is from its packets, so that nothing
/// is done with them.
#[utoipa::path(
    patch,
    path = "/v1/whip/{id}",
    params(("id" = String, Path, description = "The publication's identifier, from `Location`.")),
    request_body(content = String, content_type = "application/trickle-ice-sdpfrag", description = "ICE candidates."),
    responses(
        (status = 204, description = "Noted."),
        (status = 404, description = "There is no such publication, or it has ended.", body = ErrorBody),
        (status = 412, description = "`If-Match` names another ICE session.", body = ErrorBody),
        (status = 422, description = "An ICE restart, which is not supported.", body = ErrorBody),
        (status = 428, description = "`If-Match` is missing.", body = ErrorBody)
    )
)]
pub(super) async fn trickle(
    State(app): State<App>,
    Path(id): Path<String>,
    request: Request,
) -> Result<StatusCode, ApiError> {
    let server = server(&app)?;
    let fragment = server.fragment(&id).ok_or_else(unknown)?;
    let condition = request.headers().get(IF_MATCH).cloned();
    read(request, FRAGMENT).await?;
    trickle::check(condition.as_ref(), &entity_tag(&fragment))?;
    Ok(status::NOTED)
}

/// Ends a publication, and its session where that was opened by it.
#[utoipa::path(
    delete,
    path = "/v1/whip/{id}",
    params(("id" = String, Path, description = "The publication's identifier, from `Location`.")),
    responses(
        (status = 200, description = "Ended."),
        (status = 404, description = "There is no such publication, or it has ended.", body = ErrorBody)
    )
)]
pub(super) async fn end(State(app): State<App>, Path(id): Path<String>) -> Result<(), ApiError> {
    if server(&app)?.close(&id) { Ok(()) } else { Err(unknown()) }
}

/// Says what may be posted.
#[utoipa::path(options, path = "/v1/whip", responses((status = 204, description = "`Accept-Post` has the content type.")))]
pub(super) async fn describe() -> Response {
    (status::NOTED, [(ACCEPT_POST, OFFER)]).into_response()
}

/// Says what may be posted and patched.
#[utoipa::path(
    options,
    path = "/v1/whip/{id}",
    params(("id" = String, Path, description = "A session or a publication.")),
    responses((status = 204, description = "`Accept-Post` and `Accept-Patch` have the content types."))
)]
pub(super) async fn describe_one() -> Response {
    (status::NOTED, [(ACCEPT_POST, OFFER), (ACCEPT_PATCH, FRAGMENT)]).into_response()
}

fn server(app: &App) -> Result<&WebRtc, ApiError> {
    if app.is_draining() {
        return Err(LiveError::Stopping.into());
    }
    app.webrtc().ok_or_else(|| {
        let message = "browsers may not publish to this server; webrtc.enabled lets them";
        ApiError::new(ErrorCode::WebrtcOff, message)
    })
}

fn unknown() -> ApiError {
    ApiError::new(ErrorCode::PublicationNotFound, "there is no such publication, or it has ended")
}

/// The body of a request, which must be text of this type and short.
async fn read(request: Request, content_type: &'static str) -> Result<String, ApiError> {
    if essence(request.headers()) != content_type {
        let message = format!("the content type must be {content_type}");
        return Err(ApiError::new(ErrorCode::UnsupportedMediaType, message));
    }
    let bytes = axum::body::to_bytes(request.into_body(), MAX_OFFER_BYTES).await.map_err(unreadable)?;
    text(&bytes)
}

fn essence(headers: &HeaderMap) -> String {
    let header = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    header.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn unreadable(error: axum::Error) -> ApiError {
    if error.into_inner().is::<LengthLimitError>() {
        let message = format!("the body is larger than {MAX_OFFER_BYTES} bytes");
        return ApiError::new(ErrorCode::BodyTooLarge, message);
    }
    ApiError::new(ErrorCode::BodyUnreadable, "the body could not be read")
}

fn text(bytes: &Bytes) -> Result<String, ApiError> {
    let text = std::str::from_utf8(bytes);
    text.map(str::to_owned).map_err(|_| ApiError::new(ErrorCode::SdpInvalid, "the body is not UTF-8"))
}

fn answer(published: Published) -> Result<Response, ApiError> {
    let header = |value: String| {
        HeaderValue::from_str(&value).map_err(|error| ApiError::new(ErrorCode::Internal, error.to_string()))
    };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(OFFER)),
        (LOCATION, header(format!("/v1/whip/{}", published.id))?),
        (ETAG, entity_tag(&published.fragment)),
        (ACCEPT_PATCH, HeaderValue::from_static(FRAGMENT)),
        (SESSION, header(published.session)?),
    ];
    Ok((status::CREATED, headers, published.answer).into_response())
}

/// The name of an ICE session, as RFC 9725 wants it: our user fragment is one.
fn entity_tag(fragment: &str) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{fragment}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

impl From<WebRtcError> for ApiError {
    fn from(error: WebRtcError) -> Self {
        let code = match &error {
            WebRtcError::Full { .. } => ErrorCode::Overloaded,
            WebRtcError::OfferTooLarge { .. } => ErrorCode::BodyTooLarge,
            WebRtcError::OfferUnreadable(_) | WebRtcError::OfferRefused(_) => ErrorCode::SdpInvalid,
            WebRtcError::NothingToReceive => ErrorCode::MediaUnsupported,
            WebRtcError::Bind { .. } | WebRtcError::Socket(_) | WebRtcError::Certificate => {
                tracing::error!(error = with_causes(&error), "a browser could not be taken in");
                return Self::new(ErrorCode::Internal, "the server could not take the browser in");
            }
        };
        let retry_after_ms = (code == ErrorCode::Overloaded).then_some(RETRY_AFTER_MS);
        Self { code, message: with_causes(&error), retry_after_ms }
    }
}
