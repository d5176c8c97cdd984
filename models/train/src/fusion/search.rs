//! Finds the numbers under which the truths of many pairs are least surprising.

use heartline_models::CATEGORY_COUNT;
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use super::pool::{FREE, Numbers, Sample};

/// Steps of the search; more change the surprise only in its fourth digit.
const STEPS: i32 = 250;
const STEP_SIZE: f64 = 0.04;
/// How strongly the priors are held to where they start.
const PRIOR_SHRINKAGE: f64 = 0.003;
/// Reliability, quality power and overlap stay within these bounds. Quality counts at least in proportion, even
/// where the data's bad material is read as well as its good: calls have worse.
const BOUNDS: [(f64, f64); 3] = [(0.02, 1.0), (1.0, 4.0), (0.0, 1.0)];

/// Which numbers are free; the others stay where they start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Freedom {
    pub(super) name: &'static str,
    pub(super) reliability: bool,
    pub(super) quality: bool,
    pub(super) overlap: bool,
    pub(super) prior: bool,
}

impl Freedom {
    /// From nothing to everything.
    pub(super) const ALL: [Self; 5] = [
        Self { name: "nothing learned", reliability: false, quality: false, overlap: false, prior: false },
        Self { name: "reliability", reliability: true, quality: false, overlap: false, prior: false },
        Self { name: "and quality power", reliability: true, quality: true, overlap: false, prior: false },
        Self { name: "and overlap", reliability: true, quality: true, overlap: true, prior: false },
        Self { name: "and priors", reliability: true, quality: true, overlap: true, prior: true },
    ];

    fn is_free(self, index: usize) -> bool {
        match index {
            0..3 => self.reliability,
            3..6 => self.quality,
            6 => self.overlap,
            _ => self.prior,
        }
    }
}

/// The mean surprise, with its slopes.
fn mean_surprise(numbers: &Numbers, samples: &[Sample]) -> (f64, [f64; FREE]) {
    let add = |mut left: (f64, [f64; FREE]), right: (f64, [f64; FREE])| {
        left.0 += right.0;
        left.1.iter_mut().zip(right.1).for_each(|(left, right)| *left += right);
        left
    };
    // Sums by chunks in a fixed order, so that the result does not depend on the number of threads.
    let chunks: Vec<&[Sample]> = samples.chunks(512).collect();
    let parts: Vec<(f64, [f64; FREE])> = chunks
        .par_iter()
        .map(|chunk| {
            let mut slopes = [0.0; FREE];
            let sum = chunk.iter().map(|sample| numbers.surprise(sample, &mut slopes)).sum();
            (sum, slopes)
        })
        .collect();
    let (sum, slopes) = parts.into_iter().fold((0.0, [0.0; FREE]), add);
    let count = samples.len().max(1) as f64;
    (sum / count, slopes.map(|slope| slope / count))
}

/// The mean surprise alone.
pub(super) fn surprise(numbers: &Numbers, samples: &[Sample]) -> f64 {
    mean_surprise(numbers, samples).0
}

/// Searches from a start by steps along the slopes (Adam), with the step size falling to nothing.
pub(super) fn search(start: &Numbers, freedom: Freedom, samples: &[Sample]) -> Numbers {
    let begin = start.to_row();
    let mut row = begin;
    let (mut mean, mut square) = ([0.0; FREE], [0.0; FREE]);
    for step in 1..=STEPS {
        let (_, mut slopes) = mean_surprise(&Numbers::from_row(&row), samples);
        for index in 7..FREE {
            slopes[index] += 2.0 * PRIOR_SHRINKAGE * (row[index] - begin[index]);
        }
        let size = STEP_SIZE * (1.0 - f64::from(step - 1) / f64::from(STEPS));
        for index in (0..FREE).filter(|index| freedom.is_free(*index)) {
            mean[index] = 0.9 * mean[index] + 0.1 * slopes[index];
            square[index] = 0.99 * square[index] + 0.01 * slopes[index] * slopes[index];
            let (first, second) =
                (mean[index] / (1.0 - 0.9_f64.powi(step)), square[index] / (1.0 - 0.99_f64.powi(step)));
            row[index] -= size * first / (second.sqrt() + 1e-8);
            if index < 7 {
                let (low, high) = BOUNDS[index / 3];
                row[index] = row[index].clamp(low, high);
            }
        }
        row = Numbers::from_row(&row).to_row();
    }
    Numbers::from_row(&row)
}

/// The numbers that were reasoned before anything was learned: where the search starts.
pub(super) fn reasoned() -> Numbers {
    let prior: [f64; CATEGORY_COUNT] = [0.25, 0.17, 0.11, 0.14, 0.16, 0.07, 0.10];
    Numbers {
        reliability: [0.85, 0.7, 0.8],
        quality_power: [1.0; 3],
        overlap: 0.0,
        log_prior: [prior.map(f64::ln); 3],
    }
}

#[cfg(test)]
mod tests {
    use super::super::pool::Part;
    use super::*;

    /// A good modality, one that guesses, and none for the third.
    fn samples() -> Vec<Sample> {
        let part = |category: usize| {
            let mut probabilities = [0.4 / 6.0; CATEGORY_COUNT];
            probabilities[category] = 0.6;
            Some(Part { log_probabilities: probabilities.map(f64::ln), log_quality: 0.0 })
        };
        (0..700_usize)
            .map(|index| {
                let truth = index % CATEGORY_COUNT;
                let good = if index % 10 < 7 { truth } else { index / 10 % CATEGORY_COUNT };
                Sample { truth, parts: [part(good), part(index / 7 % CATEGORY_COUNT), None] }
            })
            .collect()
    }

    #[test]
    fn a_modality_that_guesses_loses_its_weight() {
        let samples = samples();
        let found = search(&reasoned(), Freedom::ALL[1], &samples);
        assert!(found.reliability[0] > 0.7 && found.reliability[1] < 0.1, "{found:?}");
        assert!((found.reliability[2] - reasoned().reliability[2]).abs() < 1e-9);
        assert!(surprise(&found, &samples) < surprise(&reasoned(), &samples));
        let unmoved = search(&reasoned(), Freedom::ALL[0], &samples).to_row();
        let moved = unmoved.iter().zip(reasoned().to_row()).map(|(left, right)| (left - right).abs());
        assert!(moved.fold(0.0, f64::max) < 1e-9);
    }
}
