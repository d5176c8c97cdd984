//! What a matcher can answer instead of scores.

use heartline_plugin_abi::Status;

/// An error of a matcher.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MatcherError {
    /// The configuration is not acceptable; the text says why.
    #[error("{0}")]
    Config(String),
    /// The call failed; the text says why.
    #[error("{0}")]
    Failed(String),
    /// The caller broke the contract of the ABI; the text says how.
    #[error("the host broke the contract: {0}")]
    Argument(&'static str),
    /// The time limit would have been overrun.
    #[error("the time limit would be overrun")]
    OutOfTime,
    /// The bytes are no state of this matcher; the text says why.
    #[error("{0}")]
    State(String),
    /// The matcher panicked; the text is the panic's.
    #[error("{0}")]
    Panicked(String),
}

impl MatcherError {
    pub(crate) fn status(&self) -> Status {
        match self {
            Self::Config(_) => Status::BAD_CONFIG,
            Self::Failed(_) => Status::FAILED,
            Self::Argument(_) => Status::BAD_ARGUMENT,
            Self::OutOfTime => Status::OUT_OF_TIME,
            Self::State(_) => Status::BAD_STATE,
            Self::Panicked(_) => Status::PANICKED,
        }
    }
}
