//! The file that describes a training run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::TrainError;

/// A training run.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The layout of this file; 1.
    version: u32,
    /// The converted encoder's folder.
    pub(crate) source: PathBuf,
    /// The folder of data tables.
    pub(crate) data: PathBuf,
    /// Checkpoints, the log and the finished model go here.
    pub(crate) output: PathBuf,
    /// Decides the order of the texts and the first values of the heads.
    pub(crate) seed: u64,
    /// Blocks that keep their weights.
    pub(crate) frozen_blocks: usize,
    /// Texts a step.
    pub(crate) rows_a_step: usize,
    /// Longer texts are cut.
    pub(crate) max_tokens: usize,
    /// The highest learning rate.
    pub(crate) learning_rate: f64,
    /// The share of the run in which the learning rate rises.
    pub(crate) warmup_share: f64,
    /// AdamW's decay.
    pub(crate) weight_decay: f32,
    /// How often each text is seen.
    pub(crate) epochs: usize,
    /// The run ends after this time, its learning rate at zero, whether or not all epochs are done.
    pub(crate) budget_minutes: f64,
    /// Time between checkpoints.
    pub(crate) checkpoint_minutes: f64,
    /// The share of GoEmotions' neutral texts that is used.
    pub(crate) neutral_share: f64,
    /// The share of each data set that is used.
    pub(crate) sets: BTreeMap<String, f64>,
}

impl Settings {
    /// Reads and checks the file.
    pub(crate) fn read(path: &Path) -> Result<Self, TrainError> {
        let text = std::fs::read_to_string(path).map_err(TrainError::file(path))?;
        let settings: Self = toml::from_str(&text).map_err(|error| TrainError::data(path, error))?;
        let share = |value: f64| (0.0..=1.0).contains(&value);
        let faults = [
            (settings.version != 1, "version must be 1"),
            (settings.rows_a_step == 0, "rows_a_step must be positive"),
            (settings.max_tokens < 3, "max_tokens must be at least 3"),
            (settings.epochs == 0, "epochs must be positive"),
            (!settings.sets.values().copied().all(share), "shares of sets must lie between 0 and 1"),
            (!share(settings.neutral_share), "neutral_share must lie between 0 and 1"),
            (!share(settings.warmup_share), "warmup_share must lie between 0 and 1"),
            (settings.budget_minutes <= 0.0, "budget_minutes must be positive"),
        ];
        match faults.into_iter().find(|(wrong, _)| *wrong) {
            Some((_, reason)) => Err(TrainError::data(path, reason)),
            None => Ok(settings),
        }
    }

    /// The learning rate at a share of the run: a straight line up, then a straight line down to zero.
    pub(crate) fn learning_rate_at(&self, progress: f64) -> f64 {
        let rise = if self.warmup_share > 0.0 { progress / self.warmup_share } else { 1.0 };
        let fall = (1.0 - progress) / (1.0 - self.warmup_share).max(1e-9);
        self.learning_rate * rise.min(fall).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "version = 1\nsource = \"a\"\ndata = \"b\"\noutput = \"c\"\nseed = 1\nfrozen_blocks = 4\n\
        rows_a_step = 32\nmax_tokens = 64\nlearning_rate = 1.0\nwarmup_share = 0.1\nweight_decay = 0.01\n\
        epochs = 1\nbudget_minutes = 1.0\ncheckpoint_minutes = 1.0\nneutral_share = 0.5\nsets = { emobank = 1.0 }\n";

    #[test]
    fn the_learning_rate_rises_and_falls() {
        let settings: Settings = toml::from_str(TEXT).unwrap();
        assert!((settings.learning_rate_at(0.05) - 0.5).abs() < 1e-9);
        assert!((settings.learning_rate_at(0.1) - 1.0).abs() < 1e-9);
        assert!((settings.learning_rate_at(0.55) - 0.5).abs() < 1e-9);
        assert!(settings.learning_rate_at(1.5).abs() < 1e-9);
    }

    #[test]
    fn wrong_values_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.toml");
        for (text, wanted) in [
            (TEXT.replace("version = 1", "version = 2"), "version"),
            (TEXT.replace("emobank = 1.0", "emobank = 1.5"), "shares"),
            (format!("{TEXT}\ncolour = 1\n"), "colour"),
        ] {
            std::fs::write(&path, text).unwrap();
            assert!(Settings::read(&path).unwrap_err().to_string().contains(wanted));
        }
    }
}
