//! `[routing.records]`: how much is kept of rankings, and where.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// How much is kept of rankings, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RecordsConfig {
    /// The folder that rankings are written to; without it none are.
    pub folder: Option<PathBuf>,
    /// The most bytes of the folder; beyond it the oldest files go first.
    pub max_bytes: u64,
    /// How long a file is kept, in hours.
    pub max_age_hours: u64,
    /// Rankings that may wait for the disk; one more is not written.
    pub max_waiting: usize,
    /// Rankings that are remembered, for outcomes and for whoever asks for one again.
    pub memory_rankings: usize,
    /// About how much memory they and their agents may take, in bytes.
    pub memory_bytes: u64,
}

impl Default for RecordsConfig {
    fn default() -> Self {
        Self {
            folder: None,
            max_bytes: 1 << 30,
            max_age_hours: 720,
            max_waiting: 1_024,
            memory_rankings: 1_000,
            memory_bytes: 64 << 20,
        }
    }
}

impl RecordsConfig {
    /// What is wrong with these values, as pairs of key and problem.
    #[must_use]
    pub fn validate(&self) -> Vec<(String, String)> {
        let checks = [
            ("max_bytes", self.max_bytes, 1 << 20, 1 << 44),
            ("max_age_hours", self.max_age_hours, 1, 87_600),
            ("max_waiting", self.max_waiting as u64, 1, 100_000),
            ("memory_rankings", self.memory_rankings as u64, 1, 1_000_000),
            ("memory_bytes", self.memory_bytes, 1 << 20, 1 << 36),
        ];
        let mut faults: Vec<(String, String)> = checks
            .into_iter()
            .filter(|(_, value, lowest, highest)| !(lowest..=highest).contains(&value))
            .map(|(key, value, lowest, highest)| {
                (key.to_owned(), format!("{value} is not within {lowest} to {highest}"))
            })
            .collect();
        if self.folder.as_ref().is_some_and(|folder| folder.as_os_str().is_empty()) {
            faults.push(("folder".to_owned(), "the path is empty".to_owned()));
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_by_default_and_bounds_hold() {
        let config = RecordsConfig::default();
        assert!(config.folder.is_none() && config.validate().is_empty());
        let config = RecordsConfig { folder: Some(PathBuf::new()), max_waiting: 0, max_bytes: 1, ..config };
        let keys: Vec<_> = config.validate().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["max_bytes", "max_waiting", "folder"]);
    }
}
