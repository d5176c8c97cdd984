//! What an author of a matcher does: a new crate that `heartline plugins new` writes, the tutorial of docs/plugins.md step
//! by step, and the examples in C.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

mod c_examples;
mod new_crate;
mod support;
mod tutorial;
