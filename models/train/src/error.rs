//! What can go wrong while converting, training or evaluating.

use std::path::{Path, PathBuf};

use heartline_models::ModelError;

/// An error of the training program.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TrainError {
    #[error("cannot use {path}", path = path.display())]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{path} is not as expected: {reason}", path = path.display())]
    Data { path: PathBuf, reason: String },
    #[error("the checkpoint is not usable: {0}")]
    Checkpoint(String),
    #[error("{0}")]
    Arguments(String),
    #[error("two sides differ: {0}")]
    Disagreement(String),
    #[error("cannot draw {0}")]
    Picture(String),
    #[error(transparent)]
    Model(#[from] ModelError),
}

impl TrainError {
    /// For use with `map_err` on file operations.
    pub(crate) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::File { path: path.to_owned(), source }
    }

    /// For a file whose content is wrong.
    #[expect(clippy::needless_pass_by_value, reason = "callers hand over errors and texts as they come")]
    pub(crate) fn data(path: &Path, reason: impl ToString) -> Self {
        Self::Data { path: path.to_owned(), reason: reason.to_string() }
    }
}

/// An error with all its sources, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}
