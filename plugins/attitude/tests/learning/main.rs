//! Whether learning pays: simulated customers and agents whose truth differs from the configured needs, or does not.
//!
//! `cargo test --release -p heartline-attitude --test learning -- --nocapture` prints the figures.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test prints its figures and may fall over")]

mod world;

use heartline_attitude::{Attitude, NeedTable};
use heartline_plugin_sdk::{Learn, State, testing};
use world::{Numbers, World};

/// How many calls are taken before each measurement.
const CALLS: [usize; 5] = [0, 250, 1_000, 4_000, 16_000];
/// How many fresh customers each measurement ranks for.
const MEASURED: usize = 4_000;

fn untaught() -> Attitude {
    testing::create("{}").unwrap()
}

/// The share of good ends among fresh customers, by picking with the matcher as it is now.
fn share(world: &World, matcher: &mut Attitude) -> f64 {
    // The same customers for every matcher, so that shares can be compared.
    let mut numbers = Numbers(99);
    let sum: f64 = (0..MEASURED)
        .map(|_| {
            let (customer, free) = (numbers.customer(), numbers.free_agents());
            world.chance(&customer, world.pick(matcher, &customer, &free))
        })
        .sum();
    sum / MEASURED as f64
}

/// The share of good ends with the best of the free agents, and with any of them.
fn bounds(world: &World) -> (f64, f64) {
    let mut numbers = Numbers(99);
    let (mut best, mut any) = (0.0, 0.0);
    for _ in 0..MEASURED {
        let (customer, free) = (numbers.customer(), numbers.free_agents());
        let chances = free.map(|agent| world.chance(&customer, agent));
        best += chances.iter().copied().fold(0.0, f64::max);
        any += chances.iter().sum::<f64>() / chances.len() as f64;
    }
    (best / MEASURED as f64, any / MEASURED as f64)
}

/// Takes calls as a desk would: the agent whom the matcher prefers takes each, and its end is fed back.
fn learning_curve(name: &str, world: &World) -> Vec<f64> {
    let mut matcher = untaught();
    let mut numbers = Numbers(3);
    let mut taken = 0;
    let (best, any) = bounds(world);
    println!("{name}: any agent {any:.3}, the best {best:.3}");
    let mut curve = Vec::new();
    for calls in CALLS {
        while taken < calls {
            let (customer, free) = (numbers.customer(), numbers.free_agents());
            let agent = world.pick(&mut matcher, &customer, &free);
            let outcome = numbers.outcome(world.chance(&customer, agent));
            let (request, agents) = (world::request(&customer), world.agents(&[agent]));
            matcher.learn(&request, &agents.candidates(), &outcome).unwrap();
            taken += 1;
        }
        curve.push(share(world, &mut matcher));
        println!("  after {calls:>6} calls: {:.3} end well", curve[curve.len() - 1]);
    }
    curve
}

#[test]
fn where_the_truth_differs_from_the_table_learning_finds_it() {
    let world = World::new(world::shifted(&world::table(&NeedTable::default())));
    let curve = learning_curve("the truth differs", &world);
    let (best, _) = bounds(&world);
    let (prior, learned) = (curve[0], curve[curve.len() - 1]);
    assert!(learned > prior + 0.05, "{curve:?}");
    // At least three quarters of what there is to win.
    assert!(learned - prior > 0.75 * (best - prior), "{curve:?} of {best}");
}

#[test]
fn where_the_table_is_the_truth_learning_takes_nothing_away() {
    let curve = learning_curve("the table is the truth", &World::new(world::table(&NeedTable::default())));
    assert!(curve.iter().all(|share| *share > curve[0] - 0.005), "{curve:?}");
}

#[test]
fn the_same_outcomes_lead_to_the_same_bytes() {
    let world = World::new(world::table(&NeedTable::default()));
    let teach = || {
        let (mut matcher, mut numbers) = (untaught(), Numbers(5));
        for _ in 0..500 {
            let (customer, free) = (numbers.customer(), numbers.free_agents());
            let outcome = numbers.outcome(world.chance(&customer, free[0]));
            let agents = world.agents(&free[..1]);
            matcher.learn(&world::request(&customer), &agents.candidates(), &outcome).unwrap();
        }
        matcher.save().unwrap()
    };
    assert_eq!(teach(), teach());
}
