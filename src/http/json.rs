//! JSON bodies: read within the limits, parsed on a worker, every fault with its code.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;

use super::{ApiError, ErrorCode, status};
use crate::app::{App, AppError};

/// A body's kind, by its content type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyKind {
    /// `application/json`, or a type that ends in `+json`.
    Json,
    /// `multipart/form-data`.
    Multipart,
    /// Anything else, or nothing.
    Other,
}

impl BodyKind {
    /// The kind of a request's body.
    pub(super) fn of(request: &Request) -> Self {
        let header =
            request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = header.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/json" => Self::Json,
            "multipart/form-data" => Self::Multipart,
            other if other.starts_with("application/") && other.ends_with("+json") => Self::Json,
            _ => Self::Other,
        }
    }
}

/// Refuses a request whose body is not said to be JSON.
pub(super) fn expect(request: &Request) -> Result<(), ApiError> {
    if BodyKind::of(request) == BodyKind::Json {
        return Ok(());
    }
    Err(ApiError::new(ErrorCode::UnsupportedMediaType, "the content type must be application/json"))
}

/// Reads and parses a JSON body.
pub(super) async fn read<T>(app: &App, request: Request) -> Result<T, ApiError>
where
    T: DeserializeOwned + Send + 'static,
{
    let bytes = Bytes::from_request(request, &())
        .await
        .map_err(|rejection| status::refusal(rejection.status(), rejection.body_text()))?;
    app.run_blocking(move || parse(&bytes)).await.map_err(AppError::from)?
}

/// As [`read`], and no body at all stands for the default.
pub(super) async fn read_or_default<T>(app: &App, request: Request) -> Result<T, ApiError>
where
    T: DeserializeOwned + Default + Send + 'static,
{
    let bytes = Bytes::from_request(request, &())
        .await
        .map_err(|rejection| status::refusal(rejection.status(), rejection.body_text()))?;
    if bytes.is_empty() {
        return Ok(T::default());
    }
    app.run_blocking(move || parse(&bytes)).await.map_err(AppError::from)?
}

/// Parses JSON: what is no JSON is malformed, what is JSON with other fields is invalid.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(bytes).map_err(|error| {
        let code = if error.is_data() { ErrorCode::RequestInvalid } else { ErrorCode::JsonMalformed };
        ApiError::new(code, format!("the body is not usable: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(content_type: &str) -> BodyKind {
        let request = Request::builder().header(CONTENT_TYPE, content_type).body(axum::body::Body::empty());
        BodyKind::of(&request.unwrap())
    }

    #[test]
    fn content_types_are_told_apart() {
        assert_eq!(kind("application/json; charset=utf-8"), BodyKind::Json);
        assert_eq!(kind("Application/Problem+JSON"), BodyKind::Json);
        assert_eq!(kind("multipart/form-data; boundary=x"), BodyKind::Multipart);
        assert_eq!(kind("text/plain"), BodyKind::Other);
        assert_eq!(BodyKind::of(&Request::new(axum::body::Body::empty())), BodyKind::Other);
    }

    #[test]
    fn malformed_and_invalid_are_told_apart() {
        let code = |text: &str| parse::<Vec<u8>>(text.as_bytes()).unwrap_err().code;
        assert_eq!(code("[1, 2"), ErrorCode::JsonMalformed);
        assert_eq!(code("nonsense"), ErrorCode::JsonMalformed);
        assert_eq!(code("[\"a\"]"), ErrorCode::RequestInvalid);
        assert_eq!(parse::<Vec<u8>>(b"[1]").unwrap(), [1]);
    }
}
