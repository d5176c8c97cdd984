//! What decoding costs: audio with its way to 16 kHz, a frame of video, and finding speech.
#![allow(missing_docs, reason = "criterion's macros make items without documentation")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot set up ends")]

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use heartline::media::{
    AudioFormat, MediaLimits, RawFormat, WindowConfig, decode_audio, decode_image, parse_transcript,
    read_audio, speech_windows,
};

const TONE: &[u8] = include_bytes!("../tests/media/fixtures/tone.flac");
const FRAME: &[u8] = include_bytes!("../samples/call/frames/0000ms.jpg");
/// One key frame of VP8, as a browser sends it.
const KEY_FRAME: &[u8] = include_bytes!("../tests/webrtc/fixtures/face.webp");
const TRANSCRIPT: &[u8] = include_bytes!("../samples/call/transcript.txt");

fn audio(criterion: &mut Criterion) {
    let limits = MediaLimits::default();
    let mut group = criterion.benchmark_group("audio_second");
    group.bench_function("flac_stereo_44100_hz", |bencher| {
        bencher.iter(|| decode_audio(black_box(TONE), AudioFormat::Auto, &limits).unwrap());
    });
    let telephone = RawFormat::MuLaw { sample_rate_hz: 8_000, channels: 1 };
    group.bench_function("mu_law_8000_hz", |bencher| {
        bencher
            .iter(|| decode_audio(black_box(&[0x5a; 8_000]), AudioFormat::Raw(telephone), &limits).unwrap());
    });
    let pcm = RawFormat::PcmS16le { sample_rate_hz: 16_000, channels: 1 };
    group.bench_function("pcm_16000_hz", |bencher| {
        bencher.iter(|| decode_audio(black_box(&[0x11; 32_000]), AudioFormat::Raw(pcm), &limits).unwrap());
    });
    group.finish();
}

fn speech(criterion: &mut Criterion) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/call/speech.flac");
    let audio = read_audio(&path, &MediaLimits::default()).unwrap();
    let mut group = criterion.benchmark_group("speech_windows");
    group.throughput(Throughput::Elements(audio.samples.len() as u64));
    group.bench_function("eleven_seconds", |bencher| {
        bencher.iter(|| speech_windows(black_box(&audio), &WindowConfig::default()));
    });
    group.finish();
}

fn image_and_text(criterion: &mut Criterion) {
    let limits = MediaLimits::default();
    criterion.bench_function("image/jpeg_640x640", |bencher| {
        bencher.iter(|| decode_image(black_box(FRAME), &limits).unwrap());
    });
    criterion.bench_function("image/vp8_key_frame_640x640", |bencher| {
        bencher.iter(|| decode_image(black_box(KEY_FRAME), &limits).unwrap());
    });
    criterion.bench_function("transcript/nine_lines", |bencher| {
        bencher.iter(|| parse_transcript(black_box(TRANSCRIPT), &limits).unwrap());
    });
}

criterion_group!(benches, audio, speech, image_and_text);
criterion_main!(benches);
