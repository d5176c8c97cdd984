//! Fusion: readings of any subset of modalities become one emotion vector.
//!
//! The road: [`bucket`] pools the readings of one modality within a time bucket, [`memory`] filters each modality over
//! media time, [`pool`] joins the modalities, [`trust`] says how far to believe it, [`trend`] where it is going and
//! [`explain`] what each modality contributed. [`config`] holds every number that an
//! operator may choose and [`learned`] those found by training. `docs/emotion.md` has the formulae.

mod anchors;
mod bucket;
mod config;
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

use self::memory::ModalityMemory;
use self::pool::{Opinions, State};
use self::trust::Assurance;
use crate::emotion::label::{self, CategoryArray, CategoryProbabilities};
use crate::emotion::{
    Category, Concern, EMOTION_VECTOR_VERSION, EmotionVector, Modality, Reading, top_category,
};

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
    let mut memories = Modality::ALL.map(|modality| ModalityMemory::new(modality, config));
    let mut timeline = Vec::new();
    for bucket in bucket::buckets(readings, at_ms, config.bucket_ms, config.probability_floor) {
        let mut now_ms = 0;
        for (memory, reading) in memories.iter_mut().zip(&bucket) {
            if let Some(reading) = reading {
                memory.add(reading);
                now_ms = now_ms.max(reading.at_ms);
            }
        }
        timeline.push(timeline_point(&opinions(&memories, now_ms, config), now_ms, config));
    }
    let opinions = opinions(&memories, at_ms, config);
    let state = pool::pool(&opinions, config);
    let assurance = Assurance::of(&opinions, &state, config);
    let trust = trust::trust(&opinions, &assurance, config);
    let explanation = explain::explain(&opinions, &state, &assurance, &trust, config, ignored);
    let [satisfaction, frustration, confusion] = state.service;
    let vector = EmotionVector {
        version: EMOTION_VECTOR_VERSION,
        at_ms,
        categories: state.categories,
        valence: state.valence,
        arousal: state.arousal,
        dominance: state.dominance,
        satisfaction,
        frustration,
        confusion,
        concern: concern.as_ref().map_or(0.0, |concern| concern.score),
        concern_issue: concern,
        trust,
        trend: trend::trend(&timeline),
    };
    Fused { vector, explanation, timeline }
}

fn opinions(memories: &[ModalityMemory; 3], at_ms: u64, config: &FusionConfig) -> Opinions {
    [0, 1, 2].map(|index| memories[index].opinion(at_ms, config))
}

fn timeline_point(opinions: &Opinions, at_ms: u64, config: &FusionConfig) -> TimelinePoint {
    let state: State = pool::pool(opinions, config);
    TimelinePoint {
        at_ms,
        category: top_category(&state.categories).0,
        categories: state.categories,
        valence: state.valence,
        arousal: state.arousal,
        dominance: state.dominance,
        confidence: Assurance::of(opinions, &state, config).confidence(),
    }
}
