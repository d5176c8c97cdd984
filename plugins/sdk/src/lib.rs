//! What a matcher's author needs: a safe trait, an export macro, a panic fence, and a test bench.
//!
//! A matcher is one type that implements [`Matcher`], exported by [`export_matcher!`] from a crate of the type `cdylib`.
//! No line of it needs `unsafe`, so it can say `#![forbid(unsafe_code)]`.
//!
//! ```
//! #![forbid(unsafe_code)]
//! use garde::Validate;
//! use heartline_plugin_sdk::{Candidates, Matcher, MatcherError, Reason, Request, Score, Scores, export_matcher};
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//!
//! /// Prefers agents who have been idle for long.
//! pub struct Idle {
//!     config: Config,
//! }
//!
//! /// The configuration of the idle matcher.
//! #[derive(Serialize, Deserialize, JsonSchema, Validate)]
//! #[serde(default, deny_unknown_fields)]
//! pub struct Config {
//!     /// The idle time that gives the full score, in ms.
//!     #[garde(range(min = 1.0, max = 86_400_000.0))]
//!     full_score_ms: f32,
//! }
//!
//! impl Default for Config {
//!     fn default() -> Self {
//!         Self { full_score_ms: 600_000.0 }
//!     }
//! }
//!
//! impl Matcher for Idle {
//!     type Config = Config;
//!     const ID: &'static str = "com.example.idle";
//!     const NAME: &'static str = "Idle time";
//!     const VERSION: &'static str = env!("CARGO_PKG_VERSION");
//!     const DESCRIPTION: &'static str = "Prefers agents who have been idle for long.";
//!     const REASONS: &'static [Reason] = &[Reason { code: 1, text: "by idle time" }];
//!
//!     fn create(config: Config) -> Result<Self, MatcherError> {
//!         Ok(Self { config })
//!     }
//!
//!     fn score(&mut self, _: &Request, candidates: &Candidates, scores: &mut Scores) -> Result<(), MatcherError> {
//!         for row in 0..candidates.len() {
//!             let score = (candidates.idle_ms(row) as f32 / self.config.full_score_ms).min(1.0);
//!             scores.set(row, Score { score, eligible: true, confidence: 1.0, reason: 1 });
//!         }
//!         Ok(())
//!     }
//! }
//!
//! export_matcher!(Idle);
//! ```
//!
//! # Panics
//! Every call from the host passes a fence: a panic becomes a status, and the instance answers nothing else from then
//! on. This needs `panic = "unwind"`, which is the default of every profile.

mod attribute;
mod candidates;
mod config;
mod error;
mod export;
mod extensions;
mod host;
mod postings;
mod raw;
mod request;
mod scores;
pub mod testing;

pub use attribute::{Attribute, AttributeValue};
pub use candidates::{Candidates, Outcomes, Rows, Trait};
pub use config::{MatcherConfig, config_schema};
pub use error::MatcherError;
pub use export::entry;
pub use extensions::{Explain, Extensions, Factor, Factors, Learn, Outcome, State};
pub use heartline_plugin_abi as abi;
pub use heartline_plugin_abi::LogLevel;
pub use host::{log, metric};
pub use postings::{Posting, Postings};
pub use request::{Category, Emotion, Modality, Request, SkillNeed, Spoken, WorstMoment};
pub use scores::{Columns, Score, Scores};

/// What a reason code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason {
    /// The code that [`Score::reason`] carries.
    pub code: u32,
    /// What it means, in a few words for people.
    pub text: &'static str,
}

/// A matcher: scores agents for one customer.
pub trait Matcher: Send + Sized + 'static {
    /// The configuration.
    type Config: MatcherConfig;

    /// A stable id in lower-case letters, digits, `.`, `-` and `_`.
    const ID: &'static str;
    /// A name for people.
    const NAME: &'static str;
    /// The matcher's own version.
    const VERSION: &'static str;
    /// What the matcher does, in a sentence.
    const DESCRIPTION: &'static str;
    /// Every reason code that `score` may give. Codes appear once, texts are not empty; this is checked when compiling.
    const REASONS: &'static [Reason];
    /// What it offers besides scores.
    const EXTENSIONS: Extensions<Self> = Extensions::none();

    /// Makes an instance.
    ///
    /// # Errors
    /// [`MatcherError::Config`] where the configuration makes no sense, and others.
    fn create(config: Self::Config) -> Result<Self, MatcherError>;

    /// Scores every candidate: calls [`Scores::set`] once for each row. The same input gives the same answer, until
    /// something was learned or a state was loaded.
    ///
    /// # Errors
    /// Where no answer can be given; whatever was set is then ignored, and the instance may be called again.
    fn score(
        &mut self,
        request: &Request<'_>,
        candidates: &Candidates<'_>,
        scores: &mut Scores<'_>,
    ) -> Result<(), MatcherError>;
}

/// Exports a [`Matcher`] as the one symbol that a host looks for.
///
/// To be used once in a crate. Two crates that use it cannot be linked statically into one program, because both
/// define the symbol; load them as shared libraries instead.
#[macro_export]
macro_rules! export_matcher {
    ($matcher:ty) => {
        /// What the host reads of this library.
        #[allow(non_upper_case_globals)]
        #[unsafe(no_mangle)]
        pub static heartline_matcher_entry: $crate::abi::Entry = $crate::entry::<$matcher>();
    };
}
