//! The only place where a gRPC code is chosen.

use tonic::{Code, Status};

use crate::http::{ApiError, ErrorCode};
use crate::telemetry::record;

/// The metadata that says when to try again, in milliseconds, as gRPC's own retries read it.
const PUSHBACK: &str = "grpc-retry-pushback-ms";

/// The gRPC code of an error code.
pub(super) const fn code(code: ErrorCode) -> Code {
    match code {
        ErrorCode::NotFound | ErrorCode::ModelUnknown | ErrorCode::SessionNotFound => Code::NotFound,
        ErrorCode::MethodNotAllowed => Code::Unimplemented,
        ErrorCode::Unauthenticated => Code::Unauthenticated,
        ErrorCode::AgentBiometricsRefused | ErrorCode::ManagementRefused | ErrorCode::Forbidden => {
            Code::PermissionDenied
        }
        ErrorCode::Overloaded | ErrorCode::RateLimited | ErrorCode::TooManySessions => {
            Code::ResourceExhausted
        }
        ErrorCode::NotReady | ErrorCode::ModelNotLoaded | ErrorCode::EngineStopped => Code::Unavailable,
        ErrorCode::DeadlineExceeded => Code::DeadlineExceeded,
        ErrorCode::ModelFailed | ErrorCode::MatchersFailed | ErrorCode::Internal => Code::Internal,
        _ => Code::InvalidArgument,
    }
}

/// An error as gRPC says it. It is counted like every other failure.
pub(super) fn of(error: &ApiError) -> Status {
    record::failure(error.code.fault(), error.code.name());
    let mut status = Status::new(code(error.code), error.message.clone());
    if let Some(value) = error.retry_after_ms.and_then(|ms| ms.to_string().parse().ok()) {
        status.metadata_mut().insert(PUSHBACK, value);
    }
    status
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Fault;

    #[test]
    fn the_clients_faults_are_the_clients_on_this_wire_too() {
        let clients = [
            Code::InvalidArgument,
            Code::NotFound,
            Code::PermissionDenied,
            Code::Unauthenticated,
            Code::Unimplemented,
        ];
        for one in ErrorCode::ALL {
            assert_eq!(clients.contains(&code(one)), one.fault() == Fault::Client, "{}", one.name());
        }
    }

    #[test]
    fn overload_says_when_to_try_again() {
        let error = ApiError { retry_after_ms: Some(250), ..ApiError::new(ErrorCode::Overloaded, "full") };
        let status = of(&error);
        assert_eq!((status.code(), status.message()), (Code::ResourceExhausted, "full"));
        assert_eq!(status.metadata().get(PUSHBACK).unwrap(), "250");
    }
}
