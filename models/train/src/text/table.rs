//! Reads the data tables: gzip, UTF-8, a header line, tabs, no quoting.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

use crate::error::TrainError;

/// A table in memory.
#[derive(Debug)]
pub(crate) struct Table {
    path: PathBuf,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Reads `SET.SPLIT.tsv.gz` in a folder.
    pub(crate) fn open(folder: &Path, set: &str, split: &str) -> Result<Self, TrainError> {
        Self::read(&folder.join(format!("{set}.{split}.tsv.gz")))
    }

    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self, TrainError> {
        let file = std::fs::File::open(path).map_err(TrainError::file(path))?;
        let mut lines = BufReader::new(GzDecoder::new(file)).lines();
        let split = |line: String| line.split('\t').map(ToOwned::to_owned).collect::<Vec<_>>();
        let header = match lines.next() {
            Some(line) => split(line.map_err(TrainError::file(path))?),
            None => return Err(TrainError::data(path, "it is empty")),
        };
        let mut rows = Vec::new();
        for line in lines {
            let row = split(line.map_err(TrainError::file(path))?);
            if row.len() != header.len() {
                let reason = format!("row {} has {} fields, not {}", rows.len(), row.len(), header.len());
                return Err(TrainError::data(path, reason));
            }
            rows.push(row);
        }
        Ok(Self { path: path.to_owned(), header, rows })
    }

    /// The position of a column; none where the table has no such column.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }

    /// The position of a column that must be there.
    pub(crate) fn column(&self, name: &str) -> Result<usize, TrainError> {
        self.find(name).ok_or_else(|| TrainError::data(&self.path, format!("it has no column {name}")))
    }

    /// The rows.
    pub(crate) fn rows(&self) -> &[Vec<String>] {
        &self.rows
    }

    /// An error about this table.
    pub(crate) fn wrong(&self, reason: &str) -> TrainError {
        TrainError::data(&self.path, reason)
    }
}
