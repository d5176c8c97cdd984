//! The only place where a status code is chosen or read.

use axum::http::StatusCode;

use super::{ApiError, ErrorCode};

/// The answer to something that was made.
pub(super) const CREATED: StatusCode = StatusCode::CREATED;
/// The answer to a browser that asks beforehand what a page may do.
pub(super) const PREFLIGHT: StatusCode = StatusCode::NO_CONTENT;
/// The answer to what is noted and needs no words.
pub(super) const NOTED: StatusCode = StatusCode::NO_CONTENT;

/// The status code of an error code.
pub(super) const fn of(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::BodyUnreadable
        | ErrorCode::JsonMalformed
        | ErrorCode::MultipartMalformed
        | ErrorCode::AudioUnreadable
        | ErrorCode::FrameUnreadable
        | ErrorCode::SdpInvalid
        | ErrorCode::InputInvalid => StatusCode::BAD_REQUEST,
        ErrorCode::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorCode::AgentBiometricsRefused
        | ErrorCode::ManagementRefused
        | ErrorCode::ResumeRefused
        | ErrorCode::Forbidden
        | ErrorCode::SignatureInvalid => StatusCode::FORBIDDEN,
        ErrorCode::NotFound
        | ErrorCode::ModelUnknown
        | ErrorCode::PolicyUnknown
        | ErrorCode::RankingUnknown
        | ErrorCode::SessionNotFound
        | ErrorCode::WebrtcOff
        | ErrorCode::PublicationNotFound => StatusCode::NOT_FOUND,
        ErrorCode::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ErrorCode::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
        ErrorCode::BodyTooLarge
        | ErrorCode::AudioTooLarge
        | ErrorCode::FrameTooLarge
        | ErrorCode::TooManyRows => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ErrorCode::RequestInvalid
        | ErrorCode::TranscriptInvalid
        | ErrorCode::OptionsInvalid
        | ErrorCode::AgentsInvalid
        | ErrorCode::NothingToAnalyze
        | ErrorCode::MediaUnsupported
        | ErrorCode::PolicyInvalid
        | ErrorCode::MatcherRefused
        | ErrorCode::IceRestartRefused => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorCode::PolicyInUse | ErrorCode::OutcomeConflict => StatusCode::CONFLICT,
        ErrorCode::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
        ErrorCode::PreconditionRequired => StatusCode::PRECONDITION_REQUIRED,
        ErrorCode::Overloaded | ErrorCode::RateLimited | ErrorCode::TooManySessions => {
            StatusCode::TOO_MANY_REQUESTS
        }
        ErrorCode::NotReady | ErrorCode::ModelNotLoaded | ErrorCode::EngineStopped => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        ErrorCode::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        ErrorCode::ModelFailed | ErrorCode::MatchersFailed | ErrorCode::Internal => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

/// The error behind a refusal of the web framework itself, which knows only a status and a text.
pub(super) fn refusal(status: StatusCode, message: String) -> ApiError {
    let code = match status {
        StatusCode::NOT_FOUND => ErrorCode::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => ErrorCode::MethodNotAllowed,
        StatusCode::REQUEST_TIMEOUT => ErrorCode::BodyTimeout,
        StatusCode::PAYLOAD_TOO_LARGE => ErrorCode::BodyTooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ErrorCode::UnsupportedMediaType,
        StatusCode::UNPROCESSABLE_ENTITY => ErrorCode::RequestInvalid,
        status if status.is_client_error() => ErrorCode::BodyUnreadable,
        _ => ErrorCode::Internal,
    };
    ApiError::new(code, message)
}

/// Whether an answer is a failure that carries no error of ours.
pub(super) fn is_failure(status: StatusCode) -> bool {
    status.is_client_error() || status.is_server_error()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Fault;

    #[test]
    fn the_clients_faults_are_the_four_hundreds() {
        for code in ErrorCode::ALL {
            let too_much =
                matches!(code, ErrorCode::Overloaded | ErrorCode::RateLimited | ErrorCode::TooManySessions);
            let client = code.fault() == Fault::Client || too_much;
            assert_eq!(of(code).is_client_error(), client, "{}", code.name());
            assert!(is_failure(of(code)));
        }
    }

    #[test]
    fn refusals_of_the_framework_get_codes() {
        assert_eq!(refusal(StatusCode::PAYLOAD_TOO_LARGE, String::new()).code, ErrorCode::BodyTooLarge);
        assert_eq!(refusal(StatusCode::BAD_REQUEST, String::new()).code, ErrorCode::BodyUnreadable);
        assert_eq!(refusal(StatusCode::BAD_GATEWAY, String::new()).code, ErrorCode::Internal);
    }
}
