//! Policies, records, replays and outcomes, end to end: the shipped matchers, the wire and the program.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod outcomes;
mod policies;
mod records;
mod support;
