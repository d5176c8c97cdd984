//! What a model has done: rows, executions, times, and how its batches formed.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use utoipa::ToSchema;

use super::queue::Cut;

/// How often something happened and how long it took in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct Span {
    /// How often.
    pub count: u64,
    /// How long in all, in nanoseconds.
    pub ns: u64,
}

impl Span {
    /// Counts something that happened so often and took so long together.
    pub(crate) fn add(&mut self, count: u64, elapsed: Duration) {
        self.count += count;
        self.ns = self.ns.saturating_add(u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX));
    }
}

/// What a model has done since the program started, whatever versions it had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelStatistics {
    /// The model.
    pub name: &'static str,
    /// The version that is loaded; 0 where none is.
    pub version: u32,
    /// Rows that were computed.
    pub rows: u64,
    /// Executions, each over one batch.
    pub executions: u64,
    /// When the last execution ended, in milliseconds since 1970; 0 before the first.
    pub last_unix_ms: u64,
    /// Requests that were answered, from their arrival to their answer.
    pub success: Span,
    /// Requests that failed or were given up.
    pub failure: Span,
    /// Waiting, counted in rows.
    pub queue: Span,
    /// Computing, counted in rows.
    pub compute: Span,
    /// Executions by the number of their rows.
    pub batches: Vec<(usize, Span)>,
    /// Executions by why they began when they did: `rows`, `tokens`, `delay`, `deadline` or `closing`.
    pub cuts: Vec<(&'static str, u64)>,
}

#[derive(Debug, Default)]
struct Entries {
    rows: u64,
    executions: u64,
    last_unix_ms: u64,
    success: Span,
    failure: Span,
    queue: Span,
    compute: Span,
    batches: BTreeMap<usize, Span>,
    cuts: BTreeMap<Cut, u64>,
}

/// Counts what one model does.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    entries: Mutex<Entries>,
}

impl Ledger {
    /// A request that was answered, or was not.
    pub(super) fn request(&self, is_answered: bool, elapsed: Duration) {
        self.change(|entries| {
            if is_answered {
                entries.success.add(1, elapsed);
            } else {
                entries.failure.add(1, elapsed);
            }
        });
    }

    /// Rows that waited.
    pub(super) fn waited(&self, rows: usize, each: Duration) {
        let count = rows as u64;
        self.change(|entries| {
            entries.queue.add(count, each.saturating_mul(u32::try_from(rows).unwrap_or(u32::MAX)));
        });
    }

    /// Why a batch began when it did.
    pub(super) fn cut(&self, cut: Cut) {
        self.change(|entries| *entries.cuts.entry(cut).or_default() += 1);
    }

    /// One execution.
    pub(super) fn execution(&self, rows: usize, elapsed: Duration) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.change(|entries| {
            entries.rows += rows as u64;
            entries.executions += 1;
            entries.last_unix_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
            entries.compute.add(rows as u64, elapsed);
            entries.batches.entry(rows).or_default().add(1, elapsed);
        });
    }

    /// Everything so far.
    pub(super) fn read(&self, name: &'static str, version: u32) -> ModelStatistics {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        ModelStatistics {
            name,
            version,
            rows: entries.rows,
            executions: entries.executions,
            last_unix_ms: entries.last_unix_ms,
            success: entries.success,
            failure: entries.failure,
            queue: entries.queue,
            compute: entries.compute,
            batches: entries.batches.iter().map(|(rows, span)| (*rows, *span)).collect(),
            cuts: Cut::ALL
                .into_iter()
                .map(|cut| (cut.name(), entries.cuts.get(&cut).copied().unwrap_or(0)))
                .collect(),
        }
    }

    /// A panic cannot happen while the lock is held, so poisoned entries are as good as any.
    fn change(&self, change: impl FnOnce(&mut Entries)) {
        change(&mut self.entries.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_counted_apart() {
        let ledger = Ledger::default();
        assert_eq!(ledger.read("text", 0).last_unix_ms, 0);
        ledger.waited(3, Duration::from_millis(2));
        ledger.cut(Cut::Delay);
        ledger.execution(3, Duration::from_millis(12));
        ledger.execution(3, Duration::from_millis(10));
        ledger.execution(1, Duration::from_millis(5));
        ledger.request(true, Duration::from_millis(20));
        ledger.request(false, Duration::from_millis(7));
        let found = ledger.read("text", 4);
        assert_eq!((found.name, found.version, found.rows, found.executions), ("text", 4, 7, 3));
        assert_eq!(found.queue, Span { count: 3, ns: 6_000_000 });
        assert_eq!(found.compute, Span { count: 7, ns: 27_000_000 });
        assert_eq!(found.success, Span { count: 1, ns: 20_000_000 });
        assert_eq!(found.failure, Span { count: 1, ns: 7_000_000 });
        let expected = [(1, Span { count: 1, ns: 5_000_000 }), (3, Span { count: 2, ns: 22_000_000 })];
        assert_eq!(found.batches, expected);
        assert_eq!(found.cuts.iter().map(|(_, count)| count).sum::<u64>(), 1);
        assert!(found.cuts.contains(&("delay", 1)) && found.last_unix_ms > 1_600_000_000_000);
    }
}
