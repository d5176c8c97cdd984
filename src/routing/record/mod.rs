//! What is kept of rankings: in memory, so that outcomes find their way back to the matchers and a ranking can be
//! looked at again; and on disk, where a folder is named, so that it can be made again with the same answer or another
//! policy's.
//!
//! `kept` is what is remembered, `ring` bounds it in memory, `file` is the layout on disk, `store` the folder, `writer`
//! the thread that fills it. [`archive`] reads a folder, [`replay`] ranks again, `outcome` takes outcomes in. No media
//! and none of the customer's words are ever kept.

pub mod archive;
mod config;
pub mod file;
mod kept;
mod outcome;
pub mod replay;
mod ring;
mod store;
mod weights;
mod writer;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

pub use config::RecordsConfig;
pub(super) use kept::Kept;
pub use kept::{KeptEntry, KeptMatcher, KeptRanking};
pub use outcome::{Lesson, OutcomeReport, ReportedOutcome};
use ring::{Entry, Ring};
pub use writer::RecordsError;
use writer::Writer;

/// What is kept of the rankings of a server. Clones are handles to the same.
#[derive(Clone)]
pub struct Records {
    ring: Arc<Mutex<Ring>>,
    writer: Option<Writer>,
}

impl Records {
    /// Begins to keep rankings; a thread writes them where the configuration names a folder.
    ///
    /// # Errors
    /// [`RecordsError`] where the folder cannot be written to.
    pub fn start(config: &RecordsConfig) -> Result<Self, RecordsError> {
        let writer = config.folder.as_deref().map(|folder| Writer::start(folder, config)).transpose()?;
        let ring = Ring::new(config.memory_rankings, config.memory_bytes as usize);
        Ok(Self { ring: Arc::new(Mutex::new(ring)), writer })
    }

    /// Whether rankings are written to disk.
    #[must_use]
    pub const fn is_on_disk(&self) -> bool {
        self.writer.is_some()
    }

    /// What is remembered of a ranking.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<KeptRanking> {
        self.entry(id).map(|entry| KeptRanking::of(&entry))
    }

    /// Waits until everything that was kept so far is on disk. This blocks.
    pub fn settle(&self) {
        if let Some(writer) = &self.writer {
            writer.settle();
        }
    }

    pub(super) fn keep(&self, kept: Kept) {
        let entry = Arc::new(Entry::new(kept));
        self.ring().push(Arc::clone(&entry));
        if let Some(writer) = &self.writer {
            writer.ranking(&entry);
        }
    }

    fn entry(&self, id: &str) -> Option<Arc<Entry>> {
        self.ring().find(id)
    }

    fn ring(&self) -> std::sync::MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An identifier that no other ranking has; later ones sort after earlier ones.
pub(super) fn new_id() -> String {
    Uuid::now_v7().to_string()
}
