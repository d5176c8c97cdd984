//! Telephone calls, end to end: captures in every dialect are replayed over a real WebSocket into a real server.
//!
//! A capture is a file of JSON lines as the publisher documents them, with made-up identifiers. Its one `media` line
//! stands for all of them: the sound comes from the sample call, in the capture's own encoding, and the numbers of the
//! line count on from where they stand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod dialects;
mod endings;
mod order;
mod support;
mod trust;
