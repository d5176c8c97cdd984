//! When, how urgently and for whom something is asked of the engine.

use std::time::Instant;

use serde::Serialize;
use utoipa::ToSchema;

/// How urgent something is. Live work is computed before batch work; batch work that has waited for half of its time
/// counts as live, so that it is slow and never starves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Somebody waits for the answer.
    #[default]
    Live,
    /// Nobody waits for it now: files, tables, re-runs.
    Batch,
}

impl Priority {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 2] = [Self::Live, Self::Batch];

    /// The name in logs and labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Batch => "batch",
        }
    }
}

/// When, how urgently and for whom something is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Terms {
    /// By when the answer is of use; without one the configured patience counts.
    pub deadline: Option<Instant>,
    /// How urgent it is.
    pub priority: Priority,
    /// Whom it is for. Sessions share a model evenly, however much each of them asks; without a session, a request
    /// is one of its own.
    pub session: Option<u64>,
}

impl From<Option<Instant>> for Terms {
    fn from(deadline: Option<Instant>) -> Self {
        Self { deadline, ..Self::default() }
    }
}

/// [`Terms`] whose deadline is settled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settled {
    pub(super) deadline: Instant,
    pub(super) priority: Priority,
    pub(super) session: Option<u64>,
}
