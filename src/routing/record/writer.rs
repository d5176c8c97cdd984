//! The thread that writes records. Whoever ranks hands over and never waits: what finds no room is not written, and
//! counted.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::file::{Line, OutcomeRecord};
use super::ring::Entry;
use super::store::{Content, Store};
use super::weights::Weights;
use super::{RecordsConfig, new_id};
use crate::telemetry::record;

/// How long lines may stay in memory while nothing else is to be written.
const IDLE: Duration = Duration::from_millis(200);
/// Into how many files of rankings the folder is divided, so that they can go one by one.
const FILES: u64 = 16;
/// How long a server that stops waits for its records.
const SETTLING_TIME: Duration = Duration::from_secs(10);

/// What keeps rankings from being recorded.
#[derive(Debug, thiserror::Error)]
#[error("the folder of rankings {folder} cannot be written to; see routing.records.folder", folder = folder.display())]
pub struct RecordsError {
    folder: PathBuf,
    #[source]
    source: io::Error,
}

/// What the thread is told.
enum Order {
    Ranking(Arc<Entry>),
    Outcome(Box<OutcomeRecord>),
    Settle(mpsc::Sender<()>),
}

/// The thread's other end. Clones are handles to the same one; it ends with the last of them.
#[derive(Clone)]
pub(super) struct Writer {
    orders: SyncSender<Order>,
    /// What waits, and how much of it may.
    waiting: Arc<Mutex<Weights>>,
    most_waiting_bytes: u64,
}

impl Writer {
    pub(super) fn start(folder: &Path, config: &RecordsConfig) -> Result<Self, RecordsError> {
        let unusable = |source| RecordsError { folder: folder.to_path_buf(), source };
        let store = Store::create(folder).map_err(unusable)?;
        let (orders, received) = mpsc::sync_channel(config.max_waiting);
        let waiting = Arc::new(Mutex::new(Weights::default()));
        let mut thread = Thread {
            store,
            waiting: Arc::clone(&waiting),
            most_bytes: config.max_bytes,
            most_age: Duration::from_secs(config.max_age_hours * 3_600),
            bytes: 0,
            lines: None,
        };
        thread.prune().map_err(unusable)?;
        std::thread::Builder::new()
            .name("ranking-records".to_owned())
            .spawn(move || thread.run(&received))
            .map_err(unusable)?;
        Ok(Self { orders, waiting, most_waiting_bytes: config.memory_bytes })
    }

    pub(super) fn ranking(&self, entry: &Arc<Entry>) {
        {
            let mut waiting = weights(&self.waiting);
            if waiting.bytes() as u64 > self.most_waiting_bytes {
                return record::ranking_record("dropped");
            }
            waiting.add(&entry.kept);
        }
        if !self.order(Order::Ranking(Arc::clone(entry))) {
            weights(&self.waiting).remove(&entry.kept);
        }
    }

    pub(super) fn outcome(&self, outcome: OutcomeRecord) {
        self.order(Order::Outcome(Box::new(outcome)));
    }

    /// Hands over; says whether there was room.
    fn order(&self, order: Order) -> bool {
        let Err(refused) = self.orders.try_send(order) else { return true };
        record::ranking_record(match refused {
            TrySendError::Full(_) => "dropped",
            TrySendError::Disconnected(_) => "failed",
        });
        false
    }

    pub(super) fn settle(&self) {
        let (done, settled) = mpsc::channel();
        // Settling may wait for room: nobody ranks any more who could be held up.
        if self.orders.send(Order::Settle(done)).is_ok() && settled.recv_timeout(SETTLING_TIME).is_err() {
            tracing::warn!("rankings were still being written when the server ended");
        }
    }
}

fn weights(weights: &Mutex<Weights>) -> MutexGuard<'_, Weights> {
    weights.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Thread {
    store: Store,
    waiting: Arc<Mutex<Weights>>,
    most_bytes: u64,
    most_age: Duration,
    /// What the folder takes.
    bytes: u64,
    lines: Option<Lines>,
}

/// The file of rankings under way.
struct Lines {
    file: BufWriter<File>,
    path: PathBuf,
    bytes: u64,
    since: Instant,
}

impl Thread {
    fn run(mut self, orders: &Receiver<Order>) {
        loop {
            match orders.recv_timeout(IDLE) {
                Ok(Order::Settle(done)) => {
                    self.flush();
                    // Whoever no longer waits needs no answer.
                    let _ = done.send(());
                }
                Ok(order) => {
                    let entry = match &order {
                        Order::Ranking(entry) => Some(Arc::clone(entry)),
                        Order::Outcome(_) | Order::Settle(_) => None,
                    };
                    let written = self.follow(order);
                    if let Some(entry) = entry {
                        weights(&self.waiting).remove(&entry.kept);
                    }
                    if let Err(error) = &written {
                        tracing::error!(%error, "a ranking cannot be recorded");
                        // The next one begins a file of its own.
                        self.lines = None;
                    }
                    record::ranking_record(if written.is_ok() { "written" } else { "failed" });
                }
                Err(RecvTimeoutError::Timeout) => self.flush(),
                Err(RecvTimeoutError::Disconnected) => break self.flush(),
            }
        }
    }

    fn follow(&mut self, order: Order) -> io::Result<()> {
        let line = match order {
            Order::Ranking(entry) => {
                let kept = &entry.kept;
                let roster = &kept.roster;
                self.bytes += self.store.put(Content::Roster, roster.sha256(), || roster.to_json())?;
                for state in kept.matchers.iter().filter_map(|matcher| matcher.state.as_ref()) {
                    self.bytes += self.store.put(Content::State, &state.sha256, || state.bytes.clone())?;
                }
                Line::Ranking(Box::new(kept.to_record()))
            }
            Order::Outcome(outcome) => Line::Outcome(*outcome),
            Order::Settle(_) => return Ok(()),
        };
        self.write(&line)
    }

    fn write(&mut self, line: &Line) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        let length = bytes.len() as u64;
        let is_full = self.lines.as_ref().is_some_and(|lines| {
            lines.bytes + length > self.most_bytes / FILES
                || lines.since.elapsed() > self.most_age / FILES as u32
        });
        if is_full {
            self.flush();
            self.lines = None;
        }
        let lines = match &mut self.lines {
            Some(lines) => lines,
            none => {
                let path = self.store.lines_path(&new_id());
                let file = BufWriter::new(File::create(&path)?);
                none.insert(Lines { file, path, bytes: 0, since: Instant::now() })
            }
        };
        lines.file.write_all(&bytes)?;
        lines.bytes += length;
        self.bytes += length;
        if self.bytes > self.most_bytes || is_full {
            self.flush();
            self.prune()?;
        }
        Ok(())
    }

    fn flush(&mut self) {
        if let Some(lines) = &mut self.lines
            && let Err(error) = lines.file.flush()
        {
            tracing::error!(%error, "rankings cannot be recorded");
            self.lines = None;
        }
    }

    fn prune(&mut self) -> io::Result<()> {
        let current = self.lines.as_ref().map(|lines| lines.path.as_path());
        // A little more than must go, so that the next ranking does not look at the whole folder again.
        let most_bytes = self.most_bytes - self.most_bytes / 8;
        self.bytes = self.store.prune(most_bytes, self.most_age, current)?;
        Ok(())
    }
}
