//! Who may ask, over real connections: keys, rates, pages of other hosts, certificates.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod keys;
mod live;
mod origins;
mod program;
mod support;
mod tls;
