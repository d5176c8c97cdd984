//! A 3x3 convolution of each channel by itself, and the largest of each 2 x 2 pixels.

use super::lanes::{Eight, LANES, Lanes, Task, dispatch};

/// The weights and biases of one panel of channels.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    taps: [Eight; 9],
    bias: Eight,
}

impl Filter {
    /// One filter a panel, from `[channels, 3, 3]` and `[channels]`.
    pub(crate) fn panels(weights: &[f32], bias: &[f32]) -> Vec<Self> {
        let biases = Eight::from_values(bias);
        let mut filters: Vec<Self> =
            biases.into_iter().map(|bias| Self { taps: [Eight::ZERO; 9], bias }).collect();
        for (channel, taps) in weights.chunks_exact(9).enumerate() {
            for (tap, weight) in taps.iter().enumerate() {
                filters[channel / LANES].taps[tap].0[channel % LANES] = *weight;
            }
        }
        filters
    }

    /// One row of the result from three rows that have one more pixel on each side; negative numbers become zero
    /// where `relu` is set.
    pub(crate) fn row(&self, rows: [&[Eight]; 3], relu: bool, result: &mut [Eight]) {
        let least = if relu { 0.0 } else { f32::NEG_INFINITY };
        dispatch(RowTask { filter: self, rows, least, result });
    }
}

struct RowTask<'a> {
    filter: &'a Filter,
    rows: [&'a [Eight]; 3],
    least: f32,
    result: &'a mut [Eight],
}

impl Task for RowTask<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let mut taps = [lanes.splat(0.0); 9];
        for (tap, weight) in taps.iter_mut().zip(&self.filter.taps) {
            *tap = lanes.load(weight);
        }
        let bias = lanes.load(&self.filter.bias);
        let least = lanes.splat(self.least);
        let [above, here, below] = self.rows;
        let windows =
            above.array_windows::<3>().zip(here.array_windows::<3>()).zip(below.array_windows::<3>());
        for (((above, here), below), result) in windows.zip(self.result) {
            let mut sums = [bias, lanes.splat(0.0), lanes.splat(0.0)];
            for column in 0..3 {
                sums[0] = lanes.multiply_add(lanes.load(&above[column]), taps[column], sums[0]);
                sums[1] = lanes.multiply_add(lanes.load(&here[column]), taps[3 + column], sums[1]);
                sums[2] = lanes.multiply_add(lanes.load(&below[column]), taps[6 + column], sums[2]);
            }
            let sum = lanes.add(lanes.add(sums[0], sums[1]), sums[2]);
            lanes.store(lanes.larger(sum, least), result);
        }
    }
}

/// The largest of each 2 x 2 pixels of two rows.
pub(crate) fn halve(upper: &[Eight], lower: &[Eight], result: &mut [Eight]) {
    dispatch(HalveTask { upper, lower, result });
}

struct HalveTask<'a> {
    upper: &'a [Eight],
    lower: &'a [Eight],
    result: &'a mut [Eight],
}

impl Task for HalveTask<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let pairs = self.upper.as_chunks::<2>().0.iter().zip(self.lower.as_chunks::<2>().0);
        for ((upper, lower), result) in pairs.zip(self.result) {
            let above = lanes.larger(lanes.load(&upper[0]), lanes.load(&upper[1]));
            let below = lanes.larger(lanes.load(&lower[0]), lanes.load(&lower[1]));
            lanes.store(lanes.larger(above, below), result);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_channel_is_filtered_by_itself() {
        let weights: Vec<f32> = (0..10 * 9).map(|index| (index % 7) as f32 - 3.0).collect();
        let bias: Vec<f32> = (0..10).map(|channel| channel as f32 - 5.0).collect();
        let filters = Filter::panels(&weights, &bias);
        assert_eq!(filters.len(), 2);
        let rows: Vec<Vec<Eight>> = (0..3)
            .map(|row| (0..7).map(|column| Eight([(row * 7 + column) as f32 * 0.1; LANES])).collect())
            .collect();
        for relu in [false, true] {
            let mut result = [Eight::ZERO; 5];
            filters[1].row([&rows[0], &rows[1], &rows[2]], relu, &mut result);
            for (column, found) in result.iter().enumerate() {
                for channel in 8..10 {
                    let mut expected = bias[channel];
                    for tap in 0..9 {
                        expected += weights[channel * 9 + tap] * rows[tap / 3][column + tap % 3].0[0];
                    }
                    let expected = if relu { expected.max(0.0) } else { expected };
                    assert!((found.0[channel - 8] - expected).abs() < 1e-4);
                }
            }
        }
    }

    #[test]
    fn halving_keeps_the_largest() {
        let row = |values: [f32; 4]| values.map(|value| Eight([value; LANES]));
        let mut result = [Eight::ZERO; 2];
        halve(&row([1.0, -2.0, 0.0, -1.0]), &row([0.0, 3.0, -5.0, -2.0]), &mut result);
        assert_eq!(result, [Eight([3.0; LANES]), Eight([0.0; LANES])]);
    }
}
