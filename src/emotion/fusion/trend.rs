//! Where the state of the customer is going: slopes over the call and its worst moment.

use super::TimelinePoint;
use crate::emotion::vector::{Trend, WorstMoment};

/// The shortest stretch that has a slope, in milliseconds: two looks a moment apart would make a cliff of noise.
const MINIMUM_STRETCH_MS: u64 = 10_000;
const MILLISECONDS_PER_MINUTE: f64 = 60_000.0;

/// What the trend needs of a timeline: sums for the straight lines of least squares, and the worst point.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Slopes {
    /// None before the first point.
    first_ms: Option<u64>,
    last_ms: u64,
    count: f64,
    minutes: f64,
    minutes_squared: f64,
    /// Of valence and arousal.
    values: [f64; 2],
    /// Of minutes times valence and arousal.
    products: [f64; 2],
    worst: Option<WorstMoment>,
}

impl Slopes {
    /// Takes the next point of the timeline in.
    pub(super) fn add(&mut self, point: &TimelinePoint) {
        let first_ms = *self.first_ms.get_or_insert(point.at_ms);
        self.last_ms = point.at_ms;
        let minutes = point.at_ms.saturating_sub(first_ms) as f64 / MILLISECONDS_PER_MINUTE;
        self.count += 1.0;
        self.minutes += minutes;
        self.minutes_squared += minutes * minutes;
        for (index, value) in [point.valence, point.arousal].into_iter().enumerate() {
            self.values[index] += f64::from(value);
            self.products[index] += minutes * f64::from(value);
        }
        if self.worst.is_none_or(|worst| point.valence < worst.valence) {
            self.worst =
                Some(WorstMoment { at_ms: point.at_ms, valence: point.valence, category: point.category });
        }
    }

    /// The trend over all points.
    pub(super) fn trend(&self) -> Trend {
        Trend { valence_per_minute: self.slope(0), arousal_per_minute: self.slope(1), worst: self.worst }
    }

    /// The slope per minute by least squares; 0 for a stretch that is too short.
    fn slope(&self, index: usize) -> f32 {
        let stretch_ms = self.last_ms.saturating_sub(self.first_ms.unwrap_or(self.last_ms));
        if stretch_ms < MINIMUM_STRETCH_MS {
            return 0.0;
        }
        let covariance = self.products[index] - self.minutes * self.values[index] / self.count;
        let variance = self.minutes_squared - self.minutes * self.minutes / self.count;
        if variance > 0.0 { (covariance / variance) as f32 } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emotion::Category;

    fn point(at_ms: u64, valence: f32) -> TimelinePoint {
        TimelinePoint {
            at_ms,
            category: Category::Sadness,
            categories: [1.0 / 7.0; 7],
            valence,
            arousal: 0.5,
            dominance: 0.0,
            confidence: 0.5,
        }
    }

    fn trend(timeline: &[TimelinePoint]) -> Trend {
        let mut slopes = Slopes::default();
        timeline.iter().for_each(|point| slopes.add(point));
        slopes.trend()
    }

    /// The same slope with every point at hand, by the means.
    fn slope_of_all(timeline: &[TimelinePoint]) -> f64 {
        let minutes = |point: &TimelinePoint| point.at_ms as f64 / MILLISECONDS_PER_MINUTE;
        let count = timeline.len() as f64;
        let mean_time = timeline.iter().map(minutes).sum::<f64>() / count;
        let mean_value = timeline.iter().map(|point| f64::from(point.valence)).sum::<f64>() / count;
        let (mut covariance, mut variance) = (0.0, 0.0);
        for point in timeline {
            let distance = minutes(point) - mean_time;
            covariance += distance * (f64::from(point.valence) - mean_value);
            variance += distance * distance;
        }
        covariance / variance
    }

    #[test]
    fn sums_over_a_day_are_as_exact_as_all_its_points() {
        let wave = |step: u64| (step as f32 * 0.37).sin() * 0.4 - step as f32 * 1e-6;
        let timeline: Vec<_> =
            (0..43_200_u64).map(|step| point(7_000_000 + step * 2_000, wave(step))).collect();
        let (found, expected) = (f64::from(trend(&timeline).valence_per_minute), slope_of_all(&timeline));
        assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        assert!((found + 3e-5).abs() < 1e-6);
    }

    #[test]
    fn a_straight_line_has_its_slope() {
        let timeline: Vec<_> = (0..10).map(|step| point(step * 6_000, 0.5 - 0.05 * step as f32)).collect();
        let trend = trend(&timeline);
        assert!((trend.valence_per_minute + 0.5).abs() < 1e-4);
        assert!(trend.arousal_per_minute.abs() < 1e-6);
        assert_eq!(trend.worst.unwrap().at_ms, 54_000);
    }

    #[test]
    fn short_and_empty_calls_have_no_slope() {
        assert_eq!(trend(&[]), Trend::default());
        let short = trend(&[point(0, 0.5), point(2_000, -0.5)]);
        assert_eq!(short.valence_per_minute, 0.0);
        assert_eq!(short.worst.unwrap().valence, -0.5);
    }
}
