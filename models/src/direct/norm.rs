//! Layer normalisation over the channels of each column.

use rayon::prelude::*;

use super::lanes::{Eight, LANES, Lanes, Task, dispatch};
use super::{Sheet, crew};

/// A sheet of fewer values than this, in eights, is not worth a second thread.
const PARALLEL_EIGHTS: usize = 8192;

/// The learned scale and shift of a normalisation.
#[derive(Debug, Clone)]
pub(crate) struct Norm {
    scale: Vec<Eight>,
    shift: Vec<Eight>,
    width: f32,
    epsilon: f32,
}

/// What is taken off a column and what it is multiplied by.
type Moments = (f32, f32);

impl Norm {
    pub(crate) fn new(scale: &[f32], shift: &[f32], epsilon: f32) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a network is a few thousand wide")]
        let width = scale.len() as f32;
        Self { scale: Eight::from_values(scale), shift: Eight::from_values(shift), width, epsilon }
    }

    /// Normalises every column of a single row. Channels beyond the width must be zero, and stay so.
    pub(crate) fn apply(&self, sheet: &mut Sheet) {
        let columns = sheet.columns;
        if columns == 0 {
            return;
        }
        let mut moments = vec![(0.0, 0.0); columns];
        if crew() == 1 || sheet.values.len() < PARALLEL_EIGHTS {
            dispatch(MomentsTask { norm: self, values: &sheet.values, first: 0, moments: &mut moments });
            for (panel, values) in sheet.values.chunks_mut(columns).enumerate() {
                dispatch(self.scaling(panel, &moments, values));
            }
        } else {
            let share = columns.div_ceil(crew());
            moments.par_chunks_mut(share).enumerate().for_each(|(index, moments)| {
                dispatch(MomentsTask { norm: self, values: &sheet.values, first: index * share, moments });
            });
            sheet.values.par_chunks_mut(columns).enumerate().for_each(|(panel, values)| {
                dispatch(self.scaling(panel, &moments, values));
            });
        }
    }

    fn scaling<'a>(&self, panel: usize, moments: &'a [Moments], values: &'a mut [Eight]) -> ScaleTask<'a> {
        ScaleTask { scale: self.scale[panel], shift: self.shift[panel], moments, values }
    }
}

struct MomentsTask<'a> {
    norm: &'a Norm,
    values: &'a [Eight],
    /// The column of the first moments.
    first: usize,
    moments: &'a mut [Moments],
}

impl Task for MomentsTask<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let panels = self.norm.scale.len();
        let columns = self.values.len() / panels.max(1);
        for (index, moments) in self.moments.iter_mut().enumerate() {
            let column = self.first + index;
            let mut sum = lanes.splat(0.0);
            for panel in 0..panels {
                sum = lanes.add(sum, lanes.load(&self.values[panel * columns + column]));
            }
            let mean = total(lanes, sum) / self.norm.width;
            let centre = lanes.splat(mean);
            let mut squares = lanes.splat(0.0);
            for panel in 0..panels {
                let difference = lanes.subtract(lanes.load(&self.values[panel * columns + column]), centre);
                squares = lanes.multiply_add(difference, difference, squares);
            }
            // The zeros beyond the width differ from the mean as well, but are no part of it.
            #[expect(clippy::cast_precision_loss, reason = "less than eight")]
            let beyond = (panels * LANES) as f32 - self.norm.width;
            let variance = (total(lanes, squares) - beyond * mean * mean).max(0.0) / self.norm.width;
            *moments = (mean, 1.0 / (variance + self.norm.epsilon).sqrt());
        }
    }
}

/// The sum of eight numbers.
#[inline(always)]
pub(super) fn total<L: Lanes>(lanes: L, vector: L::Vector) -> f32 {
    let mut eight = Eight::ZERO;
    lanes.store(vector, &mut eight);
    let [a, b, c, d, e, f, g, h] = eight.0;
    ((a + e) + (b + f)) + ((c + g) + (d + h))
}

struct ScaleTask<'a> {
    scale: Eight,
    shift: Eight,
    moments: &'a [Moments],
    values: &'a mut [Eight],
}

impl Task for ScaleTask<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let (scale, shift) = (lanes.load(&self.scale), lanes.load(&self.shift));
        for (value, (mean, factor)) in self.values.iter_mut().zip(self.moments) {
            let centred = lanes.subtract(lanes.load(value), lanes.splat(*mean));
            let normal = lanes.multiply(centred, lanes.splat(*factor));
            lanes.store(lanes.multiply_add(normal, scale, shift), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_get_mean_zero_and_deviation_one_then_scale_and_shift() {
        for columns in [1, 3, 5000] {
            let width = 12;
            let values: Vec<f32> =
                (0..columns * width).map(|index| ((index * 37 % 101) as f32).sin() * 3.0 + 1.0).collect();
            let mut sheet = Sheet::from_matrix(&values, width);
            let scale: Vec<f32> = (0..width).map(|index| 1.0 + index as f32).collect();
            Norm::new(&scale, &vec![0.5; width], 1e-5).apply(&mut sheet);
            for (column, row) in values.chunks(width).enumerate() {
                let mean = row.iter().sum::<f32>() / width as f32;
                let variance = row.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / width as f32;
                for (index, found) in sheet.take(column, width).into_iter().enumerate() {
                    let expected = (row[index] - mean) / (variance + 1e-5).sqrt() * scale[index] + 0.5;
                    assert!((found - expected).abs() < 1e-4, "{found} {expected}");
                }
            }
        }
        Norm::new(&[1.0], &[0.0], 1e-5).apply(&mut Sheet::zeros(1, 1, 0));
    }
}
