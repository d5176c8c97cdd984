//! What each model costs, alone and in batches, on the device that `HEARTLINE_DEVICE` names (the CPU, if none), in the
//! format that `HEARTLINE_PRECISION` names (the usual one there, if none).
//!
//! A model without weights is left out, which the output says.
#![allow(missing_docs, reason = "criterion's macros make items without documentation")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot set up ends")]
#![allow(clippy::print_stderr, reason = "whoever runs a benchmark must see what is left out")]

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use heartline::engine::newest_version;
use heartline::media::{MediaLimits, decode_image};
use heartline_models::detector::FaceDetector;
use heartline_models::face::{CROP_SIDE, FaceCrop, FaceModel};
use heartline_models::text::TextModel;
use heartline_models::voice::{SAMPLE_RATE_HZ, VoiceModel};
use heartline_models::{Device, ModelError};

/// The sizes that are measured, in rows; the last ones on a GPU only.
const BATCH_ROWS: [usize; 5] = [1, 8, 32, 128, 512];
const CPU_SIZES: usize = 3;
/// The length of a clip, as speech is cut: four seconds.
const CLIP_SAMPLES: usize = 4 * SAMPLE_RATE_HZ as usize;
const FRAME: &[u8] = include_bytes!("../samples/call/frames/0000ms.jpg");
const SENTENCES: [&str; 2] = [
    "I have called three times about this refund and nobody has ever called me back, so please tell me today.",
    "我已经打了三次电话询问退款的事情，可是到现在还没有人给我回复。",
];

fn device() -> Device {
    let setting = |name, usual: &str| std::env::var(name).unwrap_or_else(|_| usual.to_owned());
    let choice = setting("HEARTLINE_DEVICE", "cpu").parse().unwrap();
    let precision = setting("HEARTLINE_PRECISION", "auto").parse().unwrap();
    Device::open_all(&choice, precision).unwrap().remove(0)
}

fn sizes() -> &'static [usize] {
    if device().is_gpu() { &BATCH_ROWS } else { &BATCH_ROWS[..CPU_SIZES] }
}

/// Loads a model, unless it has no weights.
fn load<M>(name: &'static str, load: impl FnOnce(&Path, &Device) -> Result<M, ModelError>) -> Option<M> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/weights");
    match newest_version(&root, name) {
        Ok(folder) => Some(load(&folder, &device()).unwrap()),
        Err(error) => {
            eprintln!("\nLEFT OUT: {error}\n");
            None
        }
    }
}

/// Measures a model over batches of rows that `row` makes.
fn measure<R, T>(criterion: &mut Criterion, name: &str, row: impl Fn(usize) -> R, run: impl Fn(&[R]) -> T) {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(5));
    for &count in sizes() {
        let rows: Vec<R> = (0..count).map(&row).collect();
        group.throughput(Throughput::Elements(count as u64));
        group.bench_with_input(BenchmarkId::from_parameter(count), &rows, |bencher, rows| {
            bencher.iter(|| run(black_box(rows)));
        });
    }
    group.finish();
}

fn text(criterion: &mut Criterion) {
    let Some(model) = load("text", TextModel::load) else { return };
    let row = |index: usize| SENTENCES[index % SENTENCES.len()].to_owned();
    measure(criterion, "text", row, |rows| model.predict(rows).unwrap());
}

fn voice(criterion: &mut Criterion) {
    let Some(model) = load("voice", VoiceModel::load) else { return };
    // What is said does not change what it costs: a chord that differs from row to row.
    let row = |index: usize| {
        let pitch = 0.02 + index as f32 * 0.001;
        (0..CLIP_SAMPLES).map(|at| 0.2 * (at as f32 * pitch).sin()).collect::<Vec<f32>>()
    };
    measure(criterion, "voice_4_seconds", row, |rows| model.predict(rows).unwrap());
}

fn detector(criterion: &mut Criterion) {
    let Some(model) = load("detector", FaceDetector::load) else { return };
    let frame = decode_image(FRAME, &MediaLimits::default()).unwrap();
    let name = format!("detector_{}x{}", frame.width, frame.height);
    measure(criterion, &name, |_| frame.clone(), |rows| model.detect(rows).unwrap());
}

fn face(criterion: &mut Criterion) {
    let Some(model) = load("face", FaceModel::load) else { return };
    let row = |index: usize| {
        let pixels = (0..CROP_SIDE * CROP_SIDE).map(|at| ((at * 31 + index * 17) % 251) as u8).collect();
        FaceCrop { pixels, quality: 1.0 }
    };
    measure(criterion, "face", row, |rows| model.predict(rows).unwrap());
}

criterion_group!(benches, text, voice, detector, face);
criterion_main!(benches);
