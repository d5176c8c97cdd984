//! What the engine's front door is to offer.

use std::time::Instant;

use heartline_models::RgbImage;
use heartline_models::detector::FaceBox;

use crate::engine::{Engine, EngineError};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Priority {
    #[default]
    Live,
    Batch,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Terms {
    pub(super) deadline: Option<Instant>,
    pub(super) priority: Priority,
    pub(super) session: Option<u64>,
}

impl From<Terms> for Option<Instant> {
    fn from(terms: Terms) -> Self {
        let _ = (terms.priority == Priority::Batch, terms.session);
        terms.deadline
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ModelState {
    Ready,
}

impl ModelState {
    pub(super) const fn code(self) -> &'static str {
        "READY"
    }
}

pub(super) struct RepositoryEntry {
    pub(super) name: String,
    pub(super) version: u32,
    pub(super) state: ModelState,
    pub(super) reason: String,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Span {
    pub(super) count: u64,
    pub(super) ns: u64,
}

#[derive(Debug, Clone, Default)]
pub(super) struct ModelStatistics {
    pub(super) name: &'static str,
    pub(super) version: u32,
    pub(super) rows: u64,
    pub(super) executions: u64,
    pub(super) last_unix_ms: u64,
    pub(super) success: Span,
    pub(super) failure: Span,
    pub(super) queue: Span,
    pub(super) compute: Span,
    pub(super) batches: Vec<(usize, Span)>,
}

pub(super) trait FrontDoor {
    fn repository(&self) -> Vec<RepositoryEntry>;
    async fn load_model(&self, name: &str, version: Option<u32>) -> Result<u32, EngineError>;
    async fn unload_model(&self, name: &str) -> Result<(), EngineError>;
    fn statistics(&self) -> Vec<ModelStatistics>;
    async fn detect_faces(
        &self,
        frames: Vec<RgbImage>,
        terms: Terms,
    ) -> Result<Vec<Vec<FaceBox>>, EngineError>;
}

impl FrontDoor for Engine {
    fn repository(&self) -> Vec<RepositoryEntry> {
        let entry = |model: &crate::engine::ModelInfo| RepositoryEntry {
            name: model.name.clone(),
            version: model.version,
            state: ModelState::Ready,
            reason: String::new(),
        };
        self.models().iter().map(entry).collect()
    }

    async fn load_model(&self, name: &str, _: Option<u32>) -> Result<u32, EngineError> {
        let known = self.models().iter().find(|model| model.name == name);
        known.map(|model| model.version).ok_or(EngineError::Stopped)
    }

    async fn unload_model(&self, _: &str) -> Result<(), EngineError> {
        Err(EngineError::Stopped)
    }

    fn statistics(&self) -> Vec<ModelStatistics> {
        Vec::new()
    }

    async fn detect_faces(
        &self,
        frames: Vec<RgbImage>,
        terms: Terms,
    ) -> Result<Vec<Vec<FaceBox>>, EngineError> {
        let seen = self.analyze_frames(frames, terms.into()).await?;
        Ok(seen.into_iter().map(|faces| faces.into_iter().map(|seen| seen.face).collect()).collect())
    }
}
