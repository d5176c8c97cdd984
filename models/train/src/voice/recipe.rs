//! What a training run is made of, as written in its TOML file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use heartline_models::voice::HeadConfig;
use serde::Deserialize;

use crate::error::TrainError;

/// A training run.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recipe {
    /// The data set's folder, which has a `manifest.tsv`.
    pub(crate) data: PathBuf,
    /// The converted encoder.
    pub(crate) encoder: PathBuf,
    /// Where encoded clips are kept.
    pub(crate) cache: PathBuf,
    /// Where checkpoints and the log are kept.
    pub(crate) run: PathBuf,
    /// The model folder to write.
    pub(crate) output: PathBuf,
    /// Decides every random choice.
    pub(crate) seed: u64,
    /// How many copies of each clip are encoded, of which every third is as recorded and the others are changed.
    pub(crate) copies: u64,
    /// Passes, each of `steps` steps; the last one is kept.
    pub(crate) epochs: usize,
    /// Steps of a pass.
    pub(crate) steps: usize,
    /// Clips of a step.
    pub(crate) batch: usize,
    /// The largest learning rate; it rises for a twentieth of the run and falls along a cosine.
    pub(crate) learning_rate: f64,
    /// Decay of the weights towards 0.
    pub(crate) weight_decay: f32,
    /// The share of each target that is spread over all categories.
    pub(crate) label_smoothing: f32,
    /// The share of batches in which every clip is mixed with another.
    pub(crate) mixup_share: f64,
    /// The share of clips that are heard against some of their speaker's other clips, as a caller's later speech is.
    pub(crate) known_caller_share: f64,
    /// How many heads are trained and averaged.
    pub(crate) members: usize,
    /// The head's sizes.
    pub(crate) head: HeadConfig,
    /// How often a clip of each set is drawn, relative to the other sets.
    pub(crate) set_weights: BTreeMap<String, f64>,
}

impl Recipe {
    /// Reads and checks a file.
    pub(crate) fn read(path: &Path) -> Result<Self, TrainError> {
        let text = std::fs::read_to_string(path).map_err(TrainError::file(path))?;
        let recipe: Self = toml::from_str(&text).map_err(|error| TrainError::data(path, error))?;
        let copies = usize::try_from(recipe.copies).unwrap_or(usize::MAX);
        let counts = [copies, recipe.epochs, recipe.steps, recipe.batch, recipe.members];
        if counts.contains(&0) {
            return Err(TrainError::data(path, "copies, epochs, steps, batch and members must be above 0"));
        }
        let shares = [recipe.mixup_share, recipe.known_caller_share, f64::from(recipe.label_smoothing)];
        if shares.iter().any(|share| !(0.0..=1.0).contains(share)) {
            return Err(TrainError::data(path, "shares must be between 0 and 1"));
        }
        Ok(recipe)
    }

    /// The learning rate of a step.
    pub(crate) fn rate(&self, step: usize) -> f64 {
        let total = to_f64(self.epochs * self.steps);
        let progress = to_f64(step) / total;
        let warm = (20.0 * progress).min(1.0);
        self.learning_rate * warm * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos())
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of steps are far below 2^52")]
fn to_f64(value: usize) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_recipe_is_valid_and_its_rate_rises_and_falls() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../weights/voice/train.toml");
        let recipe = Recipe::read(&path).unwrap();
        let last = recipe.epochs * recipe.steps;
        assert!(recipe.rate(0) < recipe.rate(last / 10));
        assert!(recipe.rate(last / 10) > recipe.rate(last / 2));
        assert!(recipe.rate(last) < 1e-9);
    }

    #[test]
    fn unknown_keys_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        std::fs::write(&path, "sead = 1\n").unwrap();
        assert!(Recipe::read(&path).unwrap_err().to_string().contains("sead"));
    }
}
