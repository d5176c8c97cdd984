//! What one modality has said so far, with exponential forgetting over media time.

use super::bucket::BucketReading;
use super::config::FusionConfig;
use super::learned;
use super::pool::{Opinion, softmax};
use crate::emotion::label::CategoryArray;
use crate::emotion::{CATEGORY_COUNT, Modality};

/// A weighted mean of values that forgets with a time constant.
///
/// Both the sums and the weight fade alike, so that silence alone does not change the mean: only newer values do.
#[derive(Debug, Clone, Copy)]
struct Running<const N: usize> {
    sums: [f64; N],
    weight: f64,
    at_ms: u64,
    time_constant_ms: f64,
}

impl<const N: usize> Running<N> {
    fn new(time_constant_ms: u64) -> Self {
        Self { sums: [0.0; N], weight: 0.0, at_ms: 0, time_constant_ms: time_constant_ms.max(1) as f64 }
    }

    fn add(&mut self, at_ms: u64, values: [f32; N], weight: f32) {
        let elapsed_ms = at_ms.saturating_sub(self.at_ms) as f64;
        let kept = (-elapsed_ms / self.time_constant_ms).exp();
        for (sum, value) in self.sums.iter_mut().zip(values) {
            *sum = *sum * kept + f64::from(weight) * f64::from(value);
        }
        self.weight = self.weight * kept + f64::from(weight);
        self.at_ms = self.at_ms.max(at_ms);
    }

    fn mean(&self) -> Option<[f32; N]> {
        (self.weight > 0.0).then(|| self.sums.map(|sum| (sum / self.weight) as f32))
    }
}

impl Running<1> {
    fn add_if_some(&mut self, at_ms: u64, value: Option<f32>, weight: f32) {
        if let Some(value) = value {
            self.add(at_ms, [value], weight);
        }
    }
}

/// The history of one modality.
#[derive(Debug, Clone)]
pub(super) struct ModalityMemory {
    modality: Modality,
    log_prior: CategoryArray,
    log_probabilities: Running<CATEGORY_COUNT>,
    quality: Running<1>,
    valence: Running<1>,
    arousal: Running<1>,
    dominance: Running<1>,
    service: [Running<1>; 3],
    newest_ms: u64,
    readings: u32,
}

impl ModalityMemory {
    pub(super) fn new(modality: Modality, config: &FusionConfig) -> Self {
        let memory = &config.memory;
        let prior = config.of(modality).prior.map_or(learned::PRIOR[modality.index()], CategoryArray::from);
        Self {
            modality,
            log_prior: prior.map(f32::ln),
            log_probabilities: Running::new(memory.categories_ms),
            quality: Running::new(memory.categories_ms),
            valence: Running::new(memory.valence_ms),
            arousal: Running::new(memory.arousal_ms),
            dominance: Running::new(memory.dominance_ms),
            service: [Running::new(memory.service_ms); 3],
            newest_ms: 0,
            readings: 0,
        }
    }

    /// Takes one bucket in. Buckets come in the order of media time.
    pub(super) fn add(&mut self, bucket: &BucketReading) {
        let (at_ms, weight) = (bucket.at_ms, bucket.quality);
        self.log_probabilities.add(at_ms, bucket.log_probabilities, weight);
        // Weighted evenly: a run of bad frames is to lower the quality, however good the frames before them were.
        self.quality.add(at_ms, [bucket.quality], 1.0);
        self.valence.add(at_ms, [bucket.valence], weight);
        self.arousal.add(at_ms, [bucket.arousal], weight);
        self.dominance.add_if_some(at_ms, bucket.dominance, weight);
        for (running, value) in self.service.iter_mut().zip(bucket.service) {
            running.add_if_some(at_ms, value, weight);
        }
        self.newest_ms = self.newest_ms.max(at_ms);
        self.readings = self.readings.saturating_add(bucket.readings);
    }

    /// What the modality says at a moment; none where it has said nothing yet.
    pub(super) fn opinion(&self, at_ms: u64, config: &FusionConfig) -> Option<Opinion> {
        let log_probabilities: CategoryArray = self.log_probabilities.mean()?;
        let [quality] = self.quality.mean()?;
        let [valence] = self.valence.mean()?;
        let [arousal] = self.arousal.mean()?;
        let (index, numbers) = (self.modality.index(), config.of(self.modality));
        let reliability = numbers.reliability * learned::RELIABILITY[index];
        let age_ms = at_ms.saturating_sub(self.newest_ms);
        let half_lives = (age_ms as f64 / numbers.half_life_ms.max(1) as f64) as f32;
        let worth = (learned::QUALITY_POWER[index] * quality.log2() - half_lives).exp2();
        Some(Opinion {
            probabilities: softmax(log_probabilities),
            log_probabilities,
            log_prior: self.log_prior,
            valence,
            arousal,
            dominance: self.dominance.mean().map(|[value]| value),
            service: self.service.map(|running| running.mean().map(|[value]| value)),
            weight: reliability * worth,
            quality,
            age_ms,
            readings: self.readings,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_mean_forgets_with_its_time_constant() {
        let mut running = Running::<1>::new(1_000);
        running.add(0, [1.0], 1.0);
        running.add(1_000, [0.0], 1.0);
        let kept = (-1.0f32).exp();
        assert!((running.mean().unwrap()[0] - kept / (1.0 + kept)).abs() < 1e-6);
    }

    #[test]
    fn silence_keeps_the_mean_and_an_age_of_days_stays_finite() {
        let mut running = Running::<1>::new(1_000);
        assert_eq!(running.mean(), None);
        running.add(0, [0.4], 1.0);
        assert!((running.mean().unwrap()[0] - 0.4).abs() < 1e-6);
        running.add(1_000_000_000, [-0.2], 0.5);
        assert!((running.mean().unwrap()[0] + 0.2).abs() < 1e-6);
    }
}
