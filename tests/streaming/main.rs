//! Live calls end to end: real sockets, real models, real matchers.
//!
//! The models come from `models/weights` and the matchers from the folder of the test programs; where either is
//! missing, these tests fail rather than pass without having looked.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

mod bad_input;
mod call;
mod client;
mod connection;
mod python;
mod support;
