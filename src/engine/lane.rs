//! One model's queue, seen from both sides: requests enter on the async side, batches leave on the device's thread.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, oneshot};

use super::EngineError;
use super::device::Bell;
use crate::telemetry::record;

/// The shortest wait that a refused client is told, and the one it is told before the model's speed is known.
const SHORTEST_RETRY_MS: u64 = 100;
/// The longest wait that a refused client is told.
const LONGEST_RETRY_MS: u64 = 60_000;

/// What a queue holds and how its batches are cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct LaneLimits {
    pub(super) queue_rows: usize,
    pub(super) max_batch_rows: usize,
    pub(super) batch_delay: Duration,
}

/// Rows that wait together, at most one batch of them, and where their answers go.
pub(super) struct Entry<R, A> {
    id: u64,
    pub(super) rows: Vec<R>,
    pub(super) since: Instant,
    deadline: Instant,
    pub(super) reply: oneshot::Sender<Reply<R, A>>,
}

impl<R, A> Entry<R, A> {
    /// Why nobody waits for this entry any more, if so.
    pub(super) fn abandoned(&self, now: Instant) -> Option<&'static str> {
        if now >= self.deadline {
            Some("deadline")
        } else if self.reply.is_closed() {
            Some("gone")
        } else {
            None
        }
    }
}

/// What comes back: the rows themselves, for whoever needs them again, and one answer for each.
pub(super) type Reply<R, A> = Result<(Vec<R>, Vec<A>), EngineError>;

struct State<R, A> {
    queue: VecDeque<Entry<R, A>>,
    rows: usize,
    next_id: u64,
    closed: bool,
}

/// One model's queue.
pub(super) struct Lane<R, A> {
    pub(super) name: &'static str,
    limits: LaneLimits,
    /// One permit a row; a request holds its permits until it is answered or given up.
    permits: Semaphore,
    state: Mutex<State<R, A>>,
    bell: Arc<Bell>,
    /// How long a row takes, smoothed; 0 until it is known.
    row_us: AtomicU64,
}

impl<R: Send, A: Send> Lane<R, A> {
    pub(super) fn new(name: &'static str, limits: LaneLimits, bell: Arc<Bell>) -> Self {
        let state = State { queue: VecDeque::new(), rows: 0, next_id: 0, closed: false };
        Self {
            name,
            limits,
            permits: Semaphore::new(limits.queue_rows.min(Semaphore::MAX_PERMITS)),
            state: Mutex::new(state),
            bell,
            row_us: AtomicU64::new(0),
        }
    }

    /// Has rows computed. A request that is given up leaves the queue at once.
    pub(super) async fn submit(&self, rows: Vec<R>, deadline: Instant) -> Reply<R, A> {
        let count = rows.len();
        if count == 0 {
            return Ok((rows, Vec::new()));
        }
        if count > self.limits.queue_rows {
            let limit = self.limits.queue_rows;
            return Err(EngineError::TooManyRows { model: self.name, found: count, limit });
        }
        if Instant::now() >= deadline {
            return Err(EngineError::Deadline);
        }
        let permits = u32::try_from(count).ok().and_then(|count| self.permits.try_acquire_many(count).ok());
        let Some(_permits) = permits else {
            record::rejected(self.name, count);
            return Err(EngineError::Overloaded { retry_after_ms: self.retry_after_ms() });
        };
        let mut waiting = self.enter(rows, deadline)?;
        let answered = tokio::time::timeout_at(deadline.into(), waiting.answers(count)).await;
        answered.map_err(|_| EngineError::Deadline)?
    }

    /// Puts rows into the queue, in pieces that fit a batch.
    fn enter(&self, rows: Vec<R>, deadline: Instant) -> Result<Waiting<'_, R, A>, EngineError> {
        let since = Instant::now();
        let mut replies = VecDeque::new();
        let mut state = self.lock();
        if state.closed {
            return Err(EngineError::Stopped);
        }
        let first = state.next_id;
        state.rows += rows.len();
        let mut rows = rows.into_iter();
        loop {
            let piece: Vec<R> = rows.by_ref().take(self.limits.max_batch_rows.max(1)).collect();
            if piece.is_empty() {
                break;
            }
            let (reply, receiver) = oneshot::channel();
            let id = state.next_id;
            state.next_id += 1;
            state.queue.push_back(Entry { id, rows: piece, since, deadline, reply });
            replies.push_back(receiver);
        }
        let ids = first..state.next_id;
        record::queue_rows(self.name, state.rows);
        drop(state);
        self.bell.ring();
        Ok(Waiting { lane: self, ids, deadline, replies })
    }

    /// When the queue's next batch should begin; none where nothing waits.
    pub(super) fn due(&self) -> Option<Instant> {
        let state = self.lock();
        let oldest = state.queue.front()?;
        if state.closed || state.rows >= self.limits.max_batch_rows {
            return Some(oldest.since);
        }
        let soonest = state.queue.iter().map(|entry| entry.deadline).min()?;
        Some(soonest.min(oldest.since + self.limits.batch_delay))
    }

    /// Takes the next batch out of the queue, without the entries that nobody waits for.
    pub(super) fn take(&self) -> Vec<Entry<R, A>> {
        let now = Instant::now();
        let mut batch = Vec::new();
        let mut room = self.limits.max_batch_rows.max(1);
        let mut state = self.lock();
        while let Some(entry) = state.queue.pop_front() {
            if let Some(reason) = entry.abandoned(now) {
                state.rows -= entry.rows.len();
                record::skipped(self.name, reason, entry.rows.len());
                let _ = entry.reply.send(Err(EngineError::Deadline));
                continue;
            }
            if entry.rows.len() > room {
                state.queue.push_front(entry);
                break;
            }
            room -= entry.rows.len();
            state.rows -= entry.rows.len();
            batch.push(entry);
        }
        record::queue_rows(self.name, state.rows);
        batch
    }

    /// Learns how fast the model is.
    pub(super) fn learn(&self, rows: usize, elapsed: Duration) {
        let found = elapsed.as_micros() / rows.max(1) as u128;
        let found = u64::try_from(found).unwrap_or(u64::MAX).max(1);
        let known = self.row_us.load(Ordering::Relaxed);
        let smoothed = if known == 0 { found } else { known - known / 8 + found / 8 };
        self.row_us.store(smoothed, Ordering::Relaxed);
    }

    /// How long the queue's rows will take.
    fn retry_after_ms(&self) -> u64 {
        let taken = self.limits.queue_rows.saturating_sub(self.permits.available_permits()) as u64;
        let work_us = taken.saturating_mul(self.row_us.load(Ordering::Relaxed));
        (work_us / 1000).clamp(SHORTEST_RETRY_MS, LONGEST_RETRY_MS)
    }

    /// Accepts nothing more. What waits is still computed.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.bell.ring();
    }

    /// Whether nothing waits and nothing more will come.
    pub(super) fn is_finished(&self) -> bool {
        let state = self.lock();
        state.closed && state.queue.is_empty()
    }

    /// Takes entries out that nobody waits for.
    fn forget(&self, ids: &Range<u64>, deadline: Instant) {
        let mut state = self.lock();
        let before = state.rows;
        state.queue.retain(|entry| !ids.contains(&entry.id));
        state.rows = state.queue.iter().map(|entry| entry.rows.len()).sum();
        let forgotten = before - state.rows;
        if forgotten > 0 {
            let reason = if Instant::now() >= deadline { "deadline" } else { "gone" };
            record::skipped(self.name, reason, forgotten);
            record::queue_rows(self.name, state.rows);
        }
    }

    /// A panic cannot happen while the lock is held, so a poisoned state is as good as any.
    fn lock(&self) -> MutexGuard<'_, State<R, A>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request's entries; whatever of them still waits when this is dropped leaves the queue.
struct Waiting<'a, R: Send, A: Send> {
    lane: &'a Lane<R, A>,
    ids: Range<u64>,
    deadline: Instant,
    replies: VecDeque<oneshot::Receiver<Reply<R, A>>>,
}

impl<R: Send, A: Send> Waiting<'_, R, A> {
    async fn answers(&mut self, count: usize) -> Reply<R, A> {
        let mut all = (Vec::with_capacity(count), Vec::with_capacity(count));
        while let Some(reply) = self.replies.front_mut() {
            // The sender is only ever lost together with the device's thread.
            let (rows, answers) = reply.await.unwrap_or(Err(EngineError::Stopped))?;
            self.replies.pop_front();
            all.0.extend(rows);
            all.1.extend(answers);
        }
        Ok(all)
    }
}

impl<R: Send, A: Send> Drop for Waiting<'_, R, A> {
    fn drop(&mut self) {
        if !self.replies.is_empty() {
            self.lane.forget(&self.ids, self.deadline);
        }
    }
}
