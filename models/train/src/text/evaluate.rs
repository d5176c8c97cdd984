//! The text model's figures on development data, as Markdown.

use std::path::PathBuf;

use clap::Args;
use heartline_models::text::{TextModel, TextPrediction};
use heartline_models::{CATEGORY_COUNT, Category, Device};
use indicatif::ProgressIterator;

use super::examples::{Labelled, read_set};
use super::labels::NATIVE;
use crate::error::TrainError;
use crate::metrics::{Confusion, MultiLabel, pearson};

/// Arguments of `heartline-train evaluate text`.
#[derive(Debug, Args)]
pub(crate) struct EvaluateArguments {
    /// The model folder
    #[arg(long)]
    model: PathBuf,
    /// The folder of data tables
    #[arg(long)]
    data: PathBuf,
    /// The split: `dev`, or `test` in a folder that holds test tables
    #[arg(long, default_value = "dev")]
    split: String,
    /// Look at about this many texts of each set, evenly spread; by default at all
    #[arg(long)]
    limit: Option<usize>,
}

/// Prints every figure.
#[expect(clippy::print_stdout, reason = "the figures are the program's output")]
pub(crate) fn evaluate(arguments: &EvaluateArguments) -> Result<(), TrainError> {
    let model = TextModel::load(&arguments.model, &Device::cpu())?;
    let sections = [goemotions, smp2020, emobank, satisfaction];
    for section in sections {
        println!("{}", section(&model, arguments)?);
    }
    Ok(())
}

type Judged = Vec<(Labelled, TextPrediction)>;

fn judge(model: &TextModel, arguments: &EvaluateArguments, set: &str) -> Result<Judged, TrainError> {
    let rows = read_set(&arguments.data, set, &arguments.split)?;
    let every = arguments.limit.map_or(1, |limit| rows.len().div_ceil(limit.max(1)));
    let rows: Vec<Labelled> = rows
        .into_iter()
        .step_by(every.max(1))
        .filter(|row| model.tokenizer().encode(&row.text).is_ok_and(|text| text.pieces.len() > 2))
        .collect();
    let mut judged = Vec::with_capacity(rows.len());
    for rows in rows.chunks(256).progress() {
        let texts: Vec<String> = rows.iter().map(|row| row.text.clone()).collect();
        judged.extend(rows.iter().cloned().zip(model.predict(&texts)?));
    }
    Ok(judged)
}

/// Which categories a text's labels belong to.
fn truth(row: &Labelled) -> [bool; CATEGORY_COUNT] {
    row.targets.categories.unwrap_or_default().map(|share| share > 0.0)
}

fn goemotions(model: &TextModel, arguments: &EvaluateArguments) -> Result<String, TrainError> {
    let judged = judge(model, arguments, "goemotions")?;
    let truths: Vec<[bool; CATEGORY_COUNT]> = judged.iter().map(|(row, _)| truth(row)).collect();
    let by_category: Vec<[f32; CATEGORY_COUNT]> = judged.iter().map(|(_, p)| p.categories).collect();
    let by_label: Vec<[f32; CATEGORY_COUNT]> = judged.iter().map(|(_, p)| grouped(p)).collect();
    let mut text = format!("### GoEmotions, {} ({} texts)\n\n", arguments.split, judged.len());
    for (name, scores) in [("category head", &by_category), ("native labels, grouped", &by_label)] {
        let figures = cross_fitted(scores, &truths);
        text +=
            &format!("Seven groups, several a text, from the {name}: macro-F1 {:.3}\n\n", figures.macro_f1());
        text += &figures.report();
        text.push('\n');
    }
    let native_truths: Vec<[bool; NATIVE.len()]> = judged.iter().map(|(row, _)| native_truth(row)).collect();
    let native: Vec<[f32; NATIVE.len()]> = judged
        .iter()
        .map(|(_, p)| std::array::from_fn(|index| p.labels.get(index).map_or(0.0, |(_, score)| *score)))
        .collect();
    let figures = cross_fitted_named(&native, &native_truths, &NATIVE.map(|(name, ..)| name));
    text += &format!("28 native labels: macro-F1 {:.3}\n\n{}\n", figures.macro_f1(), figures.report());
    text += &calibration(&judged);
    Ok(text)
}

fn native_truth(row: &Labelled) -> [bool; NATIVE.len()] {
    let bits = row.targets.native.unwrap_or(0);
    std::array::from_fn(|index| bits >> index & 1 == 1)
}

/// The probability that one of a category's native labels applies, taking them as independent.
fn grouped(prediction: &TextPrediction) -> [f32; CATEGORY_COUNT] {
    let mut none = [1.0; CATEGORY_COUNT];
    for ((_, category, _), (_, score)) in NATIVE.iter().zip(&prediction.labels) {
        none[category.index()] *= 1.0 - score;
    }
    none.map(|none| 1.0 - none)
}

fn cross_fitted(scores: &[[f32; CATEGORY_COUNT]], truths: &[[bool; CATEGORY_COUNT]]) -> MultiLabel {
    cross_fitted_named(scores, truths, &Category::ALL.map(Category::name))
}

/// Figures with one threshold a label, each text judged by thresholds fitted to the other half of the texts.
fn cross_fitted_named<const N: usize>(
    scores: &[[f32; N]],
    truths: &[[bool; N]],
    names: &[&str; N],
) -> MultiLabel {
    let mut figures = MultiLabel::new(names);
    for half in 0..2 {
        let thresholds: [f32; N] = std::array::from_fn(|label| {
            let other = (0..scores.len()).filter(|index| index % 2 != half);
            best_threshold(other.map(|index| (scores[index][label], truths[index][label])).collect())
        });
        for index in (0..scores.len()).filter(|index| index % 2 == half) {
            let predicted: [bool; N] = std::array::from_fn(|label| scores[index][label] >= thresholds[label]);
            figures.add(&truths[index], &predicted);
        }
    }
    figures
}

/// The score from which on saying yes gives the best F1.
#[expect(clippy::cast_precision_loss, reason = "counts of texts are far below 2^52")]
fn best_threshold(mut judged: Vec<(f32, bool)>) -> f32 {
    judged.sort_by(|left, right| right.0.total_cmp(&left.0));
    let positives = judged.iter().filter(|(_, truth)| *truth).count();
    let (mut best, mut threshold, mut right) = (0.0, 0.5, 0_usize);
    for (index, (score, truth)) in judged.iter().enumerate() {
        right += usize::from(*truth);
        let f1 = 2.0 * right as f64 / (index + 1 + positives) as f64;
        if f1 > best {
            (best, threshold) = (f1, *score);
        }
    }
    threshold
}

fn smp2020(model: &TextModel, arguments: &EvaluateArguments) -> Result<String, TrainError> {
    let judged = judge(model, arguments, "smp2020_usual")?;
    let mut figures = Confusion::new(&Category::ALL.map(Category::name));
    for (row, prediction) in &judged {
        figures.add(largest(&row.targets.categories.unwrap_or_default(), true), predicted(row, prediction));
    }
    let (f1, accuracy) = (figures.macro_f1(), figures.accuracy());
    let heading = format!("### SMP2020 usual, {} ({} texts)\n\n", arguments.split, judged.len());
    let note = "Six classes; disgust is not among them and is left out of the choice.";
    let report = figures.report();
    Ok(format!(
        "{heading}{note} Macro-F1 {f1:.3}, accuracy {accuracy:.3}\n\n{report}\n{}",
        calibration(&judged)
    ))
}

fn predicted(row: &Labelled, prediction: &TextPrediction) -> usize {
    largest(&prediction.categories, row.targets.has_disgust)
}

fn largest(values: &[f32; CATEGORY_COUNT], has_disgust: bool) -> usize {
    (0..CATEGORY_COUNT)
        .filter(|index| has_disgust || *index != Category::Disgust.index())
        .max_by(|left, right| values[*left].total_cmp(&values[*right]))
        .unwrap_or(0)
}

/// The expected calibration error of the likeliest category, over texts with one category, in ten bins.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a bin of a probability, and counts of texts"
)]
fn calibration(judged: &Judged) -> String {
    let mut bins = [(0_usize, 0.0_f64, 0_usize); 10];
    let mut count = 0;
    for (row, prediction) in judged {
        let shares = row.targets.categories.unwrap_or_default();
        if shares.iter().filter(|share| **share > 0.0).count() != 1 {
            continue;
        }
        let choice = predicted(row, prediction);
        let possible: f32 = if row.targets.has_disgust {
            1.0
        } else {
            1.0 - prediction.categories[Category::Disgust.index()]
        };
        let probability = f64::from(prediction.categories[choice] / possible.max(f32::EPSILON));
        let bin = &mut bins[((probability * 10.0) as usize).min(9)];
        bin.0 += 1;
        bin.1 += probability;
        bin.2 += usize::from(shares[choice] > 0.0);
        count += 1;
    }
    let error: f64 =
        bins.iter().map(|(_, sum, right)| (sum - *right as f64).abs()).sum::<f64>() / f64::from(count.max(1));
    format!(
        "Calibration error of the likeliest category (ten bins, {count} texts with one category): {error:.3}\n"
    )
}

fn emobank(model: &TextModel, arguments: &EvaluateArguments) -> Result<String, TrainError> {
    let judged = judge(model, arguments, "emobank")?;
    let mut text = format!("### EmoBank, {} ({} texts)\n\n", arguments.split, judged.len());
    text += "| dimension | Pearson r | mean absolute error (scale -1 to 1) |\n|---|---|---|\n";
    for (index, name) in ["valence", "arousal", "dominance"].into_iter().enumerate() {
        let truth: Vec<f64> = judged
            .iter()
            .map(|(row, _)| f64::from(row.targets.dimensions.unwrap_or_default()[index]))
            .collect();
        let found: Vec<f64> =
            judged.iter().map(|(_, p)| f64::from([p.valence, p.arousal, p.dominance][index])).collect();
        #[expect(clippy::cast_precision_loss, reason = "a count of texts")]
        let error = truth.iter().zip(&found).map(|(t, f)| (t - f).abs()).sum::<f64>() / truth.len() as f64;
        text += &format!("| {name} | {:.3} | {error:.3} |\n", pearson(&truth, &found));
    }
    Ok(text)
}

fn satisfaction(model: &TextModel, arguments: &EvaluateArguments) -> Result<String, TrainError> {
    let mut text = "### Satisfaction: positive against negative, threshold 0.5\n\n".to_owned();
    for set in ["waimai10k", "zh_conv_sentiment"] {
        let judged = judge(model, arguments, set)?;
        let mut figures = Confusion::new(&["negative", "positive"]);
        for (row, prediction) in &judged {
            let truth = row.targets.satisfaction.unwrap_or_default() > 0.5;
            let said = prediction.satisfaction.unwrap_or_default() > 0.5;
            figures.add(usize::from(truth), usize::from(said));
        }
        let (f1, accuracy, count) = (figures.macro_f1(), figures.accuracy(), judged.len());
        text +=
            &format!("{set}, {count} texts kept from training: macro-F1 {f1:.3}, accuracy {accuracy:.3}\n\n");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_threshold_separates() {
        let judged = vec![(0.9, true), (0.1, false), (0.8, true), (0.3, false)];
        assert!((best_threshold(judged) - 0.8).abs() < 1e-6);
        assert!((best_threshold(vec![(0.2, false)]) - 0.5).abs() < 1e-6);
    }

    #[test]
    fn thresholds_never_come_from_the_texts_they_judge() {
        let scores = [[0.9_f32], [0.1], [0.2], [0.8]];
        let truths = [[true], [true], [false], [false]];
        // Each half alone would be separated perfectly; with the other half's threshold it is not.
        assert!(cross_fitted_named(&scores, &truths, &["a"]).macro_f1() < 1.0);
    }
}
