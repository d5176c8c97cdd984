//! How much work stands before a device, estimated, so that what cannot be done in time is refused at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::post::Bell;
use super::terms::Priority;

/// The work that a device has accepted and not answered, by priority. Clones count the same work.
#[derive(Debug, Clone, Default)]
pub(super) struct Backlog {
    ns: Arc<[AtomicU64; 2]>,
}

/// A device as the queues before it see it.
#[derive(Debug, Clone, Default)]
pub(super) struct Site {
    pub(super) device: Arc<str>,
    pub(super) bell: Arc<Bell>,
    pub(super) backlog: Backlog,
}

/// A piece of accepted work; it counts until it is dropped.
#[derive(Debug)]
pub(super) struct Accepted {
    backlog: Backlog,
    priority: Priority,
    ns: u64,
}

impl Backlog {
    /// Counts work.
    pub(super) fn accept(&self, priority: Priority, work: Duration) -> Accepted {
        let ns = u64::try_from(work.as_nanos()).unwrap_or(u64::MAX);
        self.of(priority).fetch_add(ns, Ordering::Relaxed);
        Accepted { backlog: self.clone(), priority, ns }
    }

    /// The work that comes before new work of a priority.
    pub(super) fn before(&self, priority: Priority) -> Duration {
        let ns = Priority::ALL.into_iter().filter(|other| *other <= priority);
        Duration::from_nanos(ns.fold(0, |sum, other| sum + self.of(other).load(Ordering::Relaxed)))
    }

    fn of(&self, priority: Priority) -> &AtomicU64 {
        match priority {
            Priority::Live => &self.ns[0],
            Priority::Batch => &self.ns[1],
        }
    }
}

impl Drop for Accepted {
    fn drop(&mut self) {
        self.backlog.of(self.priority).fetch_sub(self.ns, Ordering::Relaxed);
    }
}

/// How fast a model is: the time of one unit of cost, smoothed over executions.
#[derive(Debug, Default)]
pub(super) struct Pace {
    unit_ns: AtomicU64,
}

impl Pace {
    /// Takes in one execution.
    pub(super) fn learn(&self, cost: u64, elapsed: Duration) {
        let found = u64::try_from(elapsed.as_nanos() / u128::from(cost.max(1))).unwrap_or(u64::MAX).max(1);
        let known = self.unit_ns.load(Ordering::Relaxed);
        let smoothed = if known == 0 { found } else { known - known / 8 + found / 8 };
        self.unit_ns.store(smoothed.max(1), Ordering::Relaxed);
    }

    /// How long some cost will take; nothing before the first execution.
    pub(super) fn of(&self, cost: u64) -> Duration {
        Duration::from_nanos(self.unit_ns.load(Ordering::Relaxed).saturating_mul(cost))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn live_work_does_not_wait_for_batch_work() {
        let backlog = Backlog::default();
        let live = backlog.accept(Priority::Live, Duration::from_millis(30));
        let batch = backlog.accept(Priority::Batch, Duration::from_millis(500));
        assert_eq!(backlog.before(Priority::Live), Duration::from_millis(30));
        assert_eq!(backlog.before(Priority::Batch), Duration::from_millis(530));
        drop(live);
        assert_eq!(backlog.before(Priority::Live), Duration::ZERO);
        drop(batch);
        assert_eq!(backlog.before(Priority::Batch), Duration::ZERO);
    }

    #[test]
    fn the_pace_follows_the_executions() {
        let pace = Pace::default();
        assert_eq!(pace.of(100), Duration::ZERO, "nothing is known yet");
        pace.learn(10, Duration::from_millis(10));
        assert_eq!(pace.of(3), Duration::from_millis(3));
        for _ in 0..100 {
            pace.learn(10, Duration::from_millis(20));
        }
        let found = pace.of(1);
        assert!(found > Duration::from_micros(1990) && found <= Duration::from_millis(2), "{found:?}");
        pace.learn(0, Duration::ZERO);
        assert!(pace.of(u64::MAX) > Duration::ZERO, "no overflow");
    }
}
