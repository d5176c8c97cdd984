//! A body of JSON alone.
#![no_main]

use axum::body::Bytes;
use heartline::http::inference::body;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = body::read(&Bytes::copy_from_slice(bytes), None);
});
