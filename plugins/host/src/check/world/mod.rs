//! What a matcher is asked about: one request and its candidates, kept in the ABI's own columns, so that a case can
//! pass what the safe host never would.

mod extremes;
mod lent;
mod seeded;

pub(crate) use extremes::extremes;
pub(crate) use lent::{Lent, MISSING, Missing};
pub(crate) use seeded::emotion;

use heartline_plugin_abi as abi;
use heartline_plugin_abi::TRAIT_COUNT;

use crate::check::random::Random;

/// Compressed rows of skills or languages, with their table of names.
#[derive(Debug, Clone)]
pub(crate) struct Entries {
    pub(crate) names: Vec<String>,
    pub(crate) offsets: Vec<u32>,
    pub(crate) ids: Vec<u32>,
    pub(crate) levels: Vec<f32>,
}

impl Entries {
    pub(crate) fn new(names: Vec<String>) -> Self {
        Self { names, offsets: vec![0], ids: Vec::new(), levels: Vec::new() }
    }

    pub(crate) fn push(&mut self, row: impl IntoIterator<Item = (u32, f32)>) {
        for (id, level) in row {
            self.ids.push(id);
            self.levels.push(level);
        }
        // No world has four billion entries.
        self.offsets.push(self.ids.len() as u32);
    }

    /// The same rows in another order, or only some of them.
    fn reordered(&self, order: &[usize]) -> Self {
        let mut reordered = Self::new(self.names.clone());
        for &row in order {
            let range = self.offsets[row] as usize..self.offsets[row + 1] as usize;
            reordered.push(range.map(|entry| (self.ids[entry], self.levels[entry])));
        }
        reordered
    }
}

/// The values of a custom attribute.
#[derive(Debug, Clone)]
pub(crate) enum Values {
    Numbers(Vec<f64>),
    Flags(Vec<u8>),
    Texts { texts: Vec<String>, ids: Vec<u32> },
}

/// A need of the request.
#[derive(Debug, Clone)]
pub(crate) struct Need {
    pub(crate) name: String,
    pub(crate) level: f32,
    pub(crate) must_have: bool,
}

/// A language of the customer.
#[derive(Debug, Clone)]
pub(crate) struct Spoken {
    pub(crate) tag: String,
    pub(crate) share: f32,
    pub(crate) level: f32,
}

/// One request and its candidates.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) emotion: abi::Emotion,
    pub(crate) needs: Vec<Need>,
    pub(crate) spoken: Vec<Spoken>,
    pub(crate) interpreter: bool,
    pub(crate) complexity: f32,
    pub(crate) waiting_ms: u64,
    pub(crate) time_limit_us: u64,
    pub(crate) snapshot: u64,
    pub(crate) skills: Entries,
    pub(crate) languages: Entries,
    pub(crate) attitudes: Vec<f32>,
    pub(crate) active_tasks: Vec<u32>,
    pub(crate) capacities: Vec<u32>,
    pub(crate) idle_ms: Vec<u64>,
    pub(crate) outcomes: Vec<abi::Outcomes>,
    pub(crate) attributes: Vec<(String, Values)>,
    /// What is not passed although it is there.
    pub(crate) missing: Option<Missing>,
}

impl World {
    /// How many candidates there are.
    pub(crate) fn count(&self) -> usize {
        self.active_tasks.len()
    }

    /// The same world with its candidates in another order, or only some of them.
    pub(crate) fn reordered(&self, order: &[usize]) -> Self {
        let attribute = |values: &Values| match values {
            Values::Numbers(column) => Values::Numbers(take(column, order)),
            Values::Flags(column) => Values::Flags(take(column, order)),
            Values::Texts { texts, ids } => Values::Texts { texts: texts.clone(), ids: take(ids, order) },
        };
        let traits = order.iter().flat_map(|row| &self.attitudes[row * TRAIT_COUNT..(row + 1) * TRAIT_COUNT]);
        Self {
            skills: self.skills.reordered(order),
            languages: self.languages.reordered(order),
            attitudes: traits.copied().collect(),
            active_tasks: take(&self.active_tasks, order),
            capacities: take(&self.capacities, order),
            idle_ms: take(&self.idle_ms, order),
            outcomes: take(&self.outcomes, order),
            attributes: self
                .attributes
                .iter()
                .map(|(name, values)| (name.clone(), attribute(values)))
                .collect(),
            snapshot: snapshot_of(self.snapshot, order),
            ..self.clone()
        }
    }

    /// One candidate alone.
    pub(crate) fn row(&self, row: usize) -> Self {
        self.reordered(&[row])
    }

    /// All that is in it, in words; to compare it with itself later.
    pub(crate) fn print(&self) -> String {
        format!("{self:?}")
    }
}

/// The number of a snapshot's rows in this order: the same for the same rows, another for others. What has no number
/// gets none.
fn snapshot_of(snapshot: u64, order: &[usize]) -> u64 {
    if snapshot == 0 {
        return 0;
    }
    let mixed = |mixed: u64, row: &usize| Random::new(mixed ^ *row as u64).next();
    // Never 0, which would say nothing.
    order.iter().fold(snapshot.wrapping_add(1), mixed) | 1
}

fn take<T: Copy>(column: &[T], order: &[usize]) -> Vec<T> {
    order.iter().map(|&row| column[row]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reordering_twice_gives_the_same_candidates() {
        let world = World::seeded(&mut Random::new(3), 20);
        let reversed: Vec<usize> = (0..20).rev().collect();
        let back = World { snapshot: world.snapshot, ..world.reordered(&reversed).reordered(&reversed) };
        assert_eq!(back.print(), world.print());
        assert_ne!(world.reordered(&reversed).print(), world.print());
        assert_eq!(world.row(4).idle_ms, [world.idle_ms[4]]);
    }

    #[test]
    fn other_rows_have_another_snapshot() {
        let world = World::seeded(&mut Random::new(3), 20);
        let mut numbers: Vec<u64> = (0..20).map(|row| world.row(row).snapshot).collect();
        assert_eq!(numbers[4], world.row(4).snapshot);
        numbers.extend([
            world.snapshot,
            world.reordered(&[0, 1]).snapshot,
            world.reordered(&[1, 0]).snapshot,
        ]);
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!((numbers.len(), numbers[0] > 0), (23, true));
        assert_eq!(World { snapshot: 0, ..world }.row(4).snapshot, 0);
    }
}
