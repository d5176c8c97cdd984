//! Agents, matchers and the policy that ranks.
//!
//! A [`Router`] asks every matcher of its [`Policy`] for all agents at once, weighs the answers and puts the agents
//! in order, with every factor shown. Loading matchers from files is the plugin host's work; deciding what a
//! customer needs is the emotion room's.

mod agent;
mod columns;
mod error;
mod parse;
mod policy;
mod ranking;
mod router;

pub use agent::{Activity, Agent, Attitude, LanguageLevel, OutcomeCounts};
pub use error::{AgentFault, RoutingError};
pub use parse::{RoutingLimits, check_agents, parse_agents};
pub use policy::{Fallback, MatcherUse, Mode, Policy};
pub use ranking::{
    ExcludedAgent, Exclusion, Factor, MatcherReport, RankedAgent, Ranking, RankingRequest, SkillNeed,
};
pub use router::{LoadedMatcher, Router, Scorer};
