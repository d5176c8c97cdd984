//! Webhooks, sent by a real server's rooms to little servers that answer as they are told.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod deliveries;
mod support;
mod trouble;
