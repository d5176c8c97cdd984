//! The Open Inference Protocol, end to end on both wires: real tensors and files in, real models, tensors out.
//!
//! The models come from `models/weights`; where they are missing, these tests fail rather than pass without having
//! looked. `tritonclient_check.py` has the same done by another vendor's client.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

mod answers;
mod grpc;
mod limits;
mod management;
mod metadata;
mod refusals;
mod streams;
mod support;
mod triton;
