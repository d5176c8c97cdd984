//! How long rankings take, and whether a time limit is looked at.

use std::time::{Duration, Instant};

use heartline_plugin_abi::Status;

use super::{agents, shown};
use crate::check::case::{Found, Verdict};
use crate::check::child::Bench;
use crate::check::subject::Instance;
use crate::check::world::World;

/// How often each ranking is timed at most.
const TIMES: usize = 15;

pub(crate) fn deadline(bench: &Bench) -> Found {
    let subject = bench.subject()?;
    let mut instance = bench.instance(&subject)?;
    let mut random = bench.random();
    let limit = bench.order().deadline;
    let thousand = median(bench, &mut instance, &World::seeded(&mut random, 1_000))?;
    if thousand > limit {
        return Err(format!(
            "it is too slow: {} take {}, the deadline is {}",
            agents(1_000),
            shown(thousand),
            shown(limit)
        ));
    }
    bench.step("making 100000 agents");
    let mut world = World::seeded(&mut random, 100_000);
    let most = median(bench, &mut instance, &world)?;
    let mut warnings = Vec::new();
    if most > limit {
        warnings.push(format!("{} take {}, the deadline is {}", agents(100_000), shown(most), shown(limit)));
    }
    world.time_limit_us = 1;
    bench.step("scoring 100000 agents with a time limit of 1 µs");
    let (told, _, taken) = instance.score_or_status(&world)?;
    let limited = match told.status {
        Status::OUT_OF_TIME => format!("it stops after {} when told to stop after 1 µs", shown(taken)),
        Status::OK => "it does not look at its time limit, which it need not".to_owned(),
        _ => return Err(format!("with a time limit of 1 µs, {told}")),
    };
    let words = format!(
        "{} in {}, {} in {}; {limited}",
        agents(1_000),
        shown(thousand),
        agents(100_000),
        shown(most)
    );
    Ok(Verdict::unless(warnings, words))
}

/// The median time of a ranking.
fn median(bench: &Bench, instance: &mut Instance<'_>, world: &World) -> Result<Duration, String> {
    let count = world.count();
    bench.step(format!("scoring {}", agents(count)));
    let started = Instant::now();
    let mut times = Vec::with_capacity(TIMES);
    while times.len() < TIMES && (times.len() < 3 || bench.may_stay_silent(started)) {
        let (_, taken) =
            instance.score_timed(world).map_err(|fault| format!("scoring {}, {fault}", agents(count)))?;
        times.push(taken);
    }
    times.sort_unstable();
    Ok(times[times.len() / 2])
}
