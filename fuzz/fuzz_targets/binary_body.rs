//! A body of JSON with tensors as bytes after it: the first two bytes say where the JSON ends.
#![no_main]

use axum::body::Bytes;
use heartline::http::inference::body;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u16, &[u8])| {
    let (header_length, bytes) = input;
    let _ = body::read(&Bytes::copy_from_slice(bytes), Some(usize::from(header_length)));
});
