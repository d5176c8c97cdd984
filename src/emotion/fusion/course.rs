//! The road of a call, bucket by bucket: what was said so far, and the state that follows from it at any later moment.

use super::TimelinePoint;
use super::bucket::BucketReading;
use super::config::FusionConfig;
use super::explain::{self, Explanation};
use super::memory::ModalityMemory;
use super::pool::{self, Opinions, State};
use super::trend::Slopes;
use super::trust::{self, Assurance};
use crate::emotion::{Concern, EMOTION_VECTOR_VERSION, EmotionVector, Modality, top_category};

/// A call so far. Its size does not grow with the call.
#[derive(Debug, Clone)]
pub(super) struct Course {
    memories: [ModalityMemory; 3],
    slopes: Slopes,
}

impl Course {
    pub(super) fn new(config: &FusionConfig) -> Self {
        Self {
            memories: Modality::ALL.map(|modality| ModalityMemory::new(modality, config)),
            slopes: Slopes::default(),
        }
    }

    /// Takes one bucket in and gives the state after it. Buckets come in the order of media time.
    pub(super) fn take(
        &mut self,
        bucket: &[Option<BucketReading>; 3],
        config: &FusionConfig,
    ) -> TimelinePoint {
        let mut now_ms = 0;
        for (memory, reading) in self.memories.iter_mut().zip(bucket) {
            if let Some(reading) = reading {
                memory.add(reading);
                now_ms = now_ms.max(reading.at_ms);
            }
        }
        let point = timeline_point(&self.opinions(now_ms, config), now_ms, config);
        self.slopes.add(&point);
        point
    }

    /// The state at a moment, which is not before the last bucket, and its explanation.
    pub(super) fn state(
        &self,
        at_ms: u64,
        concern: Option<Concern>,
        ignored: u64,
        config: &FusionConfig,
    ) -> (EmotionVector, Explanation) {
        let opinions = self.opinions(at_ms, config);
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
            trend: self.slopes.trend(),
        };
        (vector, explanation)
    }

    fn opinions(&self, at_ms: u64, config: &FusionConfig) -> Opinions {
        [0, 1, 2].map(|index| self.memories[index].opinion(at_ms, config))
    }
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
