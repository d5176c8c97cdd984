//! What can go wrong while agents are read and ranked.

use serde::Serialize;

/// One fault in a list of agents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgentFault {
    /// The agent's position in the list, from 0.
    pub index: usize,
    /// The field, or empty where the agent as a whole is wrong.
    pub field: String,
    /// What is wrong and what was expected.
    pub problem: String,
}

impl std::fmt::Display for AgentFault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { index, field, problem } = self;
        if field.is_empty() {
            write!(formatter, "agents[{index}]: {problem}")
        } else {
            write!(formatter, "agents[{index}].{field}: {problem}")
        }
    }
}

/// An error of the routing room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RoutingError {
    /// The list of agents is not JSON, or not a list.
    #[error("the list of agents is not readable: {0}")]
    Unreadable(String),
    /// The list is longer than the limit.
    #[error("{found} agents are more than the limit of {limit}")]
    TooManyAgents {
        /// The limit.
        limit: usize,
        /// How many there are.
        found: usize,
    },
    /// There is nobody to rank.
    #[error("the list of agents is empty")]
    NoAgents,
    /// Some agents have faults; all of them are listed.
    #[error("{}", list(.0))]
    Agents(Vec<AgentFault>),
    /// The request itself is out of range.
    #[error("the ranking request is not usable: {0}")]
    Request(String),
    /// The policy names matchers that are not loaded.
    #[error("the policy uses what plugins.matchers does not load: matcher \"{}\"", .0.join("\", \""))]
    UnknownMatchers(Vec<String>),
    /// A policy, or the list of them, has faults; all of them are listed as key and problem.
    #[error("the policy is not usable: {}", pairs(.0))]
    Policy(Vec<(String, String)>),
    /// There is no policy of this name.
    #[error("there is no policy \"{0}\"")]
    UnknownPolicy(String),
    /// The policy ranks where a request names none, so it cannot be taken out.
    #[error("the policy \"{0}\" is the active one; activate another first")]
    PolicyInUse(String),
    /// No ranking of this identifier is remembered.
    #[error("there is no ranking {0}, or it is too long ago")]
    UnknownRanking(String),
    /// An outcome names somebody who was not ranked, or a number outside its range.
    #[error("the outcome is not usable: {0}")]
    Outcome(String),
    /// A ranking has another outcome already.
    #[error("the ranking {0} has another outcome already")]
    OutcomeConflict(String),
    /// The columns for the matchers cannot be built.
    #[error("the candidates cannot be handed to the matchers")]
    Candidates(#[source] heartline_plugin_host::HostError),
}

/// How many faults a message shows; the rest are counted.
const SHOWN_FAULTS: usize = 20;

fn pairs(faults: &[(String, String)]) -> String {
    faults.iter().map(|(key, problem)| format!("{key}: {problem}")).collect::<Vec<_>>().join("; ")
}

fn list(faults: &[AgentFault]) -> String {
    let mut text: Vec<String> = faults.iter().take(SHOWN_FAULTS).map(ToString::to_string).collect();
    if faults.len() > SHOWN_FAULTS {
        text.push(format!("and {} more", faults.len() - SHOWN_FAULTS));
    }
    text.join("; ")
}
