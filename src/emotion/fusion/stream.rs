//! Fusion while a call goes on.

use super::explain::Explanation;
use super::{Fused, FusionConfig, TimelinePoint, fuse_at};
use crate::emotion::{Concern, EmotionVector, Reading};

/// Fusion.
pub struct FusionStream {
    config: FusionConfig,
    readings: Vec<Reading>,
}
/// Where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// On time.
    OnTime,
    /// Late.
    Late,
}
impl FusionStream {
    /// New.
    #[must_use]
    pub fn new(config: &FusionConfig) -> Self {
        Self { config: config.clone(), readings: Vec::new() }
    }
    /// Add.
    pub fn add(&mut self, reading: Reading) -> Placement {
        self.readings.push(reading);
        Placement::OnTime
    }
    /// At.
    #[must_use]
    pub fn at(&self, at_ms: u64, concern: Option<Concern>) -> (EmotionVector, Explanation) {
        let Fused { vector, explanation, .. } = fuse_at(&self.readings, concern, at_ms, &self.config);
        (vector, explanation)
    }
    /// Timeline.
    #[must_use]
    pub fn timeline(&self) -> Vec<TimelinePoint> {
        fuse_at(&self.readings, None, u64::MAX, &self.config).timeline
    }
}
