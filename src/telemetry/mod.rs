//! Logs, traces and metrics.
//!
//! Every metric is named in [`names`], with its unit and help text; the other rooms record through [`record`], so that
//! labels cannot drift apart. [`logs`] sets up what is written to standard error, `traces` what is sent to a collector.

pub mod logs;
pub mod metrics;
pub mod names;
pub mod record;
pub(crate) mod traces;

use serde::{Deserialize, Serialize};

pub use logs::{Logs, check_filter, install_logs};
pub use metrics::Metrics;
pub use traces::{TracesConfig, check_endpoint};

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for programs.
    Json,
}

/// What is logged, and how.
#[derive(Debug, Clone)]
pub struct TelemetryConfig {
    /// How a log line looks.
    pub log_format: LogFormat,
    /// Which lines are written: directives such as `info` or `heartline=debug,info`.
    pub log_filter: String,
    /// Where traces are sent; nowhere without it.
    pub traces: Option<TracesConfig>,
}

/// Whose fault a failure was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The client's: what it sent cannot be used, or it went away.
    Client,
    /// A model's: it failed or took too long.
    Model,
    /// A matcher's.
    Plugin,
    /// Nobody's: there was more work than the server takes.
    Overload,
    /// Ours.
    Internal,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Client, Self::Model, Self::Plugin, Self::Overload, Self::Internal];

    /// The name as a metric's label.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Model => "model",
            Self::Plugin => "plugin",
            Self::Overload => "overload",
            Self::Internal => "internal",
        }
    }
}

/// An error with everything that led to it, in one line.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    causes_joined(error, ": ")
}

/// An error with everything that led to it, with something between every two.
pub(crate) fn causes_joined(error: &dyn std::error::Error, separator: &str) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(separator);
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// What a panic said, where it was words.
pub(crate) fn panic_words(payload: &(dyn std::any::Any + Send)) -> Option<String> {
    let words = payload.downcast_ref::<&str>().map(ToString::to_string);
    words.or_else(|| payload.downcast_ref::<String>().cloned())
}

/// What can go wrong when telemetry is set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// The filter's directives cannot be read.
    #[error("\"{filter}\" is not a log filter: {reason}")]
    Filter {
        /// The directives.
        filter: String,
        /// What is wrong with them.
        reason: String,
    },
    /// Another library took the place of the process's recorder.
    #[error("another metrics recorder is installed already")]
    RecorderTaken,
    /// The export of traces cannot be set up.
    #[error("traces cannot be exported: {0}")]
    Traces(String),
    /// The metrics cannot be set up.
    #[error("the metrics cannot be set up: {0}")]
    Metrics(String),
}
