//! Who could take the call, and with what score: one pass over columns, without a text for any row.

use super::ask::{Asked, counting};
use crate::routing::roster::Standing;
use crate::routing::{Exclusion, Policy, RankingRequest, Roster};

/// What keeps one row out; 0 stands for nothing. Filters follow the standings, matchers the filters.
type Reason = u16;

const FREE: Reason = 0;
const BUSY: Reason = 1;
const OFFLINE: Reason = 2;
const AT_CAPACITY: Reason = 3;
const FIRST_FILTER: Reason = 4;

/// Every row with its score and what keeps it out.
pub(in crate::routing) struct Judgement<'a> {
    policy: &'a Policy,
    asked: &'a [Asked<'a>],
    /// The weighed scores; all 0 where no active matcher answered.
    pub(in crate::routing) scores: Vec<f32>,
    reasons: Vec<Reason>,
    /// How many rows each reason keeps out.
    counts: Vec<usize>,
}

/// Weighs the answers and holds every agent to what keeps agents out.
pub(in crate::routing) fn judge<'a>(
    policy: &'a Policy,
    request: &RankingRequest,
    roster: &Roster,
    asked: &'a [Asked<'a>],
) -> Judgement<'a> {
    let mut reasons: Vec<Reason> = roster.standings().iter().map(standing).collect();
    if !policy.filters.is_empty() {
        filter(policy, request, roster, &mut reasons);
    }
    let mut scores = vec![0.0; roster.len()];
    let first_matcher = FIRST_FILTER + policy.filters.len() as Reason;
    for (index, answer) in asked.iter().enumerate().filter(|(_, asked)| asked.share > 0.0) {
        let Some(scored) = answer.scored() else { continue };
        let reason = first_matcher + index as Reason;
        for (row, score) in scores.iter_mut().enumerate() {
            *score += answer.share * counting(scored.scores[row], scored.confidences[row]);
        }
        for (kept_out, eligible) in reasons.iter_mut().zip(&scored.eligible) {
            if !eligible && *kept_out == FREE {
                *kept_out = reason;
            }
        }
    }
    let mut counts = vec![0; usize::from(first_matcher) + asked.len()];
    for reason in &reasons {
        counts[usize::from(*reason)] += 1;
    }
    Judgement { policy, asked, scores, reasons, counts }
}

fn standing(standing: &Standing) -> Reason {
    match standing {
        Standing::Free => FREE,
        Standing::Busy => BUSY,
        Standing::Offline => OFFLINE,
        Standing::AtCapacity => AT_CAPACITY,
    }
}

fn filter(policy: &Policy, request: &RankingRequest, roster: &Roster, reasons: &mut [Reason]) {
    for (row, reason) in reasons.iter_mut().enumerate().filter(|(_, reason)| **reason == FREE) {
        let (agent, load) = (&roster.agents()[row], roster.load(row));
        let refused = policy.filters.iter().position(|filter| !filter.require.holds(agent, load, request));
        if let Some(index) = refused {
            *reason = FIRST_FILTER + index as Reason;
        }
    }
}

impl Judgement<'_> {
    /// The rows that could take the call.
    pub(in crate::routing) fn free(&self) -> Vec<u32> {
        // The host takes no more candidates than 32 bits count.
        (0..self.reasons.len() as u32).filter(|row| self.reasons[*row as usize] == FREE).collect()
    }

    /// How many could.
    pub(in crate::routing) fn free_count(&self) -> usize {
        self.counts[usize::from(FREE)]
    }

    /// The first rows that could not.
    pub(in crate::routing) fn kept_out(&self, most: usize) -> impl Iterator<Item = usize> {
        (0..self.reasons.len()).filter(|row| self.reasons[*row] != FREE).take(most)
    }

    /// How many could not, by what keeps them out.
    pub(in crate::routing) fn counted(&self) -> impl Iterator<Item = (String, usize)> {
        let kept = self.counts.iter().enumerate().skip(1).filter(|(_, count)| **count > 0);
        kept.map(|(reason, count)| {
            let key = self.name(reason as Reason, None).key();
            (key, *count)
        })
    }

    /// What keeps a row out that could not take the call.
    pub(in crate::routing) fn exclusion(&self, row: usize) -> Exclusion {
        self.name(self.reasons[row], Some(row))
    }

    fn name(&self, reason: Reason, row: Option<usize>) -> Exclusion {
        let after_standings = usize::from(reason.saturating_sub(FIRST_FILTER));
        match (reason, self.policy.filters.get(after_standings)) {
            (FREE | BUSY, _) => Exclusion::Busy,
            (OFFLINE, _) => Exclusion::Offline,
            (AT_CAPACITY, _) => Exclusion::AtCapacity,
            (_, Some(filter)) => {
                Exclusion::Filtered { filter: filter.name.clone(), reason: filter.require.reason() }
            }
            (_, None) => {
                let asked = &self.asked[after_standings - self.policy.filters.len()];
                let said = row.and_then(|row| asked.scored().map(|scored| scored.row(row).reason.to_owned()));
                Exclusion::Ineligible { matcher: asked.matcher.id.clone(), reason: said.unwrap_or_default() }
            }
        }
    }
}
