//! The media room from outside: real containers, broken ones, lying ones, and bytes of no meaning.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod containers;
mod random;
mod samples;
mod streams;
mod wav;
