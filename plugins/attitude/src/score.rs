//! The scores of many agents at once.

use heartline_plugin_sdk::Columns;

use crate::demand::{Demand, UNKNOWN_TRAIT};
use crate::outcomes::{Reading, Record};
use crate::sheets::{BLOCK, Block, Sheets};
use crate::{FAIR, REASON_TRAITS, REASON_UNKNOWN, STRONG};

/// The answers for the rows of a block.
struct Answers {
    scores: [f32; BLOCK],
    confidences: [f32; BLOCK],
    reason_codes: [u32; BLOCK],
}

/// Answers for all agents; `sureness` is the confidence in an agent of whom everything is known.
pub(crate) fn answer(
    demand: &Demand,
    reading: &Reading,
    sureness: f32,
    sheets: &Sheets,
    columns: Columns<'_>,
) {
    columns.eligible.fill(1);
    let chunks = columns
        .scores
        .chunks_mut(BLOCK)
        .zip(columns.confidences.chunks_mut(BLOCK))
        .zip(columns.reason_codes.chunks_mut(BLOCK));
    for (block, ((scores, confidences), reason_codes)) in sheets.blocks().zip(chunks) {
        let answers = of_block(demand, reading, sureness, &block);
        let rows = scores.len();
        scores.copy_from_slice(&answers.scores[..rows]);
        confidences.copy_from_slice(&answers.confidences[..rows]);
        reason_codes.copy_from_slice(&answers.reason_codes[..rows]);
    }
}

/// Nothing here branches on a value, so that the compiler can take several rows at a time.
fn of_block(demand: &Demand, reading: &Reading, sureness: f32, block: &Block<'_>) -> Answers {
    let (mut fits, mut known) = ([0.0_f32; BLOCK], [0.0_f32; BLOCK]);
    for (share, values) in demand.shares.iter().zip(block.traits) {
        for ((fit, known), value) in fits.iter_mut().zip(&mut known).zip(values) {
            let is_unknown = value.is_nan();
            *fit += share * if is_unknown { UNKNOWN_TRAIT } else { *value };
            *known += if is_unknown { 0.0 } else { *share };
        }
    }
    let mut answers = Answers { scores: [0.0; BLOCK], confidences: [0.0; BLOCK], reason_codes: [0; BLOCK] };
    for row in 0..BLOCK {
        let Record { success, weight } = reading.record(block.calls.map(|column| column[row]));
        let score = (1.0 - weight) * fits[row] + weight * success;
        // What is known: the traits, and beside them a record as far as it counts.
        let known = known[row] + (1.0 - known[row]) * weight;
        // Sums of shares can round to above 1.
        answers.scores[row] = if score > 1.0 { 1.0 } else { score };
        let confidence = sureness * known;
        answers.confidences[row] = if confidence > 1.0 { 1.0 } else { confidence };
    }
    let first = REASON_TRAITS + 3 * demand.leading as u32;
    for (code, value) in answers.reason_codes.iter_mut().zip(block.traits[demand.leading]) {
        // Every comparison with an unknown value is false.
        let grade = u32::from(*value < STRONG) + u32::from(*value < FAIR);
        *code = if value.is_nan() { REASON_UNKNOWN } else { first + grade };
    }
    answers
}
