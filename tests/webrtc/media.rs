//! The media of the tests: Opus packets and key frames of VP8.

use std::path::Path;

use heartline::media::{MediaLimits, read_audio};
use ruopus::OpusEncoder;

/// The samples of one packet of 20 ms.
const PACKET_SAMPLES: usize = 960;

/// Opus packets of 20 ms each, all different.
pub(crate) fn opus_packets(count: usize) -> Vec<Vec<u8>> {
    let mut encoder = OpusEncoder::new(1);
    let sample = |index: usize| (index as f32 * 0.03).sin() * (index as f32 * 0.000_7).cos() * 0.5;
    (0..count)
        .map(|packet| {
            let start = packet * PACKET_SAMPLES;
            let pcm: Vec<f32> = (start..start + PACKET_SAMPLES).map(sample).collect();
            encoder.encode_auto(&pcm, 1_000).unwrap()
        })
        .collect()
}

/// The sample call's speech in packets of 20 ms.
pub(crate) fn speech_packets() -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/call/speech.flac");
    let audio = read_audio(&path, &MediaLimits::default()).unwrap();
    let mut encoder = OpusEncoder::new(1);
    encoder.set_bitrate(Some(32_000));
    // Each sample three times gives the encoder's 48 kHz; what that adds lies above the speech.
    let pcm: Vec<f32> = audio.samples.iter().flat_map(|&sample| [sample; 3]).collect();
    pcm.chunks_exact(PACKET_SAMPLES).map(|samples| encoder.encode_auto(samples, 1_000).unwrap()).collect()
}

/// A lossy WebP file; the folder's README says where it comes from.
pub(crate) fn webp() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/webrtc/fixtures/face.webp");
    std::fs::read(path).unwrap()
}

/// The key frame inside of it, as a browser would send it.
pub(crate) fn key_frame() -> Vec<u8> {
    let file = webp();
    assert_eq!(&file[8..16], b"WEBPVP8 ");
    let length = u32::from_le_bytes(file[16..20].try_into().unwrap()) as usize;
    file[20..20 + length].to_vec()
}

/// A frame that says that it builds upon another one.
pub(crate) fn frame_between() -> Vec<u8> {
    let mut frame = key_frame();
    frame[0] |= 1;
    frame.truncate(3_000);
    frame
}
