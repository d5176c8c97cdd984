//! `evaluate voice`: the figures of a finished model folder on speakers it was not trained on, and on sounds that are
//! no speech.

use std::path::PathBuf;

use clap::Args;
use heartline_models::voice::{CallerBaseline, VoiceClip, VoiceModel, VoicePrediction};
use heartline_models::{CATEGORY_COUNT, Category};
use indicatif::ProgressBar;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use super::augment::Condition;
use super::clips::{Clip, decode, read_split, windows};
use super::features::style;
use super::unfamiliar;
use crate::device::DeviceArguments;
use crate::error::TrainError;
use crate::metrics::Confusion;
use crate::report::{Answer, AnswerSet, KindSet, Report, Trust};

/// Clips that are decoded and predicted together.
const CHUNK: usize = 32;

/// Decides the noise, which is the same in every evaluation.
const NOISE_SEED: u64 = 1;

/// How many earlier windows of a known caller were heard, at most, and the name of that condition.
const EARLIER_WINDOWS: usize = 8;
const KNOWN_CALLER: &str = "caller known by 8 windows";

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
    #[command(flatten)]
    device: DeviceArguments,
    /// Write `figures.json` and pictures into this folder.
    #[arg(long)]
    report: Option<PathBuf>,
}

/// Runs the command.
#[expect(clippy::print_stdout, reason = "the figures are the command's answer")]
pub(crate) fn evaluate(arguments: &EvaluateArguments) -> Result<(), TrainError> {
    let model = VoiceModel::load(&arguments.model, &arguments.device.open()?)?;
    let clips = read_split(&arguments.data, &arguments.split)?;
    let mut report = Report::new("voice", &arguments.split, &Category::ALL.map(Category::name));
    let strangers = vec![CallerBaseline::default(); clips.len()];
    for condition in Condition::EVALUATED {
        let Heard { sets, first_windows } = judge(&model, &clips, condition, &strangers)?;
        add(&mut report, condition, &heading(condition), &sets);
        if condition == Condition::Clean {
            let name = "speech of the split".to_owned();
            report.add_kind(KindSet::of(&AnswerSet { name, ..AnswerSet::pooled("", None, sets.iter()) }));
            sets.into_iter().for_each(|set| report.add_pictured(set));
            let callers = pasts(&clips, &first_windows);
            let mut known = judge(&model, &clips, condition, &callers)?.sets;
            known.iter_mut().for_each(|set| set.condition = KNOWN_CALLER.to_owned());
            add(&mut report, condition, KNOWN_CALLER, &known);
        }
    }
    for kind in unfamiliar::kinds(&model, &clips)? {
        report.add_kind(kind);
    }
    println!("{}", report.markdown());
    arguments.report.as_ref().map_or(Ok(()), |folder| report.write(folder))
}

/// Adds the figures of the collections under a condition, apart and as one; those of clean clips by strangers are
/// added with their pictures.
fn add(report: &mut Report, condition: Condition, heading: &str, sets: &[AnswerSet]) {
    let all = AnswerSet::pooled("all sets", None, sets.iter());
    report.add(&all);
    report.compare(heading, condition == Condition::Clean, &all);
    report.add_details(&format!("## {heading}\n"));
    for set in sets {
        let figures = set.confusion(&Category::ALL.map(Category::name));
        report.add_details(&format!("### {}\n\n{}", set.name, figures.report()));
        if set.condition != AnswerSet::CLEAN {
            report.add(set);
        }
    }
}

/// What each clip's speaker usually sounds like, by other clips of the same speaker, of any emotion.
fn pasts(clips: &[Clip], first_windows: &[VoicePrediction]) -> Vec<CallerBaseline> {
    let past = |(index, clip): (usize, &Clip)| {
        let others: Vec<usize> = (0..clips.len())
            .filter(|other| *other != index && clips[*other].speaker == clip.speaker)
            .collect();
        let mut random = StdRng::seed_from_u64(NOISE_SEED.wrapping_add(index as u64));
        let mut baseline = CallerBaseline::default();
        for _ in 0..EARLIER_WINDOWS.min(others.len()) {
            baseline.add(&first_windows[others[random.random_range(0..others.len())]]);
        }
        baseline
    };
    clips.iter().enumerate().map(past).collect()
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
pub(crate) fn largest(values: &[f32]) -> usize {
    (0..values.len()).max_by(|left, right| values[*left].total_cmp(&values[*right])).unwrap_or(0)
}

/// What was made of all clips.
struct Heard {
    /// The answers by collection, in the order of the collections' names.
    sets: Vec<AnswerSet>,
    /// What was said of the first window of each clip.
    first_windows: Vec<VoicePrediction>,
}

/// Judges clips under a condition, each against what is known of its speaker.
fn judge(
    model: &VoiceModel,
    clips: &[Clip],
    condition: Condition,
    callers: &[CallerBaseline],
) -> Result<Heard, TrainError> {
    let bar = ProgressBar::new(u64::try_from(clips.len()).unwrap_or(u64::MAX));
    bar.set_style(style());
    bar.set_message(condition.name());
    let mut heard = Heard { sets: Vec::new(), first_windows: Vec::new() };
    let numbered: Vec<(usize, &Clip)> = clips.iter().enumerate().collect();
    for chunk in numbered.chunks(CHUNK) {
        let sounds: Vec<VoiceClip> = chunk
            .par_iter()
            .map(|(index, clip)| {
                let samples = condition.apply(&decode(&clip.path)?, *index as u64, NOISE_SEED);
                Ok(VoiceClip { samples, baseline: callers[*index].clone() })
            })
            .collect::<Result<_, TrainError>>()?;
        for ((_, clip), windows) in chunk.iter().zip(hear(model, &sounds)?) {
            heard.add(clip, condition, &windows);
            heard.first_windows.extend(windows.into_iter().next());
        }
        bar.inc(u64::try_from(chunk.len()).unwrap_or(0));
    }
    bar.finish_and_clear();
    heard.sets.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(heard)
}

impl Heard {
    fn add(&mut self, clip: &Clip, condition: Condition, windows: &[VoicePrediction]) {
        let truth = clip.category.index();
        let answer = Answer::among(truth, &average(windows), |_| true, Trust::of_voice(windows));
        match self.sets.iter_mut().find(|set| set.name == clip.set) {
            Some(set) => set.answers.push(answer),
            None => self.sets.push(AnswerSet {
                name: clip.set.clone(),
                language: language(&clip.set),
                condition: condition.name(),
                answers: vec![answer],
            }),
        }
    }
}

fn language(set: &str) -> Option<&'static str> {
    LANGUAGES.iter().find(|(name, _)| *name == set).map(|(_, tag)| *tag)
}

/// What the model says of each sound, window by window.
pub(crate) fn hear(
    model: &VoiceModel,
    sounds: &[VoiceClip],
) -> Result<Vec<Vec<VoicePrediction>>, TrainError> {
    let mut counts = Vec::with_capacity(sounds.len());
    let mut flat = Vec::new();
    for sound in sounds {
        let parts = windows(&sound.samples);
        counts.push(parts.len());
        flat.extend(
            parts.iter().map(|part| VoiceClip { samples: part.to_vec(), baseline: sound.baseline.clone() }),
        );
    }
    let mut predictions = model.predict_callers(&flat)?.into_iter();
    Ok(counts.iter().map(|count| predictions.by_ref().take(*count).collect()).collect())
}

/// The mean probabilities of a clip's windows.
pub(crate) fn average(windows: &[VoicePrediction]) -> [f32; CATEGORY_COUNT] {
    let mut sum = [0.0_f32; CATEGORY_COUNT];
    for window in windows {
        sum.iter_mut().zip(window.categories).for_each(|(sum, value)| *sum += value);
    }
    let count: f32 = sum.iter().sum();
    if count > 0.0 { sum.map(|value| value / count) } else { sum }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_past_is_of_the_same_speaker_and_of_other_clips() {
        let clip = |speaker: &str| Clip {
            path: PathBuf::new(),
            set: "x".to_owned(),
            speaker: speaker.to_owned(),
            category: Category::Anger,
        };
        let window = |feature| VoicePrediction {
            categories: [1.0 / 7.0; CATEGORY_COUNT],
            valence: 0.0,
            arousal: 0.0,
            dominance: 0.0,
            labels: Vec::new(),
            features: vec![feature],
            quality: 1.0,
            familiarity: 1.0,
            doubt: None,
        };
        let clips = [clip("a"), clip("a"), clip("b")];
        let pasts = pasts(&clips, &[window(1.0), window(5.0), window(9.0)]);
        // One other clip, heard once: a fifth of its feature is taken off.
        assert_eq!(pasts[0].shift(1), Some(vec![1.0]));
        assert_eq!(pasts[2], CallerBaseline::default());
        assert!((average(&[window(1.0)])[0] - 1.0 / 7.0).abs() < 1e-6);
    }
}
