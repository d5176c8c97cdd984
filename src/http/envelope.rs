//! What lies around every route: request identifier, size and time limits, panic fence, metrics, error bodies.

use std::any::Any;
use std::time::Instant;

use axum::Json;
use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderValue;
use axum::http::header::{ALLOW, CONTENT_LENGTH, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;

use super::arrival::Pace;
use super::request_id::{self, RequestId};
use super::{ApiError, ErrorBody, ErrorCode, ProtocolError, arrival, status};
use crate::app::App;
use crate::telemetry::{panic_words, record, traces};

/// The metrics' name for paths that are no routes: whatever clients make up is one series.
pub(super) const UNMATCHED: &str = "unmatched";

/// How a key is sent, for clients that have sent none.
const SCHEME: HeaderValue = HeaderValue::from_static("Bearer realm=\"heartline\"");

/// How an error's body looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// The house's own.
    House,
    /// The inference protocol's.
    Protocol,
}

impl Dialect {
    /// The dialect of a path: everything below `/v2` is the protocol's, what is no route included.
    fn of(path: &str) -> Self {
        let rest = path.strip_prefix("/v2");
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
            Self::Protocol
        } else {
            Self::House
        }
    }
}

/// Wraps a request.
pub(super) async fn wrap(State(app): State<App>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let in_flight = record::request_begins();
    let id = RequestId::of(request.headers());
    let route = request.extensions().get::<MatchedPath>().map_or(UNMATCHED, MatchedPath::as_str).to_owned();
    let span = tracing::info_span!(
        "request",
        id = id.as_str(),
        method = %request.method(),
        route,
        key = tracing::field::Empty,
        status = tracing::field::Empty,
        trace_id = tracing::field::Empty,
    );
    traces::join(&span, request.headers());

    let server = &app.config().server;
    let limit = server.max_body_bytes;
    let pace = Pace { base: server.body_timeout, bytes_per_second: server.min_body_bytes_per_second };
    let (request, lateness) = arrival::watch(request, pace);
    let dialect = Dialect::of(request.uri().path());
    let answer = match declared_length(&request) {
        Some(length) if length > limit as u64 => too_large(length, limit).into_response(),
        _ => match tokio::time::timeout(app.request_timeout(), next.run(request).instrument(span.clone()))
            .await
        {
            Ok(_) if lateness.is_late() => {
                let message = "the body came too slowly; see server.body_timeout_ms";
                ApiError::new(ErrorCode::BodyTimeout, message).into_response()
            }
            Ok(response) => response,
            Err(_) => {
                let message =
                    format!("the request took longer than {} ms", app.request_timeout().as_millis());
                ApiError::new(ErrorCode::DeadlineExceeded, message).into_response()
            }
        },
    };
    let mut answer = explain(answer, &id, dialect);
    answer.headers_mut().insert(request_id::HEADER, id.header_value());
    let elapsed = started.elapsed();
    record::request(&route, answer.status().as_u16(), elapsed);
    span.record("status", answer.status().as_u16());
    let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| tracing::debug!(status = answer.status().as_u16(), elapsed_ms, "answered"));
    drop(in_flight);
    answer
}

/// The answer to a request whose handler panicked. The panic's words may hold what a client sent, so they go to the
/// log and not into the answer.
#[expect(clippy::needless_pass_by_value, reason = "the panic fence hands it over like this")]
pub(super) fn after_panic(panic: Box<dyn Any + Send>) -> Response {
    log_panic(&*panic);
    ApiError::new(ErrorCode::Internal, "the server made a mistake; its log has the details").into_response()
}

/// Writes what a handler's panic said to the log.
pub(super) fn log_panic(panic: &(dyn Any + Send)) {
    tracing::error!(panic = panic_words(panic).unwrap_or_default(), "a handler panicked");
}

fn declared_length(request: &Request) -> Option<u64> {
    request.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_large(length: u64, limit: usize) -> ApiError {
    ApiError::new(
        ErrorCode::BodyTooLarge,
        format!("a body of {length} bytes is larger than the limit of {limit}"),
    )
}

/// Gives a failure its body.
fn explain(mut answer: Response, id: &RequestId, dialect: Dialect) -> Response {
    if !status::is_failure(answer.status()) {
        return answer;
    }
    let error = answer
        .extensions_mut()
        .remove::<ApiError>()
        .unwrap_or_else(|| status::refusal(answer.status(), "the request was refused".to_owned()));
    record::failure(error.code.fault(), error.code.name());
    let status = status::of(error.code);
    let mut explained = match dialect {
        Dialect::House => {
            let request_id = id.as_str().to_owned();
            (status, Json(ErrorBody { code: error.code, message: error.message, request_id })).into_response()
        }
        Dialect::Protocol => (status, Json(ProtocolError { error: error.message })).into_response(),
    };
    if let Some(milliseconds) = error.retry_after_ms {
        // The header counts whole seconds; rounding down would invite the client too early.
        explained.headers_mut().insert(RETRY_AFTER, HeaderValue::from(milliseconds.div_ceil(1_000)));
    }
    if error.code == ErrorCode::Unauthenticated {
        explained.headers_mut().insert(WWW_AUTHENTICATE, SCHEME);
    }
    if let Some(methods) = answer.headers_mut().remove(ALLOW) {
        explained.headers_mut().insert(ALLOW, methods);
    }
    explained
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> RequestId {
        RequestId::of(&axum::http::HeaderMap::new())
    }

    #[test]
    fn retry_after_is_rounded_up_to_seconds() {
        for (milliseconds, seconds) in [(1, "1"), (1_000, "1"), (1_001, "2")] {
            let error = ApiError {
                retry_after_ms: Some(milliseconds),
                ..ApiError::new(ErrorCode::Overloaded, "full")
            };
            let answer = explain(error.into_response(), &id(), Dialect::House);
            assert_eq!(answer.headers()[RETRY_AFTER], seconds);
        }
    }

    #[tokio::test]
    async fn failures_of_the_framework_get_our_body() {
        let refused = status::of(ErrorCode::UnsupportedMediaType).into_response();
        let answer = explain(refused, &id(), Dialect::House);
        let bytes = axum::body::to_bytes(answer.into_body(), 4_096).await.unwrap();
        let body: ErrorBody = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(body.code, ErrorCode::UnsupportedMediaType);
        assert_eq!(body.request_id.len(), 36);
    }

    #[tokio::test]
    async fn the_protocol_has_its_own_body() {
        for (path, dialect) in [
            ("/v2", Dialect::Protocol),
            ("/v2/models/none", Dialect::Protocol),
            ("/v21", Dialect::House),
            ("/v1/analyze", Dialect::House),
        ] {
            assert_eq!(Dialect::of(path), dialect, "{path}");
        }
        let error = ApiError::new(ErrorCode::ModelUnknown, "there is none");
        let answer = explain(error.into_response(), &id(), Dialect::Protocol);
        assert_eq!(answer.status(), status::of(ErrorCode::ModelUnknown));
        let bytes = axum::body::to_bytes(answer.into_body(), 4_096).await.unwrap();
        assert_eq!(bytes, r#"{"error":"there is none"}"#);
    }

    #[test]
    fn a_panic_tells_the_client_nothing() {
        let answer = after_panic(Box::new("secret words"));
        let error = answer.extensions().get::<ApiError>().unwrap();
        assert_eq!(error.code, ErrorCode::Internal);
        assert!(!error.message.contains("secret"));
    }
}
