//! The C header and the Rust types are one contract: a C program checks the types and prints the layout, and a change
//! of the header is a step of its version.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips"
)]

mod c_types;
mod layout;
mod structures;
mod text;
mod version;
