//! Asks the matchers of a policy, all for the same agents.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use heartline_plugin_host::{Candidates, Explanation, HostError, Outcome, ScoreRequest, Scored};
use sha2::{Digest, Sha256};

use crate::hexadecimal::hexadecimal;
use crate::routing::{Factor, Identity, MatcherReport, MatcherUse, Mode, Policy, Scorer};
use crate::telemetry::{record, with_causes};

/// From how many agents on matchers are asked side by side. `cargo bench --bench ranking` on two cores: for 1,000 agents
/// starting threads costs what it saves, for 10,000 it saves a quarter.
const PARALLEL_ROWS: usize = 5_000;
/// How often a matcher is asked that is loaded anew meanwhile.
const MOST_ASKS: usize = 3;

/// A matcher of the pool, and what it has learned.
pub(in crate::routing) struct Pooled {
    pub(in crate::routing) id: String,
    pub(in crate::routing) scorer: Arc<dyn Scorer>,
    /// Held for reading while the matcher is asked and for writing while it learns, so that a recorded state is the one
    /// that was asked.
    learning: RwLock<()>,
    /// How often it has learned.
    lessons: AtomicU64,
    /// What it had learned when it was last looked at.
    state: Mutex<Option<Snapshot>>,
}

/// What a matcher had learned at one moment.
#[derive(Debug, Clone)]
struct Snapshot {
    generation: u64,
    lessons: u64,
    state: Option<Arc<MatcherState>>,
}

/// What a matcher has learned, by its hash.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::routing) struct MatcherState {
    pub(in crate::routing) sha256: String,
    pub(in crate::routing) bytes: Vec<u8>,
}

impl MatcherState {
    fn new(bytes: Vec<u8>) -> Self {
        Self { sha256: hexadecimal(&Sha256::digest(&bytes)), bytes }
    }
}

impl Pooled {
    pub(in crate::routing) fn new(id: String, scorer: Arc<dyn Scorer>) -> Self {
        Self { id, scorer, learning: RwLock::new(()), lessons: AtomicU64::new(0), state: Mutex::new(None) }
    }

    /// Tells the matcher how a call ended.
    pub(in crate::routing) fn learn(
        &self,
        request: &Arc<ScoreRequest>,
        candidate: &Arc<Candidates>,
        outcome: &Outcome,
    ) -> Result<bool, HostError> {
        let _learning = self.learning.write().unwrap_or_else(PoisonError::into_inner);
        let learned = self.scorer.learn(request, candidate, outcome);
        // One that failed may have learned half of it.
        if !matches!(learned, Ok(false)) {
            self.lessons.fetch_add(1, Ordering::Relaxed);
        }
        learned
    }

    /// What the matcher has learned, looked at again only where it may have changed.
    fn state(&self, generation: u64) -> Result<Option<Arc<MatcherState>>, HostError> {
        let lessons = self.lessons.load(Ordering::Relaxed);
        let mut held: MutexGuard<'_, _> = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(snapshot) = &*held
            && (snapshot.generation, snapshot.lessons) == (generation, lessons)
        {
            return Ok(snapshot.state.clone());
        }
        let state = self.scorer.state()?.map(MatcherState::new).map(Arc::new);
        *held = Some(Snapshot { generation, lessons, state: state.clone() });
        Ok(state)
    }
}

/// A matcher that was asked, and what came of it.
pub(in crate::routing) struct Asked<'a> {
    pub(in crate::routing) matcher: &'a Pooled,
    pub(in crate::routing) used: &'a MatcherUse,
    /// Its part of the weights of the active matchers that answered; 0 for all others.
    pub(in crate::routing) share: f32,
    pub(in crate::routing) answer: Result<Scored, String>,
    pub(in crate::routing) identity: Identity,
    pub(in crate::routing) state: Option<Arc<MatcherState>>,
    /// Why the state is not known, where it was wanted.
    pub(in crate::routing) state_error: Option<String>,
    /// How often it had learned.
    lessons: u64,
}

/// Asks every matcher that the policy uses. One that fails has no say, and the others share its weight.
pub(in crate::routing) fn ask<'a>(
    matchers: &[(&'a MatcherUse, &'a Pooled)],
    request: &Arc<ScoreRequest>,
    candidates: &Arc<Candidates>,
    wants_state: bool,
) -> Vec<Asked<'a>> {
    let one = |(used, matcher): &(&'a MatcherUse, &'a Pooled)| {
        ask_one(used, matcher, (request, candidates), wants_state)
    };
    let mut asked: Vec<Asked<'a>> = match matchers {
        [first, others @ ..] if !others.is_empty() && candidates.len() >= PARALLEL_ROWS => {
            std::thread::scope(|scope| {
                let one = &one;
                let running: Vec<_> =
                    others.iter().map(|matcher| scope.spawn(move || one(matcher))).collect();
                let mut asked = vec![one(first)];
                for (thread, matcher) in running.into_iter().zip(others) {
                    // A stand-in of a test may panic; matchers cannot, the host sees to that.
                    let lost = |_| unanswered(*matcher, "the thread that asked it was lost");
                    asked.push(thread.join().unwrap_or_else(lost));
                }
                asked
            })
        }
        matchers => matchers.iter().map(one).collect(),
    };
    let counts = |asked: &Asked<'_>| asked.used.mode == Mode::Active && asked.answer.is_ok();
    let total: f32 = asked.iter().filter(|asked| counts(asked)).map(|asked| asked.used.weight).sum();
    for asked in asked.iter_mut().filter(|asked| counts(asked)) {
        asked.share = asked.used.weight / total;
    }
    asked
}

fn unanswered<'a>((used, matcher): (&'a MatcherUse, &'a Pooled), why: &str) -> Asked<'a> {
    let answer = Err(why.to_owned());
    Asked {
        matcher,
        used,
        share: 0.0,
        answer,
        identity: Identity::default(),
        state: None,
        state_error: None,
        lessons: 0,
    }
}

fn ask_one<'a>(
    used: &'a MatcherUse,
    matcher: &'a Pooled,
    (request, candidates): (&Arc<ScoreRequest>, &Arc<Candidates>),
    wants_state: bool,
) -> Asked<'a> {
    let _learning = matcher.learning.read().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..MOST_ASKS {
        let asked = ask_now(used, matcher, (request, candidates), wants_state);
        // An answer that came while the matcher was loaded anew may be the old one's or the new one's.
        if asked.identity.generation == matcher.scorer.generation() {
            return asked;
        }
    }
    unanswered((used, matcher), "it was loaded anew each time it was asked")
}

fn ask_now<'a>(
    used: &'a MatcherUse,
    matcher: &'a Pooled,
    (request, candidates): (&Arc<ScoreRequest>, &Arc<Candidates>),
    wants_state: bool,
) -> Asked<'a> {
    let identity = matcher.scorer.identity();
    let state = if wants_state { matcher.state(identity.generation) } else { Ok(None) };
    let (state, state_error) = match state {
        Ok(state) => (state, None),
        Err(error) => {
            // The ranking goes on; its record lacks the state, and says so when it is replayed.
            tracing::warn!(matcher = matcher.id, %error, "what a matcher has learned could not be looked at");
            (None, Some(with_causes(&error)))
        }
    };
    let lessons = matcher.lessons.load(Ordering::Relaxed);
    let started = Instant::now();
    let answer = matcher.scorer.score(request, candidates);
    record::matcher(&matcher.id, started.elapsed(), answer.as_ref().err().map(code));
    let answer = answer.map_err(|error| {
        tracing::warn!(matcher = matcher.id, %error, "a matcher failed and has no say in this ranking");
        with_causes(&error)
    });
    let answer = answer.map(|mut scored| {
        if scored.elapsed.is_zero() {
            scored.elapsed = started.elapsed();
        }
        scored
    });
    Asked { matcher, used, share: 0.0, answer, identity, state, state_error, lessons }
}

/// The kind of a failure, for metrics.
const fn code(error: &HostError) -> &'static str {
    match error {
        HostError::Overrun { .. } => "overrun",
        HostError::Busy { .. } => "busy",
        HostError::Quarantined { .. } => "quarantined",
        HostError::Crashed { .. } => "crashed",
        HostError::Panicked { .. } => "panicked",
        HostError::InvalidAnswer { .. } => "invalid_answer",
        _ => "failed",
    }
}

/// The matchers that a policy asks, in its order.
pub(in crate::routing) fn chosen<'a>(
    policy: &'a Policy,
    find: impl Fn(&str) -> Option<&'a Pooled>,
) -> Vec<(&'a MatcherUse, &'a Pooled)> {
    // Policies are held to the pool before they are used.
    policy.asked().filter_map(|used| Some((used, find(&used.id)?))).collect()
}

impl Asked<'_> {
    /// The answer, where there is one.
    pub(in crate::routing) fn scored(&self) -> Option<&Scored> {
        self.answer.as_ref().ok()
    }

    /// Explains the scores of some rows; empty where the matcher does not explain, or no longer knows what it knew then.
    ///
    /// # Errors
    /// As [`Scorer::explain`].
    pub(in crate::routing) fn explain(
        &self,
        request: &Arc<ScoreRequest>,
        candidates: &Arc<Candidates>,
        rows: &[usize],
    ) -> Result<Vec<Explanation>, HostError> {
        let matcher = self.matcher;
        let _learning = matcher.learning.read().unwrap_or_else(PoisonError::into_inner);
        let is_as_asked = || {
            let lessons = matcher.lessons.load(Ordering::Relaxed);
            (matcher.scorer.generation(), lessons) == (self.identity.generation, self.lessons)
        };
        if !is_as_asked() {
            return Ok(Vec::new());
        }
        let explained = matcher.scorer.explain(request, candidates, rows)?;
        Ok(if is_as_asked() { explained } else { Vec::new() })
    }

    pub(in crate::routing) fn report(&self) -> MatcherReport {
        let micros = |scored: &Scored| u64::try_from(scored.elapsed.as_micros()).unwrap_or(u64::MAX);
        MatcherReport {
            id: self.matcher.id.clone(),
            version: self.identity.version.clone(),
            mode: self.used.mode,
            weight: self.used.weight,
            time_us: self.scored().map_or(0, micros),
            error: self.answer.as_ref().err().cloned(),
            disagreement: None,
        }
    }

    /// What it said of one agent; none where it did not answer.
    pub(in crate::routing) fn factor(&self, row: usize) -> Option<Factor> {
        let answer = self.scored()?.row(row);
        Some(Factor {
            matcher: self.matcher.id.clone(),
            mode: self.used.mode,
            weight: self.share,
            score: answer.score,
            confidence: answer.confidence,
            contribution: self.share * counting(answer.score, answer.confidence),
            reason_code: answer.reason_code,
            reason: answer.reason.to_owned(),
            explanation: Vec::new(),
        })
    }
}

/// A score as it counts: a matcher that is not sure says little either way, so it is drawn towards the middle.
pub(in crate::routing) fn counting(score: f32, confidence: f32) -> f32 {
    0.5 + confidence * (score - 0.5)
}
