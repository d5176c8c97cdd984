//! The weights and the bias of a product, arranged for the inner loop when a model is loaded.

use super::lanes::{Eight, LANES, dispatch};
use super::tile::{PANELS, Step, TileTask};
use super::{Finish, Reading, Sheet, crew, share};

/// Inputs of the rows that one thread takes at once: they stay in its second cache while all weights pass.
const BLOCK_BYTES: usize = 256 << 10;
/// More rows than this are not taken at once.
const BLOCK_ROWS: usize = 96;
/// Fewer rows than this are not cut further.
const LEAST_BLOCK_ROWS: usize = 12;
/// Parts that a product is cut into for each thread, so that the threads end together.
const PARTS_A_THREAD: usize = 4;
/// A product of fewer multiplications than this is not worth a second thread.
const PARALLEL_MULTIPLICATIONS: usize = 200_000;

/// Weights `[inputs, outputs]` and a bias. Inputs are taken in steps of eight; what is missing has a weight of zero.
#[derive(Debug, Clone)]
pub(crate) struct Packed {
    steps: usize,
    outputs: usize,
    /// For each pair of panels, one after the other: `steps`.
    weights: Vec<Step>,
    /// For each pair of panels.
    bias: Vec<[Eight; PANELS]>,
}

impl Packed {
    /// From a function of input and output; the inputs are those of the readings' offsets, in their order.
    pub(crate) fn new(inputs: usize, bias: &[f32], weight: impl Fn(usize, usize) -> f32) -> Self {
        let mut packed = Self::empty(inputs, bias.len());
        for (output, value) in bias.iter().enumerate() {
            let (pair, panel, lane) = (output / (PANELS * LANES), output / LANES % PANELS, output % LANES);
            packed.bias[pair][panel].0[lane] = *value;
            for input in 0..inputs {
                let step = &mut packed.weights[pair * packed.steps + input / LANES];
                step[input % LANES][panel].0[lane] = weight(input, output);
            }
        }
        packed
    }

    /// From a matrix with a row for each output, as weights files have them.
    pub(crate) fn from_rows(weights: &[f32], bias: &[f32]) -> Self {
        let inputs = weights.len() / bias.len().max(1);
        Self::new(inputs, bias, |input, output| weights[output * inputs + input])
    }

    /// From a sequence whose columns are the outputs: panels of channels, each with one value a column. No bias.
    pub(super) fn from_columns(panels: &[&[Eight]]) -> Self {
        let outputs = panels.first().map_or(0, |panel| panel.len());
        let mut packed = Self::empty(panels.len() * LANES, outputs);
        for (step, panel) in panels.iter().enumerate() {
            for (output, column) in panel.iter().enumerate() {
                let pair = output / (PANELS * LANES);
                let step = &mut packed.weights[pair * packed.steps + step];
                for (weights, value) in step.iter_mut().zip(column.0) {
                    weights[output / LANES % PANELS].0[output % LANES] = value;
                }
            }
        }
        packed
    }

    /// From a sequence whose columns are the inputs: panels of channels, each with one value a column. No bias.
    pub(super) fn from_rows_of_eights(panels: &[&[Eight]]) -> Self {
        let inputs = panels.first().map_or(0, |panel| panel.len());
        let mut packed = Self::empty(inputs, panels.len() * LANES);
        for (index, panel) in panels.iter().enumerate() {
            let steps = &mut packed.weights[index / PANELS * packed.steps..];
            for (step, columns) in steps.iter_mut().zip(panel.chunks(LANES)) {
                for (weights, column) in step.iter_mut().zip(columns) {
                    weights[index % PANELS] = *column;
                }
            }
        }
        packed
    }

    /// All weights and biases zero.
    fn empty(inputs: usize, outputs: usize) -> Self {
        let (steps, pairs) = (inputs.div_ceil(LANES), outputs.div_ceil(PANELS * LANES));
        let weights = vec![[[Eight::ZERO; PANELS]; LANES]; pairs * steps];
        Self { steps, outputs, weights, bias: vec![[Eight::ZERO; PANELS]; pairs] }
    }

    /// The panels of a result.
    pub(crate) fn panels(&self) -> usize {
        self.outputs.div_ceil(LANES)
    }

    /// The pairs of panels of a result, the last of which may be half a pair.
    pub(crate) fn pairs(&self) -> usize {
        self.bias.len()
    }

    /// One pair of panels of the result, for all places of a reading; `second` is empty where the pair is half.
    pub(crate) fn pair(&self, reading: Reading<'_>, pair: usize, first: &mut [Eight], second: &mut [Eight]) {
        let weights = &self.weights[pair * self.steps..(pair + 1) * self.steps];
        dispatch(TileTask { reading, weights, bias: &self.bias[pair], first, second });
    }

    /// The product with every column of a single row.
    pub(crate) fn of(&self, input: &Sheet, finish: Finish<'_>) -> Sheet {
        let places: Vec<usize> = (0..input.columns).collect();
        let offsets: Vec<usize> = (0..input.panels).map(|panel| panel * input.columns).collect();
        let reading = Reading { values: &input.values, places: &places, offsets: &offsets };
        let mut result = Sheet::unset(1, self.panels(), input.columns);
        self.multiply(reading, finish, &mut result.values);
        result
    }

    /// The whole result, panel by panel, by this thread alone.
    pub(super) fn multiply_alone<'a>(
        &self,
        reading: Reading<'_>,
        mut results: impl Iterator<Item = &'a mut [Eight]>,
    ) {
        for pair in 0..self.pairs() {
            let (first, second) = (results.next().unwrap_or_default(), results.next().unwrap_or_default());
            self.pair(reading, pair, first, second);
        }
    }

    /// The whole result, `[panels, places]`, with what follows it; threads share it by panels and places.
    pub(crate) fn multiply(&self, reading: Reading<'_>, finish: Finish<'_>, result: &mut [Eight]) {
        let rows = reading.places.len();
        if rows == 0 {
            return;
        }
        let block = self.block_rows(rows);
        let mut parts = Vec::with_capacity(self.pairs() * rows.div_ceil(block));
        for (pair, panels) in result.chunks_mut(PANELS * rows).enumerate() {
            let (first, second) = panels.split_at_mut(rows);
            let mut seconds = second.chunks_mut(block);
            for (index, first) in first.chunks_mut(block).enumerate() {
                parts.push((pair, index * block, first, seconds.next().unwrap_or_default()));
            }
        }
        // All weights for one block of rows, then the next block.
        parts.sort_by_key(|(_, start, ..)| *start);
        let compute = |(pair, start, first, second): (usize, usize, &mut [Eight], &mut [Eight])| {
            let places = &reading.places[start..start + first.len()];
            self.pair(Reading { places, ..reading }, pair, first, second);
            let from = pair * PANELS * rows + start;
            finish.apply(from, first);
            finish.apply(from + rows, second);
        };
        if rows * self.steps * LANES * self.outputs < PARALLEL_MULTIPLICATIONS {
            parts.into_iter().for_each(compute);
        } else {
            share(parts, compute);
        }
    }

    /// Rows that are computed together: as many as the cache likes, but parts for every thread.
    fn block_rows(&self, rows: usize) -> usize {
        let parts = (PARTS_A_THREAD * crew()).div_ceil(self.pairs().max(1));
        let most = BLOCK_ROWS.min(BLOCK_BYTES / (self.steps.max(1) * size_of::<Eight>()));
        rows.div_ceil(parts).min(most).max(1).next_multiple_of(LEAST_BLOCK_ROWS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f32::from(u16::try_from(state >> 16).unwrap()) / 32_768.0 - 1.0
        };
        (0..count).map(|_| next()).collect()
    }

    fn check(rows: usize, inputs: usize, outputs: usize) {
        let (input, weights, bias) = (noise(rows * inputs, 1), noise(outputs * inputs, 2), noise(outputs, 3));
        let packed = Packed::from_rows(&weights, &bias);
        let sheet = Sheet::from_matrix(&input, inputs);
        let places: Vec<usize> = (0..rows).collect();
        let offsets: Vec<usize> = (0..sheet.panels).map(|panel| panel * rows).collect();
        let reading = Reading { values: &sheet.values, places: &places, offsets: &offsets };
        let mut result = Sheet::zeros(1, packed.panels(), rows);
        packed.multiply(reading, Finish::Nothing, &mut result.values);
        for row in 0..rows {
            for (output, found) in result.take(row, outputs).into_iter().enumerate() {
                let products = (0..inputs).map(|at| input[row * inputs + at] * weights[output * inputs + at]);
                let expected = bias[output] + products.sum::<f32>();
                assert!((found - expected).abs() < 1e-3, "{rows} {inputs} {outputs}: {found} {expected}");
            }
        }
    }

    #[test]
    fn products_of_all_shapes_are_right() {
        for rows in [1, 2, 3, 5, 6, 7, 11, 100, 193] {
            check(rows, 24, 40);
        }
        check(13, 1, 1);
        check(64, 384, 384);
        Packed::from_rows(&[1.0; 8], &[0.0]).multiply(
            Reading { values: &[], places: &[], offsets: &[0] },
            Finish::Nothing,
            &mut [],
        );
    }
}
