//! The temperature that makes the categories' probabilities honest on development data.

use heartline_models::{CATEGORY_COUNT, Category};

use super::labels::Targets;

/// Logits with the shares they should have become.
#[derive(Debug, Clone)]
pub(crate) struct Judged {
    pub(crate) logits: Vec<f32>,
    pub(crate) shares: [f32; CATEGORY_COUNT],
    pub(crate) has_disgust: bool,
}

impl Judged {
    /// Of a text whose categories are known.
    pub(crate) fn new(logits: Vec<f32>, targets: &Targets) -> Option<Self> {
        Some(Self { logits, shares: targets.categories?, has_disgust: targets.has_disgust })
    }

    fn surprise(&self, temperature: f64) -> f64 {
        let possible = |index: usize| self.has_disgust || index != Category::Disgust.index();
        let scaled: Vec<(usize, f64)> = (0..CATEGORY_COUNT)
            .filter(|index| possible(*index))
            .map(|index| (index, f64::from(self.logits[index]) / temperature))
            .collect();
        let largest = scaled.iter().fold(f64::MIN, |largest, (_, value)| largest.max(*value));
        let sum: f64 = scaled.iter().map(|(_, value)| (value - largest).exp()).sum();
        scaled.iter().map(|(index, v)| f64::from(self.shares[*index]) * (largest + sum.ln() - v)).sum()
    }
}

/// The temperature with the least mean surprise, searched between 0.25 and 4 on a logarithmic scale.
#[expect(clippy::cast_possible_truncation, reason = "a temperature between 0.25 and 4")]
pub(crate) fn temperature(judged: &[Judged]) -> f32 {
    let cost = |exponent: f64| judged.iter().map(|text| text.surprise(exponent.exp2())).sum::<f64>();
    let (mut low, mut high) = (-2.0_f64, 2.0_f64);
    while high - low > 1e-3 {
        let third = (high - low) / 3.0;
        if cost(low + third) < cost(high - third) {
            high -= third;
        } else {
            low += third;
        }
    }
    f64::midpoint(low, high).exp2() as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logits_that_are_too_sure_are_cooled_down() {
        let text = |right: bool| {
            let mut logits = vec![0.0; CATEGORY_COUNT];
            logits[0] = 8.0;
            let mut shares = [0.0; CATEGORY_COUNT];
            shares[usize::from(!right)] = 1.0;
            Judged { logits, shares, has_disgust: true }
        };
        let judged: Vec<_> = (0..10).map(|index| text(index < 7)).collect();
        assert!(temperature(&judged) > 2.0);
        assert!(temperature(&judged[..7]) < 0.3);
    }
}
