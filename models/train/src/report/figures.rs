//! What is measured of a set of answers, and how it is written as rows of Markdown tables.

use std::collections::BTreeMap;

use serde::Serialize;

use super::answer::{Answer, AnswerSet};
use super::calibration::{Bin, brier, equal_count, equal_width, expected_error};
use super::risk::{accuracy_at, area, curve};
use crate::metrics::{mean, ratio};

/// The shares of rows answered at which the accuracy is given.
pub(crate) const COVERAGES: [f64; 4] = [1.0, 0.9, 0.8, 0.5];

/// The head of the table of right answers.
pub(crate) const RIGHT_HEAD: &str = "\
| set | condition | examples | accuracy | macro-F1 | mean recall | ECE | adaptive ECE | Brier |
|---|---|---|---|---|---|---|---|---|
";

/// The head of the table of abstention.
pub(crate) const ABSTENTION_HEAD: &str = "\
| set | condition | AURC | right at 100 % | 90 % | 80 % | 50 % | abstains | right where it answers | mean familiarity |
|---|---|---|---|---|---|---|---|---|---|
";

/// The figures of one set of answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Figures {
    /// How many rows there are.
    pub(crate) examples: usize,
    /// The share of right answers.
    pub(crate) accuracy: f64,
    /// The mean F1 of the labels that occur.
    pub(crate) macro_f1: f64,
    /// The mean recall of the labels that occur.
    pub(crate) average_recall: f64,
    /// The expected calibration error in ten bins of equal width.
    pub(crate) calibration_error: f64,
    /// The same in ten bins of equally many answers.
    pub(crate) adaptive_calibration_error: f64,
    /// Brier's score over all labels, 0 to 2.
    pub(crate) brier_score: f64,
    /// The area under the risk-coverage curve by confidence.
    pub(crate) risk_coverage_area: f64,
    /// The accuracy of the surest 100, 90, 80 and 50 % of the rows.
    pub(crate) accuracy_at_coverage: Vec<CoverageAccuracy>,
    /// What the model itself leaves unanswered.
    pub(crate) abstention: Abstention,
    /// The bins of equal width.
    pub(crate) reliability: Vec<Bin>,
}

/// The accuracy of the surest rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct CoverageAccuracy {
    /// The share of rows that are answered.
    pub(crate) coverage: f64,
    /// The share of right answers among them; none without rows.
    pub(crate) accuracy: Option<f64>,
}

/// How often a model abstains, and what the rest is worth.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Abstention {
    /// The share of rows that the model would rather not answer.
    pub(crate) share: f64,
    /// The share of all rows by the code of the doubt.
    pub(crate) reasons: BTreeMap<&'static str, f64>,
    /// The accuracy of what was answered; none where nothing was.
    pub(crate) answered_accuracy: Option<f64>,
    /// The accuracy that what it left unanswered would have had; none where there was nothing.
    pub(crate) unanswered_accuracy: Option<f64>,
    /// How like its calibration data the inputs looked on average.
    pub(crate) mean_familiarity: f64,
    /// How usable the inputs were on average.
    pub(crate) mean_quality: f64,
}

impl Abstention {
    fn of(answers: &[Answer]) -> Self {
        let mut reasons: BTreeMap<&'static str, usize> = BTreeMap::new();
        for doubt in answers.iter().filter_map(|answer| answer.trust.doubt) {
            *reasons.entry(doubt).or_default() += 1;
        }
        let doubted: usize = reasons.values().sum();
        let accuracy = |answered: bool| {
            let part = answers.iter().filter(|answer| answer.trust.doubt.is_none() == answered);
            let (count, right) = (part.clone().count(), part.filter(|answer| answer.is_right()).count());
            (count > 0).then(|| ratio(right, count))
        };
        Self {
            share: ratio(doubted, answers.len()),
            reasons: reasons.into_iter().map(|(code, count)| (code, ratio(count, answers.len()))).collect(),
            answered_accuracy: accuracy(true),
            unanswered_accuracy: accuracy(false),
            mean_familiarity: mean(answers.iter().map(|answer| answer.trust.familiarity)),
            mean_quality: mean(answers.iter().map(|answer| answer.trust.quality)),
        }
    }
}

impl Figures {
    /// Of a set; all are 0 or missing for no rows.
    pub(crate) fn of(set: &AnswerSet, labels: &[&str]) -> Self {
        let (confusion, points) = (set.confusion(labels), curve(&set.answers));
        let at = |coverage| CoverageAccuracy { coverage, accuracy: accuracy_at(&points, coverage) };
        let reliability = equal_width(&set.answers);
        Self {
            examples: set.answers.len(),
            accuracy: confusion.accuracy(),
            macro_f1: confusion.macro_f1(),
            average_recall: confusion.average_recall(),
            calibration_error: expected_error(&reliability),
            adaptive_calibration_error: expected_error(&equal_count(&set.answers)),
            brier_score: brier(&set.answers),
            risk_coverage_area: area(&points),
            accuracy_at_coverage: COVERAGES.map(at).to_vec(),
            abstention: Abstention::of(&set.answers),
            reliability,
        }
    }

    /// A row under [`RIGHT_HEAD`].
    pub(crate) fn right_row(&self, name: &str, condition: &str) -> String {
        format!(
            "| {name} | {condition} | {} | {:.3} | {:.3} | {:.3} | {:.3} | {:.3} | {:.3} |\n",
            self.examples,
            self.accuracy,
            self.macro_f1,
            self.average_recall,
            self.calibration_error,
            self.adaptive_calibration_error,
            self.brier_score,
        )
    }

    /// A row under [`ABSTENTION_HEAD`].
    pub(crate) fn abstention_row(&self, name: &str, condition: &str) -> String {
        let at: String = self
            .accuracy_at_coverage
            .iter()
            .map(|point| format!(" {} |", optional(point.accuracy)))
            .collect();
        let abstention = &self.abstention;
        format!(
            "| {name} | {condition} | {:.3} |{at} {:.1} % | {} | {:.2} |\n",
            self.risk_coverage_area,
            100.0 * abstention.share,
            optional(abstention.answered_accuracy),
            abstention.mean_familiarity,
        )
    }
}

fn optional(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"))
}

#[cfg(test)]
mod tests {
    use super::super::answer::tests::answer;
    use super::*;

    fn doubted(mut answer: Answer) -> Answer {
        answer.trust.doubt = Some("unsure");
        answer
    }

    #[test]
    fn what_is_left_unanswered_is_counted_apart() {
        let answers =
            vec![answer(0.9, true), answer(0.8, true), doubted(answer(0.6, false)), answer(0.7, false)];
        let figures = Figures::of(&AnswerSet::clean("x", None, answers), &["a", "b"]);
        assert!((figures.abstention.share - 0.25).abs() < 1e-12);
        assert!((figures.abstention.reasons["unsure"] - 0.25).abs() < 1e-12);
        assert!((figures.abstention.answered_accuracy.unwrap() - 2.0 / 3.0).abs() < 1e-12);
        assert!(figures.abstention.unanswered_accuracy.unwrap().abs() < 1e-12);
        assert!((figures.accuracy_at_coverage[3].accuracy.unwrap() - 1.0).abs() < 1e-12);
        assert!(figures.abstention_row("x", "clean").contains("| 25.0 % | 0.667 | 1.00 |"));
        assert!(figures.right_row("x", "clean").starts_with("| x | clean | 4 | 0.500 |"));
    }

    #[test]
    fn no_rows_have_no_accuracy() {
        let figures = Figures::of(&AnswerSet::clean("x", None, Vec::new()), &["a", "b"]);
        assert_eq!((figures.examples, figures.abstention.answered_accuracy), (0, None));
        assert!(figures.abstention_row("x", "clean").contains("| - | - | - | - |"));
        let json = serde_json::to_value(&figures).unwrap();
        assert_eq!(json["accuracy_at_coverage"][0]["accuracy"], serde_json::Value::Null);
        assert_eq!(json["calibration_error"], 0.0);
    }
}
