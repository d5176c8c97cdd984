//! `POST /v1/analyze`: one call's material in, its emotion vector and ranking out.

use axum::Json;
use axum::extract::{Request, State};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::json::{self, BodyKind};
use super::{ApiError, ErrorBody, ErrorCode, multipart};
use crate::app::{
    AgentList, App, AppError, CallAnalysis, CallMaterial, CallOptions, EncodedFrame, Frames,
    transcript_from_json,
};
use crate::media::MediaLimits;
use crate::routing::Agent;

/// The material of one call as JSON. Every part may be left out, but not all of audio, frames and transcript.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnalyzeBody {
    /// The audio.
    pub audio: Option<AudioPart>,
    /// Pictures of the customer.
    #[serde(default)]
    pub frames: Vec<FramePart>,
    /// What was said.
    #[schema(value_type = Option<TranscriptPart>)]
    pub transcript: Option<Value>,
    /// The agents to rank.
    #[schema(value_type = Option<Vec<Agent>>)]
    pub agents: Option<Value>,
    /// How to read all this.
    #[serde(default)]
    pub options: CallOptions,
}

/// Audio in JSON.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AudioPart {
    /// The file in base64: WAV, FLAC, MP3, Ogg Vorbis, AAC or M4A, or raw samples where `options.audio_format` says so.
    #[schema(content_encoding = "base64")]
    pub data: String,
}

/// One picture in JSON.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FramePart {
    /// The file in base64: JPEG, PNG or WebP.
    #[schema(content_encoding = "base64")]
    pub data: String,
    /// Its media time in milliseconds; left out, it follows the one before by `options.frame_interval_ms`.
    pub timestamp_ms: Option<u64>,
}

/// A transcript in JSON: a text with one utterance a line, or a list.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum TranscriptPart {
    /// Lines such as `[00:01.5 --> 00:03.2] customer: words`; times and speakers may be left out.
    Lines(String),
    /// Utterances.
    Utterances(Vec<UtterancePart>),
}

/// One utterance of a transcript in JSON.
#[derive(Debug, Deserialize, ToSchema)]
pub struct UtterancePart {
    /// When it begins, in milliseconds of media time.
    pub start_ms: Option<u64>,
    /// When it ends, in milliseconds of media time.
    pub end_ms: Option<u64>,
    /// Who speaks: `customer` (also where it is left out), `agent` or another name.
    pub speaker: Option<String>,
    /// The words.
    pub text: String,
}

/// The material of one call as a multipart form. Only the document uses this type: the form itself is read part by
/// part, so that each part's own limit holds before it is in memory.
#[derive(ToSchema)]
#[allow(dead_code, reason = "a schema for the document")]
pub(super) struct AnalyzeForm {
    /// The audio file.
    #[schema(value_type = Option<String>, format = Binary)]
    audio: Option<Vec<u8>>,
    /// Pictures; the part may be repeated. A file name such as `1500ms.jpg` says the media time.
    #[schema(value_type = Vec<String>, format = Binary)]
    frame: Vec<Vec<u8>>,
    /// The transcript, as lines or as JSON.
    transcript: Option<String>,
    /// The agents, a JSON list.
    #[schema(value_type = Option<String>)]
    agents: Option<Vec<Agent>>,
    /// The options, a JSON object.
    #[schema(value_type = Option<String>)]
    options: Option<CallOptions>,
}

/// Analyses one call: expressions observed in words, voice and face, and the agents who could take it.
#[utoipa::path(
    post,
    path = "/v1/analyze",
    request_body(
        description = "The material of one call.",
        content((AnalyzeForm = "multipart/form-data"), (AnalyzeBody = "application/json"))
    ),
    responses(
        (status = 200, description = "The analysis.", body = CallAnalysis),
        (status = 400, description = "Malformed body or unreadable media.", body = ErrorBody),
        (status = 403, description = "Material of an agent, without a lawful basis.", body = ErrorBody),
        (status = 413, description = "The body or its media are beyond a limit.", body = ErrorBody),
        (status = 415, description = "Neither JSON nor a multipart form.", body = ErrorBody),
        (status = 422, description = "Well-formed, but not usable.", body = ErrorBody),
        (status = 429, description = "Full; `Retry-After` says when to try again.", body = ErrorBody),
        (status = "5XX", description = "The server or a model failed, or the deadline passed.", body = ErrorBody)
    )
)]
pub(super) async fn analyze(
    State(app): State<App>,
    request: Request,
) -> Result<Json<CallAnalysis>, ApiError> {
    let kind = BodyKind::of(&request);
    if kind == BodyKind::Other {
        let message = "the content type must be multipart/form-data or application/json";
        return Err(ApiError::new(ErrorCode::UnsupportedMediaType, message));
    }
    let place = app.admit()?;
    let material = if kind == BodyKind::Multipart {
        multipart::read(&app, request).await?
    } else {
        let body: AnalyzeBody = json::read(&app, request).await?;
        let limits = app.config().media.clone();
        app.run_blocking(move || material_of(body, &limits)).await.map_err(AppError::from)??
    };
    Ok(Json(app.analyze_admitted(place, material).await?))
}

fn material_of(body: AnalyzeBody, limits: &MediaLimits) -> Result<CallMaterial, ApiError> {
    let audio = match body.audio {
        Some(part) => Some(decode("audio.data", &part.data, ErrorCode::AudioUnreadable)?),
        None => None,
    };
    let frames: Vec<EncodedFrame> = body
        .frames
        .iter()
        .enumerate()
        .map(|(index, part)| {
            let bytes = decode(&format!("frames[{index}].data"), &part.data, ErrorCode::FrameUnreadable)?;
            Ok(EncodedFrame { timestamp_ms: part.timestamp_ms, bytes })
        })
        .collect::<Result<_, ApiError>>()?;
    Ok(CallMaterial {
        audio,
        frames: if frames.is_empty() { Frames::None } else { Frames::Encoded(frames) },
        transcript: body.transcript.map(|value| transcript_from_json(&value, limits)).transpose()?,
        agents: body.agents.map(AgentList::Parsed),
        options: body.options,
    })
}

fn decode(field: &str, text: &str, code: ErrorCode) -> Result<Vec<u8>, ApiError> {
    BASE64_STANDARD
        .decode(text)
        .map_err(|error| ApiError::new(code, format!("{field} is not base64: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn material(text: &str) -> Result<CallMaterial, ApiError> {
        material_of(json::parse(text.as_bytes())?, &MediaLimits::default())
    }

    #[test]
    fn all_parts_are_taken() {
        let body = r#"{"audio": {"data": "AAEC"}, "frames": [{"data": "/w==", "timestamp_ms": 40}],
            "transcript": "customer: hello", "agents": [{"id": "a"}], "options": {"waiting_ms": 9}}"#;
        let material = material(body).unwrap();
        assert_eq!(material.audio.unwrap(), [0, 1, 2]);
        let Frames::Encoded(frames) = material.frames else { panic!("no frames") };
        assert_eq!((frames[0].timestamp_ms, frames[0].bytes.as_slice()), (Some(40), &[255][..]));
        assert_eq!(material.transcript.unwrap()[0].text, "hello");
        assert_eq!(material.options.waiting_ms, 9);
    }

    #[test]
    fn faults_have_codes() {
        let code = |text: &str| material(text).unwrap_err().code;
        assert_eq!(code(r#"{"audio": {"data": "***"}}"#), ErrorCode::AudioUnreadable);
        assert_eq!(code(r#"{"frames": [{"data": "*"}]}"#), ErrorCode::FrameUnreadable);
        assert_eq!(code(r#"{"transcript": 5}"#), ErrorCode::TranscriptInvalid);
        assert_eq!(code(r#"{"transcript": [{"words": "a"}]}"#), ErrorCode::TranscriptInvalid);
        assert_eq!(code(r#"{"sound": {}}"#), ErrorCode::RequestInvalid);
    }
}
