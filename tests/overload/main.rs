//! The server where it hurts: far more requests than it can answer, clients that are slow or vanish, a repository that
//! breaks, and an end in the middle of it all.
//!
//! The server is a process of its own with the shipped models, so that its memory and its exit code can be seen. The
//! tests measure, so they take turns. `HEARTLINE_OVERLOAD_SECONDS` says how long the overload lasts: 60 is a good
//! length for a machine that does nothing else.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "what was measured is worth reading")]

mod rate;
mod repository;
mod slow;
mod stop;
mod support;
mod vanish;
