//! Matchers in a running server: loaded anew while rankings go on, put into quarantine and let out of it, kept in a
//! process of their own, and with what they have learned over a restart.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips"
)]

mod isolation;
mod quarantine;
mod reload;
mod states;
mod support;
