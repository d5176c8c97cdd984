//! Ranks agents: picks the policy, asks its matchers, weighs their answers and puts the agents in order.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::rank::ask::{Asked, Pooled, ask, chosen};
use super::rank::judge::{Judgement, judge};
use super::rank::place::Places;
use super::rank::shadow::disagreement;
use super::record::{Kept, new_id};
use super::{
    ExcludedAgent, Factor, Mode, Policies, Policy, PolicyBook, RankedAgent, Ranking, RankingRequest, Records,
    Roster, RoutingError, Scorer, columns,
};
use crate::telemetry::record as metrics;

/// How many agents an answer names where the request does not say.
const TOP: usize = 1_000;

/// Ranks agents by policies, with the matchers of a pool.
pub struct Router {
    pool: BTreeMap<String, Pooled>,
    policies: Policies,
    records: Option<Records>,
}

impl Router {
    /// Joins matchers by identifier with the policies that name them. A matcher that a policy turns off needs not be
    /// there.
    ///
    /// # Errors
    /// [`RoutingError::UnknownMatchers`] where a policy names one that is not there.
    pub fn new(pool: BTreeMap<String, Arc<dyn Scorer>>, policies: PolicyBook) -> Result<Self, RoutingError> {
        let pooled = pool.into_iter().map(|(id, scorer)| (id.clone(), Pooled::new(id, scorer)));
        let router = Self { pool: pooled.collect(), policies: Policies::default(), records: None };
        for policy in policies.policies().values() {
            router.check_matchers(policy)?;
        }
        Ok(Self { policies: policies.into(), ..router })
    }

    /// Keeps every ranking from now on.
    #[must_use]
    pub fn with_records(self, records: Records) -> Self {
        Self { records: Some(records), ..self }
    }

    /// The policies.
    #[must_use]
    pub const fn policies(&self) -> &Policies {
        &self.policies
    }

    /// What is kept of rankings, if anything is.
    #[must_use]
    pub const fn records(&self) -> Option<&Records> {
        self.records.as_ref()
    }

    pub(super) fn pooled(&self, id: &str) -> Option<&Pooled> {
        self.pool.get(id)
    }

    /// Adds a policy or replaces the one of its name; true where there was none. Rankings under way go on with what they
    /// began with, the next one takes the new policy.
    ///
    /// # Errors
    /// [`RoutingError::Policy`] with every fault, or [`RoutingError::UnknownMatchers`].
    pub fn put_policy(&self, policy: Policy) -> Result<bool, RoutingError> {
        let faults = policy.validate();
        if !faults.is_empty() {
            return Err(RoutingError::Policy(faults));
        }
        self.check_matchers(&policy)?;
        self.policies.put(policy)
    }

    fn check_matchers(&self, policy: &Policy) -> Result<(), RoutingError> {
        let missing = policy.asked().filter(|used| !self.pool.contains_key(&used.id));
        let missing: Vec<_> = missing.map(|used| used.id.clone()).collect();
        if missing.is_empty() { Ok(()) } else { Err(RoutingError::UnknownMatchers(missing)) }
    }

    /// Ranks agents by the policy that the request names, or by the active one. A matcher that fails has no say and is
    /// reported; when no active one is left, the policy's fallback orders the agents.
    ///
    /// # Errors
    /// [`RoutingError::UnknownPolicy`]
    pub fn rank(&self, request: &RankingRequest, roster: &Arc<Roster>) -> Result<Ranking, RoutingError> {
        let (ranking, unkept) = self.rank_unkept(request, roster)?;
        if let (Some(records), Some(Unkept(kept))) = (&self.records, unkept) {
            records.keep(kept);
        }
        Ok(ranking)
    }

    /// As [`Self::rank`], for who may give the ranking to nobody: it is kept by [`Self::keep`].
    ///
    /// # Errors
    /// As [`Self::rank`].
    pub fn rank_unkept(
        &self,
        request: &RankingRequest,
        roster: &Arc<Roster>,
    ) -> Result<(Ranking, Option<Unkept>), RoutingError> {
        let policy = self.policies.find(request.policy.as_deref())?;
        let score_request = Arc::new(columns::request(request));
        let matchers = chosen(&policy, |id| self.pooled(id));
        let wants_state = self.records.as_ref().is_some_and(Records::is_on_disk);
        let asked = ask(&matchers, &score_request, roster.candidates(), wants_state);
        let is_fallback = !asked.iter().any(|asked| asked.share > 0.0);
        let judgement = judge(&policy, request, roster, &asked);

        let mut rows = judgement.free();
        let places = Places::new(roster, &policy, &judgement.scores, &rows, is_fallback);
        let top = request.top.unwrap_or(TOP);
        places.first(&mut rows, top);

        let mut ranking = Ranking {
            id: new_id(),
            policy: policy.name.clone(),
            fallback: is_fallback,
            entries: entries(&rows, roster, &asked),
            eligible: judgement.free_count(),
            excluded: excluded(top, roster, &judgement, &asked),
            excluded_total: roster.len() - judgement.free_count(),
            excluded_by: judgement.counted().collect(),
            matchers: asked.iter().map(Asked::report).collect(),
        };
        explain(&mut ranking, &rows[..rows.len().min(request.explain)], &asked, |asked, rows| {
            asked.explain(&score_request, roster.candidates(), rows)
        });
        compare_shadows(&mut ranking, &asked, &judgement, (roster, &policy), &rows);
        measure(&ranking);
        let unkept = self.records.as_ref().map(|_| {
            let scores = rows.iter().map(|row| judgement.scores[*row as usize]).collect();
            Unkept(Kept::new(&ranking, request, (score_request, &policy, roster), &asked, (rows, scores)))
        });
        Ok((ranking, unkept))
    }

    /// Keeps a ranking of which somebody got the first agents.
    pub fn keep(&self, Unkept(mut kept): Unkept, top: usize) {
        if let Some(records) = &self.records {
            kept.name_only(top);
            records.keep(kept);
        }
    }
}

/// What may be kept of a ranking.
pub struct Unkept(Kept);

fn factors(asked: &[Asked<'_>], row: usize) -> Vec<Factor> {
    asked.iter().filter_map(|asked| asked.factor(row)).collect()
}

fn entries(rows: &[u32], roster: &Roster, asked: &[Asked<'_>]) -> Vec<RankedAgent> {
    let entry = |row: &u32| {
        let row = *row as usize;
        let factors = factors(asked, row);
        let score = factors.iter().map(|factor| factor.contribution).sum();
        RankedAgent { agent_id: roster.agents()[row].id.clone(), score, factors }
    };
    rows.iter().map(entry).collect()
}

fn excluded(
    most: usize,
    roster: &Roster,
    judgement: &Judgement<'_>,
    asked: &[Asked<'_>],
) -> Vec<ExcludedAgent> {
    let agent = |row: usize| ExcludedAgent {
        agent_id: roster.agents()[row].id.clone(),
        exclusion: judgement.exclusion(row),
        factors: factors(asked, row),
    };
    judgement.kept_out(most).map(agent).collect()
}

/// Has the matchers explain the scores of the first agents.
fn explain<'a>(
    ranking: &mut Ranking,
    rows: &[u32],
    asked: &[Asked<'a>],
    ask: impl Fn(
        &Asked<'a>,
        &[usize],
    ) -> Result<Vec<heartline_plugin_host::Explanation>, heartline_plugin_host::HostError>,
) {
    if rows.is_empty() {
        return;
    }
    let rows: Vec<usize> = rows.iter().map(|row| *row as usize).collect();
    for matcher in asked.iter().filter(|asked| asked.answer.is_ok()) {
        let explanations = ask(matcher, &rows).unwrap_or_else(|error| {
            // The scores stand; only their reasons are shorter.
            tracing::warn!(matcher = matcher.matcher.id, %error, "a matcher could not explain its scores");
            Vec::new()
        });
        for (entry, explanation) in ranking.entries.iter_mut().zip(explanations) {
            if let Some(factor) = entry.factors.iter_mut().find(|factor| factor.matcher == matcher.matcher.id)
            {
                factor.explanation = explanation.factors.into_iter().map(Into::into).collect();
            }
        }
    }
}

/// Says of each shadow what would differ if it counted.
fn compare_shadows(
    ranking: &mut Ranking,
    asked: &[Asked<'_>],
    judgement: &Judgement<'_>,
    (roster, policy): (&Roster, &Policy),
    rows: &[u32],
) {
    let active = |asked: &&Asked<'_>| asked.share > 0.0;
    let weight = asked.iter().filter(active).map(|asked| asked.used.weight).sum();
    for (shadow, report) in asked.iter().zip(&mut ranking.matchers) {
        if shadow.used.mode == Mode::Shadow {
            report.disagreement = disagreement(shadow, weight, judgement, (roster, policy), rows);
        }
    }
}

fn measure(ranking: &Ranking) {
    let outcome = match (ranking.entries.is_empty(), ranking.fallback) {
        (true, _) => "empty",
        (false, true) => "fallback",
        (false, false) => "ranked",
    };
    metrics::ranking(&ranking.policy, outcome);
    for report in &ranking.matchers {
        if let Some(found) = report.disagreement {
            metrics::shadow(&report.id, found.first_differs, found.mean_displacement, found.excluded_share);
        }
    }
}

#[cfg(test)]
#[path = "router_tests.rs"]
mod tests;
