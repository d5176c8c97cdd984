//! Stand-ins for matchers in tests.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use heartline_plugin_host::{Candidates, Explanation, HostError, Outcome, ScoreFactor, ScoreRequest, Scored};

use crate::emotion::{FusionConfig, fuse};
use crate::routing::{
    Identity, MatcherUse, Mode, Policy, PolicyBook, RankingRequest, Roster, Router, Scorer, SkillNeed,
};

/// Gives agent `n` the `n`-th score; below 0 means not eligible.
pub(in crate::routing) struct Fixed {
    pub(in crate::routing) scores: Vec<f32>,
    pub(in crate::routing) confidence: f32,
}

pub(in crate::routing) fn fixed(scores: &[f32], confidence: f32) -> Arc<dyn Scorer> {
    Arc::new(Fixed { scores: scores.to_vec(), confidence })
}

fn identity() -> Identity {
    Identity { version: "1.0.0".to_owned(), generation: 1, ..Identity::default() }
}

fn scored(scores: impl Iterator<Item = f32>, confidence: f32) -> Scored {
    let scores: Vec<f32> = scores.collect();
    Scored {
        confidences: vec![confidence; scores.len()],
        reason_codes: vec![1; scores.len()],
        eligible: scores.iter().map(|value| *value >= 0.0).collect(),
        scores: scores.into_iter().map(|value| value.max(0.0)).collect(),
        reasons: [(1, "fixed".into())].into(),
        elapsed: Duration::from_micros(7),
    }
}

impl Scorer for Fixed {
    fn identity(&self) -> Identity {
        identity()
    }

    fn score(&self, _: &Arc<ScoreRequest>, candidates: &Arc<Candidates>) -> Result<Scored, HostError> {
        let given = self.scores.iter().copied().cycle();
        Ok(scored(given.take(candidates.len()), self.confidence))
    }

    fn explain(
        &self,
        _: &Arc<ScoreRequest>,
        _: &Arc<Candidates>,
        rows: &[usize],
    ) -> Result<Vec<Explanation>, HostError> {
        let factor = |row: &usize| ScoreFactor {
            name: "fixed".to_owned(),
            subject: row.to_string(),
            value: 1.0,
            weight: 1.0,
            contribution: self.scores[*row % self.scores.len()].max(0.0),
        };
        Ok(rows.iter().map(|row| Explanation { factors: vec![factor(row)] }).collect())
    }
}

/// Fails.
pub(in crate::routing) struct Broken;

impl Scorer for Broken {
    fn identity(&self) -> Identity {
        Identity::default()
    }

    fn score(&self, _: &Arc<ScoreRequest>, _: &Arc<Candidates>) -> Result<Scored, HostError> {
        Err(HostError::NotFound { path: "a/test".into() })
    }
}

/// Gives everybody a higher score for every outcome that it was told; its state is their number.
#[derive(Default)]
pub(in crate::routing) struct Learner {
    lessons: AtomicU32,
    pub(in crate::routing) told: Mutex<Vec<Outcome>>,
}

impl Scorer for Learner {
    fn identity(&self) -> Identity {
        identity()
    }

    fn score(&self, _: &Arc<ScoreRequest>, candidates: &Arc<Candidates>) -> Result<Scored, HostError> {
        let score = (self.lessons.load(Ordering::Relaxed) as f32 / 10.0).min(1.0);
        Ok(scored(std::iter::repeat_n(score, candidates.len()), 1.0))
    }

    fn learn(
        &self,
        _: &Arc<ScoreRequest>,
        candidate: &Arc<Candidates>,
        outcome: &Outcome,
    ) -> Result<bool, HostError> {
        assert_eq!(candidate.len(), 1, "a matcher learns of one agent alone");
        self.lessons.fetch_add(1, Ordering::Relaxed);
        self.told.lock().unwrap().push(*outcome);
        Ok(true)
    }

    fn state(&self) -> Result<Option<Vec<u8>>, HostError> {
        Ok(Some(self.lessons.load(Ordering::Relaxed).to_le_bytes().to_vec()))
    }
}

/// Is loaded anew while it answers, so many times.
pub(in crate::routing) struct Reloaded {
    times: u64,
    generation: AtomicU64,
}

impl Reloaded {
    pub(in crate::routing) fn new(times: u64) -> Self {
        Self { times, generation: AtomicU64::new(1) }
    }
}

impl Scorer for Reloaded {
    fn identity(&self) -> Identity {
        Identity { generation: self.generation.load(Ordering::Relaxed), ..identity() }
    }

    /// The number of the generation that was asked, in tenths.
    fn score(&self, _: &Arc<ScoreRequest>, candidates: &Arc<Candidates>) -> Result<Scored, HostError> {
        let generation = self.generation.load(Ordering::Relaxed);
        if generation <= self.times {
            self.generation.fetch_add(1, Ordering::Relaxed);
        }
        Ok(scored(std::iter::repeat_n(generation as f32 / 10.0, candidates.len()), 1.0))
    }
}

/// `count` agents of whom each has waited longer than the one before.
pub(in crate::routing) fn agents(count: u64) -> Vec<crate::routing::Agent> {
    let agent = |index| format!(r#"{{"id": "agent-{index}", "idle_ms": {index}}}"#);
    (0..count).map(|index| serde_json::from_str(&agent(index)).unwrap()).collect()
}

pub(in crate::routing) fn roster(count: u64) -> Arc<Roster> {
    Roster::new(agents(count)).unwrap()
}

pub(in crate::routing) fn request() -> RankingRequest {
    RankingRequest {
        language: Some("en".to_owned()),
        needed_skills: vec![SkillNeed { name: "refund".to_owned(), level: 3.0, must_have: false }],
        complexity: 0.5,
        ..RankingRequest::new(fuse(&[], None, &FusionConfig::default()).vector)
    }
}

/// A policy of these matchers, and their pool.
pub(in crate::routing) fn using(
    matchers: Vec<(&str, Mode, f32, Arc<dyn Scorer>)>,
) -> (BTreeMap<String, Arc<dyn Scorer>>, Policy) {
    let uses = matchers
        .iter()
        .map(|(id, mode, weight, _)| MatcherUse { id: (*id).to_owned(), weight: *weight, mode: *mode })
        .collect();
    let pool = matchers.into_iter().map(|(id, _, _, scorer)| (id.to_owned(), scorer)).collect();
    (pool, Policy { matchers: uses, ..Policy::default() })
}

pub(in crate::routing) fn router(matchers: Vec<(&str, Mode, f32, Arc<dyn Scorer>)>) -> Router {
    let (pool, policy) = using(matchers);
    Router::new(pool, PolicyBook::new("default", vec![policy]).unwrap()).unwrap()
}
