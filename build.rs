//! Makes Rust of the Open Inference Protocol's messages. The compiler of the messages is a crate, so that a build
//! needs neither `protoc` nor the network.
#![allow(clippy::print_stdout, reason = "this is how a build program speaks to cargo")]

use std::error::Error;

const FOLDER: &str = "proto";
const MESSAGES: &str = "proto/inference.proto";
/// Fields that share the memory of the message they came in, since tensors may be large.
const SHARED: [&str; 3] = [
    ".inference.ModelInferRequest.raw_input_contents",
    ".inference.ModelInferResponse.raw_output_contents",
    ".inference.InferTensorContents.bytes_contents",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={MESSAGES}");
    let descriptors = protox::compile([MESSAGES], [FOLDER])?;
    let builder = tonic_prost_build::configure()
        .build_transport(false)
        .codec_path("crate::http::inference::grpc::BoundedCodec")
        .emit_rerun_if_changed(false);
    SHARED.iter().fold(builder, |builder, field| builder.bytes(field)).compile_fds(descriptors)?;
    Ok(())
}
