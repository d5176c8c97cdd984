//! Agents, matchers and the policies that rank.
//!
//! A [`Router`] asks the matchers of a [`Policy`] for all agents of a [`Roster`] at once, weighs the answers and puts
//! the agents in order, with every factor shown. [`Records`] keep what was ranked, so that outcomes find their way
//! back to the matchers and a ranking can be made again. Loading matchers from files is the plugin host's work;
//! deciding what a customer needs is the emotion room's.

mod agent;
mod columns;
mod error;
mod parse;
mod policy;
mod rank;
mod ranking;
pub mod record;
mod request;
mod roster;
mod router;
mod scorer;

pub use agent::{Activity, Agent, Attitude, Attribute, LanguageLevel, OutcomeCounts};
pub use error::{AgentFault, RoutingError};
pub use parse::{RoutingLimits, check_agents, parse_agents, read_agents};
pub use policy::{Fairness, Filter, MatcherUse, Mode, Order, Policies, Policy, PolicyBook, Rule};
pub use ranking::{
    Disagreement, ExcludedAgent, Exclusion, ExplainedFactor, Factor, MatcherReport, RankedAgent, Ranking,
};
pub use record::{Records, RecordsConfig};
pub use request::{EXPLAIN_LIMIT, OtherLanguage, RankingRequest, SkillNeed};
pub use roster::Roster;
pub use router::{Router, Unkept};
pub use scorer::{Identity, PluginScorer, Scorer};
