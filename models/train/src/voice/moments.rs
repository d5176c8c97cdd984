//! Means and deviations of many values, one channel beside the other.

/// Running sums for means and deviations.
pub(super) struct Moments {
    count: f64,
    sum: Vec<f64>,
    square: Vec<f64>,
}

impl Moments {
    pub(super) fn new(width: usize) -> Self {
        Self { count: 0.0, sum: vec![0.0; width], square: vec![0.0; width] }
    }

    pub(super) fn add(&mut self, values: impl Iterator<Item = f64>) {
        self.count += 1.0;
        for ((sum, square), value) in self.sum.iter_mut().zip(&mut self.square).zip(values) {
            *sum += value;
            *square += value * value;
        }
    }

    /// Means, and the factors that bring the deviations to 1.
    #[expect(clippy::cast_possible_truncation, reason = "statistics of f16 values fit f32")]
    pub(super) fn finish(&self) -> (Vec<f32>, Vec<f32>) {
        let count = self.count.max(1.0);
        let mean: Vec<f64> = self.sum.iter().map(|sum| sum / count).collect();
        let scale = self.square.iter().zip(&mean);
        let scale =
            scale.map(|(square, mean)| (square / count - mean * mean).max(1e-6).sqrt().recip() as f32);
        (mean.iter().map(|mean| *mean as f32).collect(), scale.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_two_values() {
        let mut moments = Moments::new(1);
        moments.add([1.0].into_iter());
        moments.add([5.0].into_iter());
        let (mean, scale) = moments.finish();
        assert!((mean[0] - 3.0).abs() < 1e-6 && (scale[0] - 0.5).abs() < 1e-6);
    }
}
