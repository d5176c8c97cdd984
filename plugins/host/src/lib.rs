//! Loads matchers from shared libraries, checks them and calls them behind a fence. The only `dlopen` of the house.
//!
//! The road of a matcher has six steps, each with its own errors:
//!
//! | step | what happens | errors |
//! | --- | --- | --- |
//! | find | the path names a file | [`HostError::NotFound`], [`HostError::Unreadable`] |
//! | open | the library is mapped, all its symbols are resolved | [`HostError::Open`], [`HostError::MissingSymbol`] |
//! | check | version, functions and descriptor are read | [`HostError::IncompatibleAbi`], [`HostError::InvalidEntry`], [`HostError::MissingFunction`], [`HostError::InvalidDescriptor`] |
//! | init | the library gets the host's functions, once | [`HostError::Init`] |
//! | create | an instance is made from its configuration | [`HostError::ConfigTooLarge`], [`HostError::ConfigNotJson`], [`HostError::ConfigRefused`], [`HostError::Create`] |
//! | use | candidates are scored | [`HostError::Score`], [`HostError::Panicked`], [`HostError::InvalidAnswer`] and others |
//!
//! [`Host::open`] takes the first three steps and runs nothing of the matcher but the library's own constructors;
//! [`Library::create`] takes the next two; [`Host::load`] takes all five.
//!
//! # Trust
//! A matcher is native code with the server's rights: it can read and write all of the process's memory. What the host
//! guards against is a matcher that is wrong, not one that is malicious: it checks every answer, limits every size,
//! measures every call and never lets a library be unmapped while something may still point into it. It cannot
//! interrupt a call that hangs.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use heartline_plugin_host::{AgentColumns, Candidates, Host, HostLimits, ScoreRequest};
//!
//! # fn main() -> Result<(), heartline_plugin_host::HostError> {
//! let host = Host::new(HostLimits::default());
//! let matcher = host.load("target/release/libheartline_skill.so".as_ref(), "{}")?;
//! let mut candidates = Candidates::builder();
//! candidates.push(&AgentColumns { skills: &[("refunds", 4.0)], ..AgentColumns::default() })?;
//! let needed_skills = vec![("refunds".to_owned(), 3.0, true)];
//! let request = Arc::new(ScoreRequest { needed_skills, ..ScoreRequest::default() });
//! let scored = matcher.score(&request, &Arc::new(candidates.build()))?;
//! println!("{} because {}", scored.row(0).score, scored.row(0).reason);
//! # Ok(())
//! # }
//! ```

mod answer;
mod attributes;
mod backend;
mod breaker;
mod candidates;
pub mod check;
mod descriptor;
mod error;
mod explanation;
mod extensions;
mod health;
mod host;
mod instance;
#[cfg(unix)]
pub mod isolation;
#[cfg(not(unix))]
#[path = "isolation/absent.rs"]
mod isolation;
mod library;
mod limits;
mod mapping;
mod matcher;
mod options;
mod outcome;
mod request;
mod schema;
mod services;
mod staging;
mod state;
mod throttle;
mod worker;

pub use answer::{AgentScore, AnswerFault, Scored};
pub use attributes::AttributeValue;
pub use breaker::{BreakerOptions, BreakerState};
pub use candidates::{AgentColumns, Candidates, CandidatesBuilder, OutcomeCounts, language_level};
pub use descriptor::Descriptor;
pub use error::HostError;
pub use explanation::{Explanation, ScoreFactor};
pub use extensions::Extensions;
pub use health::MatcherHealth;
pub use host::{Host, library_file_name};
pub use instance::Instance;
pub use library::Library;
pub use limits::HostLimits;
pub use matcher::{Generation, Matcher};
pub use options::{Isolation, MatcherOptions, ProcessOptions};
pub use outcome::Outcome;
pub use request::{Emotion, ModalityTrust, ScoreRequest, SpokenLanguage, WorstMoment};
pub use schema::ConfigSchema;

pub use heartline_plugin_abi::{ABI_MAJOR, ABI_MINOR, CATEGORY_COUNT, TRAIT_COUNT};
