//! Where the state of the customer is going: slopes over the call and its worst moment.

use super::TimelinePoint;
use crate::emotion::vector::{Trend, WorstMoment};

/// The shortest stretch that has a slope, in milliseconds: two looks a moment apart would make a cliff of noise.
const MINIMUM_STRETCH_MS: u64 = 10_000;
const MILLISECONDS_PER_MINUTE: f64 = 60_000.0;

/// The trend of a timeline in the order of media time.
pub(super) fn trend(timeline: &[TimelinePoint]) -> Trend {
    let worst = timeline.iter().min_by(|left, right| left.valence.total_cmp(&right.valence));
    Trend {
        valence_per_minute: slope(timeline, |point| point.valence),
        arousal_per_minute: slope(timeline, |point| point.arousal),
        worst: worst.map(|point| WorstMoment {
            at_ms: point.at_ms,
            valence: point.valence,
            category: point.category,
        }),
    }
}

/// The slope per minute by least squares; 0 for a stretch that is too short.
fn slope(timeline: &[TimelinePoint], value: fn(&TimelinePoint) -> f32) -> f32 {
    let (Some(first), Some(last)) = (timeline.first(), timeline.last()) else { return 0.0 };
    if last.at_ms.saturating_sub(first.at_ms) < MINIMUM_STRETCH_MS {
        return 0.0;
    }
    let minutes = |point: &TimelinePoint| (point.at_ms - first.at_ms) as f64 / MILLISECONDS_PER_MINUTE;
    let count = timeline.len() as f64;
    let mean_time = timeline.iter().map(minutes).sum::<f64>() / count;
    let mean_value = timeline.iter().map(|point| f64::from(value(point))).sum::<f64>() / count;
    let (mut covariance, mut variance) = (0.0, 0.0);
    for point in timeline {
        let distance = minutes(point) - mean_time;
        covariance += distance * (f64::from(value(point)) - mean_value);
        variance += distance * distance;
    }
    if variance > 0.0 { (covariance / variance) as f32 } else { 0.0 }
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
