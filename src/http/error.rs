//! The closed list of error codes, whose fault each is, and the error that every handler returns.

use axum::response::{IntoResponse, Response};
use heartline_models::ModelError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::status;
use crate::app::AppError;
use crate::engine::EngineError;
use crate::live::LiveError;
use crate::media::MediaError;
use crate::routing::RoutingError;
use crate::telemetry::{Fault, with_causes};

/// The codes an error answer may carry. A code never changes its meaning; new ones may be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorCode {
    /// The body ended early or could not be read.
    BodyUnreadable,
    /// The body came too slowly.
    BodyTimeout,
    /// The body is larger than the limit.
    BodyTooLarge,
    /// The body is not JSON.
    JsonMalformed,
    /// The body is not a well-formed multipart form.
    MultipartMalformed,
    /// The body is well-formed, but its fields are not what the route takes.
    RequestInvalid,
    /// The content type is not one that the route takes.
    UnsupportedMediaType,
    /// There is no such route.
    NotFound,
    /// The route does not take this method.
    MethodNotAllowed,
    /// There is no key, or it is not known; or it came in the address.
    Unauthenticated,
    /// The client is known, or needs not be, and may not do this: a page of another host, mostly.
    Forbidden,
    /// The key asks more often than it may; try again after the time in `Retry-After`.
    RateLimited,
    /// The audio is damaged, empty or of an unknown format.
    AudioUnreadable,
    /// The audio is beyond a limit: bytes, seconds or channels.
    AudioTooLarge,
    /// A frame is damaged, empty or of an unknown format.
    FrameUnreadable,
    /// The frames are beyond a limit: bytes, pixels or count.
    FrameTooLarge,
    /// The transcript is neither lines of text nor the JSON it looks like.
    TranscriptInvalid,
    /// The options are out of range.
    OptionsInvalid,
    /// The list of agents has faults.
    AgentsInvalid,
    /// There is no audio, no frame and no transcript.
    NothingToAnalyze,
    /// The material has more rows than a model's queue could ever hold.
    TooManyRows,
    /// The audio or the frames show an agent, and no lawful basis is configured.
    AgentBiometricsRefused,
    /// As many requests are in work as the server takes; try again after the time in `Retry-After`.
    Overloaded,
    /// The server is not ready: it is starting, full or draining.
    NotReady,
    /// The request took longer than its deadline.
    DeadlineExceeded,
    /// A model failed.
    ModelFailed,
    /// The engine has stopped.
    EngineStopped,
    /// The matchers could not be asked.
    MatchersFailed,
    /// The tensors or parameters of an inference request are not what the model or the protocol takes.
    InputInvalid,
    /// There is no such model, or the version is not the loaded one.
    ModelUnknown,
    /// The model is known and not loaded.
    ModelNotLoaded,
    /// As many live calls are open as may be.
    TooManySessions,
    /// There is no such live call, it has ended, or it is another key's.
    SessionNotFound,
    /// The live call cannot be taken up: the token is not its own.
    ResumeRefused,
    /// Models, matchers and policies may not be changed by this client.
    ManagementRefused,
    /// A matcher cannot be loaded anew; the present one stays.
    MatcherRefused,
    /// Browsers may not publish to this server.
    WebrtcOff,
    /// The body is not an SDP offer that can be answered.
    SdpInvalid,
    /// Nothing that the offer would send is taken: only Opus audio and VP8 video are, where the session has tracks for them.
    MediaUnsupported,
    /// There is no such publication, or it has ended.
    PublicationNotFound,
    /// A change must say which ICE session it is meant for.
    PreconditionRequired,
    /// A change is meant for another ICE session.
    PreconditionFailed,
    /// An ICE restart is not supported.
    IceRestartRefused,
    /// The request does not carry the signature of the configured account.
    SignatureInvalid,
    /// There is no policy of this name.
    PolicyUnknown,
    /// The policy has faults; the message lists them.
    PolicyInvalid,
    /// The policy is the active one and cannot be taken out.
    PolicyInUse,
    /// There is no ranking of this identifier, or it is too long ago.
    RankingUnknown,
    /// The ranking has another outcome already.
    OutcomeConflict,
    /// The server made a mistake.
    Internal,
}

impl ErrorCode {
    /// Every code.
    pub const ALL: [Self; 50] = [
        Self::BodyUnreadable,
        Self::BodyTimeout,
        Self::BodyTooLarge,
        Self::JsonMalformed,
        Self::MultipartMalformed,
        Self::RequestInvalid,
        Self::UnsupportedMediaType,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::RateLimited,
        Self::AudioUnreadable,
        Self::AudioTooLarge,
        Self::FrameUnreadable,
        Self::FrameTooLarge,
        Self::TranscriptInvalid,
        Self::OptionsInvalid,
        Self::AgentsInvalid,
        Self::NothingToAnalyze,
        Self::TooManyRows,
        Self::AgentBiometricsRefused,
        Self::Overloaded,
        Self::NotReady,
        Self::DeadlineExceeded,
        Self::ModelFailed,
        Self::EngineStopped,
        Self::MatchersFailed,
        Self::InputInvalid,
        Self::ModelUnknown,
        Self::ModelNotLoaded,
        Self::TooManySessions,
        Self::SessionNotFound,
        Self::ResumeRefused,
        Self::ManagementRefused,
        Self::MatcherRefused,
        Self::WebrtcOff,
        Self::SdpInvalid,
        Self::MediaUnsupported,
        Self::PublicationNotFound,
        Self::PreconditionRequired,
        Self::PreconditionFailed,
        Self::IceRestartRefused,
        Self::SignatureInvalid,
        Self::PolicyUnknown,
        Self::PolicyInvalid,
        Self::PolicyInUse,
        Self::RankingUnknown,
        Self::OutcomeConflict,
        Self::Internal,
    ];

    /// The code on the wire and in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BodyUnreadable => "body_unreadable",
            Self::BodyTimeout => "body_timeout",
            Self::BodyTooLarge => "body_too_large",
            Self::JsonMalformed => "json_malformed",
            Self::MultipartMalformed => "multipart_malformed",
            Self::RequestInvalid => "request_invalid",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::RateLimited => "rate_limited",
            Self::AudioUnreadable => "audio_unreadable",
            Self::AudioTooLarge => "audio_too_large",
            Self::FrameUnreadable => "frame_unreadable",
            Self::FrameTooLarge => "frame_too_large",
            Self::TranscriptInvalid => "transcript_invalid",
            Self::OptionsInvalid => "options_invalid",
            Self::AgentsInvalid => "agents_invalid",
            Self::NothingToAnalyze => "nothing_to_analyze",
            Self::TooManyRows => "too_many_rows",
            Self::AgentBiometricsRefused => "agent_biometrics_refused",
            Self::Overloaded => "overloaded",
            Self::NotReady => "not_ready",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::ModelFailed => "model_failed",
            Self::EngineStopped => "engine_stopped",
            Self::MatchersFailed => "matchers_failed",
            Self::InputInvalid => "input_invalid",
            Self::ModelUnknown => "model_unknown",
            Self::ModelNotLoaded => "model_not_loaded",
            Self::TooManySessions => "too_many_sessions",
            Self::SessionNotFound => "session_not_found",
            Self::ResumeRefused => "resume_refused",
            Self::ManagementRefused => "management_refused",
            Self::MatcherRefused => "matcher_refused",
            Self::WebrtcOff => "webrtc_off",
            Self::SdpInvalid => "sdp_invalid",
            Self::MediaUnsupported => "media_unsupported",
            Self::PublicationNotFound => "publication_not_found",
            Self::PreconditionRequired => "precondition_required",
            Self::PreconditionFailed => "precondition_failed",
            Self::IceRestartRefused => "ice_restart_refused",
            Self::SignatureInvalid => "signature_invalid",
            Self::PolicyUnknown => "policy_unknown",
            Self::PolicyInvalid => "policy_invalid",
            Self::PolicyInUse => "policy_in_use",
            Self::RankingUnknown => "ranking_unknown",
            Self::OutcomeConflict => "outcome_conflict",
            Self::Internal => "internal",
        }
    }

    /// Whose fault it is.
    #[must_use]
    pub const fn fault(self) -> Fault {
        match self {
            Self::Overloaded
            | Self::RateLimited
            | Self::TooManySessions
            | Self::NotReady
            | Self::ModelNotLoaded
            | Self::DeadlineExceeded => Fault::Overload,
            Self::ModelFailed | Self::EngineStopped => Fault::Model,
            Self::MatchersFailed => Fault::Plugin,
            Self::Internal => Fault::Internal,
            _ => Fault::Client,
        }
    }
}

/// The body of every error answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// The stable code, for programs.
    pub code: ErrorCode,
    /// What went wrong, for people.
    pub message: String,
    /// The request's identifier, as in the header `x-request-id`.
    pub request_id: String,
}

/// The body of every error answer of the inference protocol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProtocolError {
    /// What went wrong, for people; the protocol has no codes.
    pub error: String,
}

/// What a handler returns instead of an answer. The envelope around all routes writes its body, because only the
/// envelope knows the request's identifier.
#[derive(Debug, Clone)]
pub struct ApiError {
    /// The code.
    pub code: ErrorCode,
    /// The message.
    pub message: String,
    /// When to try again, where that helps.
    pub retry_after_ms: Option<u64>,
}

impl ApiError {
    /// An error that trying again does not help.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after_ms: None }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = status::of(self.code).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<AppError> for ApiError {
    fn from(error: AppError) -> Self {
        let code = code_of(&error);
        // What broke inside is for the log; the client is told only whose fault it was.
        if code.fault() == Fault::Client || code.fault() == Fault::Overload {
            Self { code, message: with_causes(&error), retry_after_ms: error.retry_after_ms() }
        } else {
            tracing::error!(code = code.name(), error = with_causes(&error), "a request failed");
            Self { code, message: error.to_string(), retry_after_ms: None }
        }
    }
}

impl From<LiveError> for ApiError {
    fn from(error: LiveError) -> Self {
        let code = match &error {
            LiveError::TooManySessions { .. } => ErrorCode::TooManySessions,
            LiveError::NotFound => ErrorCode::SessionNotFound,
            LiveError::TokenWrong => ErrorCode::ResumeRefused,
            LiveError::AgentBiometricsRefused { .. } => ErrorCode::AgentBiometricsRefused,
            LiveError::Options(_) | LiveError::Locked => ErrorCode::OptionsInvalid,
            LiveError::TooLarge { .. } => ErrorCode::BodyTooLarge,
            LiveError::NoTrack { .. } | LiveError::TextTooLong { .. } | LiveError::Message(_) => {
                ErrorCode::RequestInvalid
            }
            LiveError::Audio { .. } => ErrorCode::AudioUnreadable,
            LiveError::AudioSkipped { .. } => ErrorCode::Overloaded,
            LiveError::Stopping => ErrorCode::NotReady,
            LiveError::Worker(_) | LiveError::NoRandomness => ErrorCode::Internal,
        };
        let retry_after_ms = (code.fault() == Fault::Overload).then_some(1_000);
        Self { code, message: with_causes(&error), retry_after_ms }
    }
}

fn code_of(error: &AppError) -> ErrorCode {
    match error {
        AppError::NothingToAnalyze => ErrorCode::NothingToAnalyze,
        AppError::AgentBiometricsRefused { .. } => ErrorCode::AgentBiometricsRefused,
        AppError::Options(_) => ErrorCode::OptionsInvalid,
        AppError::Transcript(_) => ErrorCode::TranscriptInvalid,
        AppError::Agents(_) => ErrorCode::AgentsInvalid,
        AppError::RankingRequest(_) => ErrorCode::RequestInvalid,
        AppError::Matchers(_) => ErrorCode::MatchersFailed,
        AppError::Routing(error) => code_of_routing(error),
        AppError::Audio(source) if is_too_large(source) => ErrorCode::AudioTooLarge,
        AppError::Audio(_) => ErrorCode::AudioUnreadable,
        AppError::Frame { source, .. } if is_too_large(source) => ErrorCode::FrameTooLarge,
        AppError::Frame { .. } => ErrorCode::FrameUnreadable,
        AppError::Overloaded { .. } => ErrorCode::Overloaded,
        AppError::Deadline => ErrorCode::DeadlineExceeded,
        AppError::Engine(EngineError::Stopped) => ErrorCode::EngineStopped,
        AppError::Engine(EngineError::NotLoaded { .. }) => ErrorCode::ModelNotLoaded,
        AppError::Engine(EngineError::UnknownModel { .. } | EngineError::UnknownVersion { .. }) => {
            ErrorCode::ModelUnknown
        }
        AppError::Engine(EngineError::TooManyRows { .. }) => ErrorCode::TooManyRows,
        AppError::Engine(EngineError::Model(ModelError::Input(_))) => ErrorCode::InputInvalid,
        AppError::Engine(_) => ErrorCode::ModelFailed,
        AppError::Worker(_) => ErrorCode::Internal,
    }
}

const fn code_of_routing(error: &RoutingError) -> ErrorCode {
    match error {
        RoutingError::UnknownPolicy(_) => ErrorCode::PolicyUnknown,
        RoutingError::Policy(_) | RoutingError::UnknownMatchers(_) => ErrorCode::PolicyInvalid,
        RoutingError::PolicyInUse(_) => ErrorCode::PolicyInUse,
        RoutingError::UnknownRanking(_) => ErrorCode::RankingUnknown,
        RoutingError::OutcomeConflict(_) => ErrorCode::OutcomeConflict,
        RoutingError::Outcome(_) => ErrorCode::RequestInvalid,
        _ => ErrorCode::MatchersFailed,
    }
}

fn is_too_large(error: &MediaError) -> bool {
    matches!(
        error,
        MediaError::TooManyBytes { .. }
            | MediaError::TooLong { .. }
            | MediaError::TooManyChannels { .. }
            | MediaError::TooManyPixels { .. }
            | MediaError::TooWide { .. }
            | MediaError::TooManyFrames { .. }
    )
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_those_of_the_wire_and_none_is_there_twice() {
        for code in ErrorCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.name());
        }
        let names: HashSet<_> = ErrorCode::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), ErrorCode::ALL.len());
    }

    #[test]
    fn overload_says_when_to_try_again() {
        let error = ApiError::from(AppError::Overloaded { retry_after_ms: 250 });
        assert_eq!((error.code, error.retry_after_ms), (ErrorCode::Overloaded, Some(250)));
    }

    #[test]
    fn clients_are_told_the_whole_chain() {
        let error = ApiError::from(AppError::Audio(MediaError::Empty { what: "audio" }));
        assert_eq!(error.code, ErrorCode::AudioUnreadable);
        assert!(error.message.contains("empty"), "{}", error.message);
    }
}
