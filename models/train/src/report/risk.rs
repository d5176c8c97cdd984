//! What is gained by not answering: the share of wrong answers among the surest ones, from few of them to all.

use super::answer::Answer;
use crate::metrics::{mean, ratio};

/// A point of the curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    /// The share of rows that are answered, the surest first.
    pub(crate) coverage: f64,
    /// The share of wrong ones among them.
    pub(crate) risk: f64,
}

/// One point a row, the surest row first. Rows of equal confidence have no order, so each carries the same part of
/// the wrong answers among them.
#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
pub(crate) fn curve(answers: &[Answer]) -> Vec<Point> {
    let mut sorted: Vec<(f64, bool)> =
        answers.iter().map(|answer| (answer.confidence(), answer.is_right())).collect();
    sorted.sort_by(|left, right| right.0.total_cmp(&left.0));
    let mut points = Vec::with_capacity(sorted.len());
    let mut wrong = 0.0;
    for equals in sorted.chunk_by(|left, right| left.0.total_cmp(&right.0).is_eq()) {
        let share = ratio(equals.iter().filter(|(_, right)| !right).count(), equals.len());
        for _ in equals {
            wrong += share;
            let answered = points.len() + 1;
            points.push(Point { coverage: ratio(answered, sorted.len()), risk: wrong / answered as f64 });
        }
    }
    points
}

/// The area under the curve: its mean risk. A model whose wrong answers are its least sure ones has the least.
pub(crate) fn area(points: &[Point]) -> f64 {
    mean(points.iter().map(|point| point.risk))
}

/// The accuracy of the surest share of the rows, rounded up to whole rows; none where there are no rows.
pub(crate) fn accuracy_at(points: &[Point], coverage: f64) -> Option<f64> {
    let point = points.iter().find(|point| point.coverage >= coverage - 1e-9)?;
    Some(1.0 - point.risk)
}

#[cfg(test)]
mod tests {
    use super::super::answer::tests::answer;
    use super::*;

    #[test]
    fn a_curve_of_known_answers() {
        let points = curve(&[answer(0.6, false), answer(0.9, true), answer(0.7, false), answer(0.8, true)]);
        let risks: Vec<f64> = points.iter().map(|point| point.risk).collect();
        for (found, expected) in risks.iter().zip([0.0, 0.0, 1.0 / 3.0, 0.5]) {
            assert!((found - expected).abs() < 1e-9);
        }
        assert!((area(&points) - (1.0 / 3.0 + 0.5) / 4.0).abs() < 1e-9);
        assert!((accuracy_at(&points, 0.5).unwrap() - 1.0).abs() < 1e-9);
        assert!((accuracy_at(&points, 0.51).unwrap() - 2.0 / 3.0).abs() < 1e-9);
        assert!((accuracy_at(&points, 1.0).unwrap() - 0.5).abs() < 1e-9);
    }

    #[test]
    fn equals_share_their_faults_whatever_their_order() {
        let first = curve(&[answer(0.8, true), answer(0.8, false)]);
        assert_eq!(first, curve(&[answer(0.8, false), answer(0.8, true)]));
        assert!((area(&first) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn one_row_and_none() {
        let points = curve(&[answer(0.7, false)]);
        assert!((area(&points) - 1.0).abs() < 1e-9);
        assert!((accuracy_at(&points, 0.5).unwrap()).abs() < 1e-9);
        assert!(curve(&[]).is_empty() && area(&[]).abs() < 1e-12 && accuracy_at(&[], 1.0).is_none());
    }
}
