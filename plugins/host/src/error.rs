//! What can go wrong with a matcher, named by what failed.

use std::path::PathBuf;
use std::time::Duration;

use heartline_plugin_abi::{ABI_MAJOR, ABI_MINOR};

use crate::AnswerFault;

/// An error of finding, opening, checking, initialising, creating or using a matcher.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// Find: there is no file of that name.
    #[error("there is no matcher library at {path}", path = path.display())]
    NotFound {
        /// The path as given.
        path: PathBuf,
    },
    /// Find: the path cannot be followed, or what it leads to is not a file.
    #[error("cannot read the matcher library {path}", path = path.display())]
    Unreadable {
        /// The path as given.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Find: the library cannot be copied to where it is opened from.
    #[error("cannot copy the matcher library {path} to {folder}", path = path.display(), folder = folder.display())]
    Staging {
        /// The path as given.
        path: PathBuf,
        /// Where copies are made.
        folder: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Find: the library is not on the list of those that may be loaded.
    #[error("the matcher library {path} is not allowed: add its sha256 {fingerprint} to the list", path = path.display())]
    NotAllowed {
        /// The path as given.
        path: PathBuf,
        /// The SHA-256 of the file, in hexadecimal digits.
        fingerprint: String,
    },
    /// Open: the file is no library for this machine, or some of its symbols cannot be resolved.
    #[error("cannot open {path} as a shared library", path = path.display())]
    Open {
        /// The library.
        path: PathBuf,
        /// Why.
        #[source]
        source: libloading::Error,
    },
    /// Open: the library exports no entry, so it is no matcher.
    #[error("{path} is not a matcher: it exports no {symbol}", path = path.display())]
    MissingSymbol {
        /// The library.
        path: PathBuf,
        /// The symbol that was looked for.
        symbol: &'static str,
        /// What the loader said.
        #[source]
        source: libloading::Error,
    },
    /// Check: the matcher was built against a version of the ABI that this host does not serve.
    #[error(
        "{path} was built for matcher ABI {major}.{minor}, this host serves {ABI_MAJOR}.0 to {ABI_MAJOR}.{ABI_MINOR}",
        path = path.display()
    )]
    IncompatibleAbi {
        /// The library.
        path: PathBuf,
        /// The major version it was built against.
        major: u32,
        /// The minor version it was built against.
        minor: u32,
    },
    /// Check: the entry is not shaped as the ABI says.
    #[error("the entry of {path} is not valid: {reason}", path = path.display())]
    InvalidEntry {
        /// The library.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Check: a required function is null.
    #[error("the entry of {path} has no function {function}", path = path.display())]
    MissingFunction {
        /// The library.
        path: PathBuf,
        /// The function that is missing.
        function: &'static str,
    },
    /// Check: what the matcher says of itself is not acceptable.
    #[error("the {field} in the descriptor of {path} is not valid: {reason}", path = path.display())]
    InvalidDescriptor {
        /// The library.
        path: PathBuf,
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Init: the matcher could not prepare itself.
    #[error("the matcher {id} could not be initialised (status {status})")]
    Init {
        /// The matcher.
        id: String,
        /// The status it returned.
        status: i32,
    },
    /// Init: the schema of the configuration is none.
    #[error("the config schema of the matcher {id} is not valid: {reason}")]
    InvalidSchema {
        /// The matcher.
        id: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Create: the configuration breaks the matcher's schema.
    #[error("the configuration of the matcher {id} breaks its schema: {reason}")]
    ConfigInvalid {
        /// The matcher.
        id: String,
        /// Every fault with its place.
        reason: String,
    },
    /// Create: the configuration is longer than a matcher may be given.
    #[error("the configuration of the matcher {id} has {found} bytes, at most {limit} are allowed")]
    ConfigTooLarge {
        /// The matcher.
        id: String,
        /// The most bytes.
        limit: usize,
        /// The bytes there were.
        found: usize,
    },
    /// Create: the configuration is not a JSON object.
    #[error("the configuration of the matcher {id} is not a JSON object")]
    ConfigNotJson {
        /// The matcher.
        id: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// Create: the matcher does not accept its configuration.
    #[error("the matcher {id} refuses its configuration: {reason}")]
    ConfigRefused {
        /// The matcher.
        id: String,
        /// The matcher's own words.
        reason: String,
    },
    /// Create: the matcher could not be made, for other reasons.
    #[error("the matcher {id} could not be created (status {status}): {reason}")]
    Create {
        /// The matcher.
        id: String,
        /// The status it returned.
        status: i32,
        /// The matcher's own words.
        reason: String,
    },
    /// Create: the matcher was not ready in time.
    #[error("the matcher was not ready within {limit:?}")]
    StartOverrun {
        /// How long it may take.
        limit: Duration,
    },
    /// Create: the system has no thread for the matcher.
    #[error("cannot start a thread for the matcher")]
    Thread {
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Create: the matcher's own process cannot be started or spoken to.
    #[error("cannot run the matcher in a process of its own: {reason}")]
    Process {
        /// What was being done.
        reason: String,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// Create: the matcher's own process could not load it.
    #[error("the process of the matcher {path} could not load it: {reason}", path = path.display())]
    Refused {
        /// The library.
        path: PathBuf,
        /// The process's own words.
        reason: String,
    },
    /// Replace: the library is of another matcher.
    #[error("the library is of the matcher {found}, it cannot take the place of {expected}")]
    DifferentMatcher {
        /// The matcher that was to be replaced.
        expected: String,
        /// The matcher that was found.
        found: String,
    },
    /// Replace: this process has mapped too many libraries of the matcher, none of which can be unmapped.
    #[error("{limit} libraries of the matcher {id} were loaded into this process, another needs a restart")]
    TooManyGenerations {
        /// The matcher.
        id: String,
        /// The most libraries.
        limit: usize,
    },
    /// Use: the answer did not come in time.
    #[error("the matcher {id} did not answer within {limit:?}")]
    Overrun {
        /// The matcher.
        id: String,
        /// How long the caller waited.
        limit: Duration,
    },
    /// Use: the call's turn did not come, because the matcher has other calls or is stuck in one.
    #[error("the matcher {id} is busy")]
    Busy {
        /// The matcher.
        id: String,
    },
    /// Use: the matcher failed too often and is left alone.
    #[error("the matcher {id} is in quarantine for another {retry_in:?}")]
    Quarantined {
        /// The matcher.
        id: String,
        /// For how long; zero while one call tries whether it is well again.
        retry_in: Duration,
    },
    /// Use: the matcher's own process ended.
    #[error("the process of the matcher {id} ended: {reason}")]
    Crashed {
        /// The matcher.
        id: String,
        /// How it ended.
        reason: String,
    },
    /// Use: the matcher's own process says what makes no sense.
    #[error("the process of the matcher {id} does not keep to the protocol: {reason}")]
    Protocol {
        /// The matcher.
        id: String,
        /// What it did.
        reason: String,
    },
    /// Use: there are more candidates than one call may have.
    #[error("{found} candidates are more than the {limit} that one call may have")]
    TooManyCandidates {
        /// The most candidates.
        limit: usize,
        /// The candidates there were.
        found: usize,
    },
    /// Use: a candidate has a value that no matcher may be given.
    #[error("candidate {index} is not valid: {reason}")]
    InvalidCandidate {
        /// The candidate's place in the order of pushing, from 0.
        index: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// Use: the request has a value that no matcher may be given.
    #[error("the request's {field} is not valid: {reason}")]
    InvalidRequest {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Use: the matcher reports a failure.
    #[error("the matcher {id} failed (status {status}): {reason}")]
    Score {
        /// The matcher.
        id: String,
        /// The status it returned.
        status: i32,
        /// The matcher's own words.
        reason: String,
    },
    /// Use: the matcher panicked, now or in an earlier call; this instance is of no more use.
    #[error("the matcher {id} panicked: {reason}")]
    Panicked {
        /// The matcher.
        id: String,
        /// The matcher's own words.
        reason: String,
    },
    /// Use: the matcher stopped because its time limit would have been overrun.
    #[error("the matcher {id} ran out of time")]
    OutOfTime {
        /// The matcher.
        id: String,
    },
    /// Use: a state cannot be saved or loaded.
    #[error("the state of the matcher {id} cannot be used: {reason}")]
    State {
        /// The matcher.
        id: String,
        /// Why.
        reason: String,
    },
    /// Use: the answer breaks the contract, and none of it was used.
    #[error("the matcher {id} gave an invalid answer")]
    InvalidAnswer {
        /// The matcher.
        id: String,
        /// What is wrong with it.
        #[source]
        fault: AnswerFault,
    },
}

impl HostError {
    /// Whether the matcher or its own process is to blame, so that a caller may quarantine it, rather than whoever called
    /// it.
    #[must_use]
    pub fn is_matcher_fault(&self) -> bool {
        !matches!(
            self,
            Self::NotFound { .. }
                | Self::Unreadable { .. }
                | Self::Staging { .. }
                | Self::NotAllowed { .. }
                | Self::Thread { .. }
                | Self::DifferentMatcher { .. }
                | Self::TooManyGenerations { .. }
                | Self::ConfigTooLarge { .. }
                | Self::ConfigNotJson { .. }
                | Self::ConfigRefused { .. }
                | Self::ConfigInvalid { .. }
                | Self::TooManyCandidates { .. }
                | Self::InvalidCandidate { .. }
                | Self::InvalidRequest { .. }
        )
    }

    /// Whether the instance is of no more use after it.
    pub(crate) fn ends_instance(&self) -> bool {
        matches!(
            self,
            Self::Panicked { .. }
                | Self::Crashed { .. }
                | Self::Overrun { .. }
                | Self::Protocol { .. }
                | Self::Process { .. }
        )
    }
}
