//! Reads a folder of records.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::file::{Line, RankingRecord, VERSION};
use super::store::{Content, LINES_SUFFIX, Store};
use crate::hexadecimal::hexadecimal;
use crate::routing::{Agent, Roster, RoutingError};

/// The longest line, in bytes: a policy may list very many values, and a ranking very many agents.
const LINE_LIMIT: u64 = 64 << 20;

/// What is wrong with records.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// A file or folder cannot be read.
    #[error("cannot read {path}; check the name and the permissions", path = path.display())]
    Unreadable {
        /// It.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A line is not what this program writes.
    #[error("{path}, line {line}: {reason}", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A ranking is not in the folder.
    #[error("there is no ranking {0} in the folder; it may have been removed to make room")]
    NoRanking(String),
    /// The agents of a ranking are not in the folder.
    #[error("the agents of the ranking are not in the folder; they may have been removed to make room")]
    NoRoster(#[source] io::Error),
    /// What a matcher had learned is not in the folder.
    #[error(
        "what matcher \"{matcher}\" had learned is not in the folder; it may have been removed to make room"
    )]
    NoState {
        /// The matcher.
        matcher: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Content is not what its name says.
    #[error("the {what} {sha256} are not what their name says: the file was changed")]
    Changed {
        /// `agents` or `lessons`.
        what: &'static str,
        /// The hash that it should have.
        sha256: String,
    },
    /// The agents cannot be ranked.
    #[error("the agents of the ranking cannot be used")]
    Roster(#[source] RoutingError),
}

/// A folder of records, or one file of it.
#[derive(Debug, Clone)]
pub struct Archive {
    store: Store,
    files: Vec<PathBuf>,
}

/// What a line's layout is told by, before anything else of it is believed.
#[derive(Deserialize)]
struct Layout {
    ranking: Option<LayoutVersion>,
}

#[derive(Deserialize)]
struct LayoutVersion {
    version: u32,
}

impl Archive {
    /// Opens a folder with all its rankings.
    ///
    /// # Errors
    /// [`ArchiveError::Unreadable`]
    pub fn folder(folder: &Path) -> Result<Self, ArchiveError> {
        let store = Store::at(folder);
        let files = store
            .lines_files()
            .map_err(|source| ArchiveError::Unreadable { path: folder.to_path_buf(), source })?;
        Ok(Self { store, files })
    }

    /// Opens one file of rankings; the agents are looked for beside it.
    #[must_use]
    pub fn file(path: &Path) -> Self {
        let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        Self { store: Store::at(folder.unwrap_or(Path::new("."))), files: vec![path.to_path_buf()] }
    }

    /// Whether a path looks like a file of rankings.
    #[must_use]
    pub fn is_file_name(path: &Path) -> bool {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.ends_with(LINES_SUFFIX))
    }

    /// Goes through all rankings, the oldest first, until `take` says that it has seen enough.
    ///
    /// # Errors
    /// [`ArchiveError::Unreadable`] or [`ArchiveError::Damaged`]; a last line that was not written to its end is left out.
    pub fn each(&self, take: &mut dyn FnMut(RankingRecord) -> bool) -> Result<(), ArchiveError> {
        for path in &self.files {
            if !each_of(path, take)? {
                break;
            }
        }
        Ok(())
    }

    /// One ranking.
    ///
    /// # Errors
    /// [`ArchiveError::NoRanking`], or those of [`Self::each`].
    pub fn find(&self, id: &str) -> Result<RankingRecord, ArchiveError> {
        let mut found = None;
        self.each(&mut |record| {
            if record.id == id {
                found = Some(record);
            }
            found.is_none()
        })?;
        found.ok_or_else(|| ArchiveError::NoRanking(id.to_owned()))
    }

    /// The agents of a ranking.
    ///
    /// # Errors
    /// [`ArchiveError::NoRoster`], [`ArchiveError::Changed`] or [`ArchiveError::Roster`].
    pub fn roster(&self, record: &RankingRecord) -> Result<Arc<Roster>, ArchiveError> {
        let sha256 = &record.roster.sha256;
        let bytes = self.store.get(Content::Roster, sha256).map_err(ArchiveError::NoRoster)?;
        check("agents", sha256, &bytes)?;
        let agents: Vec<Agent> = serde_json::from_slice(&bytes)
            .map_err(|error| ArchiveError::Roster(RoutingError::Unreadable(error.to_string())))?;
        Roster::new(agents).map_err(ArchiveError::Roster)
    }

    /// What a matcher had learned.
    ///
    /// # Errors
    /// [`ArchiveError::NoState`] or [`ArchiveError::Changed`].
    pub fn state(&self, matcher: &str, sha256: &str) -> Result<Vec<u8>, ArchiveError> {
        let bytes = self
            .store
            .get(Content::State, sha256)
            .map_err(|source| ArchiveError::NoState { matcher: matcher.to_owned(), source })?;
        check("lessons", sha256, &bytes)?;
        Ok(bytes)
    }
}

fn check(what: &'static str, sha256: &str, bytes: &[u8]) -> Result<(), ArchiveError> {
    let is_same = hexadecimal(&Sha256::digest(bytes)) == sha256;
    is_same.then_some(()).ok_or_else(|| ArchiveError::Changed { what, sha256: sha256.to_owned() })
}

/// Goes through one file; false where `take` has seen enough.
fn each_of(path: &Path, take: &mut dyn FnMut(RankingRecord) -> bool) -> Result<bool, ArchiveError> {
    let unreadable = |source| ArchiveError::Unreadable { path: path.to_path_buf(), source };
    let mut lines = BufReader::new(File::open(path).map_err(unreadable)?);
    for number in 1.. {
        let mut bytes = Vec::new();
        let length = lines.by_ref().take(LINE_LIMIT).read_until(b'\n', &mut bytes).map_err(unreadable)?;
        if length == 0 {
            break;
        }
        let damaged =
            |reason: String| ArchiveError::Damaged { path: path.to_path_buf(), line: number, reason };
        if bytes.last() != Some(&b'\n') {
            if length as u64 == LINE_LIMIT {
                return Err(damaged("the line is too long".to_owned()));
            }
            // The server ended in the middle of it, or is writing it now.
            break;
        }
        let layout: Layout =
            serde_json::from_slice(&bytes).map_err(|error| damaged(format!("not a record: {error}")))?;
        if let Some(LayoutVersion { version }) = layout.ranking
            && version > VERSION
        {
            return Err(damaged(format!("a newer program wrote it, in layout {version}")));
        }
        match serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))? {
            Line::Ranking(record) => {
                if !take(*record) {
                    return Ok(false);
                }
            }
            Line::Outcome(_) => {}
        }
    }
    Ok(true)
}
