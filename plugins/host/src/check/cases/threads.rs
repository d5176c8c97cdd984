//! The thread rules: [any] functions at once, instances that wander between threads, several instances at work.

use std::thread;
use std::time::Instant;

use crate::check::case::{Found, Verdict};
use crate::check::child::Bench;
use crate::check::world::World;

/// How many threads there are at once.
const THREADS: usize = 4;
/// How often each of them does its work.
const ROUNDS: usize = 40;

pub(crate) fn threads(bench: &Bench) -> Found {
    let subject = bench.subject()?;
    let worlds: Vec<World> = {
        let mut random = bench.random();
        (0..THREADS).map(|_| World::seeded(&mut random, 25)).collect()
    };
    let mut instance = bench.instance(&subject)?;
    let expected = worlds.iter().map(|world| instance.score(world)).collect::<Result<Vec<_>, _>>()?;

    bench.step("creating, scoring, describing and destroying on 4 threads at once");
    let config = bench.order().config.as_bytes();
    let work = |index: usize| -> Result<(), String> {
        let (world, expected) = (&worlds[index], &expected[index]);
        let started = Instant::now();
        for round in 0..ROUNDS {
            // Slow matchers are not called as often, but at least twice.
            if round > 1 && !bench.may_stay_silent(started) {
                break;
            }
            let mut own = subject.create(config).map_err(|told| told.to_string())?;
            if let Some(difference) = expected.difference(&own.score(world)?) {
                return Err(format!("several instances at once give other answers: {difference}"));
            }
            subject.describe(expected.reason_codes()[0])?;
            subject.extension(b"heartline.explain");
        }
        Ok(())
    };
    thread::scope(|scope| {
        let started: Vec<_> = (0..THREADS).map(|index| scope.spawn(move || work(index))).collect();
        started
            .into_iter()
            .try_for_each(|thread| thread.join().map_err(|_| "a thread panicked".to_owned())?)
    })?;

    bench.step("using one instance on one thread after the other");
    for (world, expected) in worlds.iter().zip(&expected) {
        let instance = &mut instance;
        let found = thread::scope(|scope| scope.spawn(move || instance.score(world)).join());
        let answer = found.map_err(|_| "a thread panicked".to_owned())??;
        if let Some(difference) = expected.difference(&answer) {
            return Err(format!("on another thread the answer differs: {difference}"));
        }
    }
    bench.step("destroying an instance on another thread than the one that made it");
    thread::scope(|scope| scope.spawn(move || drop(instance)).join())
        .map_err(|_| "a thread panicked".to_owned())?;
    Ok(Verdict::pass(format!("{THREADS} threads at once, and one instance on each of them in turn")))
}
