//! What must not change an answer: another call, another instance, another place in memory, another order.

use crate::check::case::{Found, Verdict};
use crate::check::child::Bench;
use crate::check::world::World;

pub(crate) fn determinism(bench: &Bench) -> Found {
    let subject = bench.subject()?;
    let mut random = bench.random();
    let mut first = bench.instance(&subject)?;
    let mut second = bench.instance(&subject)?;
    let worlds: Vec<World> =
        [1, 17, 60, 60, 200].iter().map(|&count| World::seeded(&mut random, count)).collect();
    bench.step("scoring the same agents several times");
    let mut answers = Vec::new();
    for world in &worlds {
        answers.push(first.score(world)?);
    }
    for (world, answer) in worlds.iter().zip(&answers) {
        // Later calls, with other rankings in between.
        if let Some(difference) = answer.difference(&first.score(world)?) {
            return Err(format!("the same input gives another answer the second time: {difference}"));
        }
        if let Some(difference) = answer.difference(&second.score(world)?) {
            return Err(format!("a second instance gives another answer: {difference}"));
        }
    }
    bench.step("scoring other agents in the same memory");
    // Two rankings of as many agents, one after the other in the same columns: what a matcher remembers by address
    // or by count is wrong then. The numbers of the snapshots tell them apart, or are 0 and tell nothing.
    for snapshots in [(0, 0), (101, 102)] {
        let mut world = World { snapshot: snapshots.0, ..worlds[2].clone() };
        first.score(&world)?;
        overwrite(&mut world, &worlds[3]);
        world.snapshot = snapshots.1;
        let expected = bench.instance(&subject)?.score(&world)?;
        if let Some(difference) = expected.difference(&first.score(&world)?) {
            return Err(format!("it remembers columns that have changed since: {difference}"));
        }
    }
    Ok(Verdict::pass("the same bytes for the same input, also from a second instance"))
}

/// Writes another world's columns over these, without new memory where the lengths are equal.
fn overwrite(world: &mut World, other: &World) {
    world.attitudes.copy_from_slice(&other.attitudes);
    world.active_tasks.copy_from_slice(&other.active_tasks);
    world.capacities.copy_from_slice(&other.capacities);
    world.idle_ms.copy_from_slice(&other.idle_ms);
    world.outcomes.copy_from_slice(&other.outcomes);
    world.skills.clone_from(&other.skills);
    world.languages.clone_from(&other.languages);
    world.attributes.clone_from(&other.attributes);
}

pub(crate) fn permutation(bench: &Bench) -> Found {
    let subject = bench.subject()?;
    let mut instance = bench.instance(&subject)?;
    let mut random = bench.random();
    let count = 50;
    let mut warnings = Vec::new();
    for _ in 0..10 {
        let world = World::seeded(&mut random, count);
        let order = random.order(count);
        bench.step("scoring agents in another order");
        let answer = instance.score(&world)?;
        let permuted = instance.score(&world.reordered(&order))?;
        let difference =
            order.iter().enumerate().find_map(|(row, &before)| answer.row_difference(before, &permuted, row));
        warnings.extend(
            difference
                .map(|difference| format!("the order of the agents changes their scores: {difference}")),
        );
    }
    warnings.truncate(1);
    Ok(Verdict::unless(warnings, "agents in another order get the same scores"))
}
