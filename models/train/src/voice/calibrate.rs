//! The temperature that makes probabilities as sure as they are right.

use heartline_models::CATEGORY_COUNT;

/// The temperature with the least mean surprise at the truth; between 0.1 and 10.
pub(crate) fn find_temperature(logits: &[[f32; CATEGORY_COUNT]], truth: &[usize]) -> f32 {
    let ratio = (5.0_f64.sqrt() - 1.0) / 2.0;
    let surprise = |exponent: f64| mean_surprise(logits, truth, exponent.exp());
    let (mut low, mut high) = (0.1_f64.ln(), 10.0_f64.ln());
    while high - low > 1e-3 {
        let (left, right) = (high - ratio * (high - low), low + ratio * (high - low));
        if surprise(left) < surprise(right) {
            high = right;
        } else {
            low = left;
        }
    }
    #[expect(clippy::cast_possible_truncation, reason = "a temperature between 0.1 and 10")]
    {
        f64::midpoint(low, high).exp() as f32
    }
}

/// The mean of -ln(probability of the truth).
pub(crate) fn mean_surprise(logits: &[[f32; CATEGORY_COUNT]], truth: &[usize], temperature: f64) -> f64 {
    let mut sum = 0.0;
    let mut count = 0.0;
    for (logits, truth) in logits.iter().zip(truth) {
        let scaled = logits.map(|logit| f64::from(logit) / temperature);
        let largest = scaled.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = scaled.iter().map(|value| (value - largest).exp()).sum();
        sum += total.ln() + largest - scaled[*truth];
        count += 1.0;
    }
    if count > 0.0 { sum / count } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logits_that_are_right_four_times_in_five_are_made_that_sure() {
        let mut sure = [0.0; CATEGORY_COUNT];
        sure[2] = 20.0;
        let logits = [sure; 5];
        let temperature = find_temperature(&logits, &[2, 2, 2, 2, 3]);
        // 0.8 = 1 / (1 + 6 exp(-20 / t))
        let expected = 20.0 / 24.0_f32.ln();
        assert!((temperature - expected).abs() < 0.02, "{temperature} {expected}");
    }
}
