//! The bodies of HTTP: JSON, and JSON with tensors as bytes after it.
//!
//! What is parsed here comes from anybody. Nothing in this folder panics, and nothing takes more memory than a small
//! multiple of the bytes that came.

mod bounded;
mod data;
mod read;
mod write;

pub(super) use bounded::Parameters;
pub use read::read;
pub(super) use read::{check_name, read_raw};
pub use write::{HEADER, Written, write};
