//! Re-checks the shipped models on a small slice: labelled sentences, generated and sampled clips, sampled frames. What
//! they answered when they were shipped stands in `expected/`; a damaged weight file or a changed step before the
//! networks cannot pass.
//!
//! After a deliberate change of weights or of what comes before them, record anew and look at the difference:
//! `HEARTLINE_RECORD=1 cargo test --release --test models`
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "a recording says what it wrote")]

mod checksums;
mod clips;
mod compare;
mod damage;
mod material;
mod parts;
mod shipped;
mod support;
