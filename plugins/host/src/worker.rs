//! One thread for one instance: calls take turns in a short queue, and whoever waits too long goes on without an answer.
//!
//! A call owns all that it reads and writes, so a call that is stuck keeps its memory alive and nobody else's thread.
//! While one is stuck nothing is queued.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::backend::{Backend, Card, Source, Started};
use crate::breaker::{Breaker, Permit};
use crate::health::Counters;
use crate::services::Services;
use crate::{BreakerState, HostError};

/// How many calls may wait for their turn.
const QUEUE: usize = 64;

/// The number of what the worker does between calls: starting an instance and saving what it has learned. Calls have
/// numbers from 1.
const UPKEEP: u64 = 0;

/// What a worker shares with those who call it.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) breaker: Breaker,
    pub(crate) counters: Arc<Counters>,
    kept: Mutex<Kept>,
    turn: Mutex<Turn>,
}

/// What the instance has learned, as it was saved last.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept {
    pub(crate) state: Option<Vec<u8>>,
    /// Whether that is what it knows now.
    pub(crate) is_current: bool,
}

impl Shared {
    pub(crate) fn new(breaker: Breaker, counters: Arc<Counters>) -> Self {
        Self { breaker, counters, kept: Mutex::default(), turn: Mutex::default() }
    }

    fn turn(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whose turn it is.
#[derive(Debug, Default)]
struct Turn {
    running: Option<u64>,
    /// Callers have gone on without it.
    is_stuck: bool,
}

/// What a call leaves to do for the worker.
struct After {
    has_ended: bool,
    has_learned: bool,
}

type Work = Box<dyn FnOnce(Result<&mut dyn Backend, HostError>) -> After + Send>;

struct Job {
    number: u64,
    until: Instant,
    work: Work,
}

/// How a call is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    /// How long the caller waits.
    pub(crate) limit: Duration,
    /// Whether it may change what the instance knows, which is saved then.
    pub(crate) is_lesson: bool,
    /// Whether it is about the instance's state, which says little of how it scores.
    pub(crate) is_upkeep: bool,
}

/// The thread of an instance. When this is dropped the instance ends with its last call.
#[derive(Debug)]
pub(crate) struct Worker {
    jobs: SyncSender<Job>,
    shared: Arc<Shared>,
    numbers: AtomicU64,
    pub(crate) card: &'static Card,
    pub(crate) services: Arc<Services>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Job").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Worker {
    /// Starts a thread and waits until its instance is ready.
    pub(crate) fn start(
        source: Box<dyn Source>,
        shared: &Arc<Shared>,
        limit: Duration,
    ) -> Result<Self, HostError> {
        let (jobs, queue) = sync_channel(QUEUE);
        let (ready, started) = sync_channel(1);
        let bench = Bench { source, backend: None, can_save: true, shared: Arc::clone(shared), limit };
        std::thread::Builder::new()
            .name("matcher".to_owned())
            .spawn(move || bench.run(&queue, &ready))
            .map_err(|source| HostError::Thread { source })?;
        let (card, services) =
            started.recv_timeout(limit).unwrap_or(Err(HostError::StartOverrun { limit }))?;
        Ok(Self { jobs, shared: Arc::clone(shared), numbers: AtomicU64::new(1), card, services })
    }

    /// What the worker shares with its callers.
    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Makes a call and waits for it, no longer than its limit.
    pub(crate) fn call<T: Send + 'static>(
        &self,
        terms: Terms,
        body: impl FnOnce(&mut dyn Backend, Instant) -> Result<T, HostError> + Send + 'static,
    ) -> Result<T, HostError> {
        if self.shared.turn().is_stuck {
            return Err(self.busy());
        }
        let until = Instant::now() + terms.limit;
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let (reply, answer) = sync_channel(1);
        let work: Work = Box::new(move |backend| {
            let result = backend.and_then(|backend| body(backend, until));
            let has_ended = matches!(&result, Err(error) if error.ends_instance());
            // One that failed may have learned half of it.
            let has_learned = terms.is_lesson;
            // Nobody may be waiting any more.
            drop(reply.send(result));
            After { has_ended, has_learned }
        });
        match self.jobs.try_send(Job { number, until, work }) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => return Err(self.busy()),
        }
        match answer.recv_timeout(terms.limit) {
            Ok(result) => result,
            Err(RecvTimeoutError::Timeout) => self.give_up(number, terms.limit, &answer),
            // A call is dropped unanswered where its time had passed before its turn, or where this crate panicked.
            Err(RecvTimeoutError::Disconnected) if Instant::now() < until => {
                let reason = "the host failed within the call".to_owned();
                Err(HostError::Panicked { id: self.id(), reason })
            }
            Err(RecvTimeoutError::Disconnected) => Err(self.busy()),
        }
    }

    /// Goes on without an answer.
    fn give_up<T>(
        &self,
        number: u64,
        limit: Duration,
        answer: &Receiver<Result<T, HostError>>,
    ) -> Result<T, HostError> {
        let mut turn = self.shared.turn();
        if let Ok(result) = answer.try_recv() {
            return result;
        }
        // What keeps the worker from this call while nobody waits for it is not waited for a second time.
        turn.is_stuck |= turn.running == Some(number) || turn.running == Some(UPKEEP);
        if turn.running != Some(number) {
            return Err(self.busy());
        }
        Err(HostError::Overrun { id: self.id(), limit })
    }

    fn id(&self) -> String {
        self.card.descriptor.id.clone()
    }

    fn busy(&self) -> HostError {
        HostError::Busy { id: self.id() }
    }
}

type Ready = Result<(&'static Card, Arc<Services>), HostError>;

/// What the thread has before it.
struct Bench {
    source: Box<dyn Source>,
    backend: Option<Box<dyn Backend>>,
    /// Whether no instance has ended by being saved.
    can_save: bool,
    shared: Arc<Shared>,
    /// For starting, saving and loading.
    limit: Duration,
}

impl Bench {
    fn run(mut self, queue: &Receiver<Job>, ready: &SyncSender<Ready>) {
        let is_ready = match self.source.start(Instant::now() + self.limit) {
            Ok(Started { backend, card, services }) => {
                self.backend = Some(backend);
                self.shared.turn().running = Some(UPKEEP);
                let has_caller = ready.send(Ok((card, services))).is_ok();
                self.save();
                *self.shared.turn() = Turn::default();
                has_caller
            }
            Err(error) => {
                drop(ready.send(Err(error)));
                false
            }
        };
        if !is_ready {
            return;
        }
        while let Ok(job) = queue.recv() {
            // Whoever asked has gone, so the matcher is not bothered.
            if Instant::now() < job.until {
                self.serve(job);
            }
        }
    }

    fn serve(&mut self, job: Job) {
        self.shared.turn().running = Some(UPKEEP);
        let refusal = if self.backend.is_none() { self.restart().err() } else { None };
        if refusal.is_none() && Instant::now() >= job.until {
            // That took longer than the caller waits. The instance is there for the next one.
            *self.shared.turn() = Turn::default();
            return;
        }
        self.shared.turn().running = Some(job.number);
        let target: Result<&mut dyn Backend, HostError> = match (refusal, &mut self.backend) {
            (None, Some(backend)) => Ok(&mut **backend),
            (refusal, _) => Err(refusal.unwrap_or(HostError::Busy { id: String::new() })),
        };
        let after = catch_unwind(AssertUnwindSafe(|| (job.work)(target)));
        *self.shared.turn() = Turn { running: Some(UPKEEP), is_stuck: false };
        match after {
            Ok(After { has_ended: false, has_learned }) => {
                if has_learned {
                    self.save();
                }
            }
            Ok(After { has_ended: true, .. }) | Err(_) => self.renew(),
        }
        *self.shared.turn() = Turn::default();
    }

    /// Ends an instance that is of no more use; makes another at once unless the matcher is to be left alone.
    fn renew(&mut self) {
        self.backend = None;
        if self.shared.breaker.state(Instant::now()).0 != BreakerState::Closed {
            return;
        }
        if let Err(error) = self.restart() {
            tracing::warn!(%error, "a matcher could not be made anew");
            let verdict = self.shared.counters.fail(&error);
            self.shared.breaker.record(Permit::Normal, verdict, Instant::now());
        }
    }

    fn restart(&mut self) -> Result<(), HostError> {
        let until = Instant::now() + self.limit;
        let mut started = self.source.start(until)?;
        self.shared.counters.restart();
        let state = self.shared.kept().state.clone();
        let taken = state.map(|bytes| started.backend.load(&bytes, until));
        self.backend = Some(started.backend);
        match taken {
            Some(Ok(_)) => self.shared.kept().is_current = true,
            Some(Err(error)) => {
                let matcher = started.card.descriptor.id.as_str();
                tracing::warn!(matcher, %error, "the matcher starts afresh, because it refuses its saved state");
                self.save();
            }
            None => self.save(),
        }
        Ok(())
    }

    /// Keeps what the instance has learned, for the one that may follow it.
    fn save(&mut self) {
        self.shared.kept().is_current = false;
        let Some(backend) = self.backend.as_mut().filter(|_| self.can_save) else { return };
        match backend.save(Instant::now() + self.limit) {
            Ok(state) => *self.shared.kept() = Kept { state, is_current: true },
            Err(error) => {
                tracing::warn!(%error, "what a matcher has learned could not be saved");
                if error.ends_instance() {
                    tracing::error!("it is not saved again, because that ends the matcher");
                    self.can_save = false;
                    self.renew();
                }
            }
        }
    }
}
