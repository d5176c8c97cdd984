//! `evaluate face`: right answers and calibration on pictures with votes, as they come and disturbed; what the model
//! makes of crops without a face; and how much an answer depends on how the face was cut out.

use std::path::PathBuf;

use clap::Args;
use heartline_models::detector::FaceDetector;
use heartline_models::face::{FaceCrop, FaceModel, FacePrediction, LABEL_COUNT, LABELS};

use super::data::{self, Face};
use super::disturbances::{DISTURBANCES, Disturbance, framed};
use super::photographs::{Photograph, margins, without_faces};
use super::unfamiliar;
use crate::device::DeviceArguments;
use crate::error::TrainError;
use crate::metrics::Confusion;
use crate::report::{Answer, AnswerSet, KindSet, Report, Trust};

/// The position of contempt among the labels, and of disgust, as which it counts among the categories.
const CONTEMPT: usize = LABEL_COUNT - 1;
const DISGUST: usize = 5;

/// Disturbances whose calibration is drawn beside that of undisturbed pictures.
const DRAWN: [&str; 2] = ["low light", "strong blur"];

/// Arguments of `evaluate face`.
#[derive(Debug, Args)]
pub(crate) struct EvaluateArguments {
    /// The model's folder.
    #[arg(long)]
    model: PathBuf,
    /// The folder with the pictures and the votes; photographs are looked for in its folder `photos`.
    #[arg(long)]
    data: PathBuf,
    /// The part of the data.
    #[arg(long, default_value = "val")]
    part: String,
    /// The face detector's folder; without it nothing is said about how faces are cut out.
    #[arg(long)]
    detector: Option<PathBuf>,
    #[command(flatten)]
    device: DeviceArguments,
    /// Write `figures.json` and pictures into this folder.
    #[arg(long)]
    report: Option<PathBuf>,
}

/// Prints the figures of a model folder and writes the report where one is asked for.
#[expect(clippy::print_stdout, reason = "the figures are what this command is for")]
pub(crate) fn evaluate(arguments: &EvaluateArguments) -> Result<(), TrainError> {
    let faces = data::read(&arguments.data, &arguments.part)?;
    let device = arguments.device.open()?;
    let model = FaceModel::load(&arguments.model, &device)?;
    let mut report = Report::new("face", &arguments.part, &LABELS);
    with_votes(&model, &faces, &mut report)?;
    disturbed(&model, &faces, &mut report)?;
    for (name, crops) in unfamiliar::kinds(&faces)? {
        report.add_kind(kind(&model, name, &crops)?);
    }
    let folder = arguments.data.join("photos");
    if folder.is_dir() {
        let photographs = Photograph::read_all(&folder)?;
        report.add_kind(kind(&model, "no face, from photographs", &without_faces(&photographs))?);
        if let Some(detector) = &arguments.detector {
            let detector = FaceDetector::load(detector, &device)?;
            margins(&model, &detector, &photographs, &mut report)?;
        }
    }
    println!("{}", report.markdown());
    arguments.report.as_ref().map_or(Ok(()), |folder| report.write(folder))
}

fn kind(model: &FaceModel, name: &str, crops: &[FaceCrop]) -> Result<KindSet, TrainError> {
    let predictions = model.predict(crops)?;
    let judged: Vec<(f64, Trust)> = predictions
        .iter()
        .map(|p| (f64::from(p.categories.iter().copied().fold(0.0, f32::max)), Trust::of_face(p)))
        .collect();
    Ok(KindSet::foreign(name, &judged))
}

/// Pictures as they come: those that training has not seen, and all.
fn with_votes(model: &FaceModel, faces: &[Face], report: &mut Report) -> Result<(), TrainError> {
    let crops: Vec<FaceCrop> = faces.iter().map(|face| framed(&face.pixels)).collect::<Result<_, _>>()?;
    let predictions = model.predict(&crops)?;
    let judged = || faces.iter().zip(&predictions);
    let set = |name: &str, truth: fn(&Face) -> Option<usize>, duplicates: bool| {
        let counted = judged().filter(|(face, _)| duplicates || !face.duplicate);
        let answers = counted.filter_map(|(face, prediction)| Some(answer(truth(face)?, prediction)));
        AnswerSet::clean(name, None, answers.collect())
    };
    let unseen = set("FER+ majority", Face::majority, false);
    report.add(&set("FER+ majority, with repeats of training pictures", Face::majority, true));
    report.add(&set("FER+ plurality", Face::plurality, false));
    let figures = unseen.confusion(&LABELS);
    report.add_details(&format!(
        "### FER+ majority, pictures not in the training data\n\n{}",
        figures.report()
    ));
    let mut categories = Confusion::new(&LABELS[..CONTEMPT]);
    for (face, prediction) in judged().filter(|(face, _)| !face.duplicate) {
        if let Some(truth) = face.majority() {
            let truth = if truth == CONTEMPT { DISGUST } else { truth };
            categories.add(truth, super::figures::best(&prediction.categories));
        }
    }
    let (accuracy, f1) = (categories.accuracy(), categories.macro_f1());
    report.add_task("Seven categories", &[("accuracy", accuracy), ("macro_f1", f1)]);
    report.add_details(&format!(
        "### Seven categories, contempt counted as disgust\n\nAccuracy {accuracy:.3}, macro-F1 {f1:.3}\n"
    ));
    report.compare("as they come", true, &unseen);
    report.add_kind(KindSet::of(&AnswerSet { name: "faces with votes".to_owned(), ..unseen.clone() }));
    report.add_pictured(unseen);
    Ok(())
}

/// The same pictures, those that training has not seen, under every disturbance.
fn disturbed(model: &FaceModel, faces: &[Face], report: &mut Report) -> Result<(), TrainError> {
    let rows: Vec<(usize, &Face)> = faces
        .iter()
        .filter(|face| !face.duplicate)
        .filter_map(|face| Some((face.majority()?, face)))
        .collect();
    for Disturbance { name, apply } in DISTURBANCES {
        let crops: Vec<FaceCrop> = rows
            .iter()
            .enumerate()
            .map(|(index, (_, face))| apply(&face.pixels, index as u64))
            .collect::<Result<_, _>>()?;
        let predictions = model.predict(&crops)?;
        let answers = rows.iter().zip(&predictions).map(|((truth, _), p)| answer(*truth, p)).collect();
        let set = AnswerSet {
            name: "FER+ majority".to_owned(),
            language: None,
            condition: name.to_owned(),
            answers,
        };
        report.compare(name, false, &set);
        if DRAWN.contains(&name) {
            report.add_pictured(set);
        } else {
            report.add(&set);
        }
    }
    Ok(())
}

fn answer(truth: usize, prediction: &FacePrediction) -> Answer {
    let shares: Vec<f32> = prediction.labels.iter().map(|(_, share)| *share).collect();
    Answer::among(truth, &shares, |_| true, Trust::of_face(prediction))
}
