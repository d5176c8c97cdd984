//! The candidates' traits and records turned into columns of numbers, once for all calls with the same candidates.
//!
//! The host's rows are five traits and four counts an agent. As columns they can be gone through many rows at once, which
//! is worth the copy of 36 bytes an agent.

use heartline_plugin_sdk::Candidates;
use heartline_plugin_sdk::abi::TRAIT_COUNT;

use crate::outcomes::{self, CALL_COUNT};

/// How many rows are gone through at once.
pub(crate) const BLOCK: usize = 64;

/// The columns, with rows of an unknown agent up to a whole number of blocks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sheets {
    snapshot: Option<u64>,
    traits: [Vec<f32>; TRAIT_COUNT],
    calls: [Vec<f32>; CALL_COUNT],
}

/// The columns of some rows.
#[derive(Debug)]
pub(crate) struct Block<'sheets> {
    pub(crate) traits: [&'sheets [f32; BLOCK]; TRAIT_COUNT],
    pub(crate) calls: [&'sheets [f32; BLOCK]; CALL_COUNT],
}

impl Sheets {
    /// Makes these the columns of the candidates, unless they are already those of the same snapshot.
    pub(crate) fn refresh(&mut self, candidates: &Candidates<'_>) {
        let snapshot = candidates.snapshot();
        if snapshot.is_some() && snapshot == self.snapshot {
            return;
        }
        self.snapshot = snapshot;
        let (count, padded) = (candidates.len(), candidates.len().next_multiple_of(BLOCK));
        for (index, column) in self.traits.iter_mut().enumerate() {
            column.clear();
            column.extend(candidates.attitudes().iter().take(count).map(|traits| traits[index]));
            column.resize(padded, f32::NAN);
        }
        for (index, column) in self.calls.iter_mut().enumerate() {
            column.clear();
            column.extend(
                candidates.outcome_rows().iter().take(count).map(|record| outcomes::calls(record)[index]),
            );
            column.resize(padded, 0.0);
        }
    }

    /// All rows, in blocks.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = Block<'_>> {
        let traits = self.traits.each_ref().map(|column| column.as_chunks().0);
        let calls = self.calls.each_ref().map(|column| column.as_chunks().0);
        (0..traits[0].len()).map(move |index| Block {
            traits: traits.map(|column| &column[index]),
            calls: calls.map(|column| &column[index]),
        })
    }
}
