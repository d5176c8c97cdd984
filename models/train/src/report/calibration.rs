//! Whether probabilities say how often a model is right: bins of confidence, their errors, and Brier's score.

use serde::Serialize;

use super::answer::Answer;
use crate::metrics::{mean, ratio};

/// Into how many bins confidence is cut.
pub(crate) const BINS: usize = 10;

/// Answers of like confidence.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub(crate) struct Bin {
    /// How many there are.
    pub(crate) count: usize,
    /// Their mean confidence; 0 in an empty bin.
    pub(crate) confidence: f64,
    /// The share of right ones; 0 in an empty bin.
    pub(crate) accuracy: f64,
}

impl Bin {
    fn of<'a>(answers: impl Iterator<Item = &'a Answer> + Clone) -> Self {
        let count = answers.clone().count();
        let right = answers.clone().filter(|answer| answer.is_right()).count();
        Self { count, confidence: mean(answers.map(Answer::confidence)), accuracy: ratio(right, count) }
    }
}

/// Ten bins of equal width; confidence 1 is in the last one.
pub(crate) fn equal_width(answers: &[Answer]) -> Vec<Bin> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a bin of a probability")]
    let place = |answer: &Answer| ((answer.confidence() * BINS as f64) as usize).min(BINS - 1);
    (0..BINS).map(|bin| Bin::of(answers.iter().filter(move |answer| place(answer) == bin))).collect()
}

/// Ten bins, or fewer for few answers, that hold equally many answers each, as far as that goes.
pub(crate) fn equal_count(answers: &[Answer]) -> Vec<Bin> {
    let mut sorted: Vec<&Answer> = answers.iter().collect();
    sorted.sort_by(|left, right| left.confidence().total_cmp(&right.confidence()));
    let edge = |bin: usize| bin * sorted.len() / BINS;
    (0..BINS)
        .map(|bin| &sorted[edge(bin)..edge(bin + 1)])
        .filter(|part| !part.is_empty())
        .map(|part| Bin::of(part.iter().copied()))
        .collect()
}

/// The expected calibration error: the mean distance of confidence and accuracy, bins weighted by their answers.
pub(crate) fn expected_error(bins: &[Bin]) -> f64 {
    let total: usize = bins.iter().map(|bin| bin.count).sum();
    bins.iter().map(|bin| ratio(bin.count, total) * (bin.confidence - bin.accuracy).abs()).sum()
}

/// Brier's score over all labels: the mean squared distance to the truth, 0 (sure and right) to 2 (sure and wrong).
pub(crate) fn brier(answers: &[Answer]) -> f64 {
    mean(answers.iter().map(|answer| {
        let squared = |(index, value): (usize, &f64)| {
            let truth = if index == answer.truth { 1.0 } else { 0.0 };
            (value - truth).powi(2)
        };
        answer.probabilities.iter().enumerate().map(squared).sum()
    }))
}

#[cfg(test)]
mod tests {
    use super::super::answer::tests::answer;
    use super::*;

    #[test]
    fn errors_of_known_answers() {
        // One bin: confidence 0.9, half of them right.
        let answers = [answer(0.9, true), answer(0.9, false)];
        assert!((expected_error(&equal_width(&answers)) - 0.4).abs() < 1e-6);
        // Two bins of one and three answers: (0.4 + 3 * 0.2) / 4.
        let answers = [answer(0.6, true), answer(0.8, true), answer(0.8, true), answer(0.8, true)];
        assert!((expected_error(&equal_width(&answers)) - 0.25).abs() < 1e-6);
    }

    #[test]
    fn bins_of_equal_count_split_what_equal_width_joins() {
        // Within one bin of equal width the faults cancel; with one answer a bin they do not.
        let answers = [answer(0.82, false), answer(0.88, true)];
        assert!((expected_error(&equal_width(&answers)) - 0.35).abs() < 1e-6);
        assert!((expected_error(&equal_count(&answers)) - (0.82 + 0.12) / 2.0).abs() < 1e-6);
        assert_eq!(equal_count(&answers).len(), 2);
        let many: Vec<Answer> = (0..25).map(|_| answer(0.7, true)).collect();
        let bins = equal_count(&many);
        assert_eq!((bins.len(), bins.iter().map(|bin| bin.count).sum::<usize>()), (10, 25));
    }

    #[test]
    fn the_edges_and_nothing() {
        let bins = equal_width(&[answer(1.0, true), answer(0.5, true)]);
        assert_eq!((bins[9].count, bins[5].count), (1, 1));
        assert!(expected_error(&equal_width(&[])).abs() < 1e-12);
        assert!(expected_error(&equal_count(&[])).abs() < 1e-12);
        assert!(brier(&[]).abs() < 1e-12);
    }

    #[test]
    fn brier_of_known_answers() {
        assert!(brier(&[answer(1.0, true)]).abs() < 1e-12);
        assert!((brier(&[answer(1.0, false)]) - 2.0).abs() < 1e-12);
        assert!((brier(&[answer(0.5, true), answer(1.0, true)]) - 0.25).abs() < 1e-6);
    }
}
