//! `evaluate voice`: the figures of a finished model folder on speakers it was not trained on.

use std::path::PathBuf;

use clap::Args;
use heartline_models::voice::VoiceModel;
use heartline_models::{Category, Device, DeviceChoice};
use indicatif::ProgressBar;
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use super::augment::Condition;
use super::clips::{Clip, decode, read_split, windows};
use super::features::style;
use crate::error::TrainError;
use crate::metrics::Confusion;

/// Clips that are decoded and predicted together.
const CHUNK: usize = 32;

/// Decides the noise, which is the same in every evaluation.
const NOISE_SEED: u64 = 1;

/// Arguments of `evaluate voice`.
#[derive(Debug, Args)]
pub(crate) struct EvaluateArguments {
    /// The model folder.
    #[arg(long)]
    model: PathBuf,
    /// The data set's folder, which has a `manifest.tsv`.
    #[arg(long)]
    data: PathBuf,
    /// The split to evaluate on.
    #[arg(long, default_value = "valid")]
    split: String,
    /// The device to compute on.
    #[arg(long, default_value = "auto")]
    device: DeviceChoice,
}

/// Runs the command.
#[expect(clippy::print_stdout, reason = "the figures are the command's answer")]
pub(crate) fn evaluate(arguments: &EvaluateArguments) -> Result<(), TrainError> {
    let model = VoiceModel::load(&arguments.model, &Device::open(arguments.device)?)?;
    let clips = read_split(&arguments.data, &arguments.split)?;
    let mut sets: Vec<&str> = clips.iter().map(|clip| clip.set.as_str()).collect();
    sets.sort_unstable();
    sets.dedup();
    for condition in Condition::MEASURED {
        let predicted = predict(&model, &clips, condition)?;
        println!(
            "\n## {}\n\n| set | unweighted average recall | accuracy | clips |\n|---|---|---|---|",
            condition.name()
        );
        let mut all = confusion();
        let mut reports = Vec::new();
        for set in &sets {
            let mut figures = confusion();
            for (clip, predicted) in clips.iter().zip(&predicted).filter(|(clip, _)| clip.set == *set) {
                figures.add(clip.category.index(), *predicted);
                all.add(clip.category.index(), *predicted);
            }
            let count = clips.iter().filter(|clip| clip.set == *set).count();
            println!("| {set} | {:.3} | {:.3} | {count} |", figures.average_recall(), figures.accuracy());
            reports.push((*set, figures));
        }
        println!("| all | {:.3} | {:.3} | {} |", all.average_recall(), all.accuracy(), clips.len());
        for (set, figures) in reports {
            println!("\n### {set}\n\n{}", figures.report());
        }
    }
    Ok(())
}

/// A confusion matrix over the categories.
pub(super) fn confusion() -> Confusion {
    Confusion::new(&Category::ALL.map(Category::name))
}

/// The position of the largest value.
pub(super) fn largest(values: &[f32]) -> usize {
    (0..values.len()).max_by(|left, right| values[*left].total_cmp(&values[*right])).unwrap_or(0)
}

/// The likeliest category of each clip: the windows of a long clip are averaged.
fn predict(model: &VoiceModel, clips: &[Clip], condition: Condition) -> Result<Vec<usize>, TrainError> {
    let bar = ProgressBar::new(u64::try_from(clips.len()).unwrap_or(u64::MAX));
    bar.set_style(style());
    bar.set_message(condition.name());
    let mut predicted = Vec::new();
    for (chunk_index, chunk) in clips.chunks(CHUNK).enumerate() {
        let numbered: Vec<(usize, &Clip)> = (chunk_index * CHUNK..).zip(chunk).collect();
        let sounds: Vec<Vec<f32>> = numbered
            .par_iter()
            .map(|(index, clip)| {
                Ok(condition.apply(&decode(&clip.path)?, u64::try_from(*index).unwrap_or(0), NOISE_SEED))
            })
            .collect::<Result<_, TrainError>>()?;
        let cut: Vec<Vec<&[f32]>> = sounds.iter().map(|sound| windows(sound)).collect();
        let flat: Vec<Vec<f32>> = cut.iter().flatten().map(|window| window.to_vec()).collect();
        let mut predictions = model.predict(&flat)?.into_iter();
        for parts in &cut {
            let mut sum = [0.0_f32; heartline_models::CATEGORY_COUNT];
            for prediction in predictions.by_ref().take(parts.len()) {
                sum.iter_mut().zip(prediction.categories).for_each(|(sum, value)| *sum += value);
            }
            predicted.push(largest(&sum));
        }
        bar.inc(u64::try_from(chunk.len()).unwrap_or(0));
    }
    bar.finish_and_clear();
    Ok(predicted)
}
