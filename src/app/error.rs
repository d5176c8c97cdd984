//! What can go wrong on a call's road, and what can keep the program from starting.

use std::net::SocketAddr;
use std::path::PathBuf;

use heartline_plugin_host::HostError;

use super::material::OptionFault;
use super::{PoolError, TlsError};
use crate::config::ConfigErrors;
use crate::engine::EngineError;
use crate::live::record::RecordError;
use crate::live::webhooks::WebhookError;
use crate::media::MediaError;
use crate::routing::RoutingError;
use crate::routing::record::RecordsError;
use crate::webrtc::WebRtcError;

/// How long a client should wait before it tries again when the server's own limits refused it, in milliseconds.
const RETRY_AFTER_MS: u64 = 1_000;

/// An error of one analysis or one ranking.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppError {
    /// There is neither audio nor a frame nor a transcript.
    #[error("there is nothing to analyse: give audio, a frame or a transcript")]
    NothingToAnalyze,
    /// The material shows an agent.
    #[error(
        "{part} is marked as the agent's: reading the emotions of people at work from voice or face is refused \
         unless privacy.agent_biometrics_basis names a lawful basis"
    )]
    AgentBiometricsRefused {
        /// What was marked: "the audio" or "the video".
        part: &'static str,
    },
    /// The options are out of range.
    #[error("the options are not usable: {}", join(.0))]
    Options(Vec<OptionFault>),
    /// The transcript cannot be read.
    #[error("the transcript cannot be used")]
    Transcript(#[source] MediaError),
    /// The audio cannot be decoded.
    #[error("the audio cannot be used")]
    Audio(#[source] MediaError),
    /// A frame cannot be decoded.
    #[error("{frame} cannot be used")]
    Frame {
        /// Which one: "frame 3", or the path that was given.
        frame: String,
        /// Why.
        #[source]
        source: MediaError,
    },
    /// The list of agents cannot be used.
    #[error("the agents cannot be used")]
    Agents(#[source] RoutingError),
    /// What the ranking is made for is out of range.
    #[error("the ranking cannot be made")]
    RankingRequest(#[source] RoutingError),
    /// What was asked of policies or rankings that were made cannot be done.
    #[error(transparent)]
    Routing(RoutingError),
    /// The matchers cannot be asked.
    #[error("the matchers could not be asked")]
    Matchers(#[source] RoutingError),
    /// There is too much to do.
    #[error("the server is full; try again in {retry_after_ms} ms")]
    Overloaded {
        /// When to try again, in milliseconds.
        retry_after_ms: u64,
    },
    /// The deadline passed.
    #[error("the request took longer than its deadline")]
    Deadline,
    /// The engine failed.
    #[error("the models could not answer")]
    Engine(#[source] EngineError),
    /// A worker failed.
    #[error("an internal step failed")]
    Worker(#[source] PoolError),
}

impl AppError {
    /// The server's own refusal when it is full.
    #[must_use]
    pub const fn overloaded() -> Self {
        Self::Overloaded { retry_after_ms: RETRY_AFTER_MS }
    }

    /// When to try again, where that helps.
    #[must_use]
    pub const fn retry_after_ms(&self) -> Option<u64> {
        match self {
            Self::Overloaded { retry_after_ms } => Some(*retry_after_ms),
            _ => None,
        }
    }
}

impl From<PoolError> for AppError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Full => Self::overloaded(),
            error => Self::Worker(error),
        }
    }
}

impl From<EngineError> for AppError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Overloaded { retry_after_ms } => Self::Overloaded { retry_after_ms },
            EngineError::Deadline => Self::Deadline,
            error => Self::Engine(error),
        }
    }
}

impl AppError {
    /// Why a ranking was not made: the client named what is not there, or the matchers could not be asked.
    pub(super) fn of_ranking(error: RoutingError) -> Self {
        match error {
            RoutingError::UnknownPolicy(_) => Self::Routing(error),
            error => Self::Matchers(error),
        }
    }
}

fn join(faults: &[OptionFault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// What keeps the program from starting; every message says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A model cannot be loaded.
    #[error(
        "the models in {folder} cannot be loaded; run from the folder that holds them, or name it with \
         --set engine.models_folder=FOLDER",
        folder = folder.display()
    )]
    Engine {
        /// The folder of the models.
        folder: PathBuf,
        /// Why.
        #[source]
        source: Box<EngineError>,
    },
    /// A matcher's library is not there.
    #[error(
        "the matcher {file} is not in {searched}; build the matchers with `cargo build --release`, or name their \
         folder with --set plugins.folder=FOLDER"
    )]
    MatcherMissing {
        /// The library's file name.
        file: String,
        /// Where it was looked for.
        searched: String,
    },
    /// A matcher's library cannot be used.
    #[error("the matcher {path} cannot be loaded; rebuild it for this server or take it out of the policy", path = path.display())]
    Matcher {
        /// The library.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<HostError>,
    },
    /// Two matchers have one name.
    #[error("two matchers are called {0}; give one of them another id in plugins.matchers")]
    MatcherTwice(String),
    /// What matchers learn cannot be kept as configured.
    #[error("what matchers learn cannot be kept in {folder}, as plugins.state_folder says", folder = folder.display())]
    States {
        /// The folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A matcher fails when it is given what it had learned.
    #[error(
        "the matcher {id} fails with its state in {path}; start again, or move the file away to begin with nothing learned",
        path = path.display()
    )]
    State {
        /// The matcher.
        id: String,
        /// The file.
        path: PathBuf,
        /// What happened.
        #[source]
        source: Box<HostError>,
    },
    /// The policy and the loaded matchers do not fit.
    #[error("the routing policy cannot be used")]
    Routing(#[source] RoutingError),
    /// Other machines could ask, and nothing says who may.
    #[error(transparent)]
    Exposed(ConfigErrors),
    /// The certificate cannot be used.
    #[error("TLS cannot be spoken as server.tls_certificate and server.tls_key say")]
    Tls(#[source] TlsError),
    /// Rankings cannot be recorded as configured.
    #[error("rankings cannot be recorded")]
    Rankings(#[source] RecordsError),
    /// Calls cannot be recorded as configured.
    #[error("calls cannot be recorded")]
    Record(#[source] RecordError),
    /// Events cannot be sent as configured.
    #[error("webhooks cannot be sent")]
    Webhooks(#[source] WebhookError),
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}; stop the program that holds the port, or choose another with \
         --set server.bind=ADDRESS:PORT"
    )]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Browsers cannot publish.
    #[error("browsers cannot publish; choose another address with --set webrtc.bind=ADDRESS:PORT")]
    WebRtc(#[source] WebRtcError),
    /// The operating system refused something that the program needs.
    #[error("cannot {action}")]
    System {
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// The metrics cannot be set up.
    #[error("the metrics cannot be set up: {0}")]
    Telemetry(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_full_says_when_to_try_again() {
        for error in
            [AppError::from(PoolError::Full), AppError::from(EngineError::Overloaded { retry_after_ms: 5 })]
        {
            assert!(error.retry_after_ms().is_some(), "{error}");
        }
        assert_eq!(AppError::Deadline.retry_after_ms(), None);
    }

    #[test]
    fn option_faults_are_listed() {
        let faults = ["complexity", "language"]
            .map(|field| OptionFault { field, problem: "is wrong".to_owned() })
            .to_vec();
        let message = AppError::Options(faults).to_string();
        assert!(message.ends_with("complexity: is wrong; language: is wrong"), "{message}");
    }
}
