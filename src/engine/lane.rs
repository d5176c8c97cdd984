//! One model's queue, seen from both sides: requests enter on the async side, batches leave on the device's thread.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit, oneshot};
use tracing::Span;

use super::backlog::{Accepted, Pace, Site};
use super::ledger::{Ledger, ModelStatistics};
use super::queue::{BatchLimits, Due, Queue, Waiting};
use super::terms::{Priority, Settled};
use super::{EngineError, Model};
use crate::telemetry::record;

/// The shortest wait that a refused client is told, and the one it is told before the model's speed is known.
const SHORTEST_RETRY_MS: u64 = 100;
/// The longest wait that a refused client is told.
const LONGEST_RETRY_MS: u64 = 60_000;
/// A request is refused where it would be late even if the model were this much faster than usual.
const HOPE: f64 = 4.0 / 3.0;

/// What a queue holds and how its batches are cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct LaneLimits {
    pub(super) queue_rows: usize,
    pub(super) batch: BatchLimits,
}

/// Rows that wait together, at most one batch of them, and where their answers go.
pub(super) struct Entry<R, A> {
    pub(super) rows: Vec<R>,
    pub(super) reply: oneshot::Sender<Reply<R, A>>,
    /// The request, as traces know it.
    pub(super) span: Span,
    /// Counts as work before the device until the entry is answered.
    _accepted: Accepted,
}

/// Why nobody waits for an entry any more, if so.
pub(super) fn abandoned<R, A>(entry: &Waiting<Entry<R, A>>, now: Instant) -> Option<&'static str> {
    if now >= entry.deadline {
        Some("deadline")
    } else if entry.item.reply.is_closed() {
        Some("gone")
    } else {
        None
    }
}

/// What comes back: the rows themselves, for whoever needs them again, and one answer for each.
pub(super) type Reply<R, A> = Result<(Vec<R>, Vec<A>), EngineError>;

/// What is to become of the model behind a queue; carried out by the device's thread between two batches.
pub(super) enum Change<R, A> {
    /// Another model takes over.
    Replace { model: Box<dyn Model<R, A>>, version: u32, done: oneshot::Sender<()> },
    /// The model goes, once nothing waits for it.
    Remove { done: oneshot::Sender<()> },
}

struct State<R, A> {
    queue: Queue<Entry<R, A>>,
    changes: VecDeque<Change<R, A>>,
    /// No new rows: the model is leaving or is not there.
    refuses: bool,
    closed: bool,
}

/// One model's queue.
pub(super) struct Lane<R, A> {
    pub(super) name: &'static str,
    pub(super) limits: LaneLimits,
    pub(super) ledger: Arc<Ledger>,
    pub(super) pace: Pace,
    /// What a row costs: tokens for texts, one for anything else.
    weigh: fn(&R) -> u64,
    /// One permit a row; a request holds its permits until it is answered or given up.
    permits: Semaphore,
    /// The permits that batch work may hold, which leaves some for live work at any time.
    batch_permits: Semaphore,
    state: Mutex<State<R, A>>,
    site: Site,
    /// The version of the loaded model; 0 where none is.
    version: AtomicU32,
    /// A row that the loaded model can answer if it is healthy.
    probe: Mutex<Option<R>>,
}

/// The rows of a queue that batch work may take; the rest is for live work.
pub(super) const fn batch_share(queue_rows: usize) -> usize {
    queue_rows - queue_rows / 4
}

impl<R: Send, A: Send> Lane<R, A> {
    pub(super) fn new(
        name: &'static str,
        limits: LaneLimits,
        weigh: fn(&R) -> u64,
        site: Site,
        ledger: Arc<Ledger>,
    ) -> Self {
        let state = State { queue: Queue::default(), changes: VecDeque::new(), refuses: true, closed: false };
        let permits = limits.queue_rows.min(Semaphore::MAX_PERMITS);
        Self {
            name,
            limits,
            ledger,
            pace: Pace::default(),
            weigh,
            permits: Semaphore::new(permits),
            batch_permits: Semaphore::new(batch_share(permits)),
            state: Mutex::new(state),
            site,
            version: AtomicU32::new(0),
            probe: Mutex::new(None),
        }
    }

    /// What a row costs.
    pub(super) fn weight(&self, row: &R) -> u64 {
        (self.weigh)(row)
    }

    /// Has rows computed. A request that is given up leaves the queue at once.
    #[tracing::instrument(name = "infer", skip_all, fields(model = self.name, rows = rows.len()))]
    pub(super) async fn submit(&self, rows: Vec<R>, terms: Settled) -> Reply<R, A> {
        if rows.is_empty() {
            return Ok((rows, Vec::new()));
        }
        let begun = Instant::now();
        let count = rows.len();
        let permits = self.admit(&rows, terms, begun)?;
        let mut counted = Counted { ledger: &self.ledger, begun, is_answered: false };
        let mut waiting = self.enter(rows, terms, begun)?;
        let answered = tokio::time::timeout_at(terms.deadline.into(), waiting.answers(count)).await;
        let answer = answered.map_err(|_| EngineError::Deadline)?;
        counted.is_answered = answer.is_ok();
        drop(permits);
        answer
    }

    /// Takes a permit for each row, or says why there is none.
    fn admit(
        &self,
        rows: &[R],
        terms: Settled,
        now: Instant,
    ) -> Result<(SemaphorePermit<'_>, Option<SemaphorePermit<'_>>), EngineError> {
        let count = rows.len();
        let is_batch = terms.priority == Priority::Batch;
        let limit = if is_batch { batch_share(self.limits.queue_rows) } else { self.limits.queue_rows };
        if count > limit {
            return Err(EngineError::TooManyRows { model: self.name, found: count, limit });
        }
        if now >= terms.deadline {
            return Err(EngineError::Deadline);
        }
        let before = self.site.backlog.before(terms.priority);
        let overloaded = || {
            record::rejected(self.name, count);
            let retry_after_ms = u64::try_from(before.as_millis()).unwrap_or(u64::MAX);
            let retry_after_ms = retry_after_ms.clamp(SHORTEST_RETRY_MS, LONGEST_RETRY_MS);
            EngineError::Overloaded { retry_after_ms }
        };
        let own = self.pace.of(rows.iter().map(self.weigh).sum());
        if (before + own).div_f64(HOPE) > terms.deadline - now {
            return Err(overloaded());
        }
        let count = u32::try_from(count).map_err(|_| overloaded())?;
        let all = self.permits.try_acquire_many(count).map_err(|_| overloaded())?;
        let share = if is_batch {
            Some(self.batch_permits.try_acquire_many(count).map_err(|_| overloaded())?)
        } else {
            None
        };
        Ok((all, share))
    }

    /// Puts rows into the queue, in pieces that fit a batch.
    fn enter(&self, rows: Vec<R>, terms: Settled, since: Instant) -> Result<Request<'_, R, A>, EngineError> {
        let (mut pieces, mut replies) = (Vec::new(), VecDeque::new());
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let (mut piece, mut cost) = (Vec::new(), 0);
            while let Some(row) = rows.peek() {
                let own = (self.weigh)(row);
                let fits = piece.len() < self.limits.batch.rows && cost + own <= self.limits.batch.cost;
                if !fits && !piece.is_empty() {
                    break;
                }
                cost += own;
                piece.extend(rows.next());
            }
            let (reply, receiver) = oneshot::channel();
            let accepted = self.site.backlog.accept(terms.priority, self.pace.of(cost));
            let Settled { deadline, priority, .. } = terms;
            let count = piece.len();
            let item = Entry { rows: piece, reply, span: Span::current(), _accepted: accepted };
            pieces.push(Waiting { item, rows: count, cost, since, deadline, priority });
            replies.push_back(receiver);
        }
        let mut state = self.lock();
        if state.closed {
            return Err(EngineError::Stopped);
        }
        if state.refuses {
            return Err(EngineError::NotLoaded { model: self.name });
        }
        let numbers = state.queue.push(terms.session, pieces).into();
        record::queue_rows(&self.site.device, self.name, state.queue.rows());
        drop(state);
        self.site.bell.ring();
        Ok(Request { lane: self, numbers, deadline: terms.deadline, replies })
    }

    /// When the queue's next batch should begin; none where nothing waits.
    pub(super) fn due(&self, now: Instant) -> Option<Due> {
        let mut state = self.lock();
        let work = self.pace.of(state.queue.cost().min(self.limits.batch.cost));
        let closed = state.closed || state.refuses;
        let due = state.queue.due(now, self.limits.batch, work)?;
        Some(if closed { Due { at: due.at.min(now), cut: super::queue::Cut::Closing, ..due } } else { due })
    }

    /// Takes the next batch out of the queue, without the entries that nobody waits for.
    pub(super) fn take(&self, now: Instant) -> Vec<Waiting<Entry<R, A>>> {
        let mut state = self.lock();
        let is_wanted = |entry: &Waiting<Entry<R, A>>| abandoned(entry, now).is_none();
        let (batch, unwanted) = state.queue.take(now, self.limits.batch, is_wanted);
        record::queue_rows(&self.site.device, self.name, state.queue.rows());
        drop(state);
        for entry in unwanted {
            record::skipped(self.name, abandoned(&entry, now).unwrap_or("gone"), entry.rows);
            let _ = entry.item.reply.send(Err(EngineError::Deadline));
        }
        batch
    }

    /// Puts a model behind the queue before anything else that was asked for: the one that the device has had.
    pub(super) fn restore(&self, model: Box<dyn Model<R, A>>, version: u32) {
        let (done, _) = oneshot::channel();
        self.lock().changes.push_front(Change::Replace { model, version, done });
        self.site.bell.ring();
    }

    /// Asks for another model behind the queue, or for none.
    pub(super) fn change(&self, change: Change<R, A>) -> Result<(), EngineError> {
        let mut state = self.lock();
        if state.closed {
            return Err(EngineError::Stopped);
        }
        if matches!(change, Change::Remove { .. }) {
            state.refuses = true;
        }
        state.changes.push_back(change);
        drop(state);
        self.site.bell.ring();
        Ok(())
    }

    /// The next change that can be made now: a model leaves only when nothing waits for it.
    pub(super) fn next_change(&self) -> Option<Change<R, A>> {
        let mut state = self.lock();
        match state.changes.front() {
            Some(Change::Remove { .. }) if !state.queue.is_empty() => None,
            _ => state.changes.pop_front(),
        }
    }

    /// Says which version serves from now on, and what it can be asked; 0 says that none does.
    pub(super) fn serves(&self, version: u32, probe: Option<R>) {
        self.version.store(version, Ordering::Release);
        *self.probe.lock().unwrap_or_else(PoisonError::into_inner) = probe;
        let mut state = self.lock();
        let leaves = state.changes.iter().any(|change| matches!(change, Change::Remove { .. }));
        state.refuses = version == 0 || leaves;
    }

    /// The version of the loaded model; 0 where none is.
    pub(super) fn version(&self) -> u32 {
        self.version.load(Ordering::Acquire)
    }

    /// A row that the loaded model can answer if it is healthy; none where none is loaded.
    pub(super) fn probe(&self) -> Option<R>
    where
        R: Clone,
    {
        self.probe.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Accepts nothing more. What waits is still computed.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.site.bell.ring();
    }

    /// Whether nothing waits and nothing more will come.
    pub(super) fn is_finished(&self) -> bool {
        let state = self.lock();
        state.closed && state.queue.is_empty()
    }

    #[cfg(test)]
    pub(super) fn bell(&self) -> Arc<super::post::Bell> {
        Arc::clone(&self.site.bell)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Answers everything that waits with an error: no thread will ever compute it.
    pub(super) fn give_up(&self) {
        let entries = self.lock().queue.clear();
        for entry in entries {
            let _ = entry.item.reply.send(Err(EngineError::Stopped));
        }
    }

    pub(super) fn statistics(&self) -> ModelStatistics {
        self.ledger.read(self.name, self.version())
    }

    /// Rows that wait with each priority, and for how long the first of them has been waiting.
    pub(super) fn waiting(&self) -> ([usize; 2], Duration) {
        let state = self.lock();
        let oldest = state.queue.oldest().map_or(Duration::ZERO, |since| since.elapsed());
        (Priority::ALL.map(|priority| state.queue.rows_of(priority)), oldest)
    }

    /// Takes entries out that nobody waits for.
    fn forget(&self, numbers: &VecDeque<u64>, deadline: Instant) {
        let mut state = self.lock();
        let forgotten: Vec<_> = numbers.iter().filter_map(|number| state.queue.remove(*number)).collect();
        if !forgotten.is_empty() {
            let reason = if Instant::now() >= deadline { "deadline" } else { "gone" };
            record::skipped(self.name, reason, forgotten.iter().map(|entry| entry.rows).sum());
            record::queue_rows(&self.site.device, self.name, state.queue.rows());
        }
        drop(state);
        // A change may have been waiting for these to go.
        self.site.bell.ring();
    }

    /// A panic cannot happen while the lock is held, so a poisoned state is as good as any.
    fn lock(&self) -> MutexGuard<'_, State<R, A>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a request when it is over, however it ends.
struct Counted<'a> {
    ledger: &'a Ledger,
    begun: Instant,
    is_answered: bool,
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.ledger.request(self.is_answered, self.begun.elapsed());
    }
}

/// A request's entries; whatever of them still waits when this is dropped leaves the queue.
struct Request<'a, R: Send, A: Send> {
    lane: &'a Lane<R, A>,
    numbers: VecDeque<u64>,
    deadline: Instant,
    replies: VecDeque<oneshot::Receiver<Reply<R, A>>>,
}

impl<R: Send, A: Send> Request<'_, R, A> {
    async fn answers(&mut self, count: usize) -> Reply<R, A> {
        let mut all = (Vec::with_capacity(count), Vec::with_capacity(count));
        while let Some(reply) = self.replies.front_mut() {
            // The sender is lost only together with the device's thread.
            let (rows, answers) = reply.await.unwrap_or(Err(EngineError::Lost { model: self.lane.name }))?;
            self.replies.pop_front();
            self.numbers.pop_front();
            all.0.extend(rows);
            all.1.extend(answers);
        }
        Ok(all)
    }
}

impl<R: Send, A: Send> Drop for Request<'_, R, A> {
    fn drop(&mut self) {
        if !self.replies.is_empty() {
            self.lane.forget(&self.numbers, self.deadline);
        }
    }
}
