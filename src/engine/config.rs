//! How the engine is to run; its bounds are checked where configurations are read.

use std::path::PathBuf;
use std::time::Duration;

use heartline_models::{DeviceChoice, PrecisionChoice};

/// How the engine is to run.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// Where the models compute.
    pub device: DeviceChoice,
    /// In which floating-point format they compute there.
    pub precision: PrecisionChoice,
    /// Where kernels that were compiled for a GPU are kept; none for the user's folder of caches.
    pub kernels_folder: Option<PathBuf>,
    /// The folder with one folder a model.
    pub models_folder: PathBuf,
    /// How many rows (texts, clips, frames, faces) may wait or compute, for each model.
    pub queue_rows: usize,
    /// The most rows of one execution.
    pub max_batch_rows: usize,
    /// The most tokens of one execution of the text model.
    pub max_batch_tokens: u64,
    /// How long the first row of a batch waits for others.
    pub batch_delay: Duration,
    /// How long one step of a request may wait, where the request sets nothing tighter.
    pub deadline: Duration,
    /// The most faces read in one frame, the largest first.
    pub max_faces_per_frame: usize,
    /// How long one execution may take before the device counts as stalled and its thread is replaced.
    pub stall: Duration,
    /// Whether each model computes once before the engine is handed out.
    pub warm_up: bool,
}
