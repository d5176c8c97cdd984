//! When a ranking is worth sending: the first one, and then only what differs enough from the one that was sent.

use std::collections::HashMap;

use super::RankingCause;
use crate::routing::Ranking;

/// How many agents a ranking names where the client does not say.
const TOP: usize = 10;
/// How far ahead another agent must be, as a share of the change that counts for a score, to be called the leader.
const LEAD_SHARE: f32 = 0.5;

/// The ranking that was sent last.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    top: usize,
    min_change: f32,
    /// The agents that were named with their scores, the best first.
    sent: Option<Vec<(String, f32)>>,
    /// Whether the client has changed what is ranked since.
    is_stale: bool,
}

impl Standing {
    pub(super) fn new(top: Option<usize>, min_change: f32) -> Self {
        Self { top: top.unwrap_or(TOP), min_change, sent: None, is_stale: false }
    }

    /// Says that the client has changed the agents or the needs.
    pub(super) fn outdated(&mut self) {
        self.is_stale = true;
    }

    /// How many agents are named.
    pub(super) const fn top(&self) -> usize {
        self.top
    }

    /// Cuts a ranking to the agents that are named and says why it is to be sent; none where it is not.
    pub(super) fn judge(&mut self, ranking: &mut Ranking) -> Option<RankingCause> {
        let scores: HashMap<&str, f32> =
            ranking.entries.iter().map(|entry| (entry.agent_id.as_str(), entry.score)).collect();
        let cause = self.cause(ranking, &scores)?;
        ranking.entries.truncate(self.top);
        ranking.excluded.truncate(self.top);
        let named = ranking.entries.iter().map(|entry| (entry.agent_id.clone(), entry.score));
        self.sent = Some(named.collect());
        self.is_stale = false;
        Some(cause)
    }

    fn cause(&self, ranking: &Ranking, scores: &HashMap<&str, f32>) -> Option<RankingCause> {
        let Some(sent) = &self.sent else { return Some(RankingCause::First) };
        if self.is_stale {
            return Some(RankingCause::Update);
        }
        let now = &ranking.entries[..ranking.entries.len().min(self.top)];
        let led = sent.first().map(|(leader, _)| leader.as_str());
        if let Some(first) = now.first()
            && Some(first.agent_id.as_str()) != led
        {
            let earlier = led.and_then(|leader| scores.get(leader));
            // Whoever led and can no longer take the call is no reason to wait.
            if earlier.is_none_or(|score| first.score - score >= self.min_change * LEAD_SHARE) {
                return Some(RankingCause::Leader);
            }
        }
        let is_gone = |(agent, _): &(String, f32)| !scores.contains_key(agent.as_str());
        let least_sent = sent.last().map_or(0.0, |(_, score)| *score);
        let is_new = |agent: &str| sent.iter().all(|(known, _)| known != agent);
        let comes_in =
            now.iter().any(|entry| is_new(&entry.agent_id) && entry.score - least_sent >= self.min_change);
        if sent.iter().any(is_gone) || comes_in || now.len() > sent.len() {
            return Some(RankingCause::Members);
        }
        let moved = sent.iter().any(|(agent, before)| {
            scores.get(agent.as_str()).is_some_and(|score| (score - before).abs() >= self.min_change)
        });
        moved.then_some(RankingCause::Scores)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::RankedAgent;

    fn ranking(scores: &[(&str, f32)]) -> Ranking {
        let mut entries: Vec<_> = scores
            .iter()
            .map(|(agent, score)| RankedAgent {
                agent_id: (*agent).to_owned(),
                score: *score,
                factors: Vec::new(),
            })
            .collect();
        entries.sort_by(|one, other| other.score.total_cmp(&one.score));
        Ranking {
            id: String::new(),
            policy: "default".to_owned(),
            fallback: false,
            eligible: entries.len(),
            entries,
            excluded: Vec::new(),
            excluded_total: 0,
            excluded_by: std::collections::BTreeMap::new(),
            matchers: Vec::new(),
        }
    }

    fn judge(standing: &mut Standing, scores: &[(&str, f32)]) -> Option<RankingCause> {
        standing.judge(&mut ranking(scores))
    }

    #[test]
    fn small_changes_are_not_sent_and_add_up() {
        let mut standing = Standing::new(Some(2), 0.05);
        assert_eq!(judge(&mut standing, &[("a", 0.8), ("b", 0.6)]), Some(RankingCause::First));
        assert_eq!(judge(&mut standing, &[("a", 0.83), ("b", 0.6)]), None);
        assert_eq!(judge(&mut standing, &[("a", 0.86), ("b", 0.6)]), Some(RankingCause::Scores));
        assert_eq!(judge(&mut standing, &[("a", 0.86), ("b", 0.6)]), None);
    }

    #[test]
    fn two_agents_side_by_side_do_not_flap() {
        let mut standing = Standing::new(Some(2), 0.05);
        judge(&mut standing, &[("a", 0.80), ("b", 0.79)]);
        assert_eq!(judge(&mut standing, &[("a", 0.79), ("b", 0.80)]), None);
        assert_eq!(judge(&mut standing, &[("a", 0.78), ("b", 0.81)]), Some(RankingCause::Leader));
        assert_eq!(judge(&mut standing, &[("a", 0.80), ("b", 0.79)]), None);
    }

    #[test]
    fn who_comes_and_goes_matters() {
        let mut standing = Standing::new(Some(2), 0.05);
        judge(&mut standing, &[("a", 0.8), ("b", 0.6), ("c", 0.5)]);
        // One who is not named may leave.
        assert_eq!(judge(&mut standing, &[("a", 0.8), ("b", 0.6)]), None);
        assert_eq!(judge(&mut standing, &[("a", 0.8), ("c", 0.5)]), Some(RankingCause::Members));
        assert_eq!(judge(&mut standing, &[("c", 0.5)]), Some(RankingCause::Leader));
        assert_eq!(judge(&mut standing, &[("c", 0.5), ("d", 0.1)]), Some(RankingCause::Members));
        assert_eq!(judge(&mut standing, &[]), Some(RankingCause::Members));
        assert_eq!(judge(&mut standing, &[]), None);
    }

    #[test]
    fn what_the_client_changed_is_answered_at_once() {
        let mut standing = Standing::new(None, 0.05);
        judge(&mut standing, &[("a", 0.8)]);
        standing.outdated();
        assert_eq!(judge(&mut standing, &[("a", 0.8)]), Some(RankingCause::Update));
        assert_eq!(judge(&mut standing, &[("a", 0.8)]), None);
    }

    #[test]
    fn only_the_best_are_named() {
        let mut standing = Standing::new(Some(1), 0.05);
        let mut long = ranking(&[("a", 0.8), ("b", 0.6)]);
        standing.judge(&mut long);
        assert_eq!(long.entries.len(), 1);
    }
}
