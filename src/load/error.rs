//! What keeps a measurement from being made. What goes wrong with single requests is part of the measurement.

use std::path::PathBuf;

/// An error of the load generator.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The address cannot be used.
    #[error("{url} cannot be used: {reason}; write http://HOST:PORT")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Nobody answers at the address.
    #[error("{url} cannot be reached; is the server running?")]
    Unreachable {
        /// The address.
        url: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A request's path, content type or header is none.
    #[error("{part} cannot be sent: {value}")]
    Request {
        /// Which part of the request.
        part: &'static str,
        /// What was given.
        value: String,
    },
    /// A file that is to be sent cannot be read.
    #[error("cannot read {path}; check the name and the permissions", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The bodies are larger than a generator should keep in memory.
    #[error("the request bodies have {found} bytes together, more than the limit of {limit}")]
    BodiesTooLarge {
        /// Their size in bytes.
        found: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The shipped samples lack what a kind of request is made of.
    #[error("the sample has no {what}; name its folder with --set samples.folder=FOLDER")]
    NoSample {
        /// What is missing.
        what: &'static str,
    },
    /// A kind of request cannot have so many rows.
    #[error("a {kind} request has 1 to {limit} rows")]
    Rows {
        /// The kind.
        kind: &'static str,
        /// The most rows.
        limit: usize,
    },
    /// A number of the plan is out of bounds.
    #[error("{name} must be {bounds}")]
    Plan {
        /// The number's name.
        name: &'static str,
        /// Its bounds.
        bounds: &'static str,
    },
    /// A file of the sample cannot be decoded.
    #[error("cannot use {path}", path = path.display())]
    Media {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: crate::media::MediaError,
    },
    /// A synthetic call broke off.
    #[error("the call broke off: {0}")]
    Call(String),
    /// The counters cannot be made.
    #[error("the counters cannot be made")]
    Histogram(#[source] hdrhistogram::CreationError),
    /// The measurement's threads failed.
    #[error("the measurement broke off")]
    Broken(#[source] tokio::task::JoinError),
}
