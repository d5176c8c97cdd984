//! One message of a telephone stream, and the call that takes it.
#![no_main]

use axum::body::Bytes;
use heartline::http::twilio::call::{Call, CallLimits};
use heartline::http::twilio::message::MessageLimits;
use libfuzzer_sys::fuzz_target;

const LIMITS: CallLimits = CallLimits {
    message: MessageLimits { max_bytes: 1 << 16, max_parameters: 8, max_parameter_bytes: 256 },
    window: 4,
    max_faults: 8,
    reads_agents: true,
};

// Messages stand apart by line ends; one that begins with a zero is a binary one.
fuzz_target!(|bytes: &[u8]| {
    let mut call = Call::new(LIMITS);
    for message in bytes.split(|byte| *byte == b'\n') {
        let _ = match message.strip_prefix(&[0]) {
            Some(samples) => call.take_binary(Bytes::copy_from_slice(samples)),
            None => call.take_text(&String::from_utf8_lossy(message)),
        };
    }
    let _ = call.rest();
});
