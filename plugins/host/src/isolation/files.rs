//! The memory that parent and child share, as the parent sees it: files that have no name as soon as the child has opened
//! them. The parent reads and writes them and maps none, so that a file cut short is an error and not a signal.

use std::fs::File;
use std::io::{Error, Result};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempPath};

use super::columns::{self, Layout};
use super::wire::Paths;
use crate::Candidates;

/// Shared files, which grow and never shrink.
#[derive(Debug)]
pub(super) struct Files {
    columns: [Columns; 2],
    answers: Growing,
    parcel: Growing,
    /// Bytes that are no answer, as many as the longest answer has.
    blank: Vec<u8>,
}

#[derive(Debug)]
struct Columns {
    file: Growing,
    snapshot: Option<u64>,
}

#[derive(Debug)]
pub(super) struct Growing {
    file: File,
    length: u64,
}

impl Growing {
    pub(super) fn new(file: File) -> Self {
        Self { file, length: 0 }
    }

    pub(super) fn reserve(&mut self, length: u64) -> Result<()> {
        if length > self.length {
            self.file.set_len(length)?;
            self.length = length;
        }
        Ok(())
    }

    pub(super) fn write(&self, bytes: &[u8], at: u64) -> Result<()> {
        self.file.write_all_at(bytes, at)
    }

    fn read(&self, length: usize, at: u64) -> Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, at)?;
        Ok(bytes)
    }
}

impl Files {
    /// Makes the files, in memory where the system has a place for that. Their names go with the second part.
    pub(super) fn create() -> Result<(Self, Paths, [TempPath; 4])> {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let make = || -> Result<(File, TempPath)> {
            let made: NamedTempFile = tempfile::Builder::new().prefix("heartline-").tempfile_in(&folder)?;
            Ok(made.into_parts())
        };
        let [ranking, lesson, answers, parcel] = [make()?, make()?, make()?, make()?];
        let names = [ranking.1, lesson.1, answers.1, parcel.1];
        let [first, second, third, fourth] = [0, 1, 2, 3].map(|index: usize| PathBuf::from(&*names[index]));
        let paths = Paths { columns: [first, second], answers: third, parcel: fourth };
        let columns = [ranking.0, lesson.0].map(|file| Columns { file: Growing::new(file), snapshot: None });
        let (answers, parcel) = (Growing::new(answers.0), Growing::new(parcel.0));
        Ok((Self { columns, answers, parcel, blank: Vec::new() }, paths, names))
    }

    /// Writes columns, unless they are the ones that were written last.
    pub(super) fn lay_out(&mut self, place: usize, candidates: &Candidates) -> Result<Option<Layout>> {
        let Columns { file, snapshot } = &mut self.columns[place];
        if *snapshot == Some(candidates.snapshot()) {
            return Ok(None);
        }
        // Whatever fails from here on leaves columns that are neither the old nor the new.
        *snapshot = None;
        let layout = columns::write(candidates, file)?;
        *snapshot = Some(candidates.snapshot());
        Ok(Some(layout))
    }

    /// Fills the place of an answer with what is none.
    pub(super) fn clear_answers(&mut self, places: &AnswerPlaces) -> Result<()> {
        if self.blank.len() < places.length {
            self.blank.resize(places.length, 0xff);
        }
        self.answers.reserve(places.length as u64)?;
        self.answers.write(&self.blank[..places.length], 0)
    }

    /// What the child left as its answer, in the order of the columns.
    pub(super) fn answers(&self, places: &AnswerPlaces) -> Result<[Vec<u8>; 4]> {
        let read = |place: usize, size| self.answers.read(places.count * size, places.starts[place] as u64);
        Ok([read(0, 4)?, read(1, 4)?, read(2, 4)?, read(3, 1)?])
    }

    pub(super) fn write_parcel(&mut self, bytes: &[u8]) -> Result<()> {
        self.parcel.reserve(bytes.len() as u64)?;
        self.parcel.write(bytes, 0)
    }

    pub(super) fn read_parcel(&self, length: usize, limit: usize) -> Result<Vec<u8>> {
        if length > limit {
            return Err(Error::other(format!("{length} bytes are more than {limit}")));
        }
        self.parcel.read(length, 0)
    }
}

/// Where the columns of an answer are.
#[derive(Debug, Clone, Copy)]
pub(super) struct AnswerPlaces {
    pub(super) count: usize,
    /// Scores, confidences, reason codes, marks.
    pub(super) starts: [usize; 4],
    pub(super) length: usize,
}

impl AnswerPlaces {
    pub(super) fn new(count: usize) -> Self {
        let column = (count * 4).next_multiple_of(columns::ALIGNMENT);
        Self { count, starts: [0, column, 2 * column, 3 * column], length: 3 * column + count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cleared_answer_is_none() {
        let (mut files, _, _) = Files::create().unwrap();
        let places = AnswerPlaces::new(3);
        files.clear_answers(&places).unwrap();
        let [scores, _, codes, marks] = files.answers(&places).unwrap();
        assert!(f32::from_le_bytes(scores[..4].try_into().unwrap()).is_nan());
        assert_eq!((codes.len(), marks), (12, vec![255; 3]));
        assert!(files.answers(&AnswerPlaces::new(100)).is_err(), "no answer is that long");
    }

    #[test]
    fn a_parcel_is_limited() {
        let (mut files, _, _) = Files::create().unwrap();
        files.write_parcel(b"abc").unwrap();
        assert_eq!(files.read_parcel(2, 3).unwrap(), b"ab");
        assert!(files.read_parcel(4, 3).is_err());
        assert!(files.read_parcel(4, 9).is_err());
    }
}
