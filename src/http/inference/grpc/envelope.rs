//! What lies around every gRPC method: request identifier, a place among the requests in work, panic fence, metrics.

use std::any::Any;
use std::time::Instant;

use axum::RequestExt;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use tonic::Status;
use tracing::Instrument;
use tracing::field::Empty;

use super::super::Inference;
use super::super::limits::SMALL_REQUEST;
use super::{PREFIX, status};
use crate::http::request_id::{self, RequestId};
use crate::http::{Access, ApiError, ErrorCode, access, envelope};
use crate::telemetry::record;

/// The methods, for the metrics; what clients make up is no label.
const METHODS: [&str; 11] = [
    "/inference.GRPCInferenceService/ServerLive",
    "/inference.GRPCInferenceService/ServerReady",
    "/inference.GRPCInferenceService/ModelReady",
    "/inference.GRPCInferenceService/ServerMetadata",
    "/inference.GRPCInferenceService/ModelMetadata",
    "/inference.GRPCInferenceService/ModelInfer",
    "/inference.GRPCInferenceService/ModelStreamInfer",
    "/inference.GRPCInferenceService/ModelStatistics",
    "/inference.GRPCInferenceService/RepositoryIndex",
    "/inference.GRPCInferenceService/RepositoryModelLoad",
    "/inference.GRPCInferenceService/RepositoryModelUnload",
];
/// The method that needs a place before its message is read.
const INFER: &str = "ModelInfer";
/// The method whose messages each need a place, once they are read; the number of its streams has its own limit.
const STREAM: &str = "ModelStreamInfer";

/// Wraps a request.
pub(super) async fn wrap(State(inference): State<Inference>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let in_flight = record::request_begins();
    let id = RequestId::of(request.headers());
    let path = request.uri().path();
    let method = METHODS.into_iter().find(|method| *method == path).unwrap_or(envelope::UNMATCHED);
    let span = tracing::info_span!("request", id = id.as_str(), method = "gRPC", route = method, key = Empty);

    // The place comes before the message, so that messages in memory are bounded; what needs none is small.
    let name = method.strip_prefix(PREFIX);
    let place = (name == Some(INFER)).then(|| inference.app().admit()).transpose();
    let mut request = request;
    if name != Some(INFER) && name != Some(STREAM) {
        DefaultBodyLimit::max(SMALL_REQUEST).apply(&mut request);
        request = request.with_limited_body();
    }
    let mut answer = match place {
        Ok(_place) => next.run(request).instrument(span).await,
        Err(error) => status::of(&ApiError::from(error)).into_http::<Body>(),
    };
    answer.headers_mut().insert(request_id::HEADER, id.header_value());
    // Of an answer that has begun well the status follows its message; a failure has it here.
    let code = Status::from_header_map(answer.headers()).map_or(tonic::Code::Ok, |status| status.code());
    record::request(method, code as u16, started.elapsed());
    drop(in_flight);
    answer
}

/// Lets a request in, or answers why not.
pub(super) async fn guard(State(access): State<Access>, mut request: Request, next: Next) -> Response {
    match access::admit_call(&access, &mut request) {
        Ok(()) => next.run(request).await,
        Err(error) => status::of(&error).into_http::<Body>(),
    }
}

/// The answer to a request whose method panicked.
#[expect(clippy::needless_pass_by_value, reason = "the panic fence hands it over like this")]
pub(super) fn after_panic(panic: Box<dyn Any + Send>) -> Response {
    envelope::log_panic(&*panic);
    let error = ApiError::new(ErrorCode::Internal, "the server made a mistake; its log has the details");
    status::of(&error).into_http::<Body>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_tells_the_client_nothing() {
        let answer = after_panic(Box::new("secret words"));
        let status = Status::from_header_map(answer.headers()).unwrap();
        assert_eq!(status.code(), tonic::Code::Internal);
        assert!(!status.message().contains("secret"));
    }
}
