//! The latest rankings in memory, bounded in number and bytes; the oldest go first.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Kept;
use super::outcome::OutcomeReport;

/// One ranking, and how its call ended.
pub(super) struct Entry {
    pub(super) kept: Kept,
    outcome: Mutex<Option<OutcomeReport>>,
}

impl Entry {
    pub(super) const fn new(kept: Kept) -> Self {
        Self { kept, outcome: Mutex::new(None) }
    }

    pub(super) fn outcome(&self) -> MutexGuard<'_, Option<OutcomeReport>> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The latest rankings.
pub(super) struct Ring {
    most: usize,
    most_bytes: usize,
    bytes: usize,
    order: VecDeque<Arc<Entry>>,
    by_id: HashMap<String, Arc<Entry>>,
    /// How many entries share each roster: its memory counts once.
    rosters: HashMap<u64, usize>,
}

impl Ring {
    pub(super) fn new(most: usize, most_bytes: usize) -> Self {
        Self {
            most,
            most_bytes,
            bytes: 0,
            order: VecDeque::new(),
            by_id: HashMap::new(),
            rosters: HashMap::new(),
        }
    }

    pub(super) fn find(&self, id: &str) -> Option<Arc<Entry>> {
        self.by_id.get(id).map(Arc::clone)
    }

    /// Takes an entry in and lets the oldest go for it; the newest stays, however large it is.
    pub(super) fn push(&mut self, entry: Arc<Entry>) {
        let kept = &entry.kept;
        self.bytes += kept.bytes();
        let sharers = self.rosters.entry(kept.roster.candidates().snapshot()).or_insert(0);
        if *sharers == 0 {
            self.bytes += kept.roster.bytes();
        }
        *sharers += 1;
        self.by_id.insert(kept.id.clone(), Arc::clone(&entry));
        self.order.push_back(entry);
        while self.order.len() > 1 && (self.order.len() > self.most || self.bytes > self.most_bytes) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some(oldest) = self.order.pop_front() else { return };
        let kept = &oldest.kept;
        self.by_id.remove(&kept.id);
        self.bytes -= kept.bytes();
        let snapshot = kept.roster.candidates().snapshot();
        if let Some(sharers) = self.rosters.get_mut(&snapshot) {
            *sharers -= 1;
            if *sharers == 0 {
                self.rosters.remove(&snapshot);
                self.bytes -= kept.roster.bytes();
            }
        }
    }

    #[cfg(test)]
    pub(super) fn held(&self) -> (usize, usize) {
        (self.order.len(), self.bytes)
    }
}
