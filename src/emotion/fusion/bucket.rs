//! Readings of one modality within one time bucket become one.
//!
//! Forty frames of the same second are one look at a face, not forty opinions. So they are averaged, never added up:
//! log-probabilities and dimensions alike, each reading counting by its quality.

use crate::emotion::label::CategoryArray;
use crate::emotion::{CATEGORY_COUNT, Modality, Reading};

/// What one modality says in one time bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct BucketReading {
    /// The end of its last reading, in milliseconds of media time.
    pub(super) at_ms: u64,
    /// The mean quality, good readings counting most.
    pub(super) quality: f32,
    /// The mean log-probabilities.
    pub(super) log_probabilities: CategoryArray,
    pub(super) valence: f32,
    pub(super) arousal: f32,
    /// None where no reading of the bucket has it.
    pub(super) dominance: Option<f32>,
    /// Satisfaction, frustration and confusion; none where no reading of the bucket has it.
    pub(super) service: [Option<f32>; 3],
    /// How many readings were pooled.
    pub(super) readings: u32,
}

/// The numbers of one usable reading, and nothing else of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Look {
    pub(super) modality: Modality,
    /// The end of the reading, in milliseconds of media time.
    pub(super) at_ms: u64,
    quality: f32,
    log_probabilities: CategoryArray,
    valence: f32,
    arousal: f32,
    dominance: Option<f32>,
    service: [Option<f32>; 3],
}

impl Look {
    /// None where the reading is not usable. No category goes below the floor.
    pub(super) fn of(reading: &Reading, floor: f32) -> Option<Self> {
        let sum: f32 = reading.categories.iter().sum();
        let service = reading.service;
        reading.is_usable().then(|| Self {
            modality: reading.modality,
            at_ms: reading.span.end_ms,
            quality: reading.quality.min(1.0),
            log_probabilities: reading.categories.map(|probability| (probability / sum).max(floor).ln()),
            valence: reading.valence,
            arousal: reading.arousal,
            dominance: reading.dominance,
            service: [service.satisfaction, service.frustration, service.confusion],
        })
    }

    /// The number of the time bucket that it belongs to.
    pub(super) fn bucket(&self, bucket_ms: u64) -> u64 {
        self.at_ms / bucket_ms.max(1)
    }
}

/// The usable readings up to a moment, in the order of media time.
pub(super) fn looks(readings: &[Reading], until_ms: u64, floor: f32) -> Vec<Look> {
    let mut looks: Vec<Look> = readings
        .iter()
        .filter(|reading| reading.span.end_ms <= until_ms)
        .filter_map(|reading| Look::of(reading, floor))
        .collect();
    looks.sort_by_key(|look| (look.at_ms, look.modality));
    looks
}

/// Looks in the order of media time, grouped by bucket: at most one a modality.
pub(super) fn buckets(looks: &[Look], bucket_ms: u64) -> impl Iterator<Item = [Option<BucketReading>; 3]> {
    looks.chunk_by(move |left, right| left.bucket(bucket_ms) == right.bucket(bucket_ms)).map(pool_bucket)
}

/// Pools the looks of one bucket.
pub(super) fn pool_bucket(looks: &[Look]) -> [Option<BucketReading>; 3] {
    Modality::ALL.map(|modality| pool(looks, modality))
}

/// Pools the looks of one modality; none where there is no such look.
fn pool(looks: &[Look], modality: Modality) -> Option<BucketReading> {
    let own = || looks.iter().filter(|look| look.modality == modality);
    let last = own().next_back()?;
    let mut log_probabilities = [0.0; CATEGORY_COUNT];
    let mut total = 0.0;
    let mut squares = 0.0;
    let mut readings = 0;
    for look in own() {
        for (pooled, logarithm) in log_probabilities.iter_mut().zip(look.log_probabilities) {
            *pooled += look.quality * logarithm;
        }
        total += look.quality;
        squares += look.quality * look.quality;
        readings += 1;
    }
    for pooled in &mut log_probabilities {
        *pooled /= total;
    }
    let mean = |value: fn(&Look) -> Option<f32>, low: f32| weighted_mean(own(), value, low);
    Some(BucketReading {
        at_ms: last.at_ms,
        quality: squares / total,
        log_probabilities,
        valence: mean(|look| Some(look.valence), -1.0)?,
        arousal: mean(|look| Some(look.arousal), -1.0)?,
        dominance: mean(|look| look.dominance, -1.0),
        service: [
            mean(|look| look.service[0], 0.0),
            mean(|look| look.service[1], 0.0),
            mean(|look| look.service[2], 0.0),
        ],
        readings,
    })
}

/// The mean of a value over the looks that have it, each counting by its quality, clamped to `low..=1`.
fn weighted_mean<'a>(
    looks: impl Iterator<Item = &'a Look>,
    value: fn(&Look) -> Option<f32>,
    low: f32,
) -> Option<f32> {
    let (mut sum, mut weight) = (0.0, 0.0);
    for look in looks {
        if let Some(value) = value(look) {
            sum += look.quality * value.clamp(low, 1.0);
            weight += look.quality;
        }
    }
    (weight > 0.0).then(|| (sum / weight).clamp(low, 1.0))
}

#[cfg(test)]
mod tests {
    use super::super::testing::reading;
    use super::*;
    use crate::emotion::Category;

    fn buckets(
        readings: &[Reading],
        until_ms: u64,
        bucket_ms: u64,
        floor: f32,
    ) -> Vec<[Option<BucketReading>; 3]> {
        super::buckets(&looks(readings, until_ms, floor), bucket_ms).collect()
    }

    #[test]
    fn identical_frames_are_one_frame() {
        let frame = |at_ms| reading(Modality::Face, at_ms, Category::Anger, 0.7);
        let one = buckets(&[frame(100)], 10_000, 2_000, 0.005);
        let many: Vec<_> = (0..40).map(|index| frame(100 + index * 20)).collect();
        let many = buckets(&many, 10_000, 2_000, 0.005);
        assert_eq!((one.len(), many.len()), (1, 1));
        let (one, many) = (one[0][2].unwrap(), many[0][2].unwrap());
        assert!((one.valence - many.valence).abs() < 1e-5);
        assert!((one.quality - many.quality).abs() < 1e-5);
        for (left, right) in one.log_probabilities.iter().zip(many.log_probabilities) {
            assert!((left - right).abs() < 1e-4);
        }
        assert_eq!((many.at_ms, many.readings), (880, 40));
    }

    #[test]
    fn better_readings_count_more() {
        let mut blurred = reading(Modality::Face, 100, Category::Happiness, 0.8);
        blurred.quality = 0.1;
        let sharp = reading(Modality::Face, 200, Category::Anger, 0.8);
        let pooled = buckets(&[blurred, sharp], 10_000, 2_000, 0.005)[0][2].unwrap();
        assert!(pooled.valence < -0.3);
        assert!(
            pooled.log_probabilities[Category::Anger.index()]
                > pooled.log_probabilities[Category::Happiness.index()]
        );
    }

    #[test]
    fn damaged_and_future_readings_are_left_out() {
        let mut damaged = reading(Modality::Text, 100, Category::Anger, 0.8);
        damaged.valence = f32::NAN;
        let future = reading(Modality::Text, 5_000, Category::Anger, 0.8);
        assert!(buckets(&[damaged, future], 4_999, 2_000, 0.005).is_empty());
    }

    #[test]
    fn an_impossible_category_keeps_the_floor() {
        let mut sure = reading(Modality::Text, 100, Category::Anger, 0.8);
        sure.categories = [0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0];
        let pooled = buckets(&[sure], 1_000, 2_000, 0.005)[0][0].unwrap();
        assert!((pooled.log_probabilities[0] - 0.005f32.ln()).abs() < 1e-5);
    }
}
