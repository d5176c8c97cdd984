//! Self-attention within spans of a sequence.

use std::ops::Range;

use super::curves::exp;
use super::lanes::{Eight, LANES, Lanes, Task, dispatch};
use super::norm::total;
use super::{Packed, Reading, Scratch, Sheet, share};

/// Queries whose scores are computed before their values are mixed: the scores stay in a thread's cache.
const QUERIES: usize = 96;
/// The score of what is no key.
const NO_KEY: f32 = -1e9;

/// Queries, keys and values, the queries already scaled, one below the other in `fused` `[3 width, columns]`, to the
/// mixed values `[width, columns]`. Columns attend to the columns of their span, those of no span get zeros; a head is a multiple of eight wide.
pub(crate) fn attend(fused: &Sheet, heads: usize, spans: &[Range<usize>]) -> Sheet {
    let held: usize = spans.iter().map(ExactSizeIterator::len).sum();
    let make = if held == fused.columns { Sheet::unset } else { Sheet::zeros };
    let mut mixed = make(1, fused.panels / 3, fused.columns);
    let panels = mixed.panels / heads.max(1);
    if panels * fused.columns > 0 {
        let parts: Vec<_> = mixed.values.chunks_mut(panels * fused.columns).enumerate().collect();
        share(parts, |(head, mixed)| {
            for span in spans {
                Head { fused, first_panel: head * panels, panels, span: span.clone() }.attend(mixed);
            }
        });
    }
    mixed
}

/// One head over one span.
struct Head<'a> {
    fused: &'a Sheet,
    /// The head's first panel among the queries; keys and values follow a third and two thirds later.
    first_panel: usize,
    panels: usize,
    span: Range<usize>,
}

impl Head<'_> {
    /// The panels of queries (0), keys (1) or values (2).
    fn part(&self, index: usize) -> Vec<&[Eight]> {
        let first = self.first_panel + index * self.fused.panels / 3;
        (first..first + self.panels).map(|panel| &self.fused.panel(panel)[self.span.clone()]).collect()
    }

    fn attend(&self, mixed: &mut [Eight]) {
        let columns = self.fused.columns;
        let (keys, values) =
            (Packed::from_columns(&self.part(1)), Packed::from_rows_of_eights(&self.part(2)));
        let query_offsets: Vec<usize> = (0..self.panels).map(|panel| panel * columns).collect();
        let start = self.first_panel * columns;
        for first in self.span.clone().step_by(QUERIES) {
            let range = first..self.span.end.min(first + QUERIES);
            let count = range.len();
            let places: Vec<usize> = range.clone().map(|query| start + query).collect();
            let reading = Reading { values: &self.fused.values, places: &places, offsets: &query_offsets };
            let mut scores = Scratch::unset(keys.panels() * count);
            keys.multiply_alone(reading, scores.chunks_mut(count));
            dispatch(SoftmaxTask { scores: &mut scores, rows: count, keys: self.span.len() });
            let places: Vec<usize> = (0..count).collect();
            let offsets: Vec<usize> = (0..keys.panels()).map(|panel| panel * count).collect();
            let reading = Reading { values: &scores, places: &places, offsets: &offsets };
            let results = mixed.chunks_mut(columns).map(|panel| &mut panel[range.clone()]);
            values.multiply_alone(reading, results);
        }
    }
}

/// Scores `[panels of keys, rows]` to shares that sum to one in each row.
struct SoftmaxTask<'a> {
    scores: &'a mut [Eight],
    rows: usize,
    keys: usize,
}

impl Task for SoftmaxTask<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let panels = self.keys.div_ceil(LANES);
        for row in 0..self.rows {
            let last = &mut self.scores[(panels - 1) * self.rows + row];
            last.0[self.keys - (panels - 1) * LANES..].fill(NO_KEY);
            let mut largest = lanes.splat(NO_KEY);
            for panel in 0..panels {
                largest = lanes.larger(largest, lanes.load(&self.scores[panel * self.rows + row]));
            }
            let mut eight = Eight::ZERO;
            lanes.store(largest, &mut eight);
            let mut top = eight.0[0];
            for value in eight.0 {
                top = top.max(value);
            }
            let top = lanes.splat(top);
            let mut sum = lanes.splat(0.0);
            for panel in 0..panels {
                let score = &mut self.scores[panel * self.rows + row];
                let share = exp(lanes, lanes.subtract(lanes.load(score), top));
                sum = lanes.add(sum, share);
                lanes.store(share, score);
            }
            let factor = lanes.splat(1.0 / total(lanes, sum));
            for panel in 0..panels {
                let score = &mut self.scores[panel * self.rows + row];
                lanes.store(lanes.multiply(lanes.load(score), factor), score);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 32;

    fn fused(columns: usize) -> (Vec<Vec<f32>>, Sheet) {
        let number = |index: usize| ((index * 7919 % 1009) as f32 * 0.37).sin();
        let rows: Vec<Vec<f32>> = (0..columns)
            .map(|column| (0..3 * WIDTH).map(|channel| number(column * 3 * WIDTH + channel)).collect())
            .collect();
        let sheet = Sheet::from_matrix(&rows.concat(), 3 * WIDTH);
        (rows, sheet)
    }

    /// The definition, in the plainest words.
    fn expected(rows: &[Vec<f32>], span: Range<usize>, query: usize, channel: usize, heads: usize) -> f32 {
        let own = WIDTH / heads;
        let head = channel / own * own;
        let score = |key: usize| -> f32 {
            (0..own).map(|at| rows[query][head + at] * rows[key][WIDTH + head + at]).sum::<f32>().exp()
        };
        let sum: f32 = span.clone().map(score).sum();
        span.map(|key| score(key) / sum * rows[key][2 * WIDTH + channel]).sum()
    }

    #[test]
    fn columns_mix_the_values_of_their_span() {
        let (rows, sheet) = fused(231);
        for heads in [1, 2, 4] {
            let spans = [0..1, 1..6, 6..30, 30..231];
            let mixed = attend(&sheet, heads, &spans);
            for span in spans {
                for query in [span.start, (span.start + span.end) / 2, span.end - 1] {
                    for (channel, found) in mixed.take(query, WIDTH).into_iter().enumerate() {
                        let expected = expected(&rows, span.clone(), query, channel, heads);
                        assert!((found - expected).abs() < 1e-5, "{heads} {span:?}: {found} {expected}");
                    }
                }
            }
        }
    }

    #[test]
    fn nothing_mixes_to_nothing() {
        assert!(attend(&Sheet::zeros(1, 3, 0), 1, &[]).values.is_empty());
    }
}
