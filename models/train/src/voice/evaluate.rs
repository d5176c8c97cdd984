//! `evaluate voice`: the figures of a finished model folder on speakers it was not trained on, and on sounds that are
//! no speech.

use std::path::PathBuf;

use clap::Args;
use heartline_models::voice::{VoiceModel, VoicePrediction};
use heartline_models::{CATEGORY_COUNT, Category, Device, DeviceChoice};
use indicatif::ProgressBar;
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use super::augment::Condition;
use super::clips::{Clip, decode, read_split, windows};
use super::features::style;
use super::unfamiliar;
use crate::error::TrainError;
use crate::metrics::Confusion;
use crate::report::{Answer, AnswerSet, KindSet, Report, Trust};

/// Clips that are decoded and predicted together.
const CHUNK: usize = 32;

/// Decides the noise, which is the same in every evaluation.
const NOISE_SEED: u64 = 1;

/// The languages of the collections that are known by name.
const LANGUAGES: [(&str, &str); 5] =
    [("ravdess", "en"), ("tess", "en"), ("emodb", "de"), ("nemo", "pl"), ("urdu", "ur")];

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
    /// Write `figures.json` and pictures into this folder.
    #[arg(long)]
    report: Option<PathBuf>,
}

/// Runs the command.
#[expect(clippy::print_stdout, reason = "the figures are the command's answer")]
pub(crate) fn evaluate(arguments: &EvaluateArguments) -> Result<(), TrainError> {
    let model = VoiceModel::load(&arguments.model, &Device::open(arguments.device)?)?;
    let clips = read_split(&arguments.data, &arguments.split)?;
    let mut report = Report::new("voice", &arguments.split, &Category::ALL.map(Category::name));
    for condition in Condition::EVALUATED {
        let sets = judge(&model, &clips, condition)?;
        let all = AnswerSet::pooled("all sets", None, sets.iter());
        report.add_details(&format!("## {}\n", condition.name()));
        for set in &sets {
            let figures = set.confusion(&Category::ALL.map(Category::name));
            report.add_details(&format!("### {}\n\n{}", set.name, figures.report()));
        }
        report.compare(&heading(condition), &all);
        report.add(&all);
        if condition == Condition::Clean {
            let name = "speech of the split".to_owned();
            report.add_kind(KindSet::of(&AnswerSet { name, ..all }));
            sets.into_iter().for_each(|set| report.add_pictured(set));
        } else {
            sets.iter().for_each(|set| report.add(set));
        }
    }
    for kind in unfamiliar::kinds(&model, &clips)? {
        report.add_kind(kind);
    }
    println!("{}", report.markdown());
    arguments.report.as_ref().map_or(Ok(()), |folder| report.write(folder))
}

fn heading(condition: Condition) -> String {
    match condition {
        Condition::Clean => "as recorded".to_owned(),
        Condition::Noise => "white noise, 15 dB".to_owned(),
        Condition::PinkNoise => "pink noise, 15 dB".to_owned(),
        other => other.name(),
    }
}

/// A confusion matrix over the categories.
pub(super) fn confusion() -> Confusion {
    Confusion::new(&Category::ALL.map(Category::name))
}

/// The position of the largest value.
pub(super) fn largest(values: &[f32]) -> usize {
    (0..values.len()).max_by(|left, right| values[*left].total_cmp(&values[*right])).unwrap_or(0)
}

/// The answers on the clips of each collection, in the order of the collections' names.
fn judge(model: &VoiceModel, clips: &[Clip], condition: Condition) -> Result<Vec<AnswerSet>, TrainError> {
    let bar = ProgressBar::new(u64::try_from(clips.len()).unwrap_or(u64::MAX));
    bar.set_style(style());
    bar.set_message(condition.name());
    let mut sets: Vec<AnswerSet> = Vec::new();
    for (chunk_index, chunk) in clips.chunks(CHUNK).enumerate() {
        let numbered: Vec<(usize, &Clip)> = (chunk_index * CHUNK..).zip(chunk).collect();
        let sounds: Vec<Vec<f32>> = numbered
            .par_iter()
            .map(|(index, clip)| {
                Ok(condition.apply(&decode(&clip.path)?, u64::try_from(*index).unwrap_or(0), NOISE_SEED))
            })
            .collect::<Result<_, TrainError>>()?;
        for (clip, heard) in chunk.iter().zip(hear(model, &sounds)?) {
            let truth = clip.category.index();
            let answer = Answer::among(truth, &average(&heard), |_| true, Trust::of_voice(&heard));
            match sets.iter_mut().find(|set| set.name == clip.set) {
                Some(set) => set.answers.push(answer),
                None => sets.push(AnswerSet {
                    name: clip.set.clone(),
                    language: language(&clip.set),
                    condition: condition.name(),
                    answers: vec![answer],
                }),
            }
        }
        bar.inc(u64::try_from(chunk.len()).unwrap_or(0));
    }
    bar.finish_and_clear();
    sets.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(sets)
}

fn language(set: &str) -> Option<&'static str> {
    LANGUAGES.iter().find(|(name, _)| *name == set).map(|(_, tag)| *tag)
}

/// What the model says of each sound, window by window.
pub(super) fn hear(model: &VoiceModel, sounds: &[Vec<f32>]) -> Result<Vec<Vec<VoicePrediction>>, TrainError> {
    let cut: Vec<Vec<&[f32]>> = sounds.iter().map(|sound| windows(sound)).collect();
    let flat: Vec<Vec<f32>> = cut.iter().flatten().map(|window| window.to_vec()).collect();
    let mut predictions = model.predict(&flat)?.into_iter();
    Ok(cut.iter().map(|parts| predictions.by_ref().take(parts.len()).collect()).collect())
}

/// The mean probabilities of a clip's windows.
pub(super) fn average(windows: &[VoicePrediction]) -> [f32; CATEGORY_COUNT] {
    let mut sum = [0.0_f32; CATEGORY_COUNT];
    for window in windows {
        sum.iter_mut().zip(window.categories).for_each(|(sum, value)| *sum += value);
    }
    let count: f32 = sum.iter().sum();
    if count > 0.0 { sum.map(|value| value / count) } else { sum }
}
