//! Which rows make a batch, and the sizes that batches have on a GPU. Kernels are chosen and compiled by size, so a batch
//! is filled up to one of a few sizes; all of them are computed once before a model serves, and no request waits for a
//! compilation.

use std::ops::Range;

use crate::ModelError;

/// The numbers of rows that a batch may have: powers of two, and the most itself.
pub(crate) fn row_steps(most: usize) -> impl Iterator<Item = usize> {
    let powers = (0..usize::BITS).map(|power| 1 << power).take_while(move |rows| *rows < most);
    powers.chain(std::iter::once(most.max(1)))
}

/// The first of some rising steps that holds a size; the size itself where none does.
pub(crate) fn fill_up(mut steps: impl Iterator<Item = usize>, size: usize) -> usize {
    steps.find(|step| *step >= size).unwrap_or(size)
}

/// How often each shape is computed while a model warms up: burn plans in the first two passes what it fuses.
const PASSES: usize = 3;

/// Computes batches of every number of rows up to the most of a model and to the step that holds what is asked for.
pub(crate) fn each_row_step(
    most: usize,
    asked: usize,
    mut compute: impl FnMut(usize) -> Result<(), ModelError>,
) -> Result<(), ModelError> {
    let largest = fill_up(row_steps(most), asked.min(most));
    let steps = row_steps(most).take_while(|rows| *rows <= largest);
    steps.flat_map(|rows| [rows; PASSES]).try_for_each(&mut compute)
}

/// Ranges of rows, sorted by length, that are computed together: so many of them as there may be of the longest.
pub(crate) fn plan(lengths: &[usize], most: impl Fn(usize) -> usize) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut start = 0;
    for (index, length) in lengths.iter().enumerate() {
        if index > start && index + 1 - start > most(*length) {
            ranges.push(start..index);
            start = index;
        }
    }
    if start < lengths.len() {
        ranges.push(start..lengths.len());
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_powers_of_two_up_to_the_most() {
        assert_eq!(row_steps(8).collect::<Vec<_>>(), [1, 2, 4, 8]);
        assert_eq!(row_steps(12).collect::<Vec<_>>(), [1, 2, 4, 8, 12]);
        assert_eq!(row_steps(1).collect::<Vec<_>>(), [1]);
        assert_eq!(row_steps(0).collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn sizes_are_filled_up() {
        let filled = [1, 3, 8, 9, 13].map(|size| fill_up(row_steps(12), size));
        assert_eq!(filled, [1, 4, 8, 12, 13]);
    }

    #[test]
    fn every_step_that_may_come_is_computed() {
        let steps = |most, asked| {
            let mut steps = Vec::new();
            each_row_step(most, asked, |rows| {
                steps.push(rows);
                Ok(())
            })
            .unwrap();
            assert!(steps.iter().all(|step| steps.iter().filter(|other| *other == step).count() == PASSES));
            steps.dedup();
            steps
        };
        assert_eq!(steps(32, 5), [1, 2, 4, 8]);
        assert_eq!(steps(32, 100), [1, 2, 4, 8, 16, 32]);
        assert_eq!(steps(12, 9), [1, 2, 4, 8, 12]);
    }
}
