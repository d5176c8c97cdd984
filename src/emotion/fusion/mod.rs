//! Fusion: readings of any subset of modalities become one emotion vector.
//!
//! The road: [`bucket`] pools the readings of one modality within a time bucket, [`memory`] filters each modality over
//! media time, [`pool`] joins the modalities, [`trust`] says how far to believe it, [`trend`] where it is going and
//! [`explain`] what each modality contributed. [`course`] goes that road bucket by bucket, for a whole call at once
//! ([`fuse_at`]) as for one that still goes on ([`stream`]). [`config`] holds every number that an
//! operator may choose and [`learned`] those found by training. `docs/emotion.md` has the formulae.

mod anchors;
mod bucket;
mod config;
mod course;
mod explain;
mod learned;
mod memory;
mod pool;
mod stream;
#[cfg(test)]
mod testing;
mod trend;
mod trust;

pub use config::{ConfidenceConfig, DimensionMemory, FusionConfig, ModalityConfig};
pub use explain::{Contribution, Explanation};
use serde::{Deserialize, Serialize};
pub use stream::{FusionStream, Placement};
use utoipa::ToSchema;

use self::course::Course;
use crate::emotion::label::{self, CategoryArray, CategoryProbabilities};
use crate::emotion::{Category, Concern, EmotionVector, Reading};

/// A fused call: its state, why, and how it came there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Fused {
    /// The state at the moment that was asked for.
    pub vector: EmotionVector,
    /// What each modality contributed.
    pub explanation: Explanation,
    /// The state after each time bucket in which something was read, in the order of media time.
    pub timeline: Vec<TimelinePoint>,
}

/// The state after one time bucket, made of nothing that came later.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TimelinePoint {
    /// The moment, in milliseconds of media time.
    pub at_ms: u64,
    /// The strongest category.
    #[schema(value_type = String, example = "anger")]
    pub category: Category,
    /// Probabilities that sum to 1.
    #[serde(with = "label::by_name")]
    #[schema(value_type = CategoryProbabilities)]
    pub categories: CategoryArray,
    /// From unpleasant (-1) to pleasant (1).
    pub valence: f32,
    /// From calm (-1) to excited (1).
    pub arousal: f32,
    /// From submissive (-1) to in control (1).
    pub dominance: f32,
    /// How far to trust the point, in [0, 1].
    pub confidence: f32,
}

/// Fuses readings into the state at the end of the last one.
///
/// The order of the readings does not matter, only their media time. Readings that are damaged (see
/// [`Reading::is_usable`]) are left out and counted. Without any reading the vector abstains.
#[must_use]
pub fn fuse(readings: &[Reading], concern: Option<Concern>, config: &FusionConfig) -> Fused {
    let last_ms =
        readings.iter().filter(|reading| reading.is_usable()).map(|reading| reading.span.end_ms).max();
    fuse_at(readings, concern, last_ms.unwrap_or(0), config)
}

/// Fuses the readings that end by a moment into the state at that moment: what is older weighs less.
#[must_use]
pub fn fuse_at(readings: &[Reading], concern: Option<Concern>, at_ms: u64, config: &FusionConfig) -> Fused {
    let ignored = readings.iter().filter(|reading| !reading.is_usable()).count();
    let looks = bucket::looks(readings, at_ms, config.probability_floor);
    let mut course = Course::new(config);
    let timeline =
        bucket::buckets(&looks, config.bucket_ms).map(|bucket| course.take(&bucket, config)).collect();
    let (vector, explanation) = course.state(at_ms, concern, ignored as u64, config);
    Fused { vector, explanation, timeline }
}
