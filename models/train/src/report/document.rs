//! The report of one model: everything that was measured, as Markdown, as `figures.json` and as pictures.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::answer::AnswerSet;
use super::charts::{self, Bars, Line, Panel, Row};
use super::figures::{ABSTENTION_HEAD, Figures, RIGHT_HEAD};
use super::kinds::{KIND_HEAD, KindSet};
use super::risk::{Point, curve};
use crate::error::TrainError;

/// The file of figures in a report's folder.
const FIGURES_FILE: &str = "figures.json";

/// A report in the making.
#[derive(Debug)]
pub(crate) struct Report {
    labels: Vec<&'static str>,
    document: Document,
    pictured: Vec<AnswerSet>,
    conditions: Vec<Condition>,
    details: String,
}

/// A bar in the picture of conditions: its name, whether it is the usual case, and the figures.
#[derive(Debug)]
struct Condition {
    name: String,
    usual: bool,
    figures: Figures,
}

/// What is written to `figures.json`.
#[derive(Debug, Serialize)]
struct Document {
    model: &'static str,
    split: String,
    labels: Vec<&'static str>,
    sets: Vec<Entry>,
    tasks: BTreeMap<String, BTreeMap<String, f64>>,
    out_of_domain: Vec<KindSet>,
}

/// One set's figures.
#[derive(Debug, Serialize)]
struct Entry {
    name: String,
    language: Option<&'static str>,
    condition: String,
    #[serde(flatten)]
    figures: Figures,
    /// Counts, rows by truth; of the sets with a picture only.
    #[serde(skip_serializing_if = "Option::is_none")]
    confusion: Option<Vec<Vec<usize>>>,
}

impl Report {
    /// Nothing measured yet.
    pub(crate) fn new(model: &'static str, split: &str, labels: &[&'static str]) -> Self {
        Self {
            labels: labels.to_vec(),
            document: Document {
                model,
                split: split.to_owned(),
                labels: labels.to_vec(),
                sets: Vec::new(),
                tasks: BTreeMap::new(),
                out_of_domain: Vec::new(),
            },
            pictured: Vec::new(),
            conditions: Vec::new(),
            details: String::new(),
        }
    }

    /// Adds a set's figures.
    pub(crate) fn add(&mut self, set: &AnswerSet) {
        self.enter(set, None);
    }

    fn enter(&mut self, set: &AnswerSet, confusion: Option<Vec<Vec<usize>>>) {
        self.document.sets.push(Entry {
            name: set.name.clone(),
            language: set.language,
            condition: set.condition.clone(),
            figures: Figures::of(set, &self.labels),
            confusion,
        });
    }

    /// Adds a set's figures and gives it a place in the pictures; disturbed ones have no confusion matrix of their own.
    pub(crate) fn add_pictured(&mut self, set: AnswerSet) {
        self.enter(&set, Some(set.confusion(&self.labels).counts().to_vec()));
        self.pictured.push(set);
    }

    /// Gives a set a bar in the picture of conditions; the usual ones, with which the others are compared, come first.
    pub(crate) fn compare(&mut self, name: &str, usual: bool, set: &AnswerSet) {
        let figures = Figures::of(set, &self.labels);
        self.conditions.push(Condition { name: name.to_owned(), usual, figures });
    }

    /// Adds the figures of a task that is not a choice between the labels.
    pub(crate) fn add_task(&mut self, name: &str, figures: &[(&str, f64)]) {
        let figures = figures.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        self.document.tasks.insert(name.to_owned(), figures);
    }

    /// Adds a kind of input.
    pub(crate) fn add_kind(&mut self, kind: KindSet) {
        self.document.out_of_domain.push(kind);
    }

    /// Adds Markdown that follows the tables.
    pub(crate) fn add_details(&mut self, markdown: &str) {
        self.details.push_str(markdown);
        self.details.push('\n');
    }

    /// Everything as Markdown.
    pub(crate) fn markdown(&self) -> String {
        let rows = |row: &dyn Fn(&Entry) -> String| self.document.sets.iter().map(row).collect::<String>();
        let mut text = format!(
            "## Right answers\n\n{RIGHT_HEAD}{}\n## Abstention\n\n{ABSTENTION_HEAD}{}\n",
            rows(&|entry| entry.figures.right_row(&entry.title(), &entry.condition)),
            rows(&|entry| entry.figures.abstention_row(&entry.title(), &entry.condition)),
        );
        if !self.document.out_of_domain.is_empty() {
            let rows: String = self.document.out_of_domain.iter().map(KindSet::row).collect();
            text.push_str(&format!("## Out of domain\n\n{KIND_HEAD}{rows}\n"));
        }
        text.push_str(&self.details);
        text
    }

    /// Writes `figures.json` and the pictures into a folder, which is made where it is missing.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), TrainError> {
        std::fs::create_dir_all(folder).map_err(TrainError::file(folder))?;
        let path = folder.join(FIGURES_FILE);
        let mut json =
            serde_json::to_string_pretty(&self.document).map_err(|error| TrainError::data(&path, error))?;
        json.push('\n');
        std::fs::write(&path, json).map_err(TrainError::file(&path))?;
        for (name, picture) in self.pictures()? {
            let path = folder.join(name);
            std::fs::write(&path, picture).map_err(TrainError::file(&path))?;
        }
        Ok(())
    }

    /// The pictures by their file names.
    fn pictures(&self) -> Result<Vec<(String, Vec<u8>)>, TrainError> {
        let mut pictures = Vec::new();
        for set in self.pictured.iter().filter(|set| set.condition == AnswerSet::CLEAN) {
            let title = format!("{}: what is taken for what", set.name);
            let canvas = charts::confusion(&title, &set.confusion(&self.labels))?;
            pictures.push((format!("confusion-{}.png", file_name(&set.name)), canvas.encode()?));
        }
        if !self.pictured.is_empty() {
            let figures: Vec<Figures> =
                self.pictured.iter().map(|set| Figures::of(set, &self.labels)).collect();
            pictures.push(("reliability.png".to_owned(), self.reliability(&figures)?));
            pictures.push(("risk-coverage.png".to_owned(), self.coverage(&figures)?));
        }
        if self.conditions.len() > 1 {
            pictures.push(("robustness.png".to_owned(), self.robustness()?));
        }
        if self.document.out_of_domain.iter().any(|kind| kind.drawn) {
            pictures.push(("out-of-domain.png".to_owned(), self.out_of_domain()?));
        }
        Ok(pictures)
    }

    fn reliability(&self, figures: &[Figures]) -> Result<Vec<u8>, TrainError> {
        let panel = |(set, figures): (&AnswerSet, &Figures)| -> (String, f64, Vec<_>) {
            (title(set).to_owned(), figures.calibration_error, figures.reliability.clone())
        };
        let parts: Vec<_> = self.pictured.iter().zip(figures).map(panel).collect();
        let panels: Vec<Panel<'_>> = parts
            .iter()
            .map(|(name, calibration_error, bins)| Panel {
                name,
                calibration_error: *calibration_error,
                bins,
            })
            .collect();
        charts::reliability("Is the model as often right as it is sure?", &panels)?.encode()
    }

    fn coverage(&self, figures: &[Figures]) -> Result<Vec<u8>, TrainError> {
        let curves: Vec<Vec<Point>> = self.pictured.iter().map(|set| curve(&set.answers)).collect();
        let lines: Vec<Line<'_>> = self
            .pictured
            .iter()
            .zip(figures)
            .zip(&curves)
            .map(|((set, figures), points)| Line {
                name: title(set),
                points,
                area: figures.risk_coverage_area,
                abstention: figures
                    .abstention
                    .answered_accuracy
                    .map(|accuracy| Point { coverage: 1.0 - figures.abstention.share, risk: 1.0 - accuracy }),
            })
            .collect();
        charts::coverage("What not answering gains", &lines)?.encode()
    }

    fn robustness(&self) -> Result<Vec<u8>, TrainError> {
        let rows: Vec<Row> = self
            .conditions
            .iter()
            .map(|Condition { name, usual, figures }| Row {
                name: name.clone(),
                known: *usual,
                values: vec![figures.accuracy, figures.average_recall, figures.abstention.share],
            })
            .collect();
        let bars = Bars {
            title: "What disturbances cost",
            note: "The same rows as they come (blue) and disturbed (orange).",
            panels: &[("accuracy", true), ("mean recall", true), ("abstains", true)],
            rows: &rows,
        };
        bars.draw()?.encode()
    }

    fn out_of_domain(&self) -> Result<Vec<u8>, TrainError> {
        let drawn = self.document.out_of_domain.iter().filter(|kind| kind.drawn);
        let rows: Vec<Row> = drawn
            .map(|kind| Row {
                name: kind.kind.clone(),
                known: kind.in_domain,
                values: vec![kind.abstained_share, kind.mean_familiarity],
            })
            .collect();
        let bars = Bars {
            title: "Does the model know what it does not know?",
            note: "Inputs that it was made for (blue) and others (orange).",
            panels: &[("abstains", true), ("mean familiarity", false)],
            rows: &rows,
        };
        bars.draw()?.encode()
    }
}

impl Entry {
    fn title(&self) -> String {
        self.language.map_or_else(|| self.name.clone(), |tag| format!("{} ({tag})", self.name))
    }
}

/// What a set is called in a picture: a disturbed one by its disturbance.
fn title(set: &AnswerSet) -> &str {
    if set.condition == AnswerSet::CLEAN { &set.name } else { &set.condition }
}

/// A name as part of a file name: small letters and digits, everything else becomes one dash.
fn file_name(name: &str) -> String {
    let letters = name.to_lowercase();
    let parts = letters.split(|character: char| !character.is_ascii_alphanumeric());
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::super::answer::tests::answer;
    use super::super::canvas::tests::inked_share;
    use super::*;

    fn report() -> Report {
        let mut report = Report::new("text", "dev", &["neutral", "happiness"]);
        let answers: Vec<_> = (0..40_u8).map(|n| answer(0.5 + f32::from(n) / 100.0, n % 4 != 0)).collect();
        let set = AnswerSet::clean("A set, usual", Some("zh"), answers);
        report.compare("as recorded", true, &set);
        report.compare("in noise", false, &set);
        report.add_kind(KindSet::of(&set));
        report.add_kind(KindSet::foreign("noise", &[]));
        report.add_task("EmoBank", &[("valence_correlation", 0.7)]);
        report.add_pictured(set);
        report
    }

    #[test]
    fn a_report_is_written_with_all_its_pictures() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("deeper");
        report().write(&folder).unwrap();
        let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&read("figures.json")).unwrap();
        assert_eq!(json["sets"][0]["language"], "zh");
        assert_eq!(json["sets"][0]["accuracy"], 0.75);
        assert_eq!(json["sets"][0]["confusion"][1][0], 10);
        assert_eq!(json["tasks"]["EmoBank"]["valence_correlation"], 0.7);
        assert_eq!(json["out_of_domain"][0]["in_domain"], true);
        for name in [
            "confusion-a-set-usual.png",
            "reliability.png",
            "risk-coverage.png",
            "robustness.png",
            "out-of-domain.png",
        ] {
            let file = read(name);
            let height = image::load_from_memory(&file).unwrap().height();
            assert!(inked_share(&file, 860, height) > 0.01, "{name}");
            assert!(file.len() < 40_000, "{name} has {} bytes", file.len());
        }
        let again = tempfile::tempdir().unwrap();
        report().write(again.path()).unwrap();
        assert_eq!(read("reliability.png"), std::fs::read(again.path().join("reliability.png")).unwrap());
    }

    #[test]
    fn the_markdown_names_every_set_and_kind() {
        let mut report = report();
        report.add_details("### More");
        let text = report.markdown();
        assert!(text.contains("| A set, usual (zh) | clean | 40 | 0.750 |"), "{text}");
        assert!(text.contains("| noise | 0 |") && text.ends_with("### More\n"));
    }
}
