//! What can go wrong with a live call.

use crate::app::{OptionFault, PoolError};
use crate::media::MediaError;

/// An error of a live call.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LiveError {
    /// As many calls are open as the server or the key allows.
    #[error("{open} calls are open, as many as may be")]
    TooManySessions {
        /// How many.
        open: usize,
    },
    /// There is no such call, or it has ended.
    #[error("there is no such session, or it has ended")]
    NotFound,
    /// The call cannot be taken up again.
    #[error("the session cannot be resumed: the token is not its own")]
    TokenWrong,
    /// The options are out of range.
    #[error("the options are not usable: {}", joined(.0))]
    Options(Vec<OptionFault>),
    /// The track shows or lets hear an agent.
    #[error(
        "track {track} is an agent's: reading the emotions of people at work from voice or face is refused \
         unless privacy.agent_biometrics_basis names a lawful basis"
    )]
    AgentBiometricsRefused {
        /// The track's number.
        track: usize,
    },
    /// The streams cannot be changed any more.
    #[error(
        "the session's options are settled with its first media; only what may change can be updated now"
    )]
    Locked,
    /// There is no track of this number, or it carries something else.
    #[error("there is no {kind} track {track}")]
    NoTrack {
        /// The number.
        track: u8,
        /// What it should carry.
        kind: &'static str,
    },
    /// A message is larger than the limit.
    #[error("a message of {found} bytes is larger than the limit of {limit}")]
    TooLarge {
        /// Its size, in bytes.
        found: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// A text is longer than the limit.
    #[error("a text of {found} characters is longer than the limit of {limit}")]
    TextTooLong {
        /// Its length, in characters.
        found: usize,
        /// The limit, in characters.
        limit: usize,
    },
    /// Audio waited for room for too long and was skipped.
    #[error("the server does not keep up; {bytes} bytes of audio were skipped")]
    AudioSkipped {
        /// How much was skipped.
        bytes: usize,
    },
    /// A track's audio cannot be decoded at all.
    #[error("the audio of track {track} cannot be decoded")]
    Audio {
        /// The track's number.
        track: usize,
        /// Why.
        #[source]
        source: MediaError,
    },
    /// A message cannot be read.
    #[error("{0}")]
    Message(String),
    /// The workers cannot take more.
    #[error("an internal step failed")]
    Worker(#[from] PoolError),
    /// The operating system gives no random numbers.
    #[error("the operating system gives no random numbers")]
    NoRandomness,
    /// The server is ending.
    #[error("the server is stopping")]
    Stopping,
}

impl LiveError {
    /// The stable code, for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooManySessions { .. } => "too_many_sessions",
            Self::NotFound => "session_not_found",
            Self::TokenWrong => "resume_refused",
            Self::Options(_) => "options_invalid",
            Self::AgentBiometricsRefused { .. } => "agent_biometrics_refused",
            Self::Locked => "config_locked",
            Self::NoTrack { .. } => "no_such_track",
            Self::TooLarge { .. } => "message_too_large",
            Self::TextTooLong { .. } => "text_too_long",
            Self::AudioSkipped { .. } => "audio_skipped",
            Self::Audio { .. } => "audio_unreadable",
            Self::Message(_) => "message_invalid",
            Self::Worker(_) | Self::NoRandomness => "internal",
            Self::Stopping => "server_stopping",
        }
    }
}

fn joined(faults: &[OptionFault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
