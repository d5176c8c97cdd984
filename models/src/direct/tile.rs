//! The inner loop of all products: a few places times sixteen columns of weights.
//!
//! What is read is described by two lists of positions in a slice of [`Eight`]: a place for each row of the result
//! and an offset for each step of eight inputs. A matrix, a convolution over time and one over a picture differ in
//! these lists only, so nothing is copied to make a convolution a matrix product.

use super::lanes::{Eight, LANES, Lanes, Task};

/// Places computed at once for two panels of results: these fill twelve of sixteen registers.
const PLACES: usize = 6;
/// Places computed at once for one panel.
const PLACES_OF_ONE: usize = 2 * PLACES;
/// Steps after which the next places are taken: their weights, 16 KB, stay in the first cache meanwhile.
const STEPS: usize = 32;
/// Panels of results computed at once.
pub(super) const PANELS: usize = 2;

/// The weights of eight inputs for [`PANELS`] panels of results.
pub(super) type Step = [[Eight; PANELS]; LANES];

/// Where inputs are found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading<'a> {
    /// The values.
    pub(crate) values: &'a [Eight],
    /// For each row of the result: where its inputs begin.
    pub(crate) places: &'a [usize],
    /// For each step of eight inputs: how far behind the place they are.
    pub(crate) offsets: &'a [usize],
}

/// A product with the weights of two panels (or of one, where `second` is empty).
pub(super) struct TileTask<'a> {
    pub(super) reading: Reading<'a>,
    pub(super) weights: &'a [Step],
    pub(super) bias: &'a [Eight; PANELS],
    pub(super) first: &'a mut [Eight],
    pub(super) second: &'a mut [Eight],
}

impl Task for TileTask<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        if self.second.is_empty() {
            self.blocks::<L, 1>(lanes);
        } else {
            self.blocks::<L, PANELS>(lanes);
        }
    }
}

impl TileTask<'_> {
    #[inline(always)]
    fn blocks<L: Lanes, const WIDTH: usize>(mut self, lanes: L) {
        let count = self.reading.places.len();
        let parts = self.reading.offsets.chunks(STEPS).zip(self.weights.chunks(STEPS));
        for (index, part) in parts.enumerate() {
            let begun = index > 0;
            let mut start = 0;
            while WIDTH == 1 && count - start >= PLACES_OF_ONE {
                self.block::<L, PLACES_OF_ONE, WIDTH>(lanes, start, part, begun);
                start += PLACES_OF_ONE;
            }
            while count - start >= PLACES {
                self.block::<L, PLACES, WIDTH>(lanes, start, part, begun);
                start += PLACES;
            }
            if count - start >= 4 {
                self.block::<L, 4, WIDTH>(lanes, start, part, begun);
                start += 4;
            }
            if count - start >= 2 {
                self.block::<L, 2, WIDTH>(lanes, start, part, begun);
                start += 2;
            }
            if count > start {
                self.block::<L, 1, WIDTH>(lanes, start, part, begun);
            }
        }
    }

    /// Some places over some steps; a sum that was begun is continued.
    #[inline(always)]
    fn block<L: Lanes, const HEIGHT: usize, const WIDTH: usize>(
        &mut self,
        lanes: L,
        start: usize,
        (offsets, steps): (&[usize], &[Step]),
        begun: bool,
    ) {
        let mut places = [0; HEIGHT];
        places.copy_from_slice(&self.reading.places[start..start + HEIGHT]);
        let values = self.reading.values;
        let mut sums = [[lanes.splat(0.0); WIDTH]; HEIGHT];
        let first = &mut self.first[start..start + HEIGHT];
        let second = if WIDTH == PANELS { &mut self.second[start..start + HEIGHT] } else { &mut [] };
        if begun {
            for (sums, first) in sums.iter_mut().zip(first.iter()) {
                sums[0] = lanes.load(first);
            }
            for (sums, second) in sums.iter_mut().zip(second.iter()) {
                sums[WIDTH - 1] = lanes.load(second);
            }
        } else {
            for sums in &mut sums {
                for (sum, bias) in sums.iter_mut().zip(self.bias) {
                    *sum = lanes.load(bias);
                }
            }
        }
        for (offset, step) in offsets.iter().zip(steps) {
            let mut inputs = [&Eight::ZERO; HEIGHT];
            for (input, place) in inputs.iter_mut().zip(places) {
                *input = &values[place + offset];
            }
            for (lane, step) in step.iter().enumerate() {
                let mut weights = [lanes.splat(0.0); WIDTH];
                for (weight, panel) in weights.iter_mut().zip(step) {
                    *weight = lanes.load(panel);
                }
                for (sums, input) in sums.iter_mut().zip(inputs) {
                    let input = lanes.splat(input.0[lane]);
                    for (sum, weight) in sums.iter_mut().zip(weights) {
                        *sum = lanes.multiply_add(input, weight, *sum);
                    }
                }
            }
        }
        for (sums, first) in sums.iter().zip(first) {
            lanes.store(sums[0], first);
        }
        for (sums, second) in sums.iter().zip(second) {
            lanes.store(sums[WIDTH - 1], second);
        }
    }
}
