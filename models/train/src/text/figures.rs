//! Figures of tasks where a text may carry several labels: thresholds that never come from the texts they judge.

use heartline_models::{CATEGORY_COUNT, Category};

use crate::metrics::MultiLabel;

/// Figures of the categories; see [`cross_fitted_named`].
pub(super) fn cross_fitted(
    scores: &[[f32; CATEGORY_COUNT]],
    truths: &[[bool; CATEGORY_COUNT]],
) -> MultiLabel {
    cross_fitted_named(scores, truths, &Category::ALL.map(Category::name))
}

/// Figures with one threshold a label, each text judged by thresholds fitted to the other half of the texts.
pub(super) fn cross_fitted_named<const N: usize>(
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
