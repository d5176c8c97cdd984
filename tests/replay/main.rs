//! Live calls recorded by a server's rooms and played again by the program.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod damage;
mod support;
mod whole;
