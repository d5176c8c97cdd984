//! Live calls by plain requests: opened, fed with words, changed, watched by server-sent events, ended.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod events;
mod keys;
mod road;
mod support;
