//! Reads the multipart form of `POST /v1/analyze`, each part within its own limit.

use std::path::Path;

use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, Multipart, Request};

use super::{ApiError, ErrorCode, json, status};
use crate::app::{AgentList, App, AppError, CallMaterial, EncodedFrame, Frames, transcript_from_bytes};
use crate::media::frame_time_ms;

/// The names of the parts.
const PART_NAMES: &str = "audio, frame, transcript, agents, options";
/// The largest options part, in bytes.
const OPTIONS_LIMIT: usize = 64 << 10;

/// Reads a form.
pub(super) async fn read(app: &App, request: Request) -> Result<CallMaterial, ApiError> {
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|rejection| ApiError::new(ErrorCode::MultipartMalformed, rejection.body_text()))?;
    let limits = &app.config().media;
    let mut material = CallMaterial::default();
    let mut frames = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    while let Some(mut field) = form.next_field().await.map_err(|error| broken(&error))? {
        let name = field.name().unwrap_or_default().to_owned();
        if name != "frame" && seen.contains(&name) {
            return Err(ApiError::new(
                ErrorCode::RequestInvalid,
                format!("the part \"{name}\" is there twice"),
            ));
        }
        match name.as_str() {
            "audio" => {
                let code = ErrorCode::AudioTooLarge;
                material.audio = Some(collect(&mut field, "audio", limits.max_audio_bytes, code).await?);
            }
            "frame" => {
                if frames.len() == limits.max_frames {
                    let message = format!("there are more frames than the limit of {}", limits.max_frames);
                    return Err(ApiError::new(ErrorCode::FrameTooLarge, message));
                }
                let timestamp_ms = field.file_name().and_then(|name| frame_time_ms(Path::new(name)));
                let code = ErrorCode::FrameTooLarge;
                let bytes = collect(&mut field, "frame", limits.max_image_bytes, code).await?;
                frames.push(EncodedFrame { timestamp_ms, bytes });
            }
            "transcript" => {
                let code = ErrorCode::TranscriptInvalid;
                let bytes = collect(&mut field, "transcript", limits.max_transcript_bytes, code).await?;
                let limits = limits.clone();
                let parsed = app.run_blocking(move || transcript_from_bytes(&bytes, &limits)).await;
                material.transcript = Some(parsed.map_err(AppError::from)??);
            }
            "agents" => {
                let code = ErrorCode::BodyTooLarge;
                let bytes = collect(&mut field, "agents", app.config().server.max_body_bytes, code).await?;
                material.agents = Some(AgentList::Json(bytes));
            }
            "options" => {
                let bytes = collect(&mut field, "options", OPTIONS_LIMIT, ErrorCode::OptionsInvalid).await?;
                material.options = json::parse(&bytes).map_err(|error| {
                    ApiError::new(ErrorCode::OptionsInvalid, format!("in the options, {}", error.message))
                })?;
            }
            _ => {
                let message = format!("unknown part \"{name}\"; expected {PART_NAMES}");
                return Err(ApiError::new(ErrorCode::RequestInvalid, message));
            }
        }
        seen.push(name);
    }
    if !frames.is_empty() {
        material.frames = Frames::Encoded(frames);
    }
    Ok(material)
}

/// Reads one part; what is beyond its limit is never in memory.
async fn collect(
    field: &mut Field<'_>,
    name: &str,
    limit: usize,
    code: ErrorCode,
) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|error| broken(&error))? {
        if bytes.len() + chunk.len() > limit {
            return Err(ApiError::new(
                code,
                format!("the part \"{name}\" is larger than the limit of {limit} bytes"),
            ));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// A form that broke off, or grew beyond the body's limit.
fn broken(error: &MultipartError) -> ApiError {
    let refusal = status::refusal(error.status(), error.body_text());
    match refusal.code {
        ErrorCode::BodyTooLarge => refusal,
        _ => ApiError::new(ErrorCode::MultipartMalformed, refusal.message),
    }
}
