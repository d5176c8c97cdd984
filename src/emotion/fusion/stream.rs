//! Fusion of a call that goes on: constant memory and constant time a reading, however long it lasts.

use std::collections::VecDeque;

use super::bucket::{self, Look};
use super::config::FusionConfig;
use super::course::Course;
use super::{Explanation, TimelinePoint};
use crate::emotion::{Concern, EmotionVector, Reading};

/// How far behind the newest reading others may come in any order, in milliseconds. 10 s: a window of voice is read
/// some seconds after the frames that were taken meanwhile, and a transcript comes later still.
const OPEN_MS: u64 = 10_000;
/// The most readings that stay open; of a flood, the oldest bucket is pooled early.
const MOST_OPEN: usize = 512;
/// The most points of a timeline.
const MOST_POINTS: usize = 600;
/// The most points that are kept of closed buckets; the others are left to the open ones.
const MOST_CLOSED_POINTS: usize = 590;

/// Where a reading found its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// In the bucket of its own time.
    OnTime,
    /// It came more than 10 s behind the newest one and was put at the oldest moment that is still open.
    Late,
    /// Nowhere: it is damaged, see [`Reading::is_usable`].
    Ignored,
}

/// The fusion of a call so far.
///
/// Buckets that end more than 10 s before the newest reading are closed: they live on in the memories of the
/// modalities, in the sums of the trend and in the timeline, and their readings are forgotten. Readings that come
/// within the open time are fused as [`fuse_at`](super::fuse_at) fuses them, whatever their order.
#[derive(Debug, Clone)]
pub struct FusionStream {
    config: FusionConfig,
    closed: Course,
    /// The readings of open buckets in the order of media time.
    open: VecDeque<Look>,
    /// The number of the oldest open bucket.
    first_open: u64,
    timeline: Timeline,
    readings: u64,
    late: u64,
    ignored: u64,
}

impl FusionStream {
    /// A call of which nothing is known yet.
    #[must_use]
    pub fn new(config: &FusionConfig) -> Self {
        Self {
            config: config.clone(),
            closed: Course::new(config),
            open: VecDeque::new(),
            first_open: 0,
            timeline: Timeline::default(),
            readings: 0,
            late: 0,
            ignored: 0,
        }
    }

    /// Takes a reading in.
    pub fn add(&mut self, reading: &Reading) -> Placement {
        let Some(mut look) = Look::of(reading, self.config.probability_floor) else {
            self.ignored += 1;
            return Placement::Ignored;
        };
        self.readings += 1;
        let bucket_ms = self.config.bucket_ms.max(1);
        let is_late = look.bucket(bucket_ms) < self.first_open;
        if is_late {
            self.late += 1;
            look.at_ms = self.first_open.saturating_mul(bucket_ms);
        }
        let order = |look: &Look| (look.at_ms, look.modality);
        let place = self.open.partition_point(|other| order(other) <= order(&look));
        self.open.insert(place, look);
        self.first_open = self.first_open.max(look.at_ms.saturating_sub(OPEN_MS) / bucket_ms);
        while self.open.front().is_some_and(|oldest| oldest.bucket(bucket_ms) < self.first_open) {
            self.close_oldest();
        }
        if self.open.len() > MOST_OPEN {
            self.close_oldest();
        }
        if is_late { Placement::Late } else { Placement::OnTime }
    }

    /// The state at a moment, of the readings that end by it, and what each modality contributed. Closed buckets
    /// count even if the moment lies before them.
    #[must_use]
    pub fn at(&self, at_ms: u64, concern: Option<Concern>) -> (EmotionVector, Explanation) {
        let mut course = self.closed.clone();
        self.follow_open(&mut course, at_ms, |_| ());
        course.state(at_ms, concern, self.ignored, &self.config)
    }

    /// The state after each bucket in which something was read, at most 600 of them. Of a longer call every second
    /// one is left out, again and again, but never the first and the last: an hour is told at even steps of 16 s.
    #[must_use]
    pub fn timeline(&self) -> Vec<TimelinePoint> {
        let mut points = self.timeline.points();
        self.follow_open(&mut self.closed.clone(), u64::MAX, |point| points.push(point));
        while points.len() > MOST_POINTS {
            let last = points.pop();
            points = points.into_iter().step_by(2).chain(last).collect();
        }
        points
    }

    /// How many usable readings came so far.
    #[must_use]
    pub const fn readings(&self) -> u64 {
        self.readings
    }

    /// How many of them came late.
    #[must_use]
    pub const fn late(&self) -> u64 {
        self.late
    }

    /// How many readings were left out because they were damaged.
    #[must_use]
    pub const fn ignored(&self) -> u64 {
        self.ignored
    }

    fn close_oldest(&mut self) {
        let bucket_ms = self.config.bucket_ms;
        let Some(oldest) = self.open.front().map(|look| look.bucket(bucket_ms)) else { return };
        let count = self.open.partition_point(|look| look.bucket(bucket_ms) == oldest);
        let looks: Vec<Look> = self.open.drain(..count).collect();
        let point = self.closed.take(&bucket::pool_bucket(&looks), &self.config);
        self.timeline.add(point);
    }

    /// Leads a course over the open readings up to a moment.
    fn follow_open(&self, course: &mut Course, until_ms: u64, mut tell: impl FnMut(TimelinePoint)) {
        let count = self.open.partition_point(|look| look.at_ms <= until_ms);
        let looks: Vec<Look> = self.open.range(..count).copied().collect();
        for bucket in bucket::buckets(&looks, self.config.bucket_ms) {
            tell(course.take(&bucket, &self.config));
        }
    }
}

/// Points of closed buckets, thinned evenly: every one at first, then every second one, every fourth ...
#[derive(Debug, Clone)]
struct Timeline {
    kept: Vec<TimelinePoint>,
    /// The newest point, be it kept or not.
    last: Option<TimelinePoint>,
    seen: u64,
    /// Of how many points one is kept.
    stride: u64,
}

impl Default for Timeline {
    fn default() -> Self {
        Self { kept: Vec::new(), last: None, seen: 0, stride: 1 }
    }
}

impl Timeline {
    fn add(&mut self, point: TimelinePoint) {
        if self.seen.is_multiple_of(self.stride) {
            if self.kept.len() >= MOST_CLOSED_POINTS {
                let mut is_kept = false;
                self.kept.retain(|_| {
                    is_kept = !is_kept;
                    is_kept
                });
                self.stride *= 2;
            }
            if self.seen.is_multiple_of(self.stride) {
                self.kept.push(point);
            }
        }
        self.seen += 1;
        self.last = Some(point);
    }

    fn points(&self) -> Vec<TimelinePoint> {
        let mut points = self.kept.clone();
        if !self.seen.saturating_sub(1).is_multiple_of(self.stride) {
            points.extend(self.last);
        }
        points
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, proptest};

    use super::super::testing::reading;
    use super::super::{Fused, fuse_at};
    use super::*;
    use crate::emotion::{Category, Modality, ServiceHints};

    fn stream(readings: &[Reading]) -> FusionStream {
        let mut stream = FusionStream::new(&FusionConfig::default());
        for reading in readings {
            stream.add(reading);
        }
        stream
    }

    /// All numbers of a value, by their places, and its texts.
    fn numbers(
        value: &serde_json::Value,
        path: &str,
        found: &mut Vec<(String, f64)>,
        texts: &mut Vec<String>,
    ) {
        match value {
            serde_json::Value::Number(number) => found.push((path.to_owned(), number.as_f64().unwrap())),
            serde_json::Value::Array(values) => {
                for (index, value) in values.iter().enumerate() {
                    numbers(value, &format!("{path}.{index}"), found, texts);
                }
            }
            serde_json::Value::Object(fields) => {
                for (name, value) in fields {
                    numbers(value, &format!("{path}.{name}"), found, texts);
                }
            }
            other => texts.push(format!("{path} {other}")),
        }
    }

    /// What differs by more than 1e-4. Sentences are left out: they round the same numbers.
    fn difference(left: &impl serde::Serialize, right: &impl serde::Serialize) -> Option<String> {
        let read = |value: serde_json::Value| {
            let (mut found, mut texts) = (Vec::new(), Vec::new());
            numbers(&value, "", &mut found, &mut texts);
            texts.retain(|text| {
                !text.contains("sentence") && !text.contains("summary") && !text.contains("reason")
            });
            (found, texts)
        };
        let (left, right) =
            (read(serde_json::to_value(left).unwrap()), read(serde_json::to_value(right).unwrap()));
        if left.1 != right.1 || left.0.len() != right.0.len() {
            return Some(format!("{left:?} {right:?}"));
        }
        let pairs = left.0.iter().zip(&right.0);
        pairs
            .filter(|(left, right)| left.0 != right.0 || (left.1 - right.1).abs() > 1e-4)
            .map(|(left, right)| format!("{left:?} {right:?}"))
            .next()
    }

    /// Asserts that a stream says what the fusion of all readings says.
    fn check(stream: &FusionStream, readings: &[Reading], at_ms: u64) -> Result<(), String> {
        let Fused { vector, explanation, timeline } = fuse_at(readings, None, at_ms, &stream.config);
        let found = stream.at(at_ms, None);
        difference(&(vector, explanation), &found).map_or(Ok(()), Err)?;
        let newest_ms = readings.iter().map(|reading| reading.span.end_ms).max().unwrap_or(0);
        if at_ms >= newest_ms {
            difference(&timeline, &stream.timeline()).map_or(Ok(()), Err)
        } else {
            Ok(())
        }
    }

    fn any_reading() -> impl Strategy<Value = (u64, Reading)> {
        let parts = (0..3_usize, 0..7_usize, 0.2_f32..0.95, 0.05_f32..1.0, any::<bool>());
        // The time since the newest one, and by how much this one is behind it.
        (parts, 0_u64..4_000, 0_u64..OPEN_MS).prop_map(|(parts, step_ms, behind_ms)| {
            let (modality, category, probability, quality, has_hints) = parts;
            let mut reading =
                reading(Modality::ALL[modality], behind_ms, Category::ALL[category], probability);
            reading.quality = quality;
            if has_hints {
                reading.dominance = Some(quality - 0.5);
                reading.service = ServiceHints { frustration: Some(probability), ..ServiceHints::default() };
            }
            (step_ms, reading)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn within_the_open_time_no_order_matters(
            parts in vec(any_reading(), 0..120),
            back_ms in 0..OPEN_MS,
        ) {
            let mut stream = FusionStream::new(&FusionConfig::default());
            let (mut readings, mut newest_ms) = (Vec::new(), 0);
            for (step_ms, mut reading) in parts {
                // Every third one is the newest, the others come behind it.
                let behind_ms = reading.span.end_ms;
                if readings.len() % 3 == 0 {
                    newest_ms += step_ms;
                }
                let at_ms = if readings.len() % 3 == 0 { newest_ms } else { newest_ms.saturating_sub(behind_ms) };
                reading.span = crate::emotion::Span::at(at_ms);
                prop_assert_eq!(stream.add(&reading), Placement::OnTime);
                readings.push(reading);
            }
            for at_ms in [newest_ms, newest_ms + 7_000, newest_ms.saturating_sub(back_ms)] {
                let result = check(&stream, &readings, at_ms);
                prop_assert!(result.is_ok(), "{:?}", result);
            }
            prop_assert!(stream.open.len() <= readings.len() && stream.readings() == readings.len() as u64);
        }
    }

    #[test]
    fn nothing_abstains() {
        let stream = stream(&[]);
        check(&stream, &[], 500).unwrap();
        assert!(stream.timeline().is_empty());
    }

    #[test]
    fn late_and_damaged_readings_are_told_apart_and_counted() {
        let mut stream = stream(&[reading(Modality::Text, 60_000, Category::Neutral, 0.7)]);
        let late = reading(Modality::Voice, 12_000, Category::Anger, 0.8);
        assert_eq!(stream.add(&late), Placement::Late);
        let mut damaged = late.clone();
        damaged.valence = f32::NAN;
        assert_eq!(stream.add(&damaged), Placement::Ignored);
        assert_eq!(stream.add(&reading(Modality::Face, 50_000, Category::Anger, 0.8)), Placement::OnTime);
        assert_eq!((stream.readings(), stream.late(), stream.ignored()), (3, 1, 1));
        let (vector, explanation) = stream.at(60_000, None);
        assert_eq!(vector.trust.voice.unwrap().age_ms, OPEN_MS, "as old as what is still open");
        assert_eq!(explanation.ignored_readings, 1);
        vector.validate().unwrap();
        let times: Vec<u64> = stream.timeline().iter().map(|point| point.at_ms).collect();
        assert_eq!(times, [50_000, 60_000]);
    }

    #[test]
    fn a_long_call_keeps_its_size_and_its_numbers() {
        let category = |second: u64| if second % 700 < 350 { Category::Happiness } else { Category::Anger };
        let readings: Vec<_> = (0..4_000)
            .map(|second| {
                reading(Modality::ALL[(second % 3) as usize], second * 1_000, category(second), 0.7)
            })
            .collect();
        let stream = stream(&readings);
        assert!(stream.open.len() <= 12, "{}", stream.open.len());
        let whole = fuse_at(&readings, None, 3_999_000, &FusionConfig::default());
        let (vector, explanation) = stream.at(3_999_000, None);
        assert_eq!(difference(&(whole.vector, whole.explanation), &(vector, explanation)), None);
        let timeline = stream.timeline();
        assert!(timeline.len() > MOST_POINTS / 2 - 50 && timeline.len() <= MOST_POINTS, "{}", timeline.len());
        assert_eq!(timeline.first(), whole.timeline.first());
        assert_eq!(timeline.last().unwrap().at_ms, 3_999_000);
        assert!(timeline.windows(2).all(|pair| pair[0].at_ms < pair[1].at_ms));
        // Even steps, up to the few seconds that are open.
        let steps: Vec<u64> = timeline.windows(2).map(|pair| pair[1].at_ms - pair[0].at_ms).collect();
        assert!(
            steps[..steps.len() - 10].windows(2).all(|pair| pair[0].abs_diff(pair[1]) <= 1_000),
            "{steps:?}"
        );
    }

    #[test]
    fn every_length_of_a_timeline_is_bounded_and_has_its_ends() {
        let mut timeline = Timeline::default();
        let mut point = stream(&[reading(Modality::Text, 0, Category::Anger, 0.5)]).timeline()[0];
        for index in 0..5_000 {
            point.at_ms = index;
            timeline.add(point);
            let points = timeline.points();
            assert!(points.len() <= MOST_CLOSED_POINTS + 1);
            assert_eq!((points[0].at_ms, points[points.len() - 1].at_ms), (0, index));
        }
    }

    #[test]
    fn a_flood_of_readings_stays_bounded() {
        let mut stream = FusionStream::new(&FusionConfig::default());
        for index in 0..5_000 {
            stream.add(&reading(Modality::Face, index / 10, Category::Anger, 0.7));
        }
        assert!(stream.open.len() <= MOST_OPEN);
        let (vector, _) = stream.at(1_000, None);
        assert_eq!((vector.trust.face.unwrap().readings, vector.top_category().0), (5_000, Category::Anger));
        vector.validate().unwrap();
    }

    #[test]
    fn the_end_of_time_is_a_time() {
        let mut stream = stream(&[reading(Modality::Face, u64::MAX, Category::Anger, 0.7)]);
        assert_eq!(stream.add(&reading(Modality::Face, 0, Category::Anger, 0.7)), Placement::Late);
        stream.at(u64::MAX, None).0.validate().unwrap();
        stream.at(0, None).0.validate().unwrap();
    }
}
