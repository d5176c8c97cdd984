//! What a live track holds in memory, counted by the allocator. A program of its own: nothing else may allocate.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and tells what it measured"
)]

use std::path::Path;

use heartline::media::{AudioStream, MediaLimits, SpeechStream, StreamFormat, WindowConfig, read_audio};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const TRACKS: usize = 4;
const MOST_BYTES: usize = 400_000;

/// The sample call over and over, a quarter of a minute of it.
fn speech() -> Vec<f32> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/call/speech.flac");
    let samples = read_audio(&path, &MediaLimits::default()).unwrap().samples;
    samples.into_iter().cycle().take(15 * 16_000).collect()
}

/// The same as 16-bit samples at a whole multiple of 16 kHz, or at half of it.
fn bytes(speech: &[f32], rate_hz: u32) -> Vec<u8> {
    let count = speech.len() * rate_hz as usize / 16_000;
    let at = |index: usize| speech[index * 16_000 / rate_hz as usize];
    (0..count).flat_map(|index| ((at(index) * 32_767.0) as i16).to_le_bytes()).collect()
}

/// One test: two at a time would count each other's memory.
#[test]
fn a_track_stays_small_however_long_it_speaks() {
    let speech = speech();
    pcm_tracks(&speech);
    opus_tracks(&speech);
}

fn pcm_tracks(speech: &[f32]) {
    for (rate_hz, channels) in [(8_000, 1), (16_000, 1), (44_100, 1), (48_000, 2)] {
        let bytes = bytes(speech, rate_hz);
        let format = StreamFormat::PcmS16le { sample_rate_hz: rate_hz, channels };
        let before = ALLOCATOR.current_usage();
        let mut tracks = Vec::with_capacity(TRACKS);
        for _ in 0..TRACKS {
            let mut audio = AudioStream::new(format, &MediaLimits::default()).unwrap();
            let mut stream = SpeechStream::new(WindowConfig::default());
            // Pieces of 20 ms, and a large one now and then.
            for second in bytes.chunks(rate_hz as usize * 2 * 5) {
                let (large, rest) = second.split_at(second.len() / 2);
                for piece in std::iter::once(large).chain(rest.chunks(rate_hz as usize / 25)) {
                    let mut out = Vec::new();
                    audio.push(piece, &mut out).unwrap();
                    drop(stream.push(&out));
                }
            }
            tracks.push((audio, stream));
        }
        let each = (ALLOCATOR.current_usage() - before) / TRACKS;
        println!("{rate_hz} Hz, {channels} channels: {each} bytes a track");
        assert!(each < MOST_BYTES, "{rate_hz} Hz, {channels} channels: {each} bytes a track");
        drop(tracks);
    }
}

fn opus_tracks(speech: &[f32]) {
    let mut encoder = ruopus::OpusEncoder::new(1);
    let wide: Vec<f32> = speech.iter().flat_map(|sample| [*sample; 3]).take(48_000 * 10).collect();
    let packets: Vec<_> =
        wide.chunks_exact(960).map(|frame| encoder.encode_auto(frame, 160).unwrap()).collect();
    for channels in [1, 2] {
        let before = ALLOCATOR.current_usage();
        let mut tracks = Vec::with_capacity(TRACKS);
        for _ in 0..TRACKS {
            let mut audio =
                AudioStream::new(StreamFormat::Opus { channels }, &MediaLimits::default()).unwrap();
            let mut stream = SpeechStream::new(WindowConfig::default());
            for packet in &packets {
                let mut out = Vec::new();
                audio.push(packet, &mut out).unwrap();
                drop(stream.push(&out));
            }
            tracks.push((audio, stream));
        }
        let each = (ALLOCATOR.current_usage() - before) / TRACKS;
        println!("Opus, {channels} channels: {each} bytes a track");
        assert!(each < MOST_BYTES, "Opus, {channels} channels: {each} bytes a track");
        drop(tracks);
    }
}
