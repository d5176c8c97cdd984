//! WebRTC ingest, over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "the numbers here are small"
)]

mod app;
mod browser;
mod chromium;
mod client;
mod loopback;
mod media;
mod offers;
mod whip;
