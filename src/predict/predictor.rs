//! Answers chunks of rows: the engine, and what a row is to be read as.

use std::time::{Duration, Instant};

use super::{Line, PredictError, Row};
use crate::app::{StartError, paths};
use crate::config::Config;
use crate::engine::{Engine, EngineConfig};
use crate::media::MediaLimits;

/// How long one step may wait. Nobody waits at the other end, so only a model that hangs takes longer.
const PATIENCE: Duration = Duration::from_mins(10);
/// The most chunks in work at a time; a chunk is decoded by one thread while others compute.
const MOST_CHUNKS: usize = 8;
/// Texts of a chunk, for each row of the engine's batches: they are sorted by length, so more of them pad less.
const TEXTS_PER_BATCH_ROW: usize = 4;
/// Clips or pictures of a chunk at most; they are large.
const MOST_FILES: usize = 16;

/// What the rows are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Texts.
    Text {
        /// Their language as a BCP 47 tag; none: it is found for each text.
        language: Option<String>,
    },
    /// Audio files.
    Voice,
    /// Pictures.
    Face {
        /// Whether each picture is a face already, so that none has to be found.
        are_crops: bool,
    },
}

/// Predicts rows of one kind. Clones share the engine.
#[derive(Debug, Clone)]
pub struct Predictor {
    pub(super) engine: Engine,
    pub(super) media: MediaLimits,
    pub(super) task: Task,
    /// Rows that one request to the engine has.
    pub(super) step_rows: usize,
    chunks: usize,
    chunk_rows: usize,
}

impl Predictor {
    /// Loads the models of a configuration. This takes seconds and blocks.
    ///
    /// # Errors
    /// [`StartError::Engine`]
    pub fn start(mut config: Config, task: Task) -> Result<Self, StartError> {
        config.engine.models_folder = paths::find(&config.engine.models_folder);
        let engine = Engine::start(&config.engine).map_err(|source| StartError::Engine {
            folder: config.engine.models_folder.clone(),
            source: Box::new(source),
        })?;
        Ok(Self::new(engine, &config.engine, config.media, task))
    }

    /// Uses a running engine with the configuration that it was started with.
    #[must_use]
    pub fn new(engine: Engine, config: &EngineConfig, media: MediaLimits, task: Task) -> Self {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let chunks = (workers + 1).min(MOST_CHUNKS).min(config.queue_rows).max(1);
        // All chunks together never ask for more rows than the queues hold.
        let step_rows = config.max_batch_rows.min(config.queue_rows / chunks).max(1);
        let chunk_rows = match task {
            Task::Text { .. } => step_rows * TEXTS_PER_BATCH_ROW,
            Task::Voice | Task::Face { .. } => step_rows.min(MOST_FILES),
        };
        Self { engine, media, task, step_rows, chunks, chunk_rows }
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// How many chunks may be in work at a time.
    pub(super) const fn chunks(&self) -> usize {
        self.chunks
    }

    /// How many rows a chunk has.
    pub(super) const fn chunk_rows(&self) -> usize {
        self.chunk_rows
    }

    /// Answers rows, one line a row, in their order.
    ///
    /// # Errors
    /// [`PredictError::Engine`] or [`PredictError::Worker`], where the machinery fails; what is wrong with a row is
    /// its line.
    pub async fn answer(&self, rows: Vec<Row>) -> Result<Vec<Line>, PredictError> {
        match &self.task {
            Task::Text { language } => self.answer_texts(rows, language.clone()).await,
            Task::Voice => self.answer_clips(rows).await,
            Task::Face { are_crops: true } => self.answer_crops(rows).await,
            Task::Face { are_crops: false } => self.answer_pictures(rows).await,
        }
    }

    /// When a step that begins now is given up.
    pub(super) fn deadline() -> Instant {
        Instant::now() + PATIENCE
    }
}

/// Does a chunk's decoding on a thread where it holds nobody up.
pub(super) async fn on_worker<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, PredictError> {
    tokio::task::spawn_blocking(work).await.map_err(PredictError::Worker)
}
