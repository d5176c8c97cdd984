//! The thread that owns a device and its models: it waits for work, serves the queue whose batch is due first and
//! never ends because of a model.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use heartline_models::ModelError;

use super::lane::{Entry, Lane};
use super::{EngineError, Model};
use crate::telemetry::record;

/// Wakes the device's thread.
#[derive(Debug, Default)]
pub(super) struct Bell {
    rings: Mutex<u64>,
    heard: Condvar,
}

impl Bell {
    pub(super) fn ring(&self) {
        *self.rings.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.heard.notify_all();
    }

    fn rings(&self) -> u64 {
        *self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the bell has been rung since `seen` was read, at most for `patience`.
    fn wait(&self, seen: u64, patience: Option<Duration>) {
        let rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(patience) = patience {
            drop(self.heard.wait_timeout_while(rings, patience, |rings| *rings == seen));
        } else {
            drop(self.heard.wait_while(rings, |rings| *rings == seen));
        }
    }
}

/// A queue with its model, as the device's thread sees it.
pub(super) trait Station: Send {
    /// When the next batch should begin; none where nothing waits.
    fn due(&self) -> Option<Instant>;
    /// Whether nothing waits and nothing more will come.
    fn is_finished(&self) -> bool;
    /// Computes the next batch and answers it.
    fn execute(&mut self);
    /// Computes a row that the model knows, once alone and, where a device tunes itself, once as a full batch.
    fn warm_up(&mut self, sizes: &[usize]) -> Result<(), EngineError>;
}

/// Serves the stations until all of them are finished.
pub(super) fn serve(stations: &mut [Box<dyn Station>], bell: &Bell) {
    loop {
        let seen = bell.rings();
        let due = stations.iter().enumerate().filter_map(|(index, station)| Some((station.due()?, index)));
        match due.min() {
            Some((due, index)) => match due.checked_duration_since(Instant::now()) {
                Some(patience) if !patience.is_zero() => bell.wait(seen, Some(patience)),
                _ => stations[index].execute(),
            },
            None if stations.iter().all(|station| station.is_finished()) => return,
            None => bell.wait(seen, None),
        }
    }
}

/// One model and its queue.
pub(super) struct Desk<R, A> {
    pub(super) lane: Arc<Lane<R, A>>,
    pub(super) model: Box<dyn Model<R, A>>,
}

impl<R: Send, A: Send> Desk<R, A> {
    /// Runs the model once; a panic is an error like any other.
    fn compute(&mut self, rows: &[R]) -> Result<Vec<A>, EngineError> {
        let started = Instant::now();
        // The models keep nothing from one execution to the next, so a panic leaves no half-changed state behind.
        let outcome = catch_unwind(AssertUnwindSafe(|| self.model.compute(rows)));
        let elapsed = started.elapsed();
        record::execution(self.lane.name, rows.len(), elapsed);
        self.lane.learn(rows.len(), elapsed);
        let error = match outcome {
            Ok(Ok(answers)) if answers.len() == rows.len() => return Ok(answers),
            Ok(Ok(answers)) => EngineError::Model(ModelError::Computation(format!(
                "model {} gave {} answers for {} rows",
                self.lane.name,
                answers.len(),
                rows.len()
            ))),
            Ok(Err(error)) => EngineError::Model(error),
            Err(payload) => {
                let message = payload
                    .downcast_ref::<&str>()
                    .map(ToString::to_string)
                    .or_else(|| payload.downcast_ref::<String>().cloned())
                    .unwrap_or_else(|| "no message".to_owned());
                EngineError::Panicked { model: self.lane.name, message }
            }
        };
        let reason = if matches!(error, EngineError::Panicked { .. }) { "panic" } else { "error" };
        record::execution_failure(self.lane.name, reason);
        tracing::warn!(model = self.lane.name, rows = rows.len(), %error, "an execution failed");
        Err(error)
    }

    /// Computes an entry alone and answers it.
    fn execute_alone(&mut self, entry: Entry<R, A>) {
        let Entry { rows, reply, .. } = entry;
        let answers = self.compute(&rows);
        // Whoever has stopped waiting does not want the answer.
        let _ = reply.send(answers.map(|answers| (rows, answers)));
    }
}

impl<R: Send, A: Send> Station for Desk<R, A> {
    fn due(&self) -> Option<Instant> {
        self.lane.due()
    }

    fn is_finished(&self) -> bool {
        self.lane.is_finished()
    }

    /// A batch of several entries that fails is computed again entry by entry, so that a bad request harms nobody
    /// but its sender.
    fn execute(&mut self) {
        let mut entries = self.lane.take();
        let now = Instant::now();
        for entry in &entries {
            record::queue_wait(self.lane.name, now.saturating_duration_since(entry.since));
        }
        if entries.len() <= 1 {
            entries.into_iter().for_each(|entry| self.execute_alone(entry));
            return;
        }
        let counts: Vec<usize> = entries.iter().map(|entry| entry.rows.len()).collect();
        let mut rows: Vec<R> = entries.iter_mut().flat_map(|entry| std::mem::take(&mut entry.rows)).collect();
        let answers = self.compute(&rows);
        let mut rows = rows.drain(..);
        for (entry, count) in entries.iter_mut().zip(&counts) {
            entry.rows = rows.by_ref().take(*count).collect();
        }
        drop(rows);
        let Ok(answers) = answers else {
            for entry in entries {
                if let Some(reason) = entry.abandoned(Instant::now()) {
                    record::skipped(self.lane.name, reason, entry.rows.len());
                    let _ = entry.reply.send(Err(EngineError::Deadline));
                } else {
                    self.execute_alone(entry);
                }
            }
            return;
        };
        let mut answers = answers.into_iter();
        for entry in entries {
            let own = answers.by_ref().take(entry.rows.len()).collect();
            let _ = entry.reply.send(Ok((entry.rows, own)));
        }
    }

    fn warm_up(&mut self, sizes: &[usize]) -> Result<(), EngineError> {
        for size in sizes {
            let rows: Vec<R> = (0..*size).map(|_| self.model.probe()).collect();
            self.compute(&rows)?;
        }
        Ok(())
    }
}
