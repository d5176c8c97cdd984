//! The wire, end to end: real bytes in, real models and matchers, JSON out.
//!
//! The models come from `models/weights` and the matchers from the folder of the test programs; where either is
//! missing, these tests fail rather than pass without having looked.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

mod analyze;
mod bad_input;
mod limits;
mod rank;
mod service;
mod support;
