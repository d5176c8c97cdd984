//! The settings of a training run, read from TOML.

use std::path::{Path, PathBuf};

use heartline_models::face::{CROP_SIDE, FaceConfig, LABELS};
use serde::Deserialize;

use crate::error::TrainError;

/// Flatter pictures hold little but noise; those of FER-2013 nearly all deviate more.
const LEAST_DEVIATION: f32 = 0.03;

/// A training run.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The folder with the pictures and the votes.
    pub(crate) data: PathBuf,
    /// Where checkpoints are kept.
    pub(crate) checkpoints: PathBuf,
    /// The model folder that is rewritten after every epoch.
    pub(crate) output: PathBuf,
    /// What every random choice follows from.
    pub(crate) seed: u64,
    /// How many times every picture is seen.
    pub(crate) epochs: usize,
    /// Where the machine is shared: the minutes after which the run must be over. The schedule then follows the
    /// clock where that is ahead of the epochs, so that the learning rate still runs down to nothing in time.
    #[serde(default)]
    pub(crate) minutes: Option<f64>,
    /// Pictures a step.
    pub(crate) batch: usize,
    /// The largest learning rate.
    pub(crate) learning_rate: f64,
    /// The share of the run in which the learning rate climbs.
    #[serde(default = "default_warm_up")]
    pub(crate) warm_up: f64,
    /// The decay of weights a step, times the learning rate.
    pub(crate) weight_decay: f32,
    /// How much of the smoothed weights each step keeps.
    #[serde(default = "default_average")]
    pub(crate) average: f64,
    /// The side of the pictures from a share of the run on: small pictures first save most of the computing.
    pub(crate) sides: Vec<(f64, usize)>,
    /// The channels after the stem.
    pub(crate) stem: usize,
    /// The residual blocks' channels, stage by stage.
    pub(crate) stages: Vec<Vec<usize>>,
}

fn default_warm_up() -> f64 {
    0.05
}

fn default_average() -> f64 {
    0.998
}

impl Settings {
    /// Reads and checks a file.
    pub(crate) fn read(path: &Path) -> Result<Self, TrainError> {
        let text = std::fs::read_to_string(path).map_err(TrainError::file(path))?;
        let settings: Self = toml::from_str(&text).map_err(|error| TrainError::data(path, error))?;
        let fault = if settings.batch < 2 || settings.epochs == 0 {
            Some("batch must be at least 2 and epochs at least 1")
        } else if !(settings.learning_rate > 0.0 && settings.learning_rate.is_finite()) {
            Some("learning_rate must be positive")
        } else if !(0.0..1.0).contains(&settings.warm_up) || !(0.0..1.0).contains(&settings.average) {
            Some("warm_up and average must be from 0 to below 1")
        } else if settings.sides.iter().any(|(_, side)| !(16..=96).contains(side)) {
            Some("sides must be 16 to 96")
        } else if settings.minutes.is_some_and(|minutes| minutes.is_nan() || minutes <= 0.0) {
            Some("minutes must be positive")
        } else {
            None
        };
        if let Some(fault) = fault {
            return Err(TrainError::data(path, fault));
        }
        settings.face_config().check()?;
        Ok(settings)
    }

    /// The network's configuration before calibration.
    pub(crate) fn face_config(&self) -> FaceConfig {
        FaceConfig {
            side: CROP_SIDE,
            labels: LABELS.map(ToOwned::to_owned).to_vec(),
            stem: self.stem,
            stages: self.stages.clone(),
            least_deviation: LEAST_DEVIATION,
            temperature: 1.0,
        }
    }

    /// The side of the pictures at a share of the run.
    pub(crate) fn side(&self, progress: f64) -> usize {
        let begun = self.sides.iter().filter(|(from, _)| *from <= progress);
        begun.max_by(|left, right| left.0.total_cmp(&right.0)).map_or(CROP_SIDE, |(_, side)| *side)
    }

    /// The learning rate at a share of the run: a line up, then half a cosine down to nothing.
    pub(crate) fn rate(&self, progress: f64) -> f64 {
        if progress < self.warm_up {
            return self.learning_rate * (progress / self.warm_up).max(0.02);
        }
        let down = ((progress - self.warm_up) / (1.0 - self.warm_up)).min(1.0);
        self.learning_rate * 0.5 * (1.0 + (std::f64::consts::PI * down).cos())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
data = "data"
checkpoints = "checkpoints"
output = "output"
seed = 1
epochs = 2
batch = 8
learning_rate = 0.1
weight_decay = 5e-4
sides = [[0.0, 32], [0.5, 48]]
stem = 4
stages = [[4], [8]]
"#;

    fn read(text: &str) -> Result<Settings, TrainError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.toml");
        std::fs::write(&path, text).unwrap();
        Settings::read(&path)
    }

    #[test]
    fn the_schedule_climbs_falls_and_ends_at_nothing() {
        let settings = read(TEXT).unwrap();
        assert!(settings.rate(0.0) < settings.rate(0.04));
        assert!((settings.rate(0.05) - 0.1).abs() < 1e-9);
        assert!(settings.rate(0.5) > settings.rate(0.9));
        assert!(settings.rate(1.0).abs() < 1e-12 && settings.rate(1.5).abs() < 1e-12);
        assert_eq!([0.0, 0.49, 0.5, 2.0].map(|progress| settings.side(progress)), [32, 32, 48, 48]);
    }

    #[test]
    fn faults_name_the_setting() {
        for (from, to, named) in [
            ("batch = 8", "batch = 1", "batch"),
            ("seed = 1", "sed = 1", "sed"),
            ("[0.5, 48]", "[0.5, 480]", "sides"),
            ("learning_rate = 0.1", "learning_rate = 0.0", "learning_rate"),
            ("stages = [[4], [8]]", "stages = []", "stages"),
        ] {
            let error = read(&TEXT.replace(from, to)).unwrap_err();
            assert!(error.to_string().contains(named), "{error}");
        }
    }
}
