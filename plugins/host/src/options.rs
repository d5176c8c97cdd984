//! How a matcher is guarded: its deadline, its breaker, and where it runs.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::BreakerOptions;

/// How a matcher is guarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatcherOptions {
    /// How long a caller of `score`, `explain` or `learn` waits at most: for its turn and for the matcher together.
    pub deadline: Duration,
    /// How long it may take to start the matcher, and to save or load its state.
    pub slow_deadline: Duration,
    /// When the matcher is left alone.
    pub breaker: BreakerOptions,
    /// Where the matcher runs.
    pub isolation: Isolation,
}

impl Default for MatcherOptions {
    fn default() -> Self {
        Self {
            deadline: Duration::from_millis(50),
            slow_deadline: Duration::from_secs(5),
            breaker: BreakerOptions::default(),
            isolation: Isolation::None,
        }
    }
}

/// Where a matcher runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Isolation {
    /// In this process: the cheapest calls; a matcher that crashes takes the process with it.
    #[default]
    None,
    /// In a process of its own, which may crash, hang or be full without harm to this one.
    Process(ProcessOptions),
}

impl Isolation {
    /// The name in configurations and in the health of a matcher.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Process(_) => "process",
        }
    }
}

/// A matcher's own process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessOptions {
    /// The program that calls `isolation::serve_child`.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// How much memory the matcher may take, on top of what the program has when it starts, in bytes.
    pub memory_bytes: u64,
}

impl ProcessOptions {
    /// A process of this program, with the default limits.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>, arguments: impl IntoIterator<Item = OsString>) -> Self {
        Self { program: program.into(), arguments: arguments.into_iter().collect(), memory_bytes: 1 << 30 }
    }
}
