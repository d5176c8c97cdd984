//! What can go wrong on the command line, and the exit code of each.

use std::path::PathBuf;

use heartline_plugin_host::HostError;

use crate::app::{AppError, StartError};
use crate::config::ConfigErrors;
use crate::live::record::replay::ReplayError;
use crate::load::LoadError;
use crate::media::MediaError;
use crate::predict::PredictError;
use crate::routing::record::archive::ArchiveError;
use crate::telemetry::{TelemetryError, causes_joined};

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Success,
    /// Failed.
    Failure,
    /// The arguments or the configuration are wrong.
    Usage,
    /// Something that is needed is not there: weights, a matcher, a port.
    Unavailable,
}

impl Exit {
    /// The code for the operating system; 64 and 69 are those of sysexits.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::Usage => 64,
            Self::Unavailable => 69,
        }
    }
}

/// An error of a command.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CliError {
    /// The arguments do not make sense together.
    #[error("{0}")]
    Usage(String),
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// The log cannot be set up as configured.
    #[error("the log cannot be set up")]
    Telemetry(#[from] TelemetryError),
    /// The program cannot start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A matcher's own process failed.
    #[error("the matcher's process failed")]
    MatcherProcess(#[source] HostError),
    /// The analysis failed.
    #[error(transparent)]
    App(#[from] AppError),
    /// The prediction failed.
    #[error(transparent)]
    Predict(#[from] PredictError),
    /// The measurement cannot be made.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The server under load answered no request well.
    #[error("no request was answered well{}", example(.0.as_deref()))]
    NothingAnswered(Option<String>),
    /// A file cannot be read.
    #[error("cannot read {path}; check the name and the permissions", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file cannot be used.
    #[error("cannot use {path}", path = path.display())]
    Material {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: MediaError,
    },
    /// The sample call is not there.
    #[error(
        "the sample call is not in {folder}; run from the folder that holds it, or name it with \
         --set samples.folder=FOLDER",
        folder = folder.display()
    )]
    NoSample {
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// A recording cannot be played.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// Recorded rankings cannot be read.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A replay came out otherwise than its recording.
    #[error("{0}")]
    ReplayDiffers(String),
    /// The operating system has no random numbers.
    #[error("a key cannot be made: the operating system gives no random numbers")]
    NoRandomness,
    /// Some of what a list shows is not usable.
    #[error("{0}")]
    Unusable(String),
    /// A matcher does not conform.
    #[error("{0}")]
    DoesNotConform(String),
    /// The runtime cannot be started.
    #[error("the threads cannot be started")]
    Runtime(#[source] std::io::Error),
    /// The answer cannot be printed.
    #[error("the answer cannot be printed")]
    Output(#[from] std::io::Error),
    /// The answer is not JSON.
    #[error("the answer cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

impl CliError {
    /// The exit code's kind.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Usage(_)
            | Self::Config(_)
            | Self::Start(StartError::Exposed(_))
            | Self::Telemetry(TelemetryError::Filter { .. })
            | Self::Load(
                LoadError::Url { .. }
                | LoadError::Plan { .. }
                | LoadError::Rows { .. }
                | LoadError::Request { .. }
                | LoadError::BodiesTooLarge { .. },
            )
            | Self::Predict(PredictError::OutputExists { .. } | PredictError::OutputUnusable { .. }) => {
                Exit::Usage
            }
            Self::Start(_)
            | Self::Predict(PredictError::Start(_))
            | Self::Load(LoadError::Unreachable { .. } | LoadError::NoSample { .. })
            | Self::NoSample { .. }
            | Self::Replay(_)
            | Self::Archive(_)
            | Self::Unusable(_) => Exit::Unavailable,
            _ => Exit::Failure,
        }
    }

    /// The error with everything that led to it, one cause a line.
    #[must_use]
    pub fn describe(&self) -> String {
        causes_joined(self, "\n  because ")
    }
}

fn example(words: Option<&str>) -> String {
    words.map(|words| format!("; the first failure was {words}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_follow_line_by_line() {
        let source = std::io::Error::new(std::io::ErrorKind::NotFound, "no such file");
        let error = CliError::Unreadable { path: PathBuf::from("a.wav"), source };
        assert_eq!(error.describe().lines().count(), 2);
        assert_eq!(error.exit().code(), 1);
    }

    #[test]
    fn what_is_not_there_is_told_from_what_is_wrong() {
        assert_eq!(CliError::Usage(String::new()).exit().code(), 64);
        assert_eq!(CliError::NoSample { folder: PathBuf::new() }.exit().code(), 69);
        assert_eq!(CliError::App(AppError::NothingToAnalyze).exit().code(), 1);
    }
}
