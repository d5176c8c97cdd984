//! Inputs that a model was not made for, kind by kind, beside those it was made for.

use std::collections::BTreeMap;

use serde::Serialize;

use super::answer::{AnswerSet, Trust};
use crate::metrics::{mean, ratio};

/// The head of the table of kinds.
pub(crate) const KIND_HEAD: &str = "\
| input | examples | mean familiarity | mean confidence | mean quality | abstains | for low quality | unfamiliar | unsure |
|---|---|---|---|---|---|---|---|---|
";

/// What a model said of one kind of input.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct KindSet {
    /// The kind, for people.
    pub(crate) kind: String,
    /// Whether the model was made for such inputs.
    pub(crate) in_domain: bool,
    /// Whether the kind has a bar in the picture, or only a row in the table.
    #[serde(skip)]
    pub(crate) drawn: bool,
    examples: usize,
    pub(crate) mean_familiarity: f64,
    mean_confidence: f64,
    mean_quality: f64,
    pub(crate) abstained_share: f64,
    reasons: BTreeMap<&'static str, f64>,
}

impl KindSet {
    /// Of a kind that the model was not made for: confidence and trust of every input.
    pub(crate) fn foreign(kind: &str, answers: &[(f64, Trust)]) -> Self {
        let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
        for doubt in answers.iter().filter_map(|(_, trust)| trust.doubt) {
            *counts.entry(doubt).or_default() += 1;
        }
        Self {
            kind: kind.to_owned(),
            in_domain: false,
            drawn: true,
            examples: answers.len(),
            mean_familiarity: mean(answers.iter().map(|(_, trust)| trust.familiarity)),
            mean_confidence: mean(answers.iter().map(|(confidence, _)| *confidence)),
            mean_quality: mean(answers.iter().map(|(_, trust)| trust.quality)),
            abstained_share: ratio(counts.values().sum(), answers.len()),
            reasons: counts.into_iter().map(|(code, count)| (code, ratio(count, answers.len()))).collect(),
        }
    }

    /// Of inputs that the model was made for.
    pub(crate) fn of(set: &AnswerSet) -> Self {
        let answers: Vec<(f64, Trust)> =
            set.answers.iter().map(|answer| (answer.confidence(), answer.trust)).collect();
        Self { in_domain: true, ..Self::foreign(&set.name, &answers) }
    }

    /// The same kind as a row of the table only.
    pub(crate) fn without_bar(self) -> Self {
        Self { drawn: false, ..self }
    }

    /// A row under [`KIND_HEAD`].
    pub(crate) fn row(&self) -> String {
        let reason = |code: &str| percent(self.reasons.get(code).copied().unwrap_or(0.0));
        format!(
            "| {}{} | {} | {:.2} | {:.2} | {:.2} | {} | {} | {} | {} |\n",
            self.kind,
            if self.in_domain { " (in domain)" } else { "" },
            self.examples,
            self.mean_familiarity,
            self.mean_confidence,
            self.mean_quality,
            percent(self.abstained_share),
            reason("low_quality"),
            reason("unfamiliar"),
            reason("unsure"),
        )
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubts_are_counted_by_their_reason() {
        let trust = |familiarity, doubt| Trust { quality: 1.0, familiarity, doubt };
        let kind = KindSet::foreign(
            "noise",
            &[
                (0.5, trust(0.2, Some("unfamiliar"))),
                (0.7, trust(0.4, None)),
                (0.9, trust(0.0, Some("unsure"))),
            ],
        );
        assert!((kind.abstained_share - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!(kind.row(), "| noise | 3 | 0.20 | 0.70 | 1.00 | 66.7 % | 0.0 % | 33.3 % | 33.3 % |\n");
        assert!(KindSet::foreign("nothing", &[]).abstained_share.abs() < 1e-12);
    }
}
