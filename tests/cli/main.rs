//! The program as a person runs it: what it prints, and how it ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

mod answers;
mod bench;
mod faults;
mod predict;
mod support;
