//! An audio file of any container that is known.
#![no_main]

use heartline::media::{AudioFormat, MediaLimits, decode_audio};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = MediaLimits { max_audio_seconds: 5, ..MediaLimits::default() };
    if let Ok(audio) = decode_audio(bytes, AudioFormat::Auto, &limits) {
        assert!(audio.samples.len() <= 5 * 16_000 + 1);
    }
});
