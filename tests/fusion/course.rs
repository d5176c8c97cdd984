//! Made-up calls: a true state that moves, read at realistic rates by readings of people who really showed it.

use heartline::emotion::{CATEGORY_COUNT, Category, FusionConfig, Modality, Reading, Span, fuse_at};

use crate::pairs::Pools;
use crate::random::Random;

/// An utterance of 3 s each 5 s, a voice window of 4 s each 4 s, two frames a second.
const UTTERANCE_EVERY_MS: u64 = 5_000;
const UTTERANCE_MS: u64 = 3_000;
const WINDOW_MS: u64 = 4_000;
const FRAME_EVERY_MS: u64 = 500;
/// The same look lasts that long: its frames are alike and no new evidence.
const LOOK_MS: u64 = 2_000;
/// The share of readings of spoilt material.
const SPOILT: f32 = 0.3;
/// The time between two looks at the fused state.
pub(crate) const STEP_MS: u64 = 1_000;

/// How common each category is at a moment.
pub(crate) type Truth = dyn Fn(u64) -> [f32; CATEGORY_COUNT];

/// One category for sure.
pub(crate) fn surely(category: Category) -> [f32; CATEGORY_COUNT] {
    let mut shares = [0.0; CATEGORY_COUNT];
    shares[category.index()] = 1.0;
    shares
}

/// The readings of one call.
pub(crate) fn call(pools: &Pools<'_>, truth: &Truth, length_ms: u64, random: &mut Random) -> Vec<Reading> {
    let mut readings = Vec::new();
    let mut read = |modality: Modality, span: Span, random: &mut Random| {
        let shown = random.category(&truth(span.start_ms.midpoint(span.end_ms)));
        let rank = random.uniform();
        let row = pools.pick(modality, shown, SPOILT, rank, random);
        readings.push(row.reading(span));
    };
    for start_ms in (0..length_ms - UTTERANCE_MS).step_by(UTTERANCE_EVERY_MS as usize) {
        read(Modality::Text, Span::new(start_ms, start_ms + UTTERANCE_MS), random);
    }
    for start_ms in (0..length_ms - WINDOW_MS).step_by(WINDOW_MS as usize) {
        read(Modality::Voice, Span::new(start_ms, start_ms + WINDOW_MS), random);
    }
    let mut looks: Vec<Reading> = Vec::new();
    for look_ms in (0..length_ms).step_by(LOOK_MS as usize) {
        let shown = random.category(&truth(look_ms + LOOK_MS / 2));
        let rank = random.uniform();
        let row = pools.pick(Modality::Face, shown, SPOILT, rank, random);
        let frames = (look_ms..look_ms + LOOK_MS).step_by(FRAME_EVERY_MS as usize);
        looks.extend(frames.map(|at_ms| row.reading(Span::at(at_ms))));
    }
    readings.extend(looks);
    readings
}

/// The fused categories each second of several calls of the same truth: `[call][second]`.
pub(crate) fn courses(
    pools: &Pools<'_>,
    truth: &Truth,
    length_ms: u64,
    calls: u64,
    config: &FusionConfig,
) -> Vec<Vec<[f32; CATEGORY_COUNT]>> {
    (0..calls)
        .map(|seed| {
            let readings = call(pools, truth, length_ms, &mut Random::new(seed + 100));
            let moments = (STEP_MS..=length_ms).step_by(STEP_MS as usize);
            moments.map(|at_ms| fuse_at(&readings, None, at_ms, config).vector.categories).collect()
        })
        .collect()
}

/// The mean probability of a category over the calls, each second.
pub(crate) fn mean_course(courses: &[Vec<[f32; CATEGORY_COUNT]>], category: Category) -> Vec<f64> {
    let length = courses.first().map_or(0, Vec::len);
    (0..length)
        .map(|second| {
            let sum: f64 = courses.iter().map(|course| f64::from(course[second][category.index()])).sum();
            sum / courses.len() as f64
        })
        .collect()
}
