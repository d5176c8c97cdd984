//! Real libraries through the host: the shipped matchers, the example in C, and hostile ones.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips or measures"
)]

mod c_example;
mod columns;
mod extensions;
mod finding;
mod generations;
mod guarded;
mod hostile;
#[cfg(target_os = "linux")]
mod isolated;
mod panicking;
mod shipped;
mod speed;
mod support;
