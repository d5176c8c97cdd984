//! The inner loop of all products: a few places times sixteen columns of weights.
//!
//! What is read is described by two lists of positions in a slice of [`Eight`]: a place for each row of the result
//! and an offset for each step of eight inputs. A matrix, a convolution over time and one over a picture differ in
//! these lists only, so nothing is copied to make a convolution a matrix product.

use super::lanes::{Eight, LANES, Lanes, Task};

/// Places computed at once: with two panels of results these fill twelve of sixteen registers.
const PLACES: usize = 6;
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
        let mut start = 0;
        while count - start >= PLACES {
            self.block::<L, PLACES, WIDTH>(lanes, start);
            start += PLACES;
        }
        if count - start >= 4 {
            self.block::<L, 4, WIDTH>(lanes, start);
            start += 4;
        }
        if count - start >= 2 {
            self.block::<L, 2, WIDTH>(lanes, start);
            start += 2;
        }
        if count > start {
            self.block::<L, 1, WIDTH>(lanes, start);
        }
    }

    #[inline(always)]
    fn block<L: Lanes, const HEIGHT: usize, const WIDTH: usize>(&mut self, lanes: L, start: usize) {
        let mut places = [0; HEIGHT];
        places.copy_from_slice(&self.reading.places[start..start + HEIGHT]);
        let values = self.reading.values;
        let mut sums = [[lanes.splat(0.0); WIDTH]; HEIGHT];
        for sums in &mut sums {
            for (panel, sum) in sums.iter_mut().enumerate() {
                *sum = lanes.load(&self.bias[panel]);
            }
        }
        for (offset, step) in self.reading.offsets.iter().zip(self.weights) {
            let mut inputs = [&Eight::ZERO; HEIGHT];
            for (input, place) in inputs.iter_mut().zip(places) {
                *input = &values[place + offset];
            }
            for lane in 0..LANES {
                let mut weights = [lanes.splat(0.0); WIDTH];
                for (panel, weight) in weights.iter_mut().enumerate() {
                    *weight = lanes.load(&step[lane][panel]);
                }
                for row in 0..HEIGHT {
                    let input = lanes.splat(inputs[row].0[lane]);
                    for panel in 0..WIDTH {
                        sums[row][panel] = lanes.multiply_add(input, weights[panel], sums[row][panel]);
                    }
                }
            }
        }
        let first = &mut self.first[start..start + HEIGHT];
        for (sums, first) in sums.iter().zip(first) {
            lanes.store(sums[0], first);
        }
        if WIDTH == PANELS {
            let second = &mut self.second[start..start + HEIGHT];
            for (sums, second) in sums.iter().zip(second) {
                lanes.store(sums[WIDTH - 1], second);
            }
        }
    }
}
