//! Counts what becomes of the requests of one measurement.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::LoadError;
use super::client::Outcome;
use super::report::{Lag, Latency};

/// The longest time that is told apart, in microseconds: an hour.
const LONGEST_US: u64 = 3_600_000_000;
/// The digits that are kept of each time.
const DIGITS: u8 = 3;

/// One request with its three moments.
#[derive(Debug)]
pub(super) struct Shot {
    /// When it should leave.
    pub(super) due: Instant,
    /// When the generator came to send it.
    pub(super) begun: Instant,
    /// When its answer was complete or given up.
    pub(super) ended: Instant,
    /// How it ended; none where it was never sent.
    pub(super) outcome: Option<Outcome>,
}

/// The counts of one measurement. Requests that were due before or after its window only count for the answers that
/// came within.
#[derive(Debug)]
pub(super) struct Tally {
    window: Range<Instant>,
    bound: Option<Duration>,
    pub(super) due: u64,
    pub(super) answers: BTreeMap<u16, u64>,
    pub(super) unconnected: u64,
    pub(super) broken: u64,
    pub(super) late: u64,
    pub(super) unsent: u64,
    pub(super) good: u64,
    /// Successful answers that came within the window, whenever they were asked for.
    pub(super) completed: u64,
    pub(super) example: Option<String>,
    latency_us: Histogram<u64>,
    lag_us: Histogram<u64>,
}

impl Tally {
    pub(super) fn new(window: Range<Instant>, bound: Option<Duration>) -> Result<Self, LoadError> {
        Ok(Self {
            window,
            bound,
            due: 0,
            answers: BTreeMap::new(),
            unconnected: 0,
            broken: 0,
            late: 0,
            unsent: 0,
            good: 0,
            completed: 0,
            example: None,
            latency_us: histogram()?,
            lag_us: histogram()?,
        })
    }

    pub(super) fn add(&mut self, shot: Shot) {
        let is_success = matches!(shot.outcome, Some(Outcome::Answered { status: 200..=299, .. }));
        if is_success && self.window.contains(&shot.ended) {
            self.completed += 1;
        }
        if !self.window.contains(&shot.due) {
            return;
        }
        self.due += 1;
        let latency = shot.ended - shot.due;
        if shot.outcome.is_some() {
            self.lag_us.saturating_record(micros(shot.begun - shot.due));
        }
        if is_success {
            self.latency_us.saturating_record(micros(latency));
            if self.bound.is_none_or(|bound| latency <= bound) {
                self.good += 1;
            }
        }
        match shot.outcome {
            Some(Outcome::Answered { status, words }) => {
                *self.answers.entry(status).or_default() += 1;
                if self.example.is_none() {
                    self.example = words.map(|words| format!("{status}: {words}"));
                }
            }
            Some(Outcome::Unconnected) => self.unconnected += 1,
            Some(Outcome::Broken) => self.broken += 1,
            Some(Outcome::Late) => self.late += 1,
            None => self.unsent += 1,
        }
    }

    /// The successful answers to requests of the window.
    pub(super) fn succeeded(&self) -> u64 {
        self.answers.range(200..=299).map(|(_, count)| count).sum()
    }

    pub(super) fn latency(&self) -> Option<Latency> {
        let at = |quantile| millis(self.latency_us.value_at_quantile(quantile));
        (!self.latency_us.is_empty()).then(|| Latency {
            mean: self.latency_us.mean() / 1e3,
            p50: at(0.5),
            p90: at(0.9),
            p95: at(0.95),
            p99: at(0.99),
            p99_9: at(0.999),
            max: millis(self.latency_us.max()),
        })
    }

    pub(super) fn lag(&self) -> Lag {
        let at = |quantile| millis(self.lag_us.value_at_quantile(quantile));
        Lag { p50: at(0.5), p99: at(0.99), max: millis(self.lag_us.max()) }
    }
}

fn histogram() -> Result<Histogram<u64>, LoadError> {
    Histogram::new_with_max(LONGEST_US, DIGITS).map_err(LoadError::Histogram)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "an hour in microseconds is far below 2^52")]
fn millis(micros: u64) -> f64 {
    micros as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: Duration = Duration::from_millis(100);

    fn answered(status: u16) -> Option<Outcome> {
        Some(Outcome::Answered { status, words: (status != 200).then(|| "because".to_owned()) })
    }

    /// A tally of a window from one to two seconds, with shots given in milliseconds.
    fn tally(shots: &[(u64, u64, u64, Option<Outcome>)]) -> Tally {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut tally = Tally::new(at(1_000)..at(2_000), Some(BOUND)).unwrap();
        for (due, begun, ended, outcome) in shots {
            let outcome = outcome.clone();
            tally.add(Shot { due: at(*due), begun: at(*begun), ended: at(*ended), outcome });
        }
        tally
    }

    #[test]
    fn latency_counts_from_the_moment_that_was_planned() {
        let tally = tally(&[(1_000, 1_000, 1_050, answered(200)), (1_010, 1_200, 1_250, answered(200))]);
        let (latency, lag) = (tally.latency().unwrap(), tally.lag());
        assert!((latency.p50 - 50.0).abs() < 0.1 && (latency.max - 240.0).abs() < 0.3, "{latency:?}");
        assert!((lag.max - 190.0).abs() < 0.3, "{lag:?}");
        assert_eq!((tally.due, tally.good), (2, 1), "the second one is beyond the bound");
    }

    #[test]
    fn only_the_window_counts() {
        let tally = tally(&[
            (999, 999, 1_010, answered(200)),
            (1_990, 1_990, 2_005, answered(200)),
            (2_000, 2_000, 2_001, answered(200)),
        ]);
        assert_eq!((tally.due, tally.completed, tally.succeeded()), (1, 1, 1));
    }

    #[test]
    fn failures_are_counted_by_kind_and_have_no_latency() {
        let tally = tally(&[
            (1_000, 1_000, 1_001, answered(429)),
            (1_000, 1_000, 1_001, answered(503)),
            (1_000, 1_000, 1_500, Some(Outcome::Late)),
            (1_000, 1_000, 1_001, Some(Outcome::Broken)),
            (1_000, 1_000, 1_001, Some(Outcome::Unconnected)),
            (1_000, 1_000, 1_000, None),
        ]);
        assert_eq!((tally.due, tally.good, tally.succeeded()), (6, 0, 0));
        assert_eq!(tally.answers, BTreeMap::from([(429, 1), (503, 1)]));
        assert_eq!((tally.late, tally.broken, tally.unconnected, tally.unsent), (1, 1, 1, 1));
        assert!(tally.latency().is_none());
        assert_eq!(tally.example.as_deref(), Some("429: because"));
    }
}
