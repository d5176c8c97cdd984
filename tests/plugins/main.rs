//! `heartline plugins check`: the shipped matchers and the example in C conform, and each hostile plugin fails with the
//! words that its author needs.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test stops where something is missing"
)]

mod command;
mod conforming;
mod hostile;
mod support;
