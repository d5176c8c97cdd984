//! Collects what was left out of an analysis, and why.

use super::analysis::{Note, NoteCode};
use crate::emotion::Modality;

/// The notes of one analysis, in the order of the road.
#[derive(Debug, Default)]
pub(super) struct Notes(Vec<Note>);

impl Notes {
    /// Adds a note about the call as a whole.
    pub(super) fn add(&mut self, code: NoteCode, message: impl Into<String>) {
        self.0.push(Note { code, modality: None, message: message.into() });
    }

    /// Adds a note about one modality.
    pub(super) fn about(&mut self, modality: Modality, code: NoteCode, message: impl Into<String>) {
        self.0.push(Note { code, modality: Some(modality), message: message.into() });
    }

    /// Adds notes that were made elsewhere.
    pub(super) fn extend(&mut self, notes: Vec<Note>) {
        self.0.extend(notes);
    }

    /// The notes.
    pub(super) fn into_vec(self) -> Vec<Note> {
        self.0
    }
}
