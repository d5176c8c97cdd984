//! `heartline-train calibrate`: from data, when a finished model should rather not answer.
//!
//! The features of texts, clips or faces that the model knows give the main axes of what is familiar. Inputs that it
//! did not learn from then set the limits, each for a stated reason:
//! - `least_familiarity` is 0.5, which one usable input in a hundred does not reach;
//! - `least_quality` is half of what all but one usable input in a hundred reach: the data of a training set is tidier
//!   than what comes in, and a short text or a dark picture is still better answered with a low weight than not;
//! - `least_confidence` is the share of the most frequent category: an answer less sure than that says less than
//!   always naming that category would.
//!
//! The temperature is no part of this: training fits it together with the weights.

mod axes;
mod face;
mod text;
mod voice;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use heartline_models::{
    CATEGORY_COUNT, FAMILIARITY_FILE, Familiarity, ModelFolder, TrustLimits, WeightsWriter,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::TrainError;

/// One input in this many may fall below the limit of familiarity, and below twice that of quality.
const ONE_IN: usize = 100;
/// What the limit of quality is of the worst quality that is usual.
const QUALITY_SHARE: f32 = 0.5;
/// The familiarity that [`Familiarity::farthest`] stands for.
const LEAST_FAMILIARITY: f32 = 0.5;

/// What is calibrated.
#[derive(Debug, Subcommand)]
pub(crate) enum Calibrate {
    /// The text model.
    Text(Arguments),
    /// The voice model.
    Voice(Arguments),
    /// The face model.
    Face(Arguments),
}

/// Arguments of `calibrate`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The model's folder; its manifest is rewritten
    #[arg(long)]
    model: PathBuf,
    /// The folder with the model's data
    #[arg(long)]
    data: PathBuf,
}

/// What a model made of an input that it did not learn from.
struct Checked {
    features: Vec<f32>,
    quality: f32,
    /// The right category, where there is one.
    truth: Option<usize>,
}

/// Runs the command.
#[expect(clippy::print_stdout, reason = "the limits are the command's answer")]
pub(crate) fn calibrate(what: &Calibrate) -> Result<(), TrainError> {
    let limits = match what {
        Calibrate::Text(arguments) => text::calibrate(arguments)?,
        Calibrate::Voice(arguments) => voice::calibrate(arguments)?,
        Calibrate::Face(arguments) => face::calibrate(arguments)?,
    };
    println!("{limits:?}");
    Ok(())
}

/// Finds axes and limits and writes them into the model's folder.
fn write<C: Serialize + DeserializeOwned>(
    folder: &Path,
    learned: &[Vec<f32>],
    checked: &[Checked],
) -> Result<TrustLimits, TrainError> {
    let mut familiarity = axes::find(learned)?;
    let mut distances: Vec<f32> = checked.iter().map(|input| familiarity.distance(&input.features)).collect();
    let mut qualities: Vec<f32> = checked.iter().map(|input| input.quality).collect();
    distances.sort_by(|left, right| right.total_cmp(left));
    qualities.sort_by(f32::total_cmp);
    let rank = checked.len() / ONE_IN;
    let (Some(farthest), Some(least_quality)) = (distances.get(rank), qualities.get(rank)) else {
        return Err(TrainError::Disagreement("there is nothing to calibrate on".to_owned()));
    };
    familiarity.farthest = *farthest;
    let limits = TrustLimits {
        least_quality: least_quality * QUALITY_SHARE,
        least_familiarity: LEAST_FAMILIARITY,
        least_confidence: commonest(checked),
    };
    store::<C>(folder, &familiarity, limits)?;
    Ok(limits)
}

fn store<C: Serialize + DeserializeOwned>(
    folder: &Path,
    familiarity: &Familiarity,
    limits: TrustLimits,
) -> Result<(), TrainError> {
    let mut manifest = ModelFolder::<C>::open(folder)?.manifest;
    let mut writer = WeightsWriter::default();
    familiarity.store(&mut writer);
    writer.write(&folder.join(FAMILIARITY_FILE))?;
    manifest.trust = limits;
    let mut files: Vec<String> = manifest.files.keys().cloned().collect();
    if !files.iter().any(|file| file == FAMILIARITY_FILE) {
        files.push(FAMILIARITY_FILE.to_owned());
    }
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    Ok(manifest.write(folder, &files)?)
}

/// The share of the most frequent category.
fn commonest(checked: &[Checked]) -> f32 {
    let mut counts = [0.0_f32; CATEGORY_COUNT];
    for truth in checked.iter().filter_map(|input| input.truth) {
        counts[truth] += 1.0;
    }
    let largest = counts.iter().copied().fold(0.0, f32::max);
    largest / counts.iter().sum::<f32>().max(1.0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use heartline_models::{Manifest, Trust, WEIGHTS_FILE};

    use super::*;

    #[test]
    fn the_limits_are_found_and_stored() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(WEIGHTS_FILE), b"weights").unwrap();
        let mut manifest = Manifest {
            format: 1,
            name: "text".to_owned(),
            version: 1,
            licence: String::new(),
            source: String::new(),
            config: 7_u32,
            trust: TrustLimits::default(),
            files: BTreeMap::new(),
        };
        manifest.write(folder.path(), &[WEIGHTS_FILE]).unwrap();
        let input = |index: u16| vec![f32::from(index % 20), f32::from(index % 7), 1.0];
        let learned: Vec<Vec<f32>> = (0..400).map(input).collect();
        let checked: Vec<Checked> = (0..200)
            .map(|index| Checked {
                features: input(index),
                quality: f32::from(index) / 200.0,
                truth: (index % 4 != 3).then_some(usize::from(index % 4 == 0)),
            })
            .collect();
        let limits = write::<u32>(folder.path(), &learned, &checked).unwrap();
        assert!((limits.least_quality - 0.005).abs() < 1e-6);
        assert!((limits.least_confidence - 2.0 / 3.0).abs() < 1e-6);
        let opened = ModelFolder::<u32>::open(folder.path()).unwrap();
        assert_eq!(opened.manifest.trust, limits);
        let trust = Trust::open(&opened, 3).unwrap();
        let unfamiliar = checked.iter().filter(|input| trust.familiarity(&input.features) < 0.499).count();
        assert!(unfamiliar <= 2, "{unfamiliar}");
        assert!(trust.familiarity(&[90.0, 3.0, 40.0]) < 0.01);
    }
}
