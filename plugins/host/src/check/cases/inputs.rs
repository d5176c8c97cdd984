//! Inputs that few matchers are tried with: missing columns, extreme values, larger structures, random rankings.

use std::collections::BTreeSet;
use std::time::Instant;

use heartline_plugin_abi::Status;

use super::explaining::{self, Part};
use super::learning::{self, Keeper};
use crate::check::case::{Found, Verdict};
use crate::check::child::Bench;
use crate::check::random::Random;
use crate::check::room::Answer;
use crate::check::subject::Subject;
use crate::check::world::{self, MISSING, World};

pub(crate) fn missing_columns(bench: &Bench) -> Found {
    let subject = bench.subject()?;
    let mut instance = bench.instance(&subject)?;
    let mut world = World::seeded(&mut bench.random(), 24);
    let tried = |missing: &str, fault: String| format!("without {missing}, {fault}");
    for (missing, name) in MISSING {
        world.missing = Some(missing);
        world.snapshot += 1;
        bench.step(format!("scoring without {name}"));
        instance.score(&world).map_err(|fault| tried(name, fault))?;
    }
    world.missing = None;
    world.needs.clear();
    world.spoken.clear();
    world.snapshot += 1;
    bench.step("scoring without needs and without languages of the customer");
    instance.score(&world).map_err(|fault| tried("needs and languages of the customer", fault))?;
    Ok(Verdict::pass(format!("{} columns, each missing in turn", MISSING.len() - 1)))
}

pub(crate) fn extremes(bench: &Bench) -> Found {
    let subject = bench.subject()?;
    let mut instance = bench.instance(&subject)?;
    let worlds = world::extremes(&mut bench.random());
    let count = worlds.len();
    for (name, mut world) in worlds {
        world.snapshot = 0;
        bench.step(format!("scoring agents with {name}"));
        instance.score(&world).map_err(|fault| format!("with {name}, {fault}"))?;
    }
    Ok(Verdict::pass(format!("{count} worlds at the ends of what the contract allows")))
}

pub(crate) fn growth(bench: &Bench) -> Found {
    let mut subject = bench.subject()?;
    let world = World::seeded(&mut bench.random(), 12);
    let expected = everything(bench, &subject, &world)?;
    subject.is_later = true;
    bench.step("making calls with structures of a later minor version");
    let found = everything(bench, &subject, &world)
        .map_err(|fault| format!("with structures of a later minor version, {fault}"))?;
    let differences = expected.answers.iter().zip(&found.answers);
    if let Some(difference) = differences.filter_map(|(expected, found)| expected.difference(found)).next() {
        return Err(format!("larger structures change the answer: {difference}"));
    }
    if (expected.parts, expected.state) != (found.parts, found.state) {
        return Err("larger structures change the explanation or the state".to_owned());
    }
    Ok(Verdict::pass("structures that have grown at their end are read as far as they are known"))
}

/// What every function of an instance gives.
struct Everything {
    /// Before and after learning.
    answers: [Answer; 2],
    parts: Vec<Part>,
    state: Vec<u8>,
}

fn everything(bench: &Bench, subject: &Subject, world: &World) -> Result<Everything, String> {
    let mut instance = bench.instance(subject)?;
    bench.step("scoring");
    let before = instance.score(world)?;
    let mut parts = Vec::new();
    if let Some(explain) = subject.explain_table()? {
        bench.step("explaining a score");
        let factors = explaining::factors(&mut instance, explain, world, (0, explaining::ROOM));
        parts = factors.map_err(|fault| format!("explaining a score, {fault}"))?;
    }
    if let Some(learn) = subject.learn_table()? {
        bench.step("learning");
        learning::teach(&mut instance, learn, world, (bench.order().seed, &BTreeSet::new()))?;
    }
    let after = instance.score(world)?;
    let mut state = Vec::new();
    if let Some(functions) = subject.state_table()? {
        bench.step("saving the state");
        let limit = subject.limits().max_state_bytes;
        let mut keeper = Keeper { instance, state: functions, limit };
        state = keeper.save()?;
        bench.step("loading the state");
        keeper.load(&state)?.ok().map_err(|words| format!("loading its own state, {words}"))?;
    }
    Ok(Everything { answers: [before, after], parts, state })
}

pub(crate) fn fuzz(bench: &Bench) -> Found {
    let subject = bench.subject()?;
    let mut instance = bench.instance(&subject)?;
    let (first, rounds) = (bench.order().seed, bench.order().rounds);
    let started = Instant::now();
    let (mut done, mut refused) = (0_u32, BTreeSet::new());
    for round in 0..rounds {
        if !bench.may_go_on(started) {
            break;
        }
        let seed = first.wrapping_add(u64::from(round));
        let world = World::wild(&mut Random::new(seed));
        bench.step(format!("scoring the random ranking of --seed {seed} --rounds 1"));
        let failed = |fault: String| format!("{fault}; --case fuzz --seed {seed} --rounds 1 shows it again");
        let before = world.print();
        let (told, ..) = instance.score_or_status(&world).map_err(failed)?;
        if world.print() != before {
            return Err(failed("it changed the columns, which are read-only".to_owned()));
        }
        match told.status {
            Status::OK => {}
            Status::FAILED => drop(refused.insert(told.to_string())),
            _ => return Err(failed(told.to_string())),
        }
        done += 1;
    }
    // All of these rankings are within the contract, so a matcher has an answer to each.
    let warnings = refused
        .into_iter()
        .take(3)
        .map(|told| format!("it gave up on a ranking within the contract: {told}"));
    let cut = if done < rounds {
        format!(
            ": no more of the {rounds} in the time that a case has; go on with --seed {}",
            first.wrapping_add(u64::from(done))
        )
    } else {
        String::new()
    };
    Ok(Verdict::unless(warnings.collect(), format!("{done} random rankings from seed {first} on{cut}")))
}
