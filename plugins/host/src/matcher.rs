//! A matcher that is ready to score, behind its guard: a thread of its own, a deadline for every call, a circuit breaker,
//! and generations that follow each other while calls run.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::backend::{Backend, InProcess, Source};
use crate::breaker::{Breaker, Verdict};
use crate::health::Counters;
use crate::schema::parse_config;
use crate::staging::{self, Staged};
use crate::worker::{Shared, Terms, Worker};
use crate::{
    Candidates, ConfigSchema, Descriptor, Explanation, Extensions, Host, HostError, Isolation, MatcherHealth,
    MatcherOptions, Outcome, ScoreRequest, Scored, isolation,
};

/// One library with one configuration, which a matcher has for a while.
#[derive(Debug)]
pub struct Generation {
    number: u64,
    config: Value,
    worker: Worker,
}

impl Generation {
    /// Which of those that were loaded one after the other it is, from 1.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The configuration, as it was given.
    #[must_use]
    pub const fn config(&self) -> &Value {
        &self.config
    }

    /// What the matcher says of itself.
    #[must_use]
    pub const fn descriptor(&self) -> &'static Descriptor {
        &self.worker.card.descriptor
    }

    /// The schema of its configuration.
    #[must_use]
    pub const fn schema(&self) -> &'static ConfigSchema {
        &self.worker.card.schema
    }

    /// What it offers besides scores.
    #[must_use]
    pub const fn extensions(&self) -> Extensions {
        self.worker.card.extensions
    }

    /// The SHA-256 of its library, in hexadecimal digits.
    #[must_use]
    pub fn fingerprint(&self) -> &'static str {
        &self.worker.card.fingerprint
    }
}

/// A matcher that is ready to score. All calls may come from any thread, and none waits longer than its deadline.
#[derive(Debug)]
pub struct Matcher {
    host: Host,
    options: MatcherOptions,
    counters: Arc<Counters>,
    current: RwLock<Arc<Generation>>,
    /// The libraries of all generations; held while another is made, so that they come one after the other.
    fingerprints: Mutex<BTreeSet<String>>,
}

impl Matcher {
    pub(crate) fn start(
        host: &Host,
        staged: Staged,
        config_json: &str,
        options: &MatcherOptions,
    ) -> Result<Self, HostError> {
        let counters = Arc::new(Counters::default());
        let fingerprints = BTreeSet::from([staged.fingerprint().to_owned()]);
        let (worker, config) = start(host, staged, config_json, (options, &counters))?;
        Ok(Self {
            host: host.clone(),
            options: options.clone(),
            counters,
            current: RwLock::new(Arc::new(Generation { number: 1, config, worker })),
            fingerprints: Mutex::new(fingerprints),
        })
    }

    /// What is in use now. What it says belongs together, and stays true of it after [`Self::replace`].
    #[must_use]
    pub fn current(&self) -> Arc<Generation> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What the matcher says of itself.
    #[must_use]
    pub fn descriptor(&self) -> &'static Descriptor {
        self.current().descriptor()
    }

    /// Scores all candidates for one request.
    ///
    /// # Errors
    /// As [`crate::Instance::score`]; [`HostError::Overrun`] where the answer did not come in time,
    /// [`HostError::Busy`] where the call's turn did not, [`HostError::Quarantined`] where the matcher is left alone
    /// after failures, and [`HostError::Crashed`] where its own process ended.
    pub fn score(
        &self,
        request: &Arc<ScoreRequest>,
        candidates: &Arc<Candidates>,
    ) -> Result<Scored, HostError> {
        let (request, candidates) = (Arc::clone(request), Arc::clone(candidates));
        self.call(self.brief(), move |backend, until| backend.score(&request, &candidates, until))
    }

    /// Explains the scores of some candidates; empty where the matcher does not explain.
    ///
    /// # Errors
    /// As [`Self::score`]; [`HostError::InvalidRequest`] where there is no such row.
    pub fn explain(
        &self,
        request: &Arc<ScoreRequest>,
        candidates: &Arc<Candidates>,
        rows: &[usize],
    ) -> Result<Vec<Explanation>, HostError> {
        let (request, candidates, rows) = (Arc::clone(request), Arc::clone(candidates), rows.to_vec());
        self.call(self.brief(), move |backend, until| backend.explain(&request, &candidates, &rows, until))
    }

    /// Tells the matcher how a call ended; gives whether it learns at all. `candidate` has one row, the agent who took
    /// the call ([`Candidates::row`]).
    ///
    /// # Errors
    /// As [`Self::score`], and as [`crate::Instance::learn`].
    pub fn learn(
        &self,
        request: &Arc<ScoreRequest>,
        candidate: &Arc<Candidates>,
        outcome: &Outcome,
    ) -> Result<bool, HostError> {
        let (request, candidate, outcome) = (Arc::clone(request), Arc::clone(candidate), *outcome);
        let terms = Terms { is_lesson: true, ..self.brief() };
        self.call(terms, move |backend, until| backend.learn(&request, &candidate, &outcome, until))
    }

    /// What the matcher has learned, as bytes; `None` where it keeps no state. While it cannot be asked, this is what it
    /// had learned when it last could.
    ///
    /// # Errors
    /// [`HostError::State`] where it cannot be saved or is larger than allowed, and the errors of [`Self::score`].
    pub fn save(&self) -> Result<Option<Vec<u8>>, HostError> {
        let kept = self.current().worker.shared().kept().state.clone();
        match (self.call(self.slow(), |backend, until| backend.save(until)), kept) {
            (Err(error), Some(kept)) if !matches!(error, HostError::State { .. }) => Ok(Some(kept)),
            (result, _) => result,
        }
    }

    /// What the matcher knows at this moment, as bytes; `None` where it keeps no state. It is saved after every lesson, so
    /// this does not ask the matcher, and waits no longer than a ranking does.
    ///
    /// # Errors
    /// [`HostError::State`] where it could not be saved, [`HostError::Busy`] where it is being saved still, and
    /// [`HostError::Quarantined`].
    pub fn state(&self) -> Result<Option<Vec<u8>>, HostError> {
        let current = self.current();
        // What follows a lesson comes before any further call.
        self.call(Terms { is_upkeep: true, ..self.brief() }, |_, _| Ok(()))?;
        let kept = current.worker.shared().kept().clone();
        if kept.is_current {
            return Ok(kept.state);
        }
        let id = current.descriptor().id.clone();
        Err(HostError::State { id, reason: "it could not be saved after the last lesson".to_owned() })
    }

    /// Replaces what the matcher has learned; gives whether it keeps a state at all.
    ///
    /// # Errors
    /// [`HostError::State`] where the bytes are none that the matcher can read, and the errors of [`Self::score`].
    pub fn load_state(&self, bytes: &[u8]) -> Result<bool, HostError> {
        let bytes: Arc<[u8]> = bytes.into();
        let terms = Terms { is_lesson: true, ..self.slow() };
        self.call(terms, move |backend, until| backend.load(&bytes, until))
    }

    /// How the matcher is doing.
    #[must_use]
    pub fn health(&self) -> MatcherHealth {
        let current = self.current();
        let state = current.worker.shared().breaker.state(Instant::now());
        self.counters.health(state, current.number, self.options.isolation.name())
    }

    /// Lets calls through again, whatever happened before.
    pub fn reset(&self) {
        self.current().worker.shared().breaker.reset();
    }

    /// The metrics that the matcher's library has set, by name.
    #[must_use]
    pub fn metrics(&self) -> Vec<(String, f64)> {
        self.current().worker.services.metrics()
    }

    /// Puts another library or another configuration in the place of this one, while calls run: it is loaded beside the
    /// old, takes over what the old has learned if it can read it, and then gets all calls that begin. The old ends with
    /// the last call that it still has. Gives the number of the new generation.
    ///
    /// What the matcher learns while this runs may be lost to the new generation.
    ///
    /// # Errors
    /// As [`Host::load_with`], and then nothing has changed; [`HostError::DifferentMatcher`] where the library is of
    /// another matcher; [`HostError::TooManyGenerations`] where there were too many libraries in this process;
    /// [`HostError::State`] where the new one does not take what the old one has learned.
    pub fn replace(&self, path: &Path, config_json: &str) -> Result<u64, HostError> {
        self.renew(path, config_json, |worker| self.carry_over(worker))
    }

    /// As [`Self::replace`], but the new generation begins with nothing learned.
    ///
    /// # Errors
    /// As [`Self::replace`]
    pub fn replace_afresh(&self, path: &Path, config_json: &str) -> Result<u64, HostError> {
        self.renew(path, config_json, |_| Ok(()))
    }

    fn renew(
        &self,
        path: &Path,
        config_json: &str,
        teach: impl FnOnce(&Worker) -> Result<(), HostError>,
    ) -> Result<u64, HostError> {
        let mut fingerprints = self.fingerprints.lock().unwrap_or_else(PoisonError::into_inner);
        let staged = staging::stage(path, &self.host)?;
        let fingerprint = staged.fingerprint().to_owned();
        let limit = self.host.limits().max_generations;
        // Only what is mapped stays for ever: another process takes its libraries with it.
        let is_mapped = self.options.isolation == Isolation::None;
        if is_mapped && !fingerprints.contains(&fingerprint) && fingerprints.len() >= limit {
            return Err(HostError::TooManyGenerations { id: self.descriptor().id.clone(), limit });
        }
        let is_new = fingerprints.insert(fingerprint.clone());
        let started = start(&self.host, staged, config_json, (&self.options, &self.counters));
        if is_new && matches!(started, Err(HostError::Open { .. })) {
            // Nothing was mapped.
            fingerprints.remove(&fingerprint);
        }
        let (worker, config) = started?;
        let (expected, found) = (&self.descriptor().id, &worker.card.descriptor.id);
        if expected != found {
            return Err(HostError::DifferentMatcher { expected: expected.clone(), found: found.clone() });
        }
        teach(&worker)?;
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let number = current.number + 1;
        *current = Arc::new(Generation { number, config, worker });
        Ok(number)
    }

    /// Gives a new generation what the current one has learned.
    fn carry_over(&self, worker: &Worker) -> Result<(), HostError> {
        let id = &worker.card.descriptor.id;
        let state = match self.save() {
            Ok(Some(state)) => state,
            Ok(None) => return Ok(()),
            Err(error) => {
                tracing::warn!(matcher = id, %error, "nothing was ever saved that the new generation could take over");
                return Ok(());
            }
        };
        let terms = Terms { is_lesson: true, ..self.slow() };
        let refused = match worker.call(terms, move |backend, until| backend.load(&state, until)) {
            Ok(true) => return Ok(()),
            Ok(false) => "the new generation keeps no state".to_owned(),
            Err(error) => format!("the new generation does not take it: {error}"),
        };
        Err(HostError::State { id: id.clone(), reason: refused })
    }

    /// Makes a call through the guard of the current generation.
    fn call<T: Send + 'static>(
        &self,
        terms: Terms,
        body: impl FnOnce(&mut dyn Backend, Instant) -> Result<T, HostError> + Send + 'static,
    ) -> Result<T, HostError> {
        let current = self.current();
        let shared = current.worker.shared();
        let started = Instant::now();
        let permit = shared.breaker.admit(started).map_err(|retry_in| {
            self.counters.refuse();
            HostError::Quarantined { id: current.worker.card.descriptor.id.clone(), retry_in }
        })?;
        let result = current.worker.call(terms, body);
        let now = Instant::now();
        let verdict = match self.counters.note(&result, now - started) {
            // A matcher that scores well is not left alone because its state is of no use, nor the other way round.
            _ if terms.is_upkeep && !matches!(&result, Err(error) if error.ends_instance()) => {
                Verdict::Nothing
            }
            // It may refuse what it cannot learn from.
            _ if terms.is_lesson && matches!(&result, Err(HostError::Score { .. })) => Verdict::Nothing,
            verdict => verdict,
        };
        if shared.breaker.record(permit, verdict, now) {
            let matcher = current.worker.card.descriptor.id.as_str();
            let back_off_ms = shared.breaker.state(now).1.unwrap_or(Duration::ZERO).as_millis();
            tracing::warn!(matcher, %back_off_ms, "the matcher failed too often and is left alone for a while");
        }
        result
    }

    fn brief(&self) -> Terms {
        Terms { limit: self.options.deadline, is_lesson: false, is_upkeep: false }
    }

    fn slow(&self) -> Terms {
        Terms { limit: self.options.slow_deadline, is_lesson: false, is_upkeep: true }
    }
}

/// Starts a generation.
fn start(
    host: &Host,
    staged: Staged,
    config_json: &str,
    (options, counters): (&MatcherOptions, &Arc<Counters>),
) -> Result<(Worker, Value), HostError> {
    let source: Box<dyn Source> = match &options.isolation {
        Isolation::None => Box::new(InProcess::new(host, staged, config_json)),
        Isolation::Process(process) => isolation::source(host, staged, config_json, process)?,
    };
    let shared = Arc::new(Shared::new(Breaker::new(options.breaker), Arc::clone(counters)));
    let worker = Worker::start(source, &shared, options.slow_deadline)?;
    let config = parse_config(&worker.card.descriptor.id, config_json, host.limits().max_config_bytes)?;
    Ok((worker, config))
}
