//! The latest rankings in memory, bounded in number and bytes; the oldest go first.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Kept;
use super::outcome::OutcomeReport;
use super::weights::Weights;

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
    weights: Weights,
    order: VecDeque<Arc<Entry>>,
    by_id: HashMap<String, Arc<Entry>>,
}

impl Ring {
    pub(super) fn new(most: usize, most_bytes: usize) -> Self {
        Self { most, most_bytes, weights: Weights::default(), order: VecDeque::new(), by_id: HashMap::new() }
    }

    pub(super) fn find(&self, id: &str) -> Option<Arc<Entry>> {
        self.by_id.get(id).map(Arc::clone)
    }

    /// Takes an entry in and lets the oldest go for it; the newest stays, however large it is.
    pub(super) fn push(&mut self, entry: Arc<Entry>) {
        self.weights.add(&entry.kept);
        self.by_id.insert(entry.kept.id.clone(), Arc::clone(&entry));
        self.order.push_back(entry);
        while self.order.len() > 1 && (self.order.len() > self.most || self.weights.bytes() > self.most_bytes)
        {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some(oldest) = self.order.pop_front() else { return };
        self.by_id.remove(&oldest.kept.id);
        self.weights.remove(&oldest.kept);
    }

    #[cfg(test)]
    pub(super) fn held(&self) -> (usize, usize) {
        (self.order.len(), self.weights.bytes())
    }
}
