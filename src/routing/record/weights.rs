//! How much memory remembered rankings take. What several of them share counts once.

use std::collections::HashMap;

use super::Kept;

/// The memory of some rankings.
#[derive(Debug, Default)]
pub(super) struct Weights {
    bytes: usize,
    /// How many rankings share each part, by its address.
    sharers: HashMap<usize, usize>,
}

impl Weights {
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn add(&mut self, kept: &Kept) {
        self.bytes += kept.bytes();
        for (place, bytes) in kept.shared() {
            let sharers = self.sharers.entry(place).or_insert(0);
            if *sharers == 0 {
                self.bytes += bytes;
            }
            *sharers += 1;
        }
    }

    /// Takes away what was added.
    pub(super) fn remove(&mut self, kept: &Kept) {
        self.bytes -= kept.bytes();
        for (place, bytes) in kept.shared() {
            let Some(sharers) = self.sharers.get_mut(&place) else { continue };
            *sharers -= 1;
            if *sharers == 0 {
                self.sharers.remove(&place);
                self.bytes -= bytes;
            }
        }
    }
}
