//! What requests of this protocol have done so far, by model.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::catalogue::{MODELS, Served};
use crate::engine::Span;

/// The counts of all models since the server began.
#[derive(Debug, Default)]
pub(super) struct Tally {
    counts: Mutex<[Counts; MODELS.len()]>,
}

/// The counts of one model.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) rows: u64,
    pub(super) last_unix_ms: u64,
    pub(super) success: Span,
    pub(super) failure: Span,
    /// Of successful requests: how long it took to make rows of what came.
    pub(super) reading: Span,
    /// Of successful requests: the rest.
    pub(super) computing: Span,
}

impl Tally {
    /// Counts a request that was answered.
    pub(super) fn succeeded(&self, served: Served, rows: usize, elapsed: Duration, reading: Duration) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.change(served, |counts| {
            counts.rows += rows as u64;
            counts.last_unix_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
            counts.success.add(1, elapsed);
            counts.reading.add(1, reading);
            counts.computing.add(1, elapsed.saturating_sub(reading));
        });
    }

    /// Counts a request that failed after its model was found.
    pub(super) fn failed(&self, served: Served, elapsed: Duration) {
        self.change(served, |counts| counts.failure.add(1, elapsed));
    }

    /// The counts of a model.
    pub(super) fn of(&self, served: Served) -> Counts {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)[served as usize]
    }

    fn change(&self, served: Served, change: impl FnOnce(&mut Counts)) {
        change(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner)[served as usize]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_counted_apart() {
        let tally = Tally::default();
        let time = Duration::from_nanos;
        tally.succeeded(Served::FaceEmotion, 3, time(100), time(40));
        tally.succeeded(Served::FaceEmotion, 1, time(50), time(60));
        tally.failed(Served::FaceEmotion, time(7));
        let counts = tally.of(Served::FaceEmotion);
        assert_eq!((counts.rows, counts.success.count, counts.success.ns), (4, 2, 150));
        assert_eq!((counts.reading.ns, counts.computing.ns), (100, 60));
        assert_eq!((counts.failure.count, counts.failure.ns), (1, 7));
        assert!(counts.last_unix_ms > 0);
        assert_eq!(tally.of(Served::Text).success.count, 0);
    }
}
