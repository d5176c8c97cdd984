//! Makes a recorded ranking again: with its own policy, to see whether it comes out the same, or with another one, to
//! see what would change.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::Serialize;

use super::archive::{Archive, ArchiveError};
use super::file::{RankingRecord, RecordedMatcher};
use crate::routing::{
    Identity, MatcherUse, Mode, Policy, PolicyBook, Ranking, RankingRequest, Roster, Router, RoutingError,
    Scorer,
};

/// How far a score may be from the recorded one to be the same: what writing and reading it as text may cost.
const SCORE_TOLERANCE: f32 = 1e-6;
/// How many agents are named who changed places.
const NAMED_MOVES: usize = 10;

/// Where replays get their matchers from.
pub trait MatcherSource {
    /// A matcher with the settings and the state that are asked for, as near as can be; it says in words what is not as
    /// recorded.
    ///
    /// # Errors
    /// Why there is no such matcher, in words.
    fn matcher(&mut self, wanted: &Wanted<'_>) -> Result<Found, String>;
}

/// A matcher that a replay needs.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// Its identifier in the policy.
    pub id: &'a str,
    /// Which one it was; none where the ranking did not ask it.
    pub identity: Option<&'a Identity>,
    /// What it had learned.
    pub state: Option<Vec<u8>>,
}

/// A matcher for a replay.
pub struct Found {
    /// The matcher.
    pub scorer: Arc<dyn Scorer>,
    /// What is not as recorded.
    pub notes: Vec<String>,
}

/// What keeps a ranking from being made again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// Its parts cannot be read.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A matcher cannot be had.
    #[error("matcher \"{id}\": {reason}")]
    Matcher {
        /// The matcher.
        id: String,
        /// Why.
        reason: String,
    },
    /// The policy cannot be used.
    #[error("the ranking cannot be made again")]
    Routing(#[from] RoutingError),
}

/// A ranking that was made again.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Replayed {
    /// The ranking's identifier.
    pub id: String,
    /// Whether it came out the same.
    pub is_same: bool,
    /// What is different, in words.
    pub differences: Vec<String>,
    /// What was not as it was recorded, in words: why there may be differences.
    pub notes: Vec<String>,
    /// The first agents now with their scores.
    pub first: Vec<(String, f32)>,
}

/// A ranking with another policy.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WhatIf {
    /// The ranking's identifier.
    pub id: String,
    /// The agent who came first as recorded.
    pub first_before: Option<String>,
    /// The agent who would come first.
    pub first_after: Option<String>,
    /// Whether it is another one.
    pub first_differs: bool,
    /// How many of the agents that were named would be in another place, or out.
    pub moved: usize,
    /// By how many places the first ten would move on average; who would be excluded moves behind all others.
    pub mean_displacement: f32,
    /// How many could take the call as recorded.
    pub eligible_before: usize,
    /// How many could.
    pub eligible_after: usize,
    /// The first agents whose places change.
    pub moves: Vec<Move>,
    /// What was not as it was recorded, in words.
    pub notes: Vec<String>,
}

/// An agent's change of place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Move {
    /// The agent.
    pub agent_id: String,
    /// The place as recorded, from 1; none where the agent was not named.
    pub before: Option<usize>,
    /// The place now; none where the agent is excluded.
    pub after: Option<usize>,
}

/// A matcher that was made for a replay.
struct Made {
    /// What tells it from others of its name.
    key: String,
    scorer: Arc<dyn Scorer>,
    notes: Vec<String>,
}

/// Makes rankings again. Rosters and matchers are kept from one ranking to the next, because most share them.
pub struct Replayer<'a> {
    archive: &'a Archive,
    source: &'a mut dyn MatcherSource,
    roster: Option<(String, Arc<Roster>)>,
    /// By name, as it was last: rankings come in the order of time, so that an earlier one is hardly wanted again.
    matchers: HashMap<String, Made>,
}

impl<'a> Replayer<'a> {
    /// Takes the agents from an archive and the matchers from a source.
    pub fn new(archive: &'a Archive, source: &'a mut dyn MatcherSource) -> Self {
        Self { archive, source, roster: None, matchers: HashMap::new() }
    }

    /// Makes a ranking again with its own policy and compares.
    ///
    /// # Errors
    /// [`ReplayError`]
    pub fn replay(&mut self, record: &RankingRecord) -> Result<Replayed, ReplayError> {
        let (ranking, roster, notes) = self.rank(record, &record.policy, record.request.top)?;
        let differences = differences(record, &ranking, &roster);
        let first = ranking.entries.iter().take(NAMED_MOVES);
        Ok(Replayed {
            id: record.id.clone(),
            is_same: differences.is_empty(),
            differences,
            notes,
            first: first.map(|entry| (entry.agent_id.clone(), entry.score)).collect(),
        })
    }

    /// Makes a ranking again with another policy and says what would change.
    ///
    /// # Errors
    /// [`ReplayError`]
    pub fn what_if(&mut self, record: &RankingRecord, policy: &Policy) -> Result<WhatIf, ReplayError> {
        let everybody = Some(record.roster.agents.max(1));
        let (ranking, roster, notes) = self.rank(record, policy, everybody)?;
        Ok(compare(record, &ranking, &roster, notes))
    }

    fn rank(
        &mut self,
        record: &RankingRecord,
        policy: &Policy,
        top: Option<usize>,
    ) -> Result<(Ranking, Arc<Roster>, Vec<String>), ReplayError> {
        let roster = self.roster(record)?;
        let mut notes = Vec::new();
        let mut policy = policy.clone();
        let mut pool = BTreeMap::new();
        for used in policy.matchers.iter_mut().filter(|used| used.mode != Mode::Off) {
            if let Some(scorer) = self.matcher(record, used, &mut notes)? {
                pool.insert(used.id.clone(), scorer);
            } else {
                used.mode = Mode::Off;
            }
        }
        let request = RankingRequest { policy: None, top, explain: 0, ..record.request.clone() };
        let name = policy.name.clone();
        let router = Router::new(pool, PolicyBook::new(&name, vec![policy])?)?;
        let ranking = router.rank(&request, &roster)?;
        for report in &ranking.matchers {
            notes.extend(
                report.error.as_ref().map(|error| format!("matcher {} failed now: {error}", report.id)),
            );
        }
        Ok((ranking, roster, notes))
    }

    fn roster(&mut self, record: &RankingRecord) -> Result<Arc<Roster>, ReplayError> {
        let sha256 = &record.roster.sha256;
        if let Some((known, roster)) = &self.roster
            && known == sha256
        {
            return Ok(Arc::clone(roster));
        }
        let roster = self.archive.roster(record)?;
        self.roster = Some((sha256.clone(), Arc::clone(&roster)));
        Ok(roster)
    }

    /// The matcher that a policy uses, as it was in this ranking; none where it had no say then.
    fn matcher(
        &mut self,
        record: &RankingRecord,
        used: &MatcherUse,
        notes: &mut Vec<String>,
    ) -> Result<Option<Arc<dyn Scorer>>, ReplayError> {
        let id = used.id.as_str();
        let recorded = record.matchers.iter().find(|matcher| matcher.id == id);
        if let Some(error) = recorded.and_then(|matcher| matcher.error.as_deref()) {
            notes.push(format!("matcher {id} had no say when this was ranked, and has none now: {error}"));
            return Ok(None);
        }
        if recorded.is_none() {
            notes.push(format!("matcher {id} was not asked when this was ranked; it is as configured now"));
        }
        let key = key(id, recorded);
        if let Some(made) = self.matchers.get(id).filter(|made| made.key == key) {
            notes.extend(made.notes.iter().cloned());
            return Ok(Some(Arc::clone(&made.scorer)));
        }
        let mut own_notes = Vec::new();
        own_notes.extend(recorded.and_then(|matcher| matcher.state_error.as_ref()).map(|error| {
            format!(
                "nobody knows what matcher {id} had learned when this was ranked, so it begins anew: {error}"
            )
        }));
        let state = match recorded.and_then(|matcher| matcher.state.as_deref()) {
            Some(sha256) => self.archive.state(id, sha256).map(Some).unwrap_or_else(|error| {
                own_notes.push(format!("{error}; matcher {id} begins anew"));
                None
            }),
            None => None,
        };
        let wanted = Wanted { id, identity: recorded.map(|matcher| &matcher.identity), state };
        let found = self.source.matcher(&wanted);
        let found = found.map_err(|reason| ReplayError::Matcher { id: id.to_owned(), reason })?;
        own_notes.extend(found.notes);
        notes.extend(own_notes.iter().cloned());
        let scorer = Arc::clone(&found.scorer);
        self.matchers.insert(id.to_owned(), Made { key, scorer: found.scorer, notes: own_notes });
        Ok(Some(scorer))
    }
}

/// What tells two matchers of a replay apart.
fn key(id: &str, recorded: Option<&RecordedMatcher>) -> String {
    let state = recorded.and_then(|matcher| matcher.state.as_deref().or(matcher.state_error.as_deref()));
    let state = state.unwrap_or_default();
    let (fingerprint, config) = recorded
        .map(|matcher| (matcher.identity.fingerprint.as_str(), matcher.identity.config.to_string()))
        .unwrap_or_default();
    format!("{id}\n{fingerprint}\n{config}\n{state}")
}

fn differences(record: &RankingRecord, ranking: &Ranking, roster: &Roster) -> Vec<String> {
    let mut found = Vec::new();
    let mut differ = |what: &str, recorded: String, now: String| {
        if recorded != now {
            found.push(format!("{what}: recorded {recorded}, now {now}"));
        }
    };
    differ("fallback", record.fallback.to_string(), ranking.fallback.to_string());
    differ("could take the call", record.eligible.to_string(), ranking.eligible.to_string());
    differ("could not", record.excluded.to_string(), ranking.excluded_total.to_string());
    differ("agents named", record.rows.len().to_string(), ranking.entries.len().to_string());
    for (place, ((row, score), entry)) in
        record.rows.iter().zip(&record.scores).zip(&ranking.entries).enumerate()
    {
        let recorded = agent_id(roster, *row);
        // In a fallback, scores say nothing: they are 0.
        let is_near = (score - entry.score).abs() <= SCORE_TOLERANCE;
        if recorded != entry.agent_id || !is_near {
            let (place, now) = (place + 1, &entry.agent_id);
            found.push(format!(
                "place {place}: recorded {recorded} with {score:.6}, now {now} with {:.6}",
                entry.score
            ));
            // One that is out of place moves all behind it; the first tells.
            break;
        }
    }
    found
}

fn compare(record: &RankingRecord, ranking: &Ranking, roster: &Roster, notes: Vec<String>) -> WhatIf {
    let after: HashMap<&str, usize> =
        ranking.entries.iter().enumerate().map(|(place, entry)| (entry.agent_id.as_str(), place)).collect();
    let before: Vec<&str> = record.rows.iter().map(|row| agent_id(roster, *row)).collect();
    let mut moves: Vec<Move> = before
        .iter()
        .enumerate()
        .map(|(place, agent)| Move {
            agent_id: (*agent).to_owned(),
            before: Some(place + 1),
            after: after.get(agent).map(|place| place + 1),
        })
        .filter(|change| change.before != change.after)
        .collect();
    let moved = moves.len();
    let looked_at = before.len().min(NAMED_MOVES);
    // Who is out comes last of all who could take the call, then or now.
    let behind = record.eligible.max(ranking.entries.len()).saturating_sub(1);
    let displaced: usize = before[..looked_at]
        .iter()
        .enumerate()
        .map(|(place, agent)| after.get(agent).copied().unwrap_or(behind).abs_diff(place))
        .sum();
    // Agents who come up from below the named ones, or were kept out, belong to what changes at the front as well.
    let newcomers = ranking.entries.iter().take(looked_at).enumerate();
    moves.extend(newcomers.filter(|(_, entry)| !before.contains(&entry.agent_id.as_str())).map(
        |(place, entry)| Move { agent_id: entry.agent_id.clone(), before: None, after: Some(place + 1) },
    ));
    moves.truncate(2 * NAMED_MOVES);
    let first_before = before.first().map(|agent| (*agent).to_owned());
    let first_after = ranking.entries.first().map(|entry| entry.agent_id.clone());
    WhatIf {
        id: record.id.clone(),
        first_differs: first_before != first_after,
        first_before,
        first_after,
        moved,
        mean_displacement: displaced as f32 / looked_at.max(1) as f32,
        eligible_before: record.eligible,
        eligible_after: ranking.eligible,
        moves,
        notes,
    }
}

fn agent_id(roster: &Roster, row: u32) -> &str {
    roster.agents().get(row as usize).map_or("?", |agent| agent.id.as_str())
}
