//! The extension `heartline.explain`: factors with valid texts and ranges that add up to the score.

use heartline_plugin_abi as abi;
use heartline_plugin_abi::{Factor, Status, Text};

use crate::check::case::{Found, Verdict};
use crate::check::child::Bench;
use crate::check::grown::Grown;
use crate::check::room::Guarded;
use crate::check::subject::{Instance, Told};
use crate::check::world::{Lent, World};

/// How far the sum of the contributions may be from the score.
const TOLERANCE: f32 = 0.01;
/// How many factors there is room for.
pub(super) const ROOM: usize = 64;
/// What guards the room for factors.
const GUARD: u64 = 0x5a5a_5a5a_5a5a_5a5a;
/// The 64-bit words of a factor.
const WORDS: usize = size_of::<Factor>() / size_of::<u64>();

pub(crate) fn explain(bench: &Bench) -> Found {
    let subject = bench.subject()?;
    let Some(explain) = subject.explain_table()? else {
        return Ok(Verdict::skipped("it has no heartline.explain"));
    };
    let mut instance = bench.instance(&subject)?;
    let mut random = bench.random();
    let (mut rows, mut most) = (0, 0);
    let mut warnings = Vec::new();
    for _ in 0..12 {
        let world = World::seeded(&mut random, 6);
        bench.step("scoring 6 agents");
        let answer = instance.score(&world)?;
        for row in 0..world.count() {
            bench.step(format!("explaining the score of candidate {row} of 6"));
            let score = answer.score(row);
            let wrong = |fault: String| format!("explaining the score {score} of candidate {row}, {fault}");
            let factors = factors(&mut instance, explain, &world, (row, ROOM)).map_err(wrong)?;
            let is_eligible = answer.eligible(row) == 1;
            check_sum(&factors, score, is_eligible).map_err(wrong)?;
            if warnings.is_empty() {
                warnings.extend(rising(&factors).map(wrong));
            }
            (rows, most) = (rows + 1, most.max(factors.len()));
            for capacity in [0, 1] {
                bench.step(format!("explaining with room for {capacity} factors"));
                self::factors(&mut instance, explain, &world, (row, capacity)).map_err(wrong)?;
            }
        }
        bench.step("scoring once more");
        if let Some(difference) = answer.difference(&instance.score(&world)?) {
            return Err(format!("explaining changes the scores: {difference}"));
        }
    }
    let words = format!("{rows} scores explained by up to {most} factors that add up to them");
    Ok(Verdict::unless(warnings, words))
}

/// What an explanation says of a factor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Part {
    weight: f32,
    contribution: f32,
}

fn check_sum(parts: &[Part], score: f32, is_eligible: bool) -> Result<(), String> {
    // A full room may be a cut list, and what is not eligible need not add up.
    if !is_eligible || parts.len() >= ROOM {
        return Ok(());
    }
    let sum: f32 = parts.iter().map(|part| part.contribution).sum();
    if (sum - score).abs() <= TOLERANCE {
        return Ok(());
    }
    Err(format!("the contributions sum to {sum}, more than {TOLERANCE} away from it"))
}

/// Where a factor weighs more than the one before it; the weightiest comes first.
fn rising(parts: &[Part]) -> Option<String> {
    let index = parts.windows(2).position(|pair| pair[1].weight > pair[0].weight)? + 1;
    Some(format!("factor {index} weighs more than the one before it; the weightiest comes first"))
}

/// Asks for the factors of a row and checks them.
pub(super) fn factors(
    instance: &mut Instance<'_>,
    explain: abi::ExplainFn,
    world: &World,
    (row, capacity): (usize, usize),
) -> Result<Vec<Part>, String> {
    let is_later = instance.subject().is_later;
    let lent = Lent::new(world, is_later);
    let (request, candidates) = (lent.request(), lent.candidates());
    // All bytes 0 is a valid factor.
    let mut room = Guarded::new(capacity * WORDS, 0_u64, GUARD);
    let factors = abi::Factors {
        size: abi::size_of_struct::<abi::Factors>(),
        capacity: capacity as u32,
        count: 0,
        reserved: 0,
        factors: room.as_mut_ptr().cast(),
    };
    let mut factors = Grown::new(factors, is_later);
    let pointer = instance.pointer;
    let told = instance.subject().tell(|message| {
        // SAFETY: the instance is ours alone; all pointers lead to values that live through the call, with as many
        // elements as their counts say; the row is below the number of candidates.
        unsafe {
            explain(pointer, request.as_ptr(), candidates.as_ptr(), row as u32, factors.as_mut_ptr(), message)
        }
    });
    let told: Told = told.map_err(|told| told.words)?;
    room.check("the factors")?;
    if told.status != Status::OK {
        return Err(told.to_string());
    }
    let count = factors.known().count as usize;
    if count > capacity {
        return Err(format!("it reports {count} factors where there is room for {capacity}"));
    }
    let found: *const Factor = room.as_mut_ptr().cast_const().cast();
    let limit = instance.subject().limits().max_text_bytes;
    let mut parts = Vec::with_capacity(count);
    for index in 0..count {
        // SAFETY: the index is below the capacity, the room is aligned for a factor's largest field, and all its bytes
        // are initialised.
        let factor = unsafe { found.add(index).read() };
        check_factor(index, &factor, limit)?;
        parts.push(Part { weight: factor.weight, contribution: factor.contribution });
    }
    Ok(parts)
}

fn check_factor(index: usize, factor: &Factor, limit: usize) -> Result<(), String> {
    for (field, text) in [("name", factor.name), ("subject", factor.subject)] {
        if !is_text(text, limit) {
            return Err(format!(
                "the {field} of factor {index} is null, not UTF-8 or longer than {limit} bytes"
            ));
        }
    }
    if factor.name.length == 0 {
        return Err(format!("factor {index} has no name"));
    }
    for (field, value, low) in [
        ("value", factor.value, 0.0),
        ("weight", factor.weight, 0.0),
        ("contribution", factor.contribution, -1.0),
    ] {
        if !(low..=1.0).contains(&value) {
            return Err(format!("the {field} of factor {index} is {value}, outside its range"));
        }
    }
    Ok(())
}

fn is_text(text: Text, limit: usize) -> bool {
    // SAFETY: the header makes a matcher promise that the text is as long as it says; the length is limited before.
    text.length <= limit && unsafe { text.as_str() }.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(contributions: &[f32]) -> Vec<Part> {
        contributions.iter().map(|&contribution| Part { weight: 0.5, contribution }).collect()
    }

    #[test]
    fn sums_are_held_to_the_score_of_the_eligible() {
        assert_eq!(check_sum(&parts(&[0.25, 0.255]), 0.5, true), Ok(()));
        assert!(check_sum(&parts(&[0.25]), 0.5, true).unwrap_err().contains("0.25"));
        assert_eq!(check_sum(&parts(&[0.25]), 0.5, false), Ok(()));
        assert_eq!(check_sum(&parts(&[0.0; ROOM]), 0.5, true), Ok(()));
    }

    #[test]
    fn weights_that_rise_are_seen() {
        let weighing = |weights: &[f32]| -> Vec<Part> {
            weights.iter().map(|&weight| Part { weight, contribution: 0.0 }).collect()
        };
        assert_eq!((rising(&weighing(&[])), rising(&weighing(&[0.5, 0.5, 0.25]))), (None, None));
        assert!(rising(&weighing(&[0.5, 0.25, 0.3])).unwrap().starts_with("factor 2 weighs more"));
    }
}
