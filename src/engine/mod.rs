//! The models behind bounded queues, one thread a device.
//!
//! A request takes a permit for each of its rows first (none left, or no hope of an answer in time:
//! [`EngineError::Overloaded`]), then waits in its model's queue. The device's thread takes batches across all requests,
//! cut by rows, tokens, a small delay and the nearest deadline, live work before batch work and sessions in turn. A
//! deadline has its own timer: a request is answered in time even while its model hangs. A request that is given up
//! leaves the queue at once and is counted. A watchdog replaces the device's thread where a model is lost or hangs, and
//! models are loaded, swapped and unloaded while it serves. Nothing here knows of HTTP or media.

mod backlog;
mod config;
mod desk;
mod device;
mod error;
mod handle;
mod health;
mod lane;
mod lanes;
mod ledger;
mod models;
mod post;
mod queue;
mod repository;
mod terms;
mod unit;
mod view;
mod watchdog;

#[cfg(test)]
mod devices_tests;
#[cfg(test)]
mod handle_tests;
#[cfg(test)]
mod scheduling_tests;
#[cfg(test)]
mod tests;

use heartline_models::ModelError;

pub use config::EngineConfig;
pub use error::EngineError;
pub use handle::{Engine, SeenFace};
pub use health::{Health, ModelHealth, ModelInfo};
pub use ledger::{ModelStatistics, Span};
pub use models::{AnyModel, FoundVersion, LoadedModel, ModelFolders, ModelSource, newest_version};
pub use repository::{ModelState, NOT_LOADED, RepositoryEntry};
pub use terms::{Priority, Terms};
pub use view::{DeviceView, EngineView, ExecutingView, ModelView, QueueView};

/// The models of an engine, by the names of their folders.
pub const MODEL_NAMES: [&str; 4] = ["text", "voice", "detector", "face"];

/// Something that computes rows of one kind; the engine's own are the models, tests have others.
///
/// It is used from one thread only. A panic fails the rows it was given; a model that cannot compute its probe
/// afterwards is loaded anew.
pub trait Model<R, A>: Send {
    /// Computes one answer for each row, in the order of the rows.
    ///
    /// # Errors
    /// [`ModelError`]; of a batch of several requests each is then computed alone.
    fn compute(&mut self, rows: &[R]) -> Result<Vec<A>, ModelError>;

    /// A row that a healthy model can answer.
    fn probe(&self) -> R;

    /// Prepares for batches of up to so many rows, where that takes time the first time: a GPU compiles and chooses its
    /// kernels by the shape of a batch.
    ///
    /// # Errors
    /// [`ModelError`]
    fn warm_up(&mut self, _rows: usize) -> Result<(), ModelError> {
        Ok(())
    }
}
