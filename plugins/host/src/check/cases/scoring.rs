//! Rankings of every size, and answers that are complete and in range.

use std::time::Instant;

use super::{agents, shown};
use crate::check::case::{Found, Verdict};
use crate::check::child::Bench;
use crate::check::world::World;

/// The most agents of one ranking.
const MANY: usize = 100_000;

pub(crate) fn no_agents(bench: &Bench) -> Found {
    let subject = bench.subject()?;
    let mut instance = bench.instance(&subject)?;
    let world = World::seeded(&mut bench.random(), 0);
    bench.step("scoring 0 agents");
    instance.score(&world)?;
    Ok(Verdict::pass("no agents, no answers"))
}

pub(crate) fn one_agent(bench: &Bench) -> Found {
    let subject = bench.subject()?;
    let mut instance = bench.instance(&subject)?;
    let world = World::seeded(&mut bench.random(), 1);
    bench.step("scoring 1 agent");
    let (answer, taken) = instance.score_timed(&world)?;
    bench.step("destroying the instance");
    drop(instance);
    let reason = subject.describe(answer.reason_codes()[0])?.unwrap_or_default();
    Ok(Verdict::pass(format!("a score of {:.3} in {}: {reason}", answer.score(0), shown(taken))))
}

/// Sizes around which loops that go several rows at once make mistakes.
const SIZES: [usize; 16] = [2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 255, 257];

pub(crate) fn answers(bench: &Bench) -> Found {
    let subject = bench.subject()?;
    let mut instance = bench.instance(&subject)?;
    let mut random = bench.random();
    for count in SIZES {
        let world = World::seeded(&mut random, count);
        let before = world.print();
        bench.step(format!("scoring {}", agents(count)));
        instance.score(&world).map_err(|fault| format!("scoring {}, {fault}", agents(count)))?;
        if world.print() != before {
            return Err(format!("scoring {}, it changed the columns, which are read-only", agents(count)));
        }
    }
    let reasons = instance.codes().len();
    Ok(Verdict::pass(format!("{} sizes, all rows in range, with {reasons} different reasons", SIZES.len())))
}

pub(crate) fn many_agents(bench: &Bench) -> Found {
    let subject = bench.subject()?;
    let mut instance = bench.instance(&subject)?;
    bench.step("making 100000 agents");
    let world = World::seeded(&mut bench.random(), MANY);
    bench.step(format!("scoring {}", agents(MANY)));
    let started = Instant::now();
    instance.score(&world).map_err(|fault| format!("scoring {}, {fault}", agents(MANY)))?;
    Ok(Verdict::pass(format!("{} in {}, with all checks", agents(MANY), shown(started.elapsed()))))
}
