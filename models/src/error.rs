//! What can go wrong with a model, named by what failed.

use std::path::PathBuf;

/// An error of a model, its files or its device.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A file of the model cannot be read.
    #[error("cannot read {path}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The manifest is not valid.
    #[error("{path} is not a valid manifest: {reason}", path = path.display())]
    Manifest {
        /// The manifest's file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file's content is not what the manifest promises.
    #[error("{path} has sha256 {found}, but its manifest says {expected}", path = path.display())]
    Checksum {
        /// The file.
        path: PathBuf,
        /// The manifest's checksum.
        expected: String,
        /// The file's checksum.
        found: String,
    },
    /// The weights file is damaged or of another kind.
    #[error("the weights are not readable: {0}")]
    Weights(String),
    /// A tensor that the network needs is not in the file.
    #[error("the weights have no tensor {0}")]
    MissingTensor(String),
    /// A tensor is there with another shape.
    #[error("tensor {name} has shape {found:?}, but the network needs {expected:?}")]
    Shape {
        /// The tensor's name.
        name: String,
        /// The network's shape.
        expected: Vec<usize>,
        /// The file's shape.
        found: Vec<usize>,
    },
    /// The tokenizer cannot be built or refuses a text.
    #[error("the tokenizer failed: {0}")]
    Tokenizer(String),
    /// The caller's input is outside of what the model takes.
    #[error("the input is not usable: {0}")]
    Input(String),
    /// The device that was asked for is not there.
    #[error("device {asked} is not available: {reason}")]
    Device {
        /// What was asked for.
        asked: String,
        /// Why it is not there, and what to do.
        reason: String,
    },
    /// A GPU has failed in a way that ends its use by this program; only a new start can help.
    #[error("the device is lost to this program: {0}")]
    DeviceLost(String),
    /// The backend answered with something that is not a number or not of the promised shape.
    #[error("the computation failed: {0}")]
    Computation(String),
}
