//! One model and its queue, as the device's thread sees them: it takes batches, computes them and answers, and it
//! changes the model between two batches.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use heartline_models::ModelError;

use super::device::{ModelLost, Station};
use super::lane::{Change, Entry, Lane, abandoned};
use super::post::{Executing, Post};
use super::queue::{Cut, Due, Waiting};
use super::{EngineError, Model};
use crate::telemetry::{panic_words, record, with_causes};

/// One model and its queue.
pub(super) struct Desk<R, A> {
    pub(super) lane: Arc<Lane<R, A>>,
    pub(super) model: Option<Box<dyn Model<R, A>>>,
    pub(super) post: Arc<Post>,
    /// The number of the thread that the desk belongs to.
    pub(super) thread: u64,
    /// What a panic or a failed execution said after which the model has not computed anything yet.
    pub(super) suspicion: Option<ModelLost>,
}

impl<R: Send, A: Send> Desk<R, A> {
    /// Runs the model once; a panic is an error like any other.
    fn compute(&mut self, rows: &[R], cost: u64) -> Result<Vec<A>, EngineError> {
        let name = self.lane.name;
        let Some(model) = self.model.as_mut() else { return Err(EngineError::NotLoaded { model: name }) };
        let since = Instant::now();
        self.post.executes(self.thread, Some(Executing { model: name, rows: rows.len(), since }));
        // A panic may leave the model in any state, so it has to prove itself before it is trusted again.
        let outcome = catch_unwind(AssertUnwindSafe(|| model.compute(rows)));
        let elapsed = since.elapsed();
        self.post.executes(self.thread, None);
        record::execution(name, rows.len(), elapsed);
        self.lane.ledger.execution(rows.len(), elapsed);
        let error = match outcome {
            Ok(Ok(answers)) if answers.len() == rows.len() => {
                self.lane.pace.learn(cost, elapsed);
                return Ok(answers);
            }
            Ok(Ok(answers)) => EngineError::Model(ModelError::Computation(format!(
                "model {name} gave {} answers for {} rows",
                answers.len(),
                rows.len()
            ))),
            Ok(Err(error)) => {
                // Whoever sent rows that cannot be read is at fault, and nobody else.
                if !matches!(error, ModelError::Input(_)) {
                    let is_final = matches!(error, ModelError::DeviceLost(_));
                    self.suspicion = Some(ModelLost { model: name, message: with_causes(&error), is_final });
                }
                EngineError::Model(error)
            }
            Err(payload) => {
                let message = panic_message(payload.as_ref());
                self.suspicion = Some(ModelLost { model: name, message: message.clone(), is_final: false });
                EngineError::Panicked { model: name, message }
            }
        };
        let reason = if matches!(error, EngineError::Panicked { .. }) { "panic" } else { "error" };
        record::execution_failure(name, reason);
        tracing::warn!(model = name, rows = rows.len(), %error, "an execution failed");
        Err(error)
    }

    /// Computes an entry alone and answers it.
    fn execute_alone(&mut self, waiting: Waiting<Entry<R, A>>) {
        let cost = waiting.cost;
        let Entry { rows, reply, .. } = waiting.item;
        let answers = self.compute(&rows, cost);
        // Whoever has stopped waiting does not want the answer.
        let _ = reply.send(answers.map(|answers| (rows, answers)));
    }

    /// Computes several entries as one batch. A batch that fails is computed again entry by entry, so that a bad
    /// request harms nobody but its sender.
    fn execute_together(&mut self, mut batch: Vec<Waiting<Entry<R, A>>>) {
        let cost = batch.iter().map(|entry| entry.cost).sum();
        let mut rows: Vec<R> =
            batch.iter_mut().flat_map(|entry| std::mem::take(&mut entry.item.rows)).collect();
        let answers = self.compute(&rows, cost);
        let mut rows = rows.drain(..);
        for entry in &mut batch {
            entry.item.rows = rows.by_ref().take(entry.rows).collect();
        }
        drop(rows);
        match answers {
            Ok(answers) => {
                let mut answers = answers.into_iter();
                for entry in batch {
                    let own = answers.by_ref().take(entry.rows).collect();
                    let _ = entry.item.reply.send(Ok((entry.item.rows, own)));
                }
            }
            Err(_) => {
                for entry in batch {
                    if let Some(reason) = abandoned(&entry, Instant::now()) {
                        record::skipped(self.lane.name, reason, entry.rows);
                        let _ = entry.item.reply.send(Err(EngineError::Deadline));
                    } else {
                        self.execute_alone(entry);
                    }
                }
            }
        }
    }

    /// Has a model that panicked or failed compute a row that it knows.
    fn prove(&mut self) -> Result<(), ModelLost> {
        let Some(lost) = self.suspicion.take() else { return Ok(()) };
        self.try_out().map_err(|_| lost)
    }

    /// Has the model compute a row that it knows.
    fn try_out(&mut self) -> Result<(), EngineError> {
        let Some(model) = &self.model else { return Ok(()) };
        let row = model.probe();
        let cost = self.lane.weight(&row);
        self.compute(&[row], cost).map(drop)
    }
}

impl<R: Send, A: Send> Station for Desk<R, A> {
    fn due(&self, now: Instant) -> Option<Due> {
        self.lane.due(now)
    }

    fn is_finished(&self) -> bool {
        self.lane.is_finished()
    }

    fn execute(&mut self, cut: Cut) -> Result<(), ModelLost> {
        let now = Instant::now();
        let mut batch = self.lane.take(now);
        if batch.is_empty() {
            return Ok(());
        }
        let rows: usize = batch.iter().map(|entry| entry.rows).sum();
        let span = tracing::info_span!("execute", model = self.lane.name, rows, cut = cut.name());
        let _entered = span.enter();
        self.lane.ledger.cut(cut);
        record::batch(self.lane.name, cut.name());
        for entry in &batch {
            // One batch serves many requests: each of them can be followed to it.
            span.follows_from(&entry.item.span);
            let waited = now.saturating_duration_since(entry.since);
            record::queue_wait(self.lane.name, waited);
            self.lane.ledger.waited(entry.rows, waited);
        }
        if batch.len() > 1 {
            self.execute_together(batch);
        } else if let Some(only) = batch.pop() {
            self.execute_alone(only);
        }
        self.prove()
    }

    fn warm_up(&mut self) -> Result<(), EngineError> {
        let Some(model) = &mut self.model else { return Ok(()) };
        let rows = self.lane.limits.batch.rows;
        match catch_unwind(AssertUnwindSafe(|| model.warm_up(rows))) {
            Ok(prepared) => prepared.map_err(EngineError::Model)?,
            Err(payload) => {
                let message = panic_message(payload.as_ref());
                return Err(EngineError::Panicked { model: self.lane.name, message });
            }
        }
        self.try_out()
    }

    fn has_model(&self) -> bool {
        self.model.is_some()
    }

    fn change(&mut self) {
        while let Some(change) = self.lane.next_change() {
            let done = match change {
                Change::Replace { model, version, done } => {
                    self.lane.serves(version, Some(model.probe()));
                    self.model = Some(model);
                    done
                }
                Change::Remove { done } => {
                    self.model = None;
                    self.lane.serves(0, None);
                    done
                }
            };
            // Whoever asked for the change may have gone; it is made all the same.
            let _ = done.send(());
        }
    }
}

/// What a panic said.
pub(super) fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    panic_words(payload).unwrap_or_else(|| "no message".to_owned())
}
