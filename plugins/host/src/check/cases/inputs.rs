//! Inputs that few matchers are tried with: missing columns, extreme values, larger structures, random rankings.

use std::collections::BTreeSet;
use std::time::Instant;

use heartline_plugin_abi as abi;
use heartline_plugin_abi::Status;

use crate::check::case::{Found, Verdict};
use crate::check::child::Bench;
use crate::check::random::Random;
use crate::check::world::{self, Lent, MISSING, World};

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

/// A structure of a later minor version: larger than this one, with more behind it.
#[repr(C)]
struct Later<T> {
    known: T,
    #[allow(dead_code, reason = "nobody reads what only a later version knows")]
    unknown: [u64; 8],
}

impl<T> Later<T> {
    fn new(known: T) -> Self {
        Self { known, unknown: [u64::MAX; 8] }
    }
}

pub(crate) fn growth(bench: &Bench) -> Found {
    let subject = bench.subject()?;
    let world = World::seeded(&mut bench.random(), 12);
    let expected = bench.instance(&subject)?.score(&world)?;
    let mut instance = bench.instance(&subject)?;
    let lent = Lent::new(&world);
    let mut emotion = Later::new(world.emotion);
    emotion.known.size = abi::size_of_struct::<Later<abi::Emotion>>();
    let mut request = Later::new(lent.request());
    request.known.size = abi::size_of_struct::<Later<abi::Request>>();
    request.known.emotion = (&raw const emotion).cast();
    let mut candidates = Later::new(lent.candidates());
    candidates.known.size = abi::size_of_struct::<Later<abi::Candidates>>();
    bench.step("scoring with structures of a later minor version");
    let (told, answer, _) =
        instance.score_raw((&raw const request).cast(), (&raw const candidates).cast(), world.count())?;
    told.ok().map_err(|words| format!("with structures of a later minor version, {words}"))?;
    if let Some(difference) = expected.difference(&answer) {
        return Err(format!("larger structures change the answer: {difference}"));
    }
    Ok(Verdict::pass("structures that have grown at their end are read as far as they are known"))
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
    Ok(Verdict::unless(warnings.collect(), format!("{done} random rankings from seed {first} on")))
}
