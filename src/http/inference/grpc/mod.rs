//! The protocol over gRPC, on the same port as HTTP.

mod bounded;
mod deadline;
mod envelope;
mod from_wire;
pub mod proto;
mod service;
mod status;
mod stream;
mod to_wire;

use axum::Router;
use axum::body::Bytes;
use prost::Message;
use tower_http::catch_panic::CatchPanicLayer;

use super::fault::malformed;
use super::{Call, Inference};
use crate::http::{Access, ApiError};
use proto::grpc_inference_service_server::GrpcInferenceServiceServer;

pub(crate) use bounded::BoundedCodec;

/// Every method is a path below this one.
const PREFIX: &str = "/inference.GRPCInferenceService/";

/// Reads a request for inference as the server does: its outline first, then its parts, then its tensors.
///
/// # Errors
/// `body_unreadable` or `input_invalid`.
pub fn read(message: &Bytes) -> Result<Call, ApiError> {
    bounded::check_request(message).map_err(malformed)?;
    let request = proto::ModelInferRequest::decode(message.clone());
    let request = request.map_err(|error| malformed(format!("the message is damaged: {error}")))?;
    from_wire::call_of(request).map(|(call, _)| call)
}

/// The methods, ready to serve.
pub(in crate::http) fn router(inference: &Inference, access: &Access) -> Router {
    // Messages carry no more than bodies do, and tensors come back smaller than they went.
    let limit = inference.app().config().server.max_body_bytes;
    let server = GrpcInferenceServiceServer::new(service::Service::new(inference.clone()))
        .max_decoding_message_size(limit)
        .max_encoding_message_size(limit);
    Router::new()
        .route_service(&format!("{PREFIX}{{*method}}"), server)
        .layer(CatchPanicLayer::custom(envelope::after_panic))
        .layer(axum::middleware::from_fn_with_state(access.clone(), envelope::guard))
        .layer(axum::middleware::from_fn_with_state(inference.clone(), envelope::wrap))
}
