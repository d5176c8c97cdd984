//! A request for inference as gRPC has it.
#![no_main]

use axum::body::Bytes;
use heartline::http::inference::grpc;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = grpc::read(&Bytes::copy_from_slice(bytes));
});
