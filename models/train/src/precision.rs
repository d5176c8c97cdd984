//! `evaluate precision`: what the models answer on a device in a floating-point format, beside what they answer on the
//! CPU in f32, on the same development data. A figure that moves by more than is allowed makes the command fail.

use std::path::{Path, PathBuf};

use clap::Args;
use heartline_models::detector::{FaceBox, FaceDetector};
use heartline_models::face::{FaceModel, LABELS};
use heartline_models::text::{TextModel, TextPrediction};
use heartline_models::voice::{VoiceClip, VoiceModel};
use heartline_models::{Category, Device};

use crate::device::DeviceArguments;
use crate::error::TrainError;
use crate::metrics::{Confusion, pearson, ratio};
use crate::report::AnswerSet;
use crate::text::Labelled;
use crate::{detector, face, text, voice};

/// A found face counts for a known one from this overlap on.
const LEAST_OVERLAP: f32 = 0.3;

/// Arguments of `evaluate precision`.
#[derive(Debug, Args)]
pub(crate) struct PrecisionArguments {
    /// The folder with one folder a model.
    #[arg(long, default_value = "models/weights")]
    models: PathBuf,
    /// The folder of the data, with `text`, `voice` and `face`; what is missing is left out and named.
    #[arg(long)]
    data: PathBuf,
    #[command(flatten)]
    device: DeviceArguments,
    /// Look at about this many rows of each set, evenly spread.
    #[arg(long, default_value_t = 1000)]
    limit: usize,
    /// By how much a figure may move.
    #[arg(long, default_value_t = 0.003)]
    most: f64,
}

/// A figure and how many rows it is of.
struct Figure {
    name: String,
    rows: usize,
    value: f64,
}

type Figures = Vec<Figure>;

/// How the figures of a folder of data are found on a device.
type Evaluation = fn(&PrecisionArguments, &Path, &Device) -> Result<Figures, TrainError>;

/// Prints the figures of both sides, and fails where they are too far apart.
#[expect(clippy::print_stdout, reason = "the figures are what this command is for")]
pub(crate) fn evaluate(arguments: &PrecisionArguments) -> Result<(), TrainError> {
    let (cpu, device) = (Device::cpu(), arguments.device.open()?);
    if device.is_cpu() {
        return Err(TrainError::Arguments(
            "name a device to compare with the CPU: --device flex, or cuda:0".to_owned(),
        ));
    }
    println!("{} in {} beside the CPU in f32\n", device.name(), device.precision());
    println!("| figure | rows | CPU, f32 | {}, {} | moved |", device.name(), device.precision());
    println!("|---|---|---|---|---|");
    let (mut worst, mut count) = (0.0_f64, 0);
    let sets: [(&str, Evaluation); 4] =
        [("text", texts), ("voice", clips), ("face", crops), ("face/photos", photographs)];
    for (folder, figures) in sets {
        let folder = arguments.data.join(folder);
        if !folder.is_dir() {
            println!("| {} is missing | | | | |", folder.display());
            continue;
        }
        let (expected, found) = (figures(arguments, &folder, &cpu)?, figures(arguments, &folder, &device)?);
        count += expected.len();
        for (Figure { name, rows, value }, found) in expected.into_iter().zip(found) {
            let moved = found.value - value;
            worst = if moved.is_finite() { worst.max(moved.abs()) } else { f64::INFINITY };
            println!("| {name} | {rows} | {value:.4} | {:.4} | {moved:+.4} |", found.value);
        }
    }
    if count == 0 {
        return Err(TrainError::Arguments(format!("{} has no data", arguments.data.display())));
    }
    if worst > arguments.most {
        let (most, device) = (arguments.most, device.precision());
        return Err(TrainError::Disagreement(format!(
            "in {device} a figure moved by {worst:.4}, more than {most}"
        )));
    }
    Ok(())
}

/// About as many rows as the limit says, evenly spread.
fn spread<T>(rows: Vec<T>, limit: usize) -> Vec<T> {
    let every = rows.len().div_ceil(limit.max(1)).max(1);
    rows.into_iter().step_by(every).collect()
}

fn both(name: &str, confusion: &Confusion) -> Figures {
    let rows = confusion.counts().iter().flatten().sum();
    let figure = |kind: &str, value| Figure { name: format!("{name}, {kind}"), rows, value };
    vec![figure("accuracy", confusion.accuracy()), figure("macro-F1", confusion.macro_f1())]
}

fn texts(arguments: &PrecisionArguments, data: &Path, device: &Device) -> Result<Figures, TrainError> {
    let model = TextModel::load(&arguments.models.join("text/1"), device)?;
    let judge = |set: &str| -> Result<Vec<(Labelled, TextPrediction)>, TrainError> {
        let readable = |row: &Labelled| {
            model.tokenizer().encode(&row.text).is_ok_and(|encoded| encoded.pieces.len() > 2)
        };
        let rows = spread(text::read_set(data, set, "dev")?, arguments.limit);
        let rows: Vec<Labelled> = rows.into_iter().filter(readable).collect();
        let texts: Vec<String> = rows.iter().map(|row| row.text.clone()).collect();
        Ok(rows.into_iter().zip(model.predict(&texts)?).collect())
    };
    let mut figures = Figures::new();
    for (set, name) in [("goemotions", "text, GoEmotions"), ("smp2020_usual", "text, SMP2020")] {
        let answers = AnswerSet::clean(name, None, text::answers(&judge(set)?));
        figures.extend(both(name, &answers.confusion(&Category::ALL.map(Category::name))));
    }
    let judged = judge("emobank")?;
    for (index, name) in ["valence", "arousal"].into_iter().enumerate() {
        let truth =
            judged.iter().map(|(row, _)| f64::from(row.targets.dimensions.unwrap_or_default()[index]));
        let found =
            judged.iter().map(|(_, prediction)| f64::from([prediction.valence, prediction.arousal][index]));
        let correlation = pearson(&truth.collect::<Vec<_>>(), &found.collect::<Vec<_>>());
        let name = format!("text, EmoBank, {name} r");
        figures.push(Figure { name, rows: judged.len(), value: correlation });
    }
    Ok(figures)
}

fn clips(arguments: &PrecisionArguments, data: &Path, device: &Device) -> Result<Figures, TrainError> {
    let model = VoiceModel::load(&arguments.models.join("voice/1"), device)?;
    let clips = spread(voice::read_split(data, "valid")?, arguments.limit);
    let mut confusion = Confusion::new(&Category::ALL.map(Category::name));
    for chunk in clips.chunks(32) {
        let sounds = chunk.iter().map(|clip| Ok(VoiceClip::from(voice::decode(&clip.path)?)));
        let sounds = sounds.collect::<Result<Vec<_>, TrainError>>()?;
        for (clip, windows) in chunk.iter().zip(voice::hear(&model, &sounds)?) {
            confusion.add(clip.category.index(), voice::largest(&voice::average(&windows)));
        }
    }
    Ok(both("voice", &confusion))
}

fn crops(arguments: &PrecisionArguments, data: &Path, device: &Device) -> Result<Figures, TrainError> {
    let model = FaceModel::load(&arguments.models.join("face/1"), device)?;
    let faces: Vec<face::Face> = face::read(data, "val")?;
    let faces = faces.into_iter().filter(|face| !face.duplicate && face.majority().is_some()).collect();
    let faces: Vec<face::Face> = spread(faces, arguments.limit);
    let crops = faces.iter().map(|face| face::framed(&face.pixels)).collect::<Result<Vec<_>, _>>()?;
    let mut confusion = Confusion::new(&LABELS);
    for (face, prediction) in faces.iter().zip(model.predict(&crops)?) {
        let shares: Vec<f32> = prediction.labels.iter().map(|(_, share)| *share).collect();
        if let Some(truth) = face.majority() {
            confusion.add(truth, voice::largest(&shares));
        }
    }
    Ok(both("face", &confusion))
}

fn photographs(arguments: &PrecisionArguments, data: &Path, device: &Device) -> Result<Figures, TrainError> {
    let model = FaceDetector::load(&arguments.models.join("detector/1"), device)?;
    let (mut rows, mut recalled, mut found) = (0, 0, 0);
    for (name, faces) in detector::read_boxes(&data.join("boxes.tsv"), data)? {
        let boxes = model.detect(&[detector::read_image(&data.join(name))?])?.remove(0);
        let (ignored, known): (Vec<_>, Vec<_>) = faces.into_iter().partition(|face| face.ignored);
        let meet = |face: &detector::Known, found: &FaceBox| found.overlap(&face.face) >= LEAST_OVERLAP;
        rows += known.len();
        recalled += known.iter().filter(|face| boxes.iter().any(|found| meet(face, found))).count();
        found += boxes.iter().filter(|found| !ignored.iter().any(|face| meet(face, found))).count();
    }
    let figure = |name: &str, value| Figure { name: name.to_owned(), rows, value };
    Ok(vec![
        figure("detector, share of known faces found", ratio(recalled, rows)),
        figure("detector, faces found for each known", ratio(found, rows)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_spread_over_the_whole_set() {
        assert_eq!(spread((0..10).collect(), 3), [0, 4, 8]);
        assert_eq!(spread((0..3).collect(), 1000), [0, 1, 2]);
        assert!(spread(Vec::<u8>::new(), 0).is_empty());
    }
}
