//! The server's pool with free numbers, and how its surprise at the truth changes with each of them.

use heartline_models::CATEGORY_COUNT;

/// How many free numbers there are.
pub(super) const FREE: usize = 7 + 3 * CATEGORY_COUNT;

/// What one modality says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Part {
    pub(super) log_probabilities: [f64; CATEGORY_COUNT],
    pub(super) log_quality: f64,
}

/// What the modalities say of one state, and which it is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    pub(super) truth: usize,
    pub(super) parts: [Option<Part>; 3],
}

/// What is learned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Numbers {
    /// The exponent of each modality's likelihood at full quality.
    pub(super) reliability: [f64; 3],
    /// The power to which quality counts.
    pub(super) quality_power: [f64; 3],
    /// How far errors go together.
    pub(super) overlap: f64,
    /// The logarithms of the category shares that each modality's probabilities contain.
    pub(super) log_prior: [[f64; CATEGORY_COUNT]; 3],
}

impl Numbers {
    /// In one row, for the search: reliabilities, powers, overlap, logarithms of the priors.
    pub(super) fn to_row(self) -> [f64; FREE] {
        let mut row = [0.0; FREE];
        row[..3].copy_from_slice(&self.reliability);
        row[3..6].copy_from_slice(&self.quality_power);
        row[6] = self.overlap;
        row[7..].copy_from_slice(self.log_prior.as_flattened());
        row
    }

    /// From a row; the priors are brought to sum to 1, which changes nothing in the pool.
    pub(super) fn from_row(row: &[f64; FREE]) -> Self {
        let mut log_prior = [[0.0; CATEGORY_COUNT]; 3];
        log_prior.as_flattened_mut().copy_from_slice(&row[7..]);
        for prior in &mut log_prior {
            let sum = prior.iter().map(|value| value.exp()).sum::<f64>().ln();
            prior.iter_mut().for_each(|value| *value -= sum);
        }
        Self {
            reliability: [row[0], row[1], row[2]],
            quality_power: [row[3], row[4], row[5]],
            overlap: row[6],
            log_prior,
        }
    }

    /// The probabilities of a state where all categories are equally common.
    pub(super) fn pool(&self, sample: &Sample) -> [f64; CATEGORY_COUNT] {
        let weights = self.weights(sample);
        let (temper, _) = self.temper(&weights);
        let mut scores = [0.0; CATEGORY_COUNT];
        for (modality, part) in sample.parts.iter().enumerate() {
            if let Some(part) = part {
                for (category, score) in scores.iter_mut().enumerate() {
                    *score += temper * weights[modality] * self.evidence(modality, part, category);
                }
            }
        }
        softmax(scores)
    }

    /// The surprise at the truth; its slopes by every number are added to `slopes`.
    pub(super) fn surprise(&self, sample: &Sample, slopes: &mut [f64; FREE]) -> f64 {
        let probabilities = self.pool(sample);
        let weights = self.weights(sample);
        let (temper, witnesses) = self.temper(&weights);
        let mut excess = probabilities;
        excess[sample.truth] -= 1.0;
        let mut pull = [0.0; 3];
        for (modality, part) in sample.parts.iter().enumerate() {
            let Some(part) = part else { continue };
            for (category, excess) in excess.iter().enumerate() {
                pull[modality] += excess * self.evidence(modality, part, category);
                slopes[7 + modality * CATEGORY_COUNT + category] -= temper * weights[modality] * excess;
            }
        }
        let total_pull: f64 = weights.iter().zip(pull).map(|(weight, pull)| weight * pull).sum();
        let (sum, squares) = sums(&weights);
        slopes[6] -= (witnesses - 1.0) * temper * temper * total_pull;
        for (modality, part) in sample.parts.iter().enumerate() {
            let Some(part) = part else { continue };
            let more_witnesses =
                2.0 * sum / squares - 2.0 * sum * sum * weights[modality] / (squares * squares);
            let slope =
                temper * pull[modality] - total_pull * self.overlap * temper * temper * more_witnesses;
            slopes[modality] += slope * weights[modality] / self.reliability[modality];
            slopes[3 + modality] += slope * weights[modality] * part.log_quality;
        }
        -probabilities[sample.truth].max(1e-12).ln()
    }

    fn weights(&self, sample: &Sample) -> [f64; 3] {
        let mut weights = [0.0; 3];
        for (modality, part) in sample.parts.iter().enumerate() {
            if let Some(part) = part {
                weights[modality] =
                    self.reliability[modality] * (self.quality_power[modality] * part.log_quality).exp();
            }
        }
        weights
    }

    /// What correlated errors leave of the weights, and how many independent witnesses the weights would be.
    fn temper(&self, weights: &[f64; 3]) -> (f64, f64) {
        let (sum, squares) = sums(weights);
        let witnesses = if squares > 0.0 { sum * sum / squares } else { 1.0 };
        (1.0 / (1.0 + self.overlap * (witnesses - 1.0)), witnesses)
    }

    fn evidence(&self, modality: usize, part: &Part, category: usize) -> f64 {
        part.log_probabilities[category] - self.log_prior[modality][category]
    }
}

fn sums(weights: &[f64; 3]) -> (f64, f64) {
    (weights.iter().sum(), weights.iter().map(|weight| weight * weight).sum::<f64>().max(1e-12))
}

fn softmax(scores: [f64; CATEGORY_COUNT]) -> [f64; CATEGORY_COUNT] {
    let highest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers = scores.map(|score| (score - highest).exp());
    let sum: f64 = powers.iter().sum();
    powers.map(|power| power / sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(category: usize, sure: f64, quality: f64) -> Part {
        let mut probabilities = [(1.0 - sure) / 6.0; CATEGORY_COUNT];
        probabilities[category] = sure;
        Part { log_probabilities: probabilities.map(f64::ln), log_quality: quality.ln() }
    }

    fn numbers() -> Numbers {
        let mut row = [0.0; FREE];
        row[..7].copy_from_slice(&[0.8, 0.6, 0.9, 1.2, 0.7, 1.0, 0.3]);
        for (index, value) in row[7..].iter_mut().enumerate() {
            *value = -1.5 - 0.1 * (index % 5) as f64;
        }
        Numbers::from_row(&row)
    }

    fn sample() -> Sample {
        Sample {
            truth: 4,
            parts: [Some(part(4, 0.5, 0.9)), Some(part(3, 0.6, 0.4)), Some(part(4, 0.3, 0.7))],
        }
    }

    #[test]
    fn slopes_agree_with_small_steps() {
        let (numbers, sample) = (numbers(), sample());
        let mut slopes = [0.0; FREE];
        numbers.surprise(&sample, &mut slopes);
        for index in 0..FREE {
            let at = |step: f64| {
                let mut row = numbers.to_row();
                row[index] += step;
                // A prior that no longer sums to 1 gives the same pool.
                Numbers::from_row(&row).surprise(&sample, &mut [0.0; FREE])
            };
            let expected = (at(1e-5) - at(-1e-5)) / 2e-5;
            assert!((slopes[index] - expected).abs() < 1e-6, "{index}: {} {expected}", slopes[index]);
        }
    }

    #[test]
    fn overlap_makes_agreement_less_sure_and_leaves_one_alone() {
        let (free, tempered) = (Numbers { overlap: 0.0, ..numbers() }, Numbers { overlap: 0.8, ..numbers() });
        let agreeing = Sample { truth: 4, parts: [Some(part(4, 0.5, 0.9)); 3] };
        assert!(free.pool(&agreeing)[4] > tempered.pool(&agreeing)[4] + 0.05);
        let alone = Sample { truth: 4, parts: [Some(part(4, 0.5, 0.9)), None, None] };
        assert_eq!(free.pool(&alone), tempered.pool(&alone));
        let nothing = Sample { truth: 0, parts: [None; 3] };
        assert!((free.pool(&nothing)[0] - 1.0 / 7.0).abs() < 1e-9);
    }
}
