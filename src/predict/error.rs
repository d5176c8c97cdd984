//! What ends a prediction as a whole. What is wrong with one row is a line of the output instead.

use std::path::PathBuf;

use crate::app::StartError;
use crate::engine::EngineError;

/// An error of a whole run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PredictError {
    /// The input cannot be read.
    #[error("cannot read {path}", path = path.display())]
    Input {
        /// The input.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The input is not a table of the right kind.
    #[error("{path} cannot be used as input: {reason}", path = path.display())]
    Manifest {
        /// The input.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The output is there already.
    #[error("{path} is there already; name another file, or give --force to replace it", path = path.display())]
    OutputExists {
        /// The output.
        path: PathBuf,
    },
    /// The output cannot be what was named.
    #[error("{path} cannot be the output: {reason}", path = path.display())]
    OutputUnusable {
        /// The output.
        path: PathBuf,
        /// Why not.
        reason: &'static str,
    },
    /// The output cannot be written.
    #[error("cannot write {path}", path = path.display())]
    Output {
        /// The output, or the file that is to become it.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The models cannot be loaded.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The engine ended while rows were waiting for it.
    #[error("the models stopped answering")]
    Engine(#[source] EngineError),
    /// A worker failed.
    #[error("an internal step failed")]
    Worker(#[source] tokio::task::JoinError),
    /// Every row of the input is an error.
    #[error("none of the {rows} rows could be predicted; {output} says why of each", output = output.display())]
    NothingPredicted {
        /// How many rows there were.
        rows: u64,
        /// The output.
        output: PathBuf,
    },
}
