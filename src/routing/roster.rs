//! Agents as rankings take them: read once, in columns, and shared.

use std::sync::{Arc, OnceLock};

use heartline_plugin_host::Candidates;
use sha2::{Digest, Sha256};

use super::{Activity, Agent, RoutingError, columns};
use crate::hexadecimal::hexadecimal;

/// Agents who do not change: made once, shared by all rankings of them. Matchers read its columns themselves.
#[derive(Debug)]
pub struct Roster {
    agents: Vec<Agent>,
    candidates: Arc<Candidates>,
    /// What keeps each agent from any call, as a policy cannot change it.
    standing: Vec<Standing>,
    loads: Vec<f32>,
    idle_ms: Vec<u64>,
    bytes: usize,
    /// The hash of the agents as JSON; found when it is first asked for.
    sha256: OnceLock<String>,
}

/// Whether an agent could take a call at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Free,
    Busy,
    Offline,
    AtCapacity,
}

impl Roster {
    /// The columns of agents that were checked.
    ///
    /// # Errors
    /// [`RoutingError::Candidates`] where the agents cannot be handed to matchers.
    pub fn new(agents: Vec<Agent>) -> Result<Arc<Self>, RoutingError> {
        let candidates = Arc::new(columns::candidates(&agents)?);
        let standing = agents.iter().map(standing).collect();
        let loads = agents.iter().map(load).collect();
        let idle_ms = agents.iter().map(|agent| agent.idle_ms).collect();
        let bytes = agents.iter().map(weight).sum();
        Ok(Arc::new(Self { agents, candidates, standing, loads, idle_ms, bytes, sha256: OnceLock::new() }))
    }

    /// The agents, in the order of their rows.
    #[must_use]
    pub fn agents(&self) -> &[Agent] {
        &self.agents
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.agents.len()
    }

    /// Whether there is nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.agents.is_empty()
    }

    /// What matchers read.
    #[must_use]
    pub const fn candidates(&self) -> &Arc<Candidates> {
        &self.candidates
    }

    /// The row of an agent.
    #[must_use]
    pub fn row(&self, agent_id: &str) -> Option<usize> {
        self.agents.iter().position(|agent| agent.id == agent_id)
    }

    /// About how much memory it takes, in bytes.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The agents as JSON, as they are kept on disk.
    pub(super) fn to_json(&self) -> Vec<u8> {
        // Agents are numbers, texts and maps with texts as keys: JSON can write all of them.
        serde_json::to_vec(&self.agents).unwrap_or_default()
    }

    /// The SHA-256 of [`Self::to_json`] in hexadecimal; the agents are written to find it, the first time.
    pub(super) fn sha256(&self) -> &str {
        self.sha256.get_or_init(|| hexadecimal(&Sha256::digest(self.to_json())))
    }

    /// What keeps each agent from any call.
    pub(super) fn standings(&self) -> &[Standing] {
        &self.standing
    }

    /// How long an agent has waited.
    pub(super) fn idle_ms(&self, row: usize) -> u64 {
        self.idle_ms[row]
    }

    /// The share of the capacity in use.
    pub(super) fn load(&self, row: usize) -> f32 {
        self.loads[row]
    }
}

fn standing(agent: &Agent) -> Standing {
    match agent.activity {
        Activity::Busy => Standing::Busy,
        Activity::Offline => Standing::Offline,
        Activity::Available if agent.active_tasks >= agent.capacity => Standing::AtCapacity,
        Activity::Available => Standing::Free,
    }
}

fn load(agent: &Agent) -> f32 {
    agent.active_tasks as f32 / agent.capacity.max(1) as f32
}

/// What an agent takes: itself, its names twice (here and in the columns' tables at worst), and a node an entry.
fn weight(agent: &Agent) -> usize {
    const ENTRY: usize = 64;
    let skills: usize = agent.skills.keys().map(|name| name.len() + ENTRY).sum();
    let languages: usize = agent.languages.keys().map(|tag| tag.len() + ENTRY).sum();
    let attributes: usize = agent.attributes.keys().map(|name| name.len() + ENTRY).sum();
    2 * (size_of::<Agent>() + agent.id.len() + skills + languages + attributes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roster(json: &str) -> Arc<Roster> {
        Roster::new(serde_json::from_str(json).unwrap()).unwrap()
    }

    #[test]
    fn rows_are_the_agents_order() {
        let roster = roster(
            r#"[{"id": "a", "activity": "busy"}, {"id": "b", "active_tasks": 2, "capacity": 4},
                {"id": "c", "active_tasks": 1}, {"id": "d", "activity": "offline"}]"#,
        );
        assert_eq!(
            roster.standings(),
            [Standing::Busy, Standing::Free, Standing::AtCapacity, Standing::Offline]
        );
        assert_eq!((roster.row("c"), roster.row("x")), (Some(2), None));
        assert!((roster.load(1) - 0.5).abs() < f32::EPSILON);
        assert_eq!(roster.candidates().len(), roster.len());
    }

    #[test]
    fn the_same_agents_have_the_same_hash() {
        let (one, same, other) = (
            roster(r#"[{"id": "a", "skills": {"x": 1, "y": 2}}]"#),
            roster(r#"[{"skills": {"y": 2, "x": 1}, "id": "a"}]"#),
            roster(r#"[{"id": "b"}]"#),
        );
        assert_eq!(one.sha256(), same.sha256());
        assert_ne!(one.sha256(), other.sha256());
        assert_eq!(one.sha256().len(), 64);
    }

    #[test]
    fn what_is_kept_on_disk_can_be_read_again() {
        let roster = roster(r#"[{"id": "a", "attributes": {"vip": true}, "languages": {"en": "native"}}]"#);
        let agents: Vec<Agent> = serde_json::from_slice(&roster.to_json()).unwrap();
        assert_eq!(agents, roster.agents());
    }
}
