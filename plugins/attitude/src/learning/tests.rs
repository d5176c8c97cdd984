//! The model alone: what moves, how far, and what does not.

use heartline_plugin_sdk::{Category, Trait};

use super::*;

const GOOD: Target = Target { value: 1.0, weight: 1.0 };
const BAD: Target = Target { value: 0.0, weight: 1.0 };

fn angry() -> [f32; PART_COUNT] {
    let mut strengths = [0.0; PART_COUNT];
    strengths[Category::Anger as usize] = 1.0;
    strengths
}

fn need(learned: &Learned, part: Category, index: Trait) -> f32 {
    learned.needs()[part as usize][index as usize]
}

#[test]
fn the_table_is_the_prior_mean() {
    let learned = Learned::new(&Config::default());
    assert_eq!(learned.needs()[Category::Anger as usize], [0.0, 1.0, 0.8, 0.0, 0.0]);
    assert_eq!(learned.needs()[PART_COUNT - 1], [0.0, 0.0, 0.5, 0.5, 0.0]);
}

#[test]
fn a_trait_that_goes_with_good_ends_is_needed_more() {
    let mut learned = Learned::new(&Config::default());
    let before = need(&learned, Category::Anger, Trait::Warmth);
    for _ in 0..200 {
        learned.learn(&angry(), &[1.0, 0.5, 0.5, 0.5, 0.5], GOOD);
        learned.learn(&angry(), &[0.0, 0.5, 0.5, 0.5, 0.5], BAD);
    }
    assert!(need(&learned, Category::Anger, Trait::Warmth) > before + 1.0);
    // What was not seen stays as it was.
    assert_eq!(need(&learned, Category::Anger, Trait::Calm), 1.0);
    assert_eq!(need(&learned, Category::Sadness, Trait::Warmth), 1.0);
}

#[test]
fn a_need_that_is_not_borne_out_falls_to_nothing_and_not_below() {
    let mut learned = Learned::new(&Config::default());
    for _ in 0..2_000 {
        learned.learn(&angry(), &[0.5, 1.0, 0.5, 0.5, 0.5], BAD);
        learned.learn(&angry(), &[0.5, 0.0, 0.5, 0.5, 0.5], GOOD);
    }
    assert_eq!(need(&learned, Category::Anger, Trait::Calm), 0.0);
}

#[test]
fn that_the_angry_are_hard_to_please_is_mostly_put_down_to_the_angry() {
    let mut learned = Learned::new(&Config::default());
    // Always the same calm agent, and mostly badly: the part's own term takes most of the blame.
    for call in 0..500 {
        learned.learn(&angry(), &[0.5, 0.9, 0.5, 0.5, 0.5], if call % 4 == 0 { GOOD } else { BAD });
    }
    assert!(need(&learned, Category::Anger, Trait::Calm) > 0.6, "{:?}", learned.needs());
}

#[test]
fn an_unknown_trait_teaches_nothing_of_itself() {
    let mut learned = Learned::new(&Config::default());
    (0..50).for_each(|_| learned.learn(&angry(), &[f32::NAN; TRAIT_COUNT], GOOD));
    assert_eq!(learned.needs(), Learned::new(&Config::default()).needs());
}

#[test]
fn what_teaches_nothing_changes_nothing() {
    let learning = Learning { remembered_calls: 10.0, ..Learning::default() };
    let mut learned = Learned::new(&Config { learning, ..Config::default() });
    (0..20).for_each(|_| learned.learn(&angry(), &[1.0, 0.5, 0.5, 0.5, 0.0], GOOD));
    let before = learned.clone();
    learned.learn(&angry(), &[f32::NAN; TRAIT_COUNT], GOOD);
    learned.learn(&angry(), &[1.0, 0.5, 0.5, 0.5, 0.0], Target { weight: 0.0, ..BAD });
    assert_eq!(learned, before);
    learned.learn(&angry(), &[f32::NAN, f32::NAN, f32::NAN, f32::NAN, 0.0], GOOD);
    assert_eq!(learned.outcomes, before.outcomes + 1);
}

#[test]
fn one_outcome_moves_a_need_by_no_more_than_the_step() {
    let config = Config {
        learning: Learning { prior_calls: 1.0, max_step: 0.01, ..Learning::default() },
        ..Config::default()
    };
    let mut learned = Learned::new(&config);
    learned.learn(&angry(), &[1.0, 1.0, 0.0, 1.0, 0.0], BAD);
    let before = Learned::new(&config);
    for (new, old) in learned.needs().as_flattened().iter().zip(before.needs().as_flattened()) {
        assert!((new - old).abs() <= 0.010_001, "{old} became {new}");
    }
    assert_ne!(learned.needs(), before.needs());
}

#[test]
fn what_is_not_borne_out_again_is_forgotten() {
    let learning = Learning { remembered_calls: 100.0, ..Learning::default() };
    let mut learned = Learned::new(&Config { learning, ..Config::default() });
    for _ in 0..200 {
        learned.learn(&angry(), &[1.0, 0.5, 0.5, 0.5, 0.5], GOOD);
        learned.learn(&angry(), &[0.0, 0.5, 0.5, 0.5, 0.5], BAD);
    }
    let fresh = need(&learned, Category::Anger, Trait::Warmth);
    let mut happy = [0.0; PART_COUNT];
    happy[Category::Happiness as usize] = 1.0;
    (0..1_000).for_each(|_| learned.learn(&happy, &[0.5; TRAIT_COUNT], GOOD));
    let faded = need(&learned, Category::Anger, Trait::Warmth);
    assert!(fresh > 0.5 && faded < 0.01, "{fresh} faded to {faded}");
}

#[test]
fn the_signs_of_an_outcome_are_joined_as_documented() {
    let none = Outcome::default();
    let target = |outcome: Outcome| Target::of(&outcome).map(|target| (target.value, target.weight));
    assert_eq!(target(none), None);
    assert_eq!(target(Outcome { is_resolved: Some(true), ..none }), Some((1.0, 1.0)));
    assert_eq!(target(Outcome { is_resolved: Some(true), is_transferred: true, ..none }), Some((0.0, 1.0)));
    assert_eq!(target(Outcome { is_transferred: true, ..none }), Some((0.0, 1.0)));
    assert_eq!(target(Outcome { rating: Some(0.75), ..none }), Some((0.75, 2.0 / 3.0)));
    assert_eq!(target(Outcome { valence_change: Some(0.5), ..none }), Some((0.75, 1.0 / 3.0)));
    assert_eq!(target(Outcome { valence_change: Some(-2.0), ..none }), Some((0.0, 1.0 / 3.0)));
    let all = Outcome { is_resolved: Some(true), rating: Some(0.25), valence_change: Some(0.0), ..none };
    assert_eq!(target(all), Some(((3.0 + 0.5 + 0.5) / 6.0, 1.0)));
}
