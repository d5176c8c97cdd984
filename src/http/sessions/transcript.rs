//! `POST /v1/sessions/{id}/transcript`: words of a call, for platforms whose speech recognition is elsewhere.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::header::CONTENT_TYPE;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::json::{self, BodyKind};
use super::super::{ApiError, ErrorBody, ErrorCode, status};
use super::{Key, find};
use crate::app::{App, AppError};
use crate::live::{Input, TextPart};

/// The most parts of one request.
const PART_LIMIT: usize = 1_000;

/// Pieces of a transcript.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TranscriptParts {
    /// The pieces, in the order in which they were said.
    pub parts: Vec<TextPart>,
}

/// What was taken.
#[derive(Debug, Serialize, ToSchema)]
pub struct TranscriptTaken {
    /// How many pieces.
    pub taken: usize,
}

/// Hands words in, final or partial: an object with `parts`, or one part a line. All are looked at before the first is
/// taken.
#[utoipa::path(
    post,
    path = "/v1/sessions/{id}/transcript",
    params(("id" = String, Path, description = "The session's identifier.")),
    request_body(
        description = "The words.",
        content((TranscriptParts = "application/json"), (String = "application/jsonl"))
    ),
    responses(
        (status = 200, description = "Taken.", body = TranscriptTaken),
        (status = 404, description = "There is no such session, or not for this key.", body = ErrorBody),
        (status = 415, description = "Neither JSON nor JSON lines.", body = ErrorBody),
        (status = 422, description = "Parts that are not usable.", body = ErrorBody)
    )
)]
pub(in super::super) async fn transcript(
    State(app): State<App>,
    key: Key,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<TranscriptTaken>, ApiError> {
    let session = find(&app, &key, &id)?;
    let parts = if is_lines(&request) {
        let bytes = Bytes::from_request(request, &())
            .await
            .map_err(|rejection| status::refusal(rejection.status(), rejection.body_text()))?;
        app.run_blocking(move || lines(&bytes)).await.map_err(AppError::from)??
    } else if BodyKind::of(&request) == BodyKind::Json {
        json::read::<TranscriptParts>(&app, request).await?.parts
    } else {
        let message = "the content type must be application/json, application/jsonl or application/x-ndjson";
        return Err(ApiError::new(ErrorCode::UnsupportedMediaType, message));
    };
    if parts.len() > PART_LIMIT {
        let message = format!("{} parts are more than {PART_LIMIT}", parts.len());
        return Err(ApiError::new(ErrorCode::TranscriptInvalid, message));
    }
    let count = parts.len();
    for (taken, part) in parts.into_iter().enumerate() {
        session.send(Input::Text(part)).await.map_err(|error| {
            let error = ApiError::from(error);
            ApiError {
                message: format!("part {}: {}; {taken} were taken", taken + 1, error.message),
                ..error
            }
        })?;
    }
    Ok(Json(TranscriptTaken { taken: count }))
}

fn is_lines(request: &Request) -> bool {
    let header =
        request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = header.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    ["application/jsonl", "application/x-ndjson", "application/x-jsonlines"].contains(&essence.as_str())
}

/// Reads one part a line; empty lines are nothing.
fn lines(bytes: &[u8]) -> Result<Vec<TextPart>, ApiError> {
    let lines = bytes.split(|byte| *byte == b'\n').enumerate();
    lines
        .filter(|(_, line)| !line.trim_ascii().is_empty())
        .map(|(index, line)| {
            json::parse(line).map_err(|error| ApiError {
                message: format!("line {}: {}", index + 1, error.message),
                ..error
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_parts_and_a_fault_names_its_line() {
        let text =
            b"{\"track\": 0, \"text\": \"one\"}\r\n\n{\"track\": 1, \"text\": \"two\", \"is_final\": false}";
        let parts = lines(text).unwrap();
        assert_eq!(parts.iter().map(|part| part.is_final).collect::<Vec<_>>(), [true, false]);
        let error = lines(b"{\"track\": 0, \"text\": \"one\"}\n{\"trak\": 0}").unwrap_err();
        assert!(error.message.starts_with("line 2") && error.code == ErrorCode::RequestInvalid, "{error:?}");
        assert_eq!(lines(b"{").unwrap_err().code, ErrorCode::JsonMalformed);
        assert!(lines(b"").unwrap().is_empty());
    }
}
