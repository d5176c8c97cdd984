//! The extensions `heartline.learn` and `heartline.state`: outcomes fed back, and what was learned as bytes.

use std::collections::BTreeSet;
use std::ffi::c_void;

use heartline_plugin_abi as abi;
use heartline_plugin_abi::{CallResult, Status};

use crate::check::case::{Found, Verdict};
use crate::check::child::Bench;
use crate::check::grown::Grown;
use crate::check::random::Random;
use crate::check::room::Answer;
use crate::check::subject::{Instance, Told};
use crate::check::world::{Lent, World};

/// How many outcomes are fed back.
const OUTCOMES: usize = 60;

pub(crate) fn learn(bench: &Bench) -> Found {
    let subject = bench.subject()?;
    let Some(learn) = subject.learn_table()? else {
        return Ok(Verdict::skipped("it has no heartline.learn"));
    };
    let mut random = bench.random();
    let world = World::seeded(&mut random, 30);
    let mut first = bench.instance(&subject)?;
    let mut second = bench.instance(&subject)?;
    let before = first.score(&world)?;
    let seed = random.next();
    bench.step(format!("learning from {OUTCOMES} outcomes"));
    let refused = teach(&mut first, learn, &world, (seed, &BTreeSet::new()))?;
    if refused != teach(&mut second, learn, &world, (seed, &BTreeSet::new()))? {
        return Err("it refuses other outcomes the second time".to_owned());
    }
    bench.step("scoring after learning");
    let after = first.score(&world)?;
    if let Some(difference) = after.difference(&second.score(&world)?) {
        return Err(format!("the same outcomes in the same order lead to other answers: {difference}"));
    }
    if !refused.is_empty() {
        bench.step("learning without the outcomes that it refused");
        let mut third = bench.instance(&subject)?;
        teach(&mut third, learn, &world, (seed, &refused))?;
        if let Some(difference) = after.difference(&third.score(&world)?) {
            return Err(format!("an outcome that it refused has changed its answers: {difference}"));
        }
    }
    if refused.len() == OUTCOMES {
        return Ok(Verdict::warning(format!("it refuses all of {OUTCOMES} outcomes within the contract")));
    }
    let changed = if after == before { "changed no score of 30" } else { "changed the scores" };
    let learned = match refused.len() {
        0 => format!("{OUTCOMES} outcomes"),
        refused => format!("{OUTCOMES} outcomes, {refused} of them refused,"),
    };
    Ok(Verdict::pass(format!("{learned} {changed}, in the same way each time")))
}

/// Feeds seeded outcomes back, some of them at the ends of their ranges, but not those to be left out. Gives the outcomes
/// that the matcher could not use: FAILED says that nothing was learned.
pub(super) fn teach(
    instance: &mut Instance<'_>,
    learn: abi::LearnFn,
    world: &World,
    (seed, left_out): (u64, &BTreeSet<usize>),
) -> Result<BTreeSet<usize>, String> {
    let mut random = Random::new(seed);
    let mut refused = BTreeSet::new();
    for round in 0..OUTCOMES {
        let mut one = world.row(random.below(world.count()));
        one.emotion = crate::check::world::emotion(&mut random);
        let outcome = outcome(&mut random);
        if left_out.contains(&round) {
            continue;
        }
        let subject = instance.subject();
        let lent = Lent::new(&one, subject.is_later);
        let outcome = Grown::new(outcome, subject.is_later);
        let (request, candidates) = (lent.request(), lent.candidates());
        let pointer = instance.pointer;
        let told = subject.tell(|message| {
            // SAFETY: the instance is ours alone; all pointers lead to values that live through the call.
            unsafe { learn(pointer, request.as_ptr(), candidates.as_ptr(), outcome.as_ptr(), message) }
        });
        let told = told.map_err(|told| told.words)?;
        match told.status {
            Status::OK => {}
            Status::FAILED => drop(refused.insert(round)),
            _ => return Err(format!("learning from outcome {round}, {told}")),
        }
    }
    Ok(refused)
}

fn outcome(random: &mut Random) -> abi::Outcome {
    let rating = random.between(0.0, 1.0);
    let valence_change = random.between(-2.0, 2.0);
    abi::Outcome {
        size: abi::size_of_struct::<abi::Outcome>(),
        // 77 is of a later host, and counts as unknown.
        result: CallResult(*random.pick(&[0, 1, 1, 2, 2, 77])),
        transferred: u32::from(random.percent(20)),
        rating: if random.percent(50) { f32::NAN } else { rating },
        valence_change: if random.percent(50) { f32::NAN } else { valence_change },
        reserved: 0,
        handling_ms: *random.pick(&[0, 1, 300_000, u64::MAX]),
    }
}

pub(crate) fn state(bench: &Bench) -> Found {
    let subject = bench.subject()?;
    let Some(state) = subject.state_table()? else {
        return Ok(Verdict::skipped("it has no heartline.state"));
    };
    let limit = subject.limits().max_state_bytes;
    let mut random = bench.random();
    let world = World::seeded(&mut random, 30);
    let mut taught = Keeper { instance: bench.instance(&subject)?, state, limit };
    bench.step("saving the state of a new instance");
    let blank = taught.save()?;
    let learn = subject.learn_table()?;
    let seed = random.next();
    let mut left_out = BTreeSet::new();
    if let Some(learn) = learn {
        bench.step("learning");
        left_out = teach(&mut taught.instance, learn, &world, (seed, &left_out))?;
    }
    bench.step("saving the state twice");
    let saved = taught.save()?;
    if saved != taught.save()? {
        return Err("it saves other bytes the second time although nothing has changed".to_owned());
    }
    if let Some(learn) = learn.filter(|_| !left_out.is_empty()) {
        bench.step("learning without the outcomes that it refused");
        let mut without = Keeper { instance: bench.instance(&subject)?, state, limit };
        teach(&mut without.instance, learn, &world, (seed, &left_out))?;
        if without.save()? != saved {
            return Err("an outcome that it refused has changed its state".to_owned());
        }
    }
    let expected = taught.instance.score(&world)?;
    let mut other = Keeper { instance: bench.instance(&subject)?, state, limit };
    bench.step("loading the state into another instance");
    other.load(&saved)?.ok().map_err(|words| format!("loading what it has saved itself, {words}"))?;
    if other.save()? != saved {
        return Err("after loading a state it saves other bytes than those".to_owned());
    }
    if let Some(difference) = expected.difference(&other.instance.score(&world)?) {
        return Err(format!("after loading a state the answers differ: {difference}"));
    }
    let refused = refuses_damage(bench, &mut other, [&saved, &blank], (&world, &expected))?;
    bench.step("loading the state of a new instance over what was learned");
    other.load(&blank)?.ok().map_err(|words| format!("loading the state of a new instance, {words}"))?;
    if other.save()? != blank {
        return Err("loading the state of a new instance does not forget what was learned".to_owned());
    }
    let mut warnings = Vec::new();
    if refused.accepted > 0 {
        let (accepted, tried) = (refused.accepted, refused.tried);
        warnings.push(format!(
            "it accepts {accepted} of {tried} states that were cut, flipped or made up, such as one {}; a checksum would \
             tell",
            refused.example
        ));
    }
    let words = format!(
        "{} bytes there and back, {} damaged states refused",
        saved.len(),
        refused.tried - refused.accepted
    );
    Ok(Verdict::unless(warnings, words))
}

/// How damaged states were taken.
struct Refused {
    tried: usize,
    accepted: usize,
    /// The first that was accepted.
    example: String,
}

/// Loads states that are cut, lengthened, random or damaged. Some of them may be states that the matcher can read; what
/// is refused must change nothing.
fn refuses_damage(
    bench: &Bench,
    keeper: &mut Keeper<'_>,
    [saved, blank]: [&[u8]; 2],
    (world, expected): (&World, &Answer),
) -> Result<Refused, String> {
    let mut refused = Refused { tried: 0, accepted: 0, example: String::new() };
    for (name, bytes) in damaged(&mut bench.random(), saved) {
        // Both are the matcher's own.
        if bytes == saved || bytes == blank {
            continue;
        }
        refused.tried += 1;
        bench.step(format!("loading a state {name}"));
        match keeper.load(&bytes)? {
            Told { status: Status::BAD_STATE, .. } => {}
            Told { status: Status::OK, .. } => {
                refused.accepted += 1;
                if refused.example.is_empty() {
                    refused.example.clone_from(&name);
                }
                keeper
                    .load(saved)?
                    .ok()
                    .map_err(|words| format!("after a state {name}, loading its own, {words}"))?;
                if keeper.save()? != saved {
                    return Err(format!("after a state {name}, loading its own does not bring it back"));
                }
                continue;
            }
            told => return Err(format!("loading a state {name}, {told}; BAD_STATE is the answer")),
        }
        if keeper.save()? != saved {
            return Err(format!("a state {name} was refused, and yet it has changed something"));
        }
    }
    if let Some(difference) = expected.difference(&keeper.instance.score(world)?) {
        return Err(format!("refused states have changed the answers: {difference}"));
    }
    Ok(refused)
}

/// States that are cut, lengthened, random or damaged, each with a name.
fn damaged(random: &mut Random, saved: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut states = Vec::new();
    for _ in 0..20 {
        let length = random.below(saved.len().max(1));
        states.push((format!("cut to {length} of {} bytes", saved.len()), saved[..length].to_vec()));
        let noise: Vec<u8> = (0..random.below(300)).map(|_| random.next() as u8).collect();
        states.push((format!("of {} random bytes", noise.len()), noise));
        let mut flipped = saved.to_vec();
        if let Some(byte) = (!saved.is_empty()).then(|| random.below(saved.len())) {
            flipped[byte] ^= 1 << random.below(8);
            states.push((format!("with a flipped bit in byte {byte}"), flipped));
        }
    }
    states.push(("with one byte more".to_owned(), [saved, &[0]].concat()));
    states.push(("of 1 MiB of 255".to_owned(), vec![255; 1 << 20]));
    states
}

/// An instance with its functions for the state.
pub(super) struct Keeper<'subject> {
    pub(super) instance: Instance<'subject>,
    pub(super) state: (abi::SaveFn, abi::LoadFn),
    pub(super) limit: usize,
}

impl Keeper<'_> {
    pub(super) fn save(&mut self) -> Result<Vec<u8>, String> {
        let mut sink = Sink { bytes: Vec::new(), limit: self.limit };
        let writer = abi::Writer {
            size: abi::size_of_struct::<abi::Writer>(),
            reserved: 0,
            context: (&raw mut sink).cast(),
            write: Some(write),
        };
        let subject = self.instance.subject();
        let writer = Grown::new(writer, subject.is_later);
        let (pointer, save) = (self.instance.pointer, self.state.0);
        // SAFETY: the instance is ours alone; writer and message live through the call.
        let told = subject.tell(|message| unsafe { save(pointer, writer.as_ptr(), message) });
        told.map_err(|told| told.words)?.ok().map_err(|words| format!("saving the state, {words}"))?;
        Ok(sink.bytes)
    }

    pub(super) fn load(&mut self, bytes: &[u8]) -> Result<Told, String> {
        let (pointer, load) = (self.instance.pointer, self.state.1);
        let data = if bytes.is_empty() { std::ptr::null() } else { bytes.as_ptr() };
        // SAFETY: the instance is ours alone; bytes and message live through the call.
        let told =
            self.instance.subject().tell(|message| unsafe { load(pointer, data, bytes.len(), message) });
        told.map_err(|told| told.words)
    }
}

/// Where the bytes of a state go.
struct Sink {
    bytes: Vec<u8>,
    limit: usize,
}

unsafe extern "C" fn write(context: *mut c_void, data: *const u8, length: usize) -> Status {
    // SAFETY: the header makes a matcher promise to pass the context on, which is the `Sink` of this call.
    let Some(sink) = (unsafe { context.cast::<Sink>().as_mut() }) else { return Status::BAD_ARGUMENT };
    if length == 0 {
        return Status::OK;
    }
    if data.is_null() {
        return Status::BAD_ARGUMENT;
    }
    if length > sink.limit.saturating_sub(sink.bytes.len()) {
        return Status::FAILED;
    }
    // SAFETY: the header makes a matcher promise that there are as many bytes as it says; the length is limited.
    sink.bytes.extend_from_slice(unsafe { std::slice::from_raw_parts(data, length) });
    Status::OK
}
