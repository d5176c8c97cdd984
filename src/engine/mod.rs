//! The models behind bounded queues, one thread a device.
//!
//! A request takes a permit for each of its rows first (none left: [`EngineError::Overloaded`]), then waits in its
//! model's queue. The device's thread takes batches across all requests, cut by rows and by a small delay, from the
//! queue whose batch is due first. A deadline has its own timer: a request is answered in time even while its model
//! hangs. A request that is given up leaves the queue at once and is counted. Nothing here knows of HTTP or media.

mod config;
mod device;
mod error;
mod handle;
mod health;
mod lane;
mod models;

#[cfg(test)]
mod handle_tests;
#[cfg(test)]
mod tests;

use heartline_models::ModelError;

pub use config::EngineConfig;
pub use error::EngineError;
pub use handle::{Engine, SeenFace};
pub use health::{Health, ModelHealth, ModelInfo};
pub use models::{Models, newest_version};

/// The models of an engine, by the names of their folders.
pub const MODEL_NAMES: [&str; 4] = ["text", "voice", "detector", "face"];

/// Something that computes rows of one kind; the engine's own are the models, tests have others.
///
/// It is used from one thread only. A panic fails the rows it was given and nothing else, so an implementation keeps
/// no state from one call to the next that a panic could leave half-changed.
pub trait Model<R, A>: Send {
    /// Computes one answer for each row, in the order of the rows.
    ///
    /// # Errors
    /// [`ModelError`]; of a batch of several requests each is then computed alone.
    fn compute(&mut self, rows: &[R]) -> Result<Vec<A>, ModelError>;

    /// A row that a healthy model can answer.
    fn probe(&self) -> R;
}
