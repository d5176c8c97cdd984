//! The text model's figures on development data: Markdown, and a report with pictures.

use std::path::PathBuf;

use clap::Args;
use heartline_models::text::{TextModel, TextPrediction};
use heartline_models::{CATEGORY_COUNT, Category};
use indicatif::ProgressIterator;

use super::examples::{Labelled, read_set};
use super::figures::{cross_fitted, cross_fitted_named};
use super::labels::{NATIVE, Targets};
use super::table::Table;
use super::unfamiliar;
use crate::device::DeviceArguments;
use crate::error::TrainError;
use crate::metrics::{Confusion, mean, pearson};
use crate::report::{Answer, AnswerSet, KindSet, Report, Trust};

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
    #[command(flatten)]
    device: DeviceArguments,
    /// Write `figures.json` and pictures into this folder
    #[arg(long)]
    report: Option<PathBuf>,
}

/// A model with the texts to judge it by.
struct Evaluation<'a> {
    model: TextModel,
    arguments: &'a EvaluateArguments,
    report: Report,
}

/// Texts with what the model says of them.
type Judged = Vec<(Labelled, TextPrediction)>;

/// Prints every figure and writes the report where one is asked for.
#[expect(clippy::print_stdout, reason = "the figures are the program's output")]
pub(crate) fn evaluate(arguments: &EvaluateArguments) -> Result<(), TrainError> {
    let model = TextModel::load(&arguments.model, &arguments.device.open()?)?;
    let report = Report::new("text", &arguments.split, &Category::ALL.map(Category::name));
    let mut evaluation = Evaluation { model, arguments, report };
    let sets = [
        evaluation.goemotions()?,
        evaluation.smp2020()?,
        evaluation.brighter("en")?,
        evaluation.brighter("zh")?,
    ];
    let mut report = evaluation.report;
    for language in ["en", "zh"] {
        let pooled = sets.iter().filter(|set| set.language == Some(language));
        let pooled = AnswerSet::pooled("both sets", Some(language), pooled);
        report
            .add_kind(KindSet::of(&AnswerSet { name: language_name(language).to_owned(), ..pooled.clone() }));
        report.add(&pooled);
    }
    for set in sets {
        report.add_pictured(set);
    }
    evaluation.report = report;
    evaluation.emobank()?;
    evaluation.satisfaction()?;
    for kind in unfamiliar::kinds(&evaluation.model, &arguments.data, &arguments.split)? {
        evaluation.report.add_kind(kind);
    }
    println!("{}", evaluation.report.markdown());
    arguments.report.as_ref().map_or(Ok(()), |folder| evaluation.report.write(folder))
}

fn language_name(tag: &str) -> &str {
    if tag == "zh" { "Chinese, as trained" } else { "English, as trained" }
}

impl Evaluation<'_> {
    fn judge(&self, rows: Vec<Labelled>) -> Result<Judged, TrainError> {
        let every = self.arguments.limit.map_or(1, |limit| rows.len().div_ceil(limit.max(1)));
        let rows: Vec<Labelled> = rows
            .into_iter()
            .step_by(every.max(1))
            .filter(|row| self.model.tokenizer().encode(&row.text).is_ok_and(|text| text.pieces.len() > 2))
            .collect();
        let mut judged = Vec::with_capacity(rows.len());
        for rows in rows.chunks(256).progress() {
            let texts: Vec<String> = rows.iter().map(|row| row.text.clone()).collect();
            judged.extend(rows.iter().cloned().zip(self.model.predict(&texts)?));
        }
        Ok(judged)
    }

    fn judge_set(&self, set: &str) -> Result<Judged, TrainError> {
        self.judge(read_set(&self.arguments.data, set, &self.arguments.split)?)
    }

    fn goemotions(&mut self) -> Result<AnswerSet, TrainError> {
        let judged = self.judge_set("goemotions")?;
        let truths: Vec<[bool; CATEGORY_COUNT]> = judged.iter().map(|(row, _)| truth(row)).collect();
        let by_category: Vec<[f32; CATEGORY_COUNT]> = judged.iter().map(|(_, p)| p.categories).collect();
        let by_label: Vec<[f32; CATEGORY_COUNT]> = judged.iter().map(|(_, p)| grouped(p)).collect();
        let mut text = format!("### GoEmotions, {} ({} texts)\n\n", self.arguments.split, judged.len());
        let mut scores = Vec::new();
        for (name, key, values) in [
            ("category head", "seven_groups_macro_f1", &by_category),
            ("native labels, grouped", "seven_groups_from_native_macro_f1", &by_label),
        ] {
            let figures = cross_fitted(values, &truths);
            let (f1, table) = (figures.macro_f1(), figures.report());
            text += &format!("Seven groups, several a text, from the {name}: macro-F1 {f1:.3}\n\n{table}\n");
            scores.push((key, f1));
        }
        let native_truths: Vec<[bool; NATIVE.len()]> =
            judged.iter().map(|(row, _)| native_truth(row)).collect();
        let native: Vec<[f32; NATIVE.len()]> = judged
            .iter()
            .map(|(_, p)| std::array::from_fn(|index| p.labels.get(index).map_or(0.0, |(_, score)| *score)))
            .collect();
        let figures = cross_fitted_named(&native, &native_truths, &NATIVE.map(|(name, ..)| name));
        text += &format!("28 native labels: macro-F1 {:.3}\n\n{}", figures.macro_f1(), figures.report());
        scores.push(("native_28_macro_f1", figures.macro_f1()));
        self.report.add_task("GoEmotions, several labels a text", &scores);
        self.report.add_details(&text);
        Ok(AnswerSet::clean("GoEmotions", Some("en"), answers(&judged)))
    }

    fn smp2020(&mut self) -> Result<AnswerSet, TrainError> {
        let judged = self.judge_set("smp2020_usual")?;
        let set = AnswerSet::clean("SMP2020 usual", Some("zh"), answers(&judged));
        let figures = set.confusion(&Category::ALL.map(Category::name));
        self.report.add_details(&format!(
            "### SMP2020 usual, {} ({} texts)\n\nSix classes; disgust is not among them and is left out of the \
             choice. Macro-F1 {:.3}, accuracy {:.3}\n\n{}",
            self.arguments.split,
            judged.len(),
            figures.macro_f1(),
            figures.accuracy(),
            figures.report()
        ));
        Ok(set)
    }

    /// BRIGHTER in one language: several emotions a text, or none, which is neutral. English has no disgust.
    fn brighter(&mut self, language: &'static str) -> Result<AnswerSet, TrainError> {
        let table = Table::open(&self.arguments.data, "brighter_a", &self.arguments.split)?;
        let (lang, text, labels) = (table.column("lang")?, table.column("text")?, table.column("labels")?);
        let of_language = table.rows().iter().filter(|row| row[lang] == language);
        let rows = of_language.filter_map(|row| {
            let targets = Targets::of_emotions(&row[labels], language == "zh")?;
            Some(Labelled { text: row[text].clone(), labels: row[labels].clone(), targets })
        });
        let judged = self.judge(rows.collect())?;
        let truths: Vec<[bool; CATEGORY_COUNT]> = judged.iter().map(|(row, _)| named(row)).collect();
        let scores: Vec<[f32; CATEGORY_COUNT]> = judged.iter().map(|(_, p)| p.categories).collect();
        let figures = cross_fitted(&scores, &truths);
        let (f1, count) = (figures.macro_f1(), judged.len());
        let present = figures.rows().filter(|(.., examples)| *examples > 0).count();
        let name = format!("BRIGHTER {language}");
        self.report.add_task(&format!("{name}, several labels a text"), &[("macro_f1", f1)]);
        self.report.add_details(&format!(
            "### {name}, {} ({count} texts)\n\nSeveral emotions a text, {present} labels, thresholds of the other \
             half: macro-F1 {f1:.3}\n\n{}",
            self.arguments.split,
            figures.report()
        ));
        Ok(AnswerSet::clean(&name, Some(language), answers(&judged)))
    }

    fn emobank(&mut self) -> Result<(), TrainError> {
        let judged = self.judge_set("emobank")?;
        let mut text = format!("### EmoBank, {} ({} texts)\n\n", self.arguments.split, judged.len());
        text += "| dimension | Pearson r | mean absolute error (scale -1 to 1) |\n|---|---|---|\n";
        let mut scores = Vec::new();
        for (index, name) in ["valence", "arousal", "dominance"].into_iter().enumerate() {
            let truth: Vec<f64> = judged
                .iter()
                .map(|(row, _)| f64::from(row.targets.dimensions.unwrap_or_default()[index]))
                .collect();
            let found: Vec<f64> =
                judged.iter().map(|(_, p)| f64::from([p.valence, p.arousal, p.dominance][index])).collect();
            let error = mean(truth.iter().zip(&found).map(|(truth, found)| (truth - found).abs()));
            let correlation = pearson(&truth, &found);
            text += &format!("| {name} | {correlation:.3} | {error:.3} |\n");
            scores.push((format!("{name}_correlation"), correlation));
            scores.push((format!("{name}_mean_absolute_error"), error));
        }
        let scores: Vec<(&str, f64)> = scores.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        self.report.add_task("EmoBank", &scores);
        self.report.add_details(&text);
        Ok(())
    }

    fn satisfaction(&mut self) -> Result<(), TrainError> {
        let mut text = "### Satisfaction: positive against negative, threshold 0.5\n\n".to_owned();
        for set in ["waimai10k", "zh_conv_sentiment"] {
            let judged = self.judge_set(set)?;
            let mut figures = Confusion::new(&["negative", "positive"]);
            for (row, prediction) in &judged {
                let truth = row.targets.satisfaction.unwrap_or_default() > 0.5;
                let said = prediction.satisfaction.unwrap_or_default() > 0.5;
                figures.add(usize::from(truth), usize::from(said));
            }
            let (f1, accuracy, count) = (figures.macro_f1(), figures.accuracy(), judged.len());
            text += &format!(
                "{set}, {count} texts kept from training: macro-F1 {f1:.3}, accuracy {accuracy:.3}\n\n"
            );
            let name = format!("Satisfaction, {set}");
            self.report.add_task(&name, &[("macro_f1", f1), ("accuracy", accuracy)]);
        }
        self.report.add_details(&text);
        Ok(())
    }
}

/// Which categories a text's labels belong to.
fn truth(row: &Labelled) -> [bool; CATEGORY_COUNT] {
    row.targets.categories.unwrap_or_default().map(|share| share > 0.0)
}

/// Which emotions a text's labels name: where none does the text is neutral, which is no label of its own.
fn named(row: &Labelled) -> [bool; CATEGORY_COUNT] {
    let mut truth = truth(row);
    truth[Category::Neutral.index()] = false;
    truth
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

/// The answers on texts with one category; disgust is left out where the annotators could not choose it.
pub(crate) fn answers(judged: &[(Labelled, TextPrediction)]) -> Vec<Answer> {
    let of_text = |(row, prediction): &(Labelled, TextPrediction)| {
        let truth = only(&truth(row))?;
        let possible = |index| row.targets.has_disgust || index != Category::Disgust.index();
        Some(Answer::among(truth, &prediction.categories, possible, Trust::of_text(prediction)))
    };
    judged.iter().filter_map(of_text).collect()
}

/// The position of the one that is set; none where several are or none is.
fn only(flags: &[bool]) -> Option<usize> {
    let mut set = (0..flags.len()).filter(|index| flags[*index]);
    let first = set.next()?;
    set.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_with_several_categories_have_no_single_truth() {
        assert_eq!(only(&[false, true, false]), Some(1));
        assert_eq!(only(&[true, true]), None);
        assert_eq!(only(&[false, false]), None);
    }

    #[test]
    fn a_text_without_emotions_names_none() {
        let row = |labels: &str| Labelled {
            text: String::new(),
            labels: labels.to_owned(),
            targets: Targets::of_emotions(labels, true).unwrap(),
        };
        assert_eq!(named(&row("")), [false; CATEGORY_COUNT]);
        assert_eq!(only(&truth(&row(""))), Some(Category::Neutral.index()));
        assert_eq!(named(&row("joy,fear")).iter().filter(|set| **set).count(), 2);
    }
}
