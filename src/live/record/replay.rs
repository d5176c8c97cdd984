//! Plays a recording again: the same facts through the same machine, and whether it says the same.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::GzDecoder;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::super::{Event, Fact, State, StateSettings};
pub use super::file::{Cut, Header};
use super::file::{End, Line, VERSION};
use super::outline::{Fingerprint, outline};

/// The longest line, in bytes: an update may bring very many agents.
const LINE_LIMIT: u64 = 256 << 20;

/// What is wrong with a recording.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// It cannot be opened.
    #[error("cannot read {path}; check the name and the permissions", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is something else.
    #[error("this is not a recording of a live call: {0}")]
    Other(String),
    /// A newer program wrote it.
    #[error("the recording has layout {found}, and this program reads layout {VERSION}; use a newer program")]
    Newer {
        /// The layout's version.
        found: u32,
    },
    /// A line cannot be read.
    #[error("the recording is damaged at line {line}: {reason}")]
    Damaged {
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// It has no last line.
    #[error(
        "the recording is cut off after {facts} facts; it was not written to its end, or not copied whole"
    )]
    CutOff {
        /// How many facts there are.
        facts: u64,
    },
}

/// Where a replay first says something else than the recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The fact, counted from 1.
    pub fact: u64,
    /// The latest media time, in milliseconds.
    pub at_ms: u64,
    /// What was said when it was recorded, in words.
    pub recorded: Vec<String>,
    /// What is said now.
    pub replayed: Vec<String>,
}

/// What came of a replay.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// How many facts were played.
    pub facts: u64,
    /// How many events the recording has.
    pub recorded_events: u64,
    /// How many were said now.
    pub replayed_events: u64,
    /// The latest media time, in milliseconds.
    pub media_ms: u64,
    /// Where the two first differ; none where every event is the same.
    pub difference: Option<Difference>,
    /// Why the recording ends before its call, if it does.
    pub cut: Option<Cut>,
}

/// What every layout has in its first line.
#[derive(Deserialize)]
struct Layout {
    heartline_replay: u32,
}

/// A recording that was opened.
pub struct Recorded {
    lines: BufReader<GzDecoder<BufReader<File>>>,
    line: u64,
    header: Header,
}

impl Recorded {
    /// Opens a recording and reads what it says of itself.
    ///
    /// # Errors
    /// [`ReplayError`]
    pub fn open(path: &Path) -> Result<Self, ReplayError> {
        let file =
            File::open(path).map_err(|source| ReplayError::Unreadable { path: path.to_owned(), source })?;
        let mut lines = BufReader::new(GzDecoder::new(BufReader::new(file)));
        let mut line = 0;
        let first =
            read_line(&mut lines, &mut line).map_err(|error| ReplayError::Other(error.to_string()))?;
        let first = first.ok_or_else(|| ReplayError::Other("it is empty".to_owned()))?;
        let other = |error: serde_json::Error| ReplayError::Other(error.to_string());
        let layout: Layout = serde_json::from_slice(&first).map_err(other)?;
        if layout.heartline_replay > VERSION {
            return Err(ReplayError::Newer { found: layout.heartline_replay });
        }
        let header = serde_json::from_slice(&first)
            .map_err(|error| ReplayError::Damaged { line: 1, reason: error.to_string() })?;
        Ok(Self { lines, line, header })
    }

    /// What it says of itself.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Plays it. `hear` gets every fact with the events that the state says to it, as they come.
    ///
    /// # Errors
    /// [`ReplayError`]
    pub fn play(
        mut self,
        settings: &StateSettings,
        hear: &mut dyn FnMut(&Fact, &[Event]),
    ) -> Result<Outcome, ReplayError> {
        let mut player = Player {
            state: None,
            fingerprint: Fingerprint::new(self.header.records_words),
            facts: 0,
            media_ms: 0,
            difference: None,
        };
        while let Some(bytes) = self.next_line(player.facts)? {
            match parse(&bytes, self.line)? {
                Line::Options(options) => player.state = Some(State::new(*options, settings.clone())),
                Line::Took(took) => player.play(&took, self.line, hear)?,
                Line::End(end) => {
                    // Reading on to the very end is what compares the file's own checksum.
                    return match self.next_line(player.facts)? {
                        None => Ok(player.finish(&end)),
                        Some(_) => Err(ReplayError::Damaged {
                            line: self.line,
                            reason: "something follows the last line".to_owned(),
                        }),
                    };
                }
            }
        }
        Err(ReplayError::CutOff { facts: player.facts })
    }

    fn next_line(&mut self, facts: u64) -> Result<Option<Vec<u8>>, ReplayError> {
        read_line(&mut self.lines, &mut self.line).map_err(|error| match error {
            ReplayError::CutOff { .. } => ReplayError::CutOff { facts },
            error => error,
        })
    }
}

struct Player {
    state: Option<State>,
    fingerprint: Fingerprint,
    facts: u64,
    media_ms: u64,
    difference: Option<Difference>,
}

impl Player {
    fn play(
        &mut self,
        took: &super::file::Took,
        line: u64,
        hear: &mut dyn FnMut(&Fact, &[Event]),
    ) -> Result<(), ReplayError> {
        let Some(state) = &mut self.state else {
            return Err(ReplayError::Damaged { line, reason: "a fact comes before the options".to_owned() });
        };
        self.facts += 1;
        if let Fact::Clock { at_ms } = &*took.fact {
            self.media_ms = self.media_ms.max(*at_ms);
        }
        let events = state.take(&took.fact);
        events.iter().for_each(|event| self.fingerprint.add(event));
        let fingerprint = (!events.is_empty()).then(|| self.fingerprint.short());
        if fingerprint != took.fingerprint && self.difference.is_none() {
            self.difference = Some(Difference {
                fact: self.facts,
                at_ms: self.media_ms,
                recorded: took.said.clone(),
                replayed: outline(&events),
            });
        }
        hear(&took.fact, &events);
        Ok(())
    }

    fn finish(self, end: &End) -> Outcome {
        let is_same = self.fingerprint.whole() == end.sha256 && self.facts == end.facts;
        let difference = self.difference.or_else(|| {
            // Every fact agrees and the sum does not: the last line was changed.
            (!is_same).then(|| Difference {
                fact: self.facts,
                at_ms: self.media_ms,
                recorded: vec![format!("{} facts with the fingerprint {}", end.facts, end.sha256)],
                replayed: vec![format!(
                    "{} facts with the fingerprint {}",
                    self.facts,
                    self.fingerprint.whole()
                )],
            })
        });
        Outcome {
            facts: self.facts,
            recorded_events: end.events,
            replayed_events: self.fingerprint.events,
            media_ms: self.media_ms,
            difference,
            cut: end.cut,
        }
    }
}

/// The next line; none at the end.
fn read_line(lines: &mut impl BufRead, number: &mut u64) -> Result<Option<Vec<u8>>, ReplayError> {
    let mut bytes = Vec::new();
    let line = *number + 1;
    let damaged = |reason: String| ReplayError::Damaged { line, reason };
    match lines.by_ref().take(LINE_LIMIT).read_until(b'\n', &mut bytes) {
        Ok(0) => return Ok(None),
        Ok(count) if count as u64 == LINE_LIMIT => return Err(damaged("the line is too long".to_owned())),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            return Err(ReplayError::CutOff { facts: 0 });
        }
        Err(error) => return Err(damaged(error.to_string())),
    }
    *number = line;
    Ok(Some(bytes))
}

fn parse<T: DeserializeOwned>(bytes: &[u8], line: u64) -> Result<T, ReplayError> {
    serde_json::from_slice(bytes).map_err(|error| ReplayError::Damaged { line, reason: error.to_string() })
}
