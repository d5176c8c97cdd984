//! Fusion of a ten-minute call: 120 utterances, 200 voice windows and 1,200 frames.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use heartline::emotion::{
    Category, FusionConfig, Modality, Reading, ServiceHints, Span, Utterance, find_concern, fuse, infer_need,
};

/// How long the call is, in milliseconds.
const CALL_MS: u64 = 10 * 60 * 1000;

const SENTENCES: [&str; 6] = [
    "I already told your colleague that the parcel never arrived.",
    "So when do I get my refund?",
    "Yes, the number is correct.",
    "我的退款到底什么时候能到？",
    "好的，我等一下。",
    "This is the third time I am calling about the same thing.",
];

/// Readings of one modality, spread evenly over the call, drifting from happiness to anger.
fn readings(modality: Modality, count: u64) -> Vec<Reading> {
    (0..count)
        .map(|index| {
            let at_ms = CALL_MS * index / count;
            let progress = index as f32 / count as f32;
            let mut categories = [0.05; 7];
            categories[Category::Anger.index()] += 0.65 * progress;
            categories[Category::Happiness.index()] += 0.65 * (1.0 - progress);
            Reading {
                modality,
                span: Span::new(at_ms, at_ms + 40),
                categories,
                valence: 0.6 - 1.2 * progress,
                arousal: 0.2 + 0.5 * progress,
                dominance: None,
                service: ServiceHints::default(),
                labels: Vec::new(),
                quality: 0.5 + 0.1 * (index % 5) as f32,
                face: None,
                model: "bench/1".to_owned(),
            }
        })
        .collect()
}

fn utterances() -> Vec<Utterance> {
    (0..120)
        .map(|index| Utterance {
            span: Span::new(index * 5_000, index * 5_000 + 3_000),
            text: SENTENCES[index as usize % SENTENCES.len()].to_owned(),
        })
        .collect()
}

fn bench(criterion: &mut Criterion) {
    let config = FusionConfig::default();
    let mut call = readings(Modality::Text, 120);
    call.extend(readings(Modality::Voice, 200));
    call.extend(readings(Modality::Face, 1_200));
    let utterances = utterances();
    criterion.bench_function("fuse/call_of_10_minutes", |bencher| {
        bencher.iter(|| fuse(black_box(&call), None, &config));
    });
    criterion.bench_function("concern/120_utterances", |bencher| {
        bencher.iter(|| find_concern(black_box(&utterances)));
    });
    let concern = find_concern(&utterances);
    criterion.bench_function("need/120_utterances", |bencher| {
        bencher.iter(|| infer_need(black_box(&utterances), &concern));
    });
}

criterion_group!(benches, bench);
criterion_main!(benches);
