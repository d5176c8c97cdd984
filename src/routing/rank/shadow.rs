//! What would differ if a shadow counted.

use super::ask::{Asked, counting};
use super::judge::Judgement;
use super::place::Places;
use crate::routing::{Disagreement, Policy, Roster};

/// How many of the first agents are looked at.
const LOOKED_AT: usize = 10;

/// Ranks as if a shadow were active with its weight, and compares. `first` are the first rows as they were ranked.
/// None where the shadow gave no answer or nobody could take the call.
pub(in crate::routing) fn disagreement(
    shadow: &Asked<'_>,
    active_weight: f32,
    judgement: &Judgement<'_>,
    (roster, policy): (&Roster, &Policy),
    first: &[u32],
) -> Option<Disagreement> {
    let scored = shadow.scored()?;
    let free = judgement.free();
    let first = &first[..first.len().min(LOOKED_AT)];
    if free.is_empty() || first.is_empty() {
        return None;
    }
    let total = active_weight + shadow.used.weight;
    let scores: Vec<f32> = judgement
        .scores
        .iter()
        .enumerate()
        .map(|(row, score)| {
            let own = counting(scored.scores[row], scored.confidences[row]);
            (active_weight * score + shadow.used.weight * own) / total
        })
        .collect();
    let kept: Vec<u32> = free.iter().copied().filter(|row| scored.eligible[*row as usize]).collect();
    let places = Places::new(roster, policy, &scores, &kept, false);
    // The rows that were looked at, in the shadow's order, and how many rows come before each of them.
    let mut looked_at: Vec<u32> =
        first.iter().copied().filter(|row| scored.eligible[*row as usize]).collect();
    looked_at.sort_unstable_by(|left, right| places.compare(*left, *right));
    let mut gaps = vec![0_usize; looked_at.len() + 1];
    for row in &kept {
        gaps[looked_at.partition_point(|place| places.compare(*place, *row).is_le())] += 1;
    }
    // A row counts into the gap after itself, so the gaps up to a row's own are the rows before it.
    let shadow_places: Vec<usize> = gaps
        .iter()
        .scan(0, |before, gap| {
            *before += gap;
            Some(*before)
        })
        .collect();
    let last = free.len() - 1;
    let moved: usize = first
        .iter()
        .enumerate()
        .map(|(place, row)| {
            let found = looked_at.iter().position(|other| other == row);
            found.map_or(last, |index| shadow_places[index]).abs_diff(place)
        })
        .sum();
    let leader = kept.iter().copied().min_by(|left, right| places.compare(*left, *right));
    Some(Disagreement {
        first_differs: leader != first.first().copied(),
        mean_displacement: moved as f32 / first.len() as f32,
        excluded_share: (free.len() - kept.len()) as f32 / free.len() as f32,
    })
}
