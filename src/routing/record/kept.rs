//! What is remembered of one ranking, and how it is shown.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use heartline_plugin_host::ScoreRequest;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::file::{RankingRecord, RecordedMatcher, RosterReference, VERSION};
use super::outcome::OutcomeReport;
use super::ring::Entry;
use crate::routing::rank::ask::{Asked, MatcherState};
use crate::routing::{Disagreement, Identity, MatcherReport, Mode, Policy, Ranking, RankingRequest, Roster};

/// Everything that a ranking was made of, shared where it can be.
pub(in crate::routing) struct Kept {
    pub(super) id: String,
    pub(super) at_ms: u64,
    pub(super) request: RankingRequest,
    pub(super) score_request: Arc<ScoreRequest>,
    pub(super) policy: Arc<Policy>,
    pub(super) roster: Arc<Roster>,
    pub(super) matchers: Vec<AskedMatcher>,
    pub(super) fallback: bool,
    pub(super) eligible: usize,
    pub(super) excluded: usize,
    pub(super) rows: Vec<u32>,
    pub(super) scores: Vec<f32>,
}

/// A matcher that was asked.
pub(super) struct AskedMatcher {
    pub(super) report: MatcherReport,
    pub(super) identity: Identity,
    pub(super) state: Option<Arc<MatcherState>>,
    pub(super) state_error: Option<String>,
}

impl Kept {
    /// Takes what a ranking was made of; the rows and scores are those of its entries.
    pub(in crate::routing) fn new(
        ranking: &Ranking,
        request: &RankingRequest,
        (score_request, policy, roster): (Arc<ScoreRequest>, &Arc<Policy>, &Arc<Roster>),
        asked: &[Asked<'_>],
        (rows, scores): (Vec<u32>, Vec<f32>),
    ) -> Self {
        let matchers = ranking.matchers.iter().zip(asked).map(|(report, asked)| AskedMatcher {
            report: report.clone(),
            identity: asked.identity.clone(),
            state: asked.state.clone(),
            state_error: asked.state_error.clone(),
        });
        let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            id: ranking.id.clone(),
            at_ms: u64::try_from(at.as_millis()).unwrap_or(u64::MAX),
            request: without_words(request),
            score_request,
            policy: Arc::clone(policy),
            roster: Arc::clone(roster),
            matchers: matchers.collect(),
            fallback: ranking.fallback,
            eligible: ranking.eligible,
            excluded: ranking.excluded_total,
            rows,
            scores,
        }
    }

    /// Leaves the first agents alone, as if no more had been asked for.
    pub(in crate::routing) fn name_only(&mut self, top: usize) {
        if self.rows.len() > top {
            self.rows.truncate(top);
            self.scores.truncate(top);
            self.rows.shrink_to_fit();
            self.scores.shrink_to_fit();
        }
        self.request.top = Some(top);
    }

    /// About how much memory it takes beside what it shares, in bytes.
    pub(super) fn bytes(&self) -> usize {
        // A request is mostly its emotion vector.
        const REQUEST_BYTES: usize = 4 << 10;
        const NEED_BYTES: usize = 64;
        // Needs are there twice: as they were asked for, and as matchers get them.
        let needs = self.request.needed_skills.iter().map(|need| 2 * (need.name.len() + NEED_BYTES));
        let settings = self.matchers.iter().map(|matcher| weight(&matcher.identity.config));
        let rows = self.rows.len() * (size_of::<u32>() + size_of::<f32>());
        REQUEST_BYTES + needs.sum::<usize>() + settings.sum::<usize>() + rows
    }

    /// What it may share with other rankings: its address and about how many bytes it takes.
    pub(super) fn shared(&self) -> impl Iterator<Item = (usize, usize)> {
        let roster = (Arc::as_ptr(&self.roster).addr(), self.roster.bytes());
        let states = self.matchers.iter().filter_map(|matcher| matcher.state.as_ref());
        std::iter::once(roster).chain(states.map(|state| (Arc::as_ptr(state).addr(), state.bytes.len())))
    }

    /// The line on disk.
    pub(super) fn to_record(&self) -> RankingRecord {
        let matcher = |asked: &AskedMatcher| RecordedMatcher {
            id: asked.report.id.clone(),
            identity: asked.identity.clone(),
            state: asked.state.as_ref().map(|state| state.sha256.clone()),
            state_error: asked.state_error.clone(),
            time_us: asked.report.time_us,
            error: asked.report.error.clone(),
            disagreement: asked.report.disagreement,
        };
        RankingRecord {
            version: VERSION,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            id: self.id.clone(),
            at_ms: self.at_ms,
            request: self.request.clone(),
            policy: Policy::clone(&self.policy),
            roster: RosterReference { sha256: self.roster.sha256().to_owned(), agents: self.roster.len() },
            matchers: self.matchers.iter().map(matcher).collect(),
            fallback: self.fallback,
            eligible: self.eligible,
            excluded: self.excluded,
            rows: self.rows.clone(),
            scores: self.scores.clone(),
        }
    }
}

/// About how much memory settings take, in bytes.
fn weight(value: &Value) -> usize {
    const NODE: usize = 64;
    let within = match value {
        Value::Object(keys) => keys.iter().map(|(key, value)| key.len() + weight(value)).sum(),
        Value::Array(values) => values.iter().map(weight).sum(),
        Value::String(text) => text.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    NODE + within
}

/// The request without the customer's words: matchers never see them, so the answer does not depend on them.
fn without_words(request: &RankingRequest) -> RankingRequest {
    let mut request = request.clone();
    if let Some(concern) = &mut request.emotion.concern_issue {
        concern.issue.clone_from(&concern.topic);
    }
    request
}

/// A ranking that is remembered.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct KeptRanking {
    /// The ranking's identifier.
    pub id: String,
    /// When it was made, in milliseconds since 1970.
    pub at_ms: u64,
    /// What it was made for, without the customer's words.
    pub request: RankingRequest,
    /// The policy as it was then.
    pub policy: Policy,
    /// How many agents were ranked.
    pub agents: usize,
    /// Whether the policy's fallback ordered them.
    pub fallback: bool,
    /// How many could take the call.
    pub eligible: usize,
    /// How many could not.
    pub excluded: usize,
    /// The agents that were named, the best first.
    pub entries: Vec<KeptEntry>,
    /// The matchers that were asked.
    pub matchers: Vec<KeptMatcher>,
    /// How the call ended, where that was reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<OutcomeReport>,
}

/// An agent's place in a ranking that is remembered.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct KeptEntry {
    /// The agent's identifier.
    pub agent_id: String,
    /// The weighed score.
    pub score: f32,
}

/// A matcher of a ranking that is remembered.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct KeptMatcher {
    /// Its identifier.
    pub id: String,
    /// Its version.
    pub version: String,
    /// The SHA-256 of its library; empty where there is none.
    pub fingerprint: String,
    /// Which loading of it was asked.
    pub generation: u64,
    /// Its mode in the policy.
    pub mode: Mode,
    /// Its weight in the policy.
    pub weight: f32,
    /// The time its call took, in microseconds.
    pub time_us: u64,
    /// Why it had no say, if it had none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Where it would have made a difference, for a shadow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disagreement: Option<Disagreement>,
}

impl KeptRanking {
    pub(super) fn of(entry: &Entry) -> Self {
        let kept = &entry.kept;
        let agent = |(row, score): (&u32, &f32)| KeptEntry {
            agent_id: kept.roster.agents()[*row as usize].id.clone(),
            score: *score,
        };
        let matcher = |asked: &AskedMatcher| KeptMatcher {
            id: asked.report.id.clone(),
            version: asked.report.version.clone(),
            fingerprint: asked.identity.fingerprint.clone(),
            generation: asked.identity.generation,
            mode: asked.report.mode,
            weight: asked.report.weight,
            time_us: asked.report.time_us,
            error: asked.report.error.clone(),
            disagreement: asked.report.disagreement,
        };
        Self {
            id: kept.id.clone(),
            at_ms: kept.at_ms,
            request: kept.request.clone(),
            policy: Policy::clone(&kept.policy),
            agents: kept.roster.len(),
            fallback: kept.fallback,
            eligible: kept.eligible,
            excluded: kept.excluded,
            entries: kept.rows.iter().zip(&kept.scores).map(agent).collect(),
            matchers: kept.matchers.iter().map(matcher).collect(),
            outcome: entry.outcome().clone(),
        }
    }
}
