//! The order in which waiting work is served, and how batches are cut from it. It knows no clock, lock or thread: the
//! time is handed in.
//!
//! Live work comes before batch work. Within a priority, sessions take turns (start-time fair queueing): a piece of work
//! gets the turn at which its session's previous piece would end if all sessions were served evenly, so a session that
//! asks for much waits for itself and not in front of others.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use super::terms::Priority;

/// How many entries that do not fit a batch are passed over in search of one that does.
const MISFITS: usize = 32;

/// How batches are cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct BatchLimits {
    /// The most rows.
    pub(super) rows: usize,
    /// The most cost: tokens of texts, rows of anything else.
    pub(super) cost: u64,
    /// How long the oldest entry waits for others.
    pub(super) delay: Duration,
}

/// Why a batch began when it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Cut {
    /// It had as many rows as a batch may have.
    Rows,
    /// It had as much cost as a batch may have.
    Cost,
    /// Its oldest entry had waited long enough.
    Delay,
    /// A deadline came near.
    Deadline,
    /// Nothing more can come.
    Closing,
}

impl Cut {
    /// All of them.
    pub(super) const ALL: [Self; 5] = [Self::Rows, Self::Cost, Self::Delay, Self::Deadline, Self::Closing];

    /// The name in labels and views.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::Cost => "tokens",
            Self::Delay => "delay",
            Self::Deadline => "deadline",
            Self::Closing => "closing",
        }
    }
}

/// When the next batch should begin, how urgent it is, and why then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Due {
    pub(super) priority: Priority,
    pub(super) at: Instant,
    pub(super) cut: Cut,
}

/// Something that waits.
#[derive(Debug)]
pub(super) struct Waiting<T> {
    pub(super) item: T,
    pub(super) rows: usize,
    pub(super) cost: u64,
    pub(super) since: Instant,
    pub(super) deadline: Instant,
    pub(super) priority: Priority,
}

impl<T> Waiting<T> {
    /// When half of its time is over.
    fn half_time(&self) -> Instant {
        self.since + self.deadline.saturating_duration_since(self.since) / 2
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    priority: Priority,
    turn: u64,
    number: u64,
}

/// What waits before one model.
#[derive(Debug)]
pub(super) struct Queue<T> {
    waiting: BTreeMap<Place, Waiting<T>>,
    /// Where each entry stands, by its number; the lowest number has waited longest.
    places: BTreeMap<u64, Place>,
    deadlines: BTreeSet<(Instant, u64)>,
    /// The turn of each session's next entry.
    turns: HashMap<u64, u64>,
    /// The turn that was served last.
    turn: u64,
    next_number: u64,
    rows: usize,
    cost: u64,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self {
            waiting: BTreeMap::new(),
            places: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            turns: HashMap::new(),
            turn: 0,
            next_number: 0,
            rows: 0,
            cost: 0,
        }
    }
}

impl<T> Queue<T> {
    /// Rows that wait.
    pub(super) const fn rows(&self) -> usize {
        self.rows
    }

    /// What waits, in cost.
    pub(super) const fn cost(&self) -> u64 {
        self.cost
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Rows that wait with a priority.
    pub(super) fn rows_of(&self, priority: Priority) -> usize {
        self.waiting.values().filter(|entry| entry.priority == priority).map(|entry| entry.rows).sum()
    }

    /// Since when the entry that came first has been waiting.
    pub(super) fn oldest(&self) -> Option<Instant> {
        let (_, place) = self.places.first_key_value()?;
        self.waiting.get(place).map(|entry| entry.since)
    }

    /// Puts pieces of one request into the queue; returns the number of each.
    pub(super) fn push(&mut self, session: Option<u64>, pieces: Vec<Waiting<T>>) -> Vec<u64> {
        let known = session.and_then(|session| self.turns.get(&session).copied()).unwrap_or(0);
        let mut turn = known.max(self.turn);
        let mut numbers = Vec::with_capacity(pieces.len());
        for entry in pieces {
            let number = self.next_number;
            self.next_number += 1;
            let place = Place { priority: entry.priority, turn, number };
            turn = turn.saturating_add(entry.cost.max(1));
            self.rows += entry.rows;
            self.cost += entry.cost;
            self.places.insert(number, place);
            self.deadlines.insert((entry.deadline, number));
            self.waiting.insert(place, entry);
            numbers.push(number);
        }
        if let Some(session) = session {
            self.turns.insert(session, turn);
        }
        numbers
    }

    /// Takes an entry out by its number.
    pub(super) fn remove(&mut self, number: u64) -> Option<Waiting<T>> {
        let place = self.places.remove(&number)?;
        let entry = self.waiting.remove(&place)?;
        self.deadlines.remove(&(entry.deadline, number));
        self.rows -= entry.rows;
        self.cost -= entry.cost;
        if self.waiting.is_empty() {
            // Without anybody waiting there is nobody to be fair to.
            self.turns.clear();
        }
        Some(entry)
    }

    /// When the next batch should begin, if anything waits. `work` is how long a batch will take.
    pub(super) fn due(&mut self, now: Instant, limits: BatchLimits, work: Duration) -> Option<Due> {
        self.promote(now);
        let oldest = self.oldest()?;
        let priority = self.waiting.first_key_value()?.0.priority;
        if self.rows >= limits.rows {
            return Some(Due { priority, at: oldest, cut: Cut::Rows });
        }
        if self.cost >= limits.cost {
            return Some(Due { priority, at: oldest, cut: Cut::Cost });
        }
        let patience = Due { priority, at: oldest + limits.delay, cut: Cut::Delay };
        let soonest = self.deadlines.first()?.0;
        let latest_start = soonest.checked_sub(work).unwrap_or(oldest);
        let deadline = Due { priority, at: latest_start, cut: Cut::Deadline };
        Some(if deadline.at < patience.at { deadline } else { patience })
    }

    /// Takes the next batch out, and apart from it whatever nobody waits for any more.
    pub(super) fn take(
        &mut self,
        now: Instant,
        limits: BatchLimits,
        is_wanted: impl Fn(&Waiting<T>) -> bool,
    ) -> (Vec<Waiting<T>>, Vec<Waiting<T>>) {
        self.promote(now);
        let (mut chosen, mut unwanted) = (Vec::new(), Vec::new());
        let (mut rows, mut cost, mut misfits) = (0, 0_u64, 0);
        for (place, entry) in &self.waiting {
            if !is_wanted(entry) {
                unwanted.push(place.number);
                continue;
            }
            let fits = rows + entry.rows <= limits.rows && cost.saturating_add(entry.cost) <= limits.cost;
            if fits || chosen.is_empty() {
                rows += entry.rows;
                cost = cost.saturating_add(entry.cost);
                chosen.push(*place);
            } else {
                misfits += 1;
            }
            if rows >= limits.rows || cost >= limits.cost || misfits >= MISFITS {
                break;
            }
        }
        // The first is the one whose turn it was; what came along with it does not move the turn.
        if let Some(first) = chosen.first() {
            self.turn = self.turn.max(first.turn);
        }
        let batch = chosen.into_iter().filter_map(|place| self.remove(place.number)).collect();
        let unwanted = unwanted.into_iter().filter_map(|number| self.remove(number)).collect();
        self.turns.retain(|_, turn| *turn > self.turn);
        (batch, unwanted)
    }

    /// Takes everything out.
    pub(super) fn clear(&mut self) -> Vec<Waiting<T>> {
        let numbers: Vec<u64> = self.places.keys().copied().collect();
        numbers.into_iter().filter_map(|number| self.remove(number)).collect()
    }

    /// Makes batch work live where half of its time is over.
    fn promote(&mut self, now: Instant) {
        let from = Place { priority: Priority::Batch, turn: 0, number: 0 };
        let late: Vec<Place> = self
            .waiting
            .range(from..)
            .filter(|(_, entry)| now >= entry.half_time())
            .map(|(place, _)| *place)
            .collect();
        for place in late {
            if let Some(entry) = self.waiting.remove(&place) {
                let place = Place { priority: Priority::Live, ..place };
                self.places.insert(place.number, place);
                self.waiting.insert(place, entry);
            }
        }
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
