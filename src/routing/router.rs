//! Asks the matchers, weighs their answers and puts the agents in order.

use std::cmp::Ordering;

use heartline_plugin_host::{Candidates, HostError, Matcher, ScoreRequest, Scored};

use super::{
    Activity, Agent, ExcludedAgent, Exclusion, Factor, Fallback, MatcherReport, Mode, Policy, RankedAgent,
    Ranking, RankingRequest, RoutingError,
};
use crate::routing::columns;

/// Something that scores agents: a loaded plugin, or a stand-in in tests.
pub trait Scorer: Send + Sync {
    /// The matcher's version.
    fn version(&self) -> &str;

    /// Scores every candidate.
    ///
    /// # Errors
    /// [`HostError`] where the matcher fails or answers with something unusable.
    fn score(&self, request: &ScoreRequest, candidates: &Candidates) -> Result<Scored, HostError>;
}

impl Scorer for Matcher {
    fn version(&self) -> &str {
        &self.descriptor().version
    }

    fn score(&self, request: &ScoreRequest, candidates: &Candidates) -> Result<Scored, HostError> {
        Self::score(self, request, candidates)
    }
}

/// A matcher that a router can use.
pub struct LoadedMatcher {
    /// The matcher's identifier.
    pub id: String,
    /// The matcher.
    pub scorer: Box<dyn Scorer>,
}

/// Ranks agents by a policy.
pub struct Router {
    policy: Policy,
    matchers: Vec<UsedMatcher>,
}

struct UsedMatcher {
    id: String,
    mode: Mode,
    weight: f32,
    scorer: Box<dyn Scorer>,
}

/// A matcher's answer in one ranking; `share` is its part of the answering matchers' weights.
struct Answer<'a> {
    matcher: &'a UsedMatcher,
    share: f32,
    scored: Scored,
}

impl Router {
    /// Joins a policy with the matchers it names; matchers that it does not name, or turns off, are left out.
    ///
    /// # Errors
    /// [`RoutingError::UnknownMatcher`] where the policy names one that is not there.
    pub fn new(mut loaded: Vec<LoadedMatcher>, policy: Policy) -> Result<Self, RoutingError> {
        let mut matchers = Vec::new();
        for used in policy.matchers.iter().filter(|used| used.mode != Mode::Off) {
            let position = loaded.iter().position(|matcher| matcher.id == used.id);
            let Some(position) = position else { return Err(RoutingError::UnknownMatcher(used.id.clone())) };
            let LoadedMatcher { id, scorer } = loaded.swap_remove(position);
            matchers.push(UsedMatcher { id, mode: used.mode, weight: used.weight, scorer });
        }
        Ok(Self { policy, matchers })
    }

    /// Ranks agents. A matcher that fails has no say and is reported; when no active one is left, the policy's
    /// fallback orders the agents.
    ///
    /// # Errors
    /// [`RoutingError::Candidates`] where the agents cannot be handed to matchers at all.
    pub fn rank(&self, request: &RankingRequest, agents: &[Agent]) -> Result<Ranking, RoutingError> {
        let candidates = columns::candidates(agents)?;
        let score_request = columns::request(request);
        let (answers, reports) = self.ask(&score_request, &candidates);
        let fallback = !answers.iter().any(|answer| answer.share > 0.0);

        let mut ranked: Vec<(usize, RankedAgent)> = Vec::with_capacity(agents.len());
        let mut excluded = Vec::new();
        for (index, agent) in agents.iter().enumerate() {
            let factors: Vec<Factor> = answers.iter().map(|answer| answer.factor(index)).collect();
            match exclusion(agent).or_else(|| ineligible(&answers, index)) {
                Some(exclusion) => {
                    excluded.push(ExcludedAgent { agent_id: agent.id.clone(), exclusion, factors });
                }
                None => {
                    let score = factors.iter().map(|factor| factor.contribution).sum();
                    ranked.push((index, RankedAgent { agent_id: agent.id.clone(), score, factors }));
                }
            }
        }
        ranked.sort_by(|(left_index, left), (right_index, right)| {
            let by_score = right.score.total_cmp(&left.score);
            by_score.then_with(|| self.fallback_order(&agents[*left_index], &agents[*right_index]))
        });
        let entries = ranked.into_iter().map(|(_, agent)| agent).collect();
        Ok(Ranking { policy: self.policy.name.clone(), fallback, entries, excluded, matchers: reports })
    }

    fn ask(&self, request: &ScoreRequest, candidates: &Candidates) -> (Vec<Answer<'_>>, Vec<MatcherReport>) {
        let mut answers = Vec::new();
        let mut reports = Vec::new();
        for matcher in &self.matchers {
            let (time_us, error) = match matcher.scorer.score(request, candidates) {
                Ok(scored) => {
                    let time_us = u64::try_from(scored.elapsed.as_micros()).unwrap_or(u64::MAX);
                    answers.push(Answer { matcher, share: 0.0, scored });
                    (time_us, None)
                }
                Err(error) => {
                    tracing::warn!(matcher = matcher.id, %error, "a matcher failed and has no say in this ranking");
                    (0, Some(error.to_string()))
                }
            };
            reports.push(MatcherReport {
                id: matcher.id.clone(),
                version: matcher.scorer.version().to_owned(),
                mode: matcher.mode,
                weight: matcher.weight,
                time_us,
                error,
            });
        }
        let active = |answer: &Answer<'_>| answer.matcher.mode == Mode::Active;
        let total: f32 =
            answers.iter().filter(|answer| active(answer)).map(|answer| answer.matcher.weight).sum();
        for answer in answers.iter_mut().filter(|answer| active(answer)) {
            answer.share = answer.matcher.weight / total;
        }
        (answers, reports)
    }

    fn fallback_order(&self, left: &Agent, right: &Agent) -> Ordering {
        let order = match self.policy.fallback {
            Fallback::LongestIdle => right.idle_ms.cmp(&left.idle_ms),
            Fallback::LeastLoaded => load(left).total_cmp(&load(right)),
        };
        order.then_with(|| left.id.cmp(&right.id))
    }
}

impl Answer<'_> {
    fn factor(&self, index: usize) -> Factor {
        let answer = self.scored.row(index);
        Factor {
            matcher: self.matcher.id.clone(),
            mode: self.matcher.mode,
            weight: self.share,
            score: answer.score,
            confidence: answer.confidence,
            // A matcher that is not sure says little either way: its score is drawn towards the middle.
            contribution: self.share * answer.confidence.mul_add(answer.score - 0.5, 0.5),
            reason_code: answer.reason_code,
            reason: answer.reason.to_owned(),
        }
    }
}

fn load(agent: &Agent) -> f64 {
    f64::from(agent.active_tasks) / f64::from(agent.capacity.max(1))
}

/// The hard filters that hold for every policy.
fn exclusion(agent: &Agent) -> Option<Exclusion> {
    match agent.activity {
        Activity::Busy => Some(Exclusion::Busy),
        Activity::Offline => Some(Exclusion::Offline),
        Activity::Available if agent.active_tasks >= agent.capacity => Some(Exclusion::AtCapacity),
        Activity::Available => None,
    }
}

/// The first active matcher that rules the agent out.
fn ineligible(answers: &[Answer<'_>], index: usize) -> Option<Exclusion> {
    let answer = answers.iter().find(|answer| answer.share > 0.0 && !answer.scored.eligible[index])?;
    let reason = answer.scored.row(index).reason.to_owned();
    Some(Exclusion::Ineligible { matcher: answer.matcher.id.clone(), reason })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::emotion::{FusionConfig, fuse};
    use crate::routing::{MatcherUse, SkillNeed};

    /// Gives agent `n` the `n`-th score; below 0 means not eligible.
    struct Fixed(Vec<f32>, f32);

    impl Scorer for Fixed {
        fn version(&self) -> &'static str {
            "1.0.0"
        }

        fn score(&self, _: &ScoreRequest, _: &Candidates) -> Result<Scored, HostError> {
            Ok(Scored {
                scores: self.0.iter().map(|value| value.max(0.0)).collect(),
                confidences: vec![self.1; self.0.len()],
                reason_codes: vec![1; self.0.len()],
                eligible: self.0.iter().map(|value| *value >= 0.0).collect(),
                reasons: [(1, "fixed".into())].into(),
                elapsed: Duration::from_micros(7),
            })
        }
    }

    struct Broken;

    impl Scorer for Broken {
        fn version(&self) -> &'static str {
            "0.0.1"
        }

        fn score(&self, _: &ScoreRequest, _: &Candidates) -> Result<Scored, HostError> {
            Err(HostError::NotFound { path: "a/test".into() })
        }
    }

    fn agents(count: u64) -> Vec<Agent> {
        let agent = |index| format!(r#"{{"id": "agent-{index}", "idle_ms": {index}}}"#);
        (0..count).map(|index| serde_json::from_str(&agent(index)).unwrap()).collect()
    }

    fn request() -> RankingRequest {
        RankingRequest {
            emotion: fuse(&[], None, &FusionConfig::default()).vector,
            language: Some("en".to_owned()),
            language_level: None,
            needed_skills: vec![SkillNeed { name: "refund".to_owned(), level: 3.0, must_have: false }],
            complexity: 0.5,
            waiting_ms: 0,
        }
    }

    fn router(matchers: Vec<(&str, Mode, f32, Box<dyn Scorer>)>) -> Router {
        let uses = matchers
            .iter()
            .map(|(id, mode, weight, _)| MatcherUse { id: (*id).to_owned(), weight: *weight, mode: *mode })
            .collect();
        let loaded =
            matchers.into_iter().map(|(id, _, _, scorer)| LoadedMatcher { id: id.to_owned(), scorer });
        Router::new(loaded.collect(), Policy { matchers: uses, ..Policy::default() }).unwrap()
    }

    fn order(ranking: &Ranking) -> Vec<&str> {
        ranking.entries.iter().map(|entry| entry.agent_id.as_str()).collect()
    }

    #[test]
    fn scores_are_weighed_and_factors_add_up() {
        let router = router(vec![
            ("a", Mode::Active, 3.0, Box::new(Fixed(vec![0.2, 0.9], 1.0))),
            ("b", Mode::Active, 1.0, Box::new(Fixed(vec![1.0, 0.0], 1.0))),
        ]);
        let ranking = router.rank(&request(), &agents(2)).unwrap();
        assert_eq!(order(&ranking), ["agent-1", "agent-0"]);
        assert!((ranking.entries[0].score - 0.675).abs() < 1e-6);
        assert!((ranking.entries[0].factors[0].weight - 0.75).abs() < 1e-6);
        assert!(!ranking.fallback);
    }

    #[test]
    fn an_unsure_matcher_says_little() {
        let router = router(vec![
            ("sure", Mode::Active, 1.0, Box::new(Fixed(vec![0.6, 0.5], 1.0))),
            ("unsure", Mode::Active, 1.0, Box::new(Fixed(vec![0.0, 1.0], 0.05))),
        ]);
        assert_eq!(order(&router.rank(&request(), &agents(2)).unwrap()), ["agent-0", "agent-1"]);
    }

    #[test]
    fn a_shadow_is_shown_but_does_not_count() {
        let router = router(vec![
            ("real", Mode::Active, 1.0, Box::new(Fixed(vec![0.9, 0.1], 1.0))),
            ("shadow", Mode::Shadow, 9.0, Box::new(Fixed(vec![-1.0, 1.0], 1.0))),
        ]);
        let ranking = router.rank(&request(), &agents(2)).unwrap();
        assert_eq!(order(&ranking), ["agent-0", "agent-1"]);
        assert!(ranking.entries[0].factors[1].contribution.abs() < f32::EPSILON);
    }

    #[test]
    fn agents_who_cannot_take_the_call_are_excluded_with_the_reason() {
        let router =
            router(vec![("a", Mode::Active, 1.0, Box::new(Fixed(vec![1.0, 1.0, -1.0, 0.1, 1.0], 1.0)))]);
        let mut agents = agents(5);
        agents[0].activity = Activity::Offline;
        agents[1].active_tasks = 1;
        agents[4].activity = Activity::Busy;
        let ranking = router.rank(&request(), &agents).unwrap();
        assert_eq!(order(&ranking), ["agent-3"]);
        let reasons: Vec<_> = ranking.excluded.iter().map(|agent| agent.exclusion.clone()).collect();
        let ineligible = Exclusion::Ineligible { matcher: "a".to_owned(), reason: "fixed".to_owned() };
        assert_eq!(reasons, [Exclusion::Offline, Exclusion::AtCapacity, ineligible, Exclusion::Busy]);
    }

    #[test]
    fn a_failing_matcher_has_no_say_and_is_reported() {
        let router = router(vec![
            ("broken", Mode::Active, 9.0, Box::new(Broken)),
            ("a", Mode::Active, 1.0, Box::new(Fixed(vec![0.1, 0.8], 1.0))),
        ]);
        let ranking = router.rank(&request(), &agents(2)).unwrap();
        assert_eq!(order(&ranking), ["agent-1", "agent-0"]);
        assert!(ranking.matchers[0].error.is_some() && ranking.matchers[1].error.is_none());
        assert!((ranking.entries[0].factors[0].weight - 1.0).abs() < 1e-6);
    }

    #[test]
    fn without_any_answer_the_fallback_orders() {
        let mut router = router(vec![("broken", Mode::Active, 1.0, Box::new(Broken))]);
        let mut agents = agents(3);
        let ranking = router.rank(&request(), &agents).unwrap();
        assert!(ranking.fallback);
        assert_eq!(order(&ranking), ["agent-2", "agent-1", "agent-0"]);
        router.policy.fallback = Fallback::LeastLoaded;
        for (agent, active_tasks) in agents.iter_mut().zip([2, 0, 1]) {
            (agent.capacity, agent.active_tasks) = (4, active_tasks);
        }
        assert_eq!(order(&router.rank(&request(), &agents).unwrap()), ["agent-1", "agent-2", "agent-0"]);
    }

    #[test]
    fn a_policy_cannot_use_what_is_not_loaded() {
        let error = Router::new(Vec::new(), Policy::default()).err().unwrap();
        assert!(matches!(error, RoutingError::UnknownMatcher(id) if id == "skill"));
    }
}
