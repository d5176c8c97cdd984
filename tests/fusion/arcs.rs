//! How the fused state follows a customer who moves: how late, how far beyond, and how often falsely.

use heartline::emotion::{CATEGORY_COUNT, Category, FusionConfig, top_category};

use crate::course::{STEP_MS, courses, mean_course, surely};
use crate::floors;
use crate::pairs::Pools;
use crate::table::held_out;

const CALLS: u64 = 40;
/// The step: neutral, then anger from here to there, then neutral again.
pub(crate) const RISE_MS: u64 = 60_000;
pub(crate) const FALL_MS: u64 = 150_000;
pub(crate) const END_MS: u64 = 240_000;
/// Plateaus are looked at over their last part.
const PLATEAU_MS: u64 = 40_000;
const SPIKE_MS: u64 = 3_000;

/// Neutral, anger, neutral.
pub(crate) fn step(at_ms: u64) -> [f32; CATEGORY_COUNT] {
    surely(if (RISE_MS..FALL_MS).contains(&at_ms) { Category::Anger } else { Category::Neutral })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

fn second(at_ms: u64) -> usize {
    (at_ms / STEP_MS) as usize
}

/// What a change of the truth at a moment did to a course: where it came from, where it came to rest, how late.
struct Change {
    from: f64,
    to: f64,
    half_ms: f64,
    most_ms: f64,
    /// The farthest beyond the plateau, as a part of the change.
    overshoot: f64,
}

impl Change {
    /// For people.
    fn report(&self) -> String {
        let Self { from, to, half_ms, most_ms, overshoot } = self;
        format!(
            "from {from:.2} to {to:.2}, half way after {half_ms} ms, 90 % after {most_ms} ms, overshoot {overshoot:.2}"
        )
    }

    fn of(course: &[f64], at_ms: u64, until_ms: u64) -> Self {
        let from = mean(&course[second(at_ms - PLATEAU_MS)..second(at_ms)]);
        let after = &course[second(at_ms)..second(until_ms)];
        let to = mean(&after[after.len() - second(PLATEAU_MS)..]);
        let gone = |value: &f64| (value - from) / (to - from);
        let reach = |part: f64| {
            let index = after.iter().position(|value| gone(value) >= part).unwrap_or(after.len());
            (index as u64 * STEP_MS) as f64
        };
        let overshoot = after.iter().map(gone).fold(0.0, f64::max) - 1.0;
        Self { from, to, half_ms: reach(0.5), most_ms: reach(0.9), overshoot }
    }
}

/// The share of moments whose strongest category is not the true one.
fn error(courses: &[Vec<[f32; CATEGORY_COUNT]>], truth: Category, from_ms: u64, until_ms: u64) -> f64 {
    let moments = courses.iter().flat_map(|course| &course[second(from_ms)..second(until_ms)]);
    let wrong: Vec<f64> =
        moments.map(|categories| f64::from(u8::from(top_category(categories).0 != truth))).collect();
    mean(&wrong)
}

/// How often a minute the strongest category turns to anger.
fn alarms_per_minute(courses: &[Vec<[f32; CATEGORY_COUNT]>], from_ms: u64, until_ms: u64) -> f64 {
    let angry = |categories: &[f32; CATEGORY_COUNT]| top_category(categories).0 == Category::Anger;
    let turns = courses.iter().map(|course| {
        let part = &course[second(from_ms)..second(until_ms)];
        part.windows(2).filter(|pair| !angry(&pair[0]) && angry(&pair[1])).count()
    });
    let minutes = (until_ms - from_ms) as f64 / 60_000.0 * courses.len() as f64;
    turns.sum::<usize>() as f64 / minutes
}

/// Everything measured on the step: rise, fall, errors of both plateaus, alarms a minute.
fn measure_step(pools: &Pools<'_>, config: &FusionConfig) -> (Change, Change, [f64; 3]) {
    let courses = courses(pools, &step, END_MS, CALLS, config);
    let course = mean_course(&courses, Category::Anger);
    let rise = Change::of(&course, RISE_MS, FALL_MS);
    let fall = Change::of(&course, FALL_MS, END_MS);
    let angry = error(&courses, Category::Anger, FALL_MS - PLATEAU_MS, FALL_MS);
    let calm = error(&courses, Category::Neutral, RISE_MS - PLATEAU_MS, RISE_MS);
    let alarms = alarms_per_minute(&courses, RISE_MS - PLATEAU_MS, RISE_MS);
    (rise, fall, [angry, calm, alarms])
}

#[test]
fn a_step_is_followed_soon_and_without_swinging() {
    let rows = held_out();
    let (rise, fall, [angry, calm, alarms]) = measure_step(&Pools::new(&rows), &FusionConfig::default());
    println!("rise {}\nfall {}", rise.report(), fall.report());
    println!("plateau error: anger {angry:.3}, neutral {calm:.3}; false alarms a minute {alarms:.2}");
    for change in [&rise, &fall] {
        assert!(change.half_ms <= floors::HALF_WAY_MS, "{}", change.report());
        assert!(change.most_ms <= floors::MOST_OF_THE_WAY_MS, "{}", change.report());
        assert!(change.overshoot <= floors::OVERSHOOT, "{}", change.report());
    }
    assert!(angry <= floors::PLATEAU_ERROR && calm <= floors::PLATEAU_ERROR, "{angry} {calm}");
    assert!(alarms <= floors::FALSE_ALARMS_PER_MINUTE, "{alarms}");
}

#[test]
fn a_ramp_is_followed() {
    const RAMP_MS: u64 = 60_000;
    let truth = |at_ms: u64| {
        let anger = (at_ms.saturating_sub(RISE_MS) as f32 / RAMP_MS as f32).min(1.0);
        let mut shares = surely(Category::Neutral).map(|share| share * (1.0 - anger));
        shares[Category::Anger.index()] = anger;
        shares
    };
    let rows = held_out();
    let courses = courses(&Pools::new(&rows), &truth, END_MS, CALLS, &FusionConfig::default());
    let change = Change::of(&mean_course(&courses, Category::Anger), RISE_MS, END_MS);
    let lag_ms = change.half_ms - (RAMP_MS / 2) as f64;
    println!("ramp of 60 s: {}, lag at half way {lag_ms} ms", change.report());
    assert!(lag_ms <= floors::RAMP_LAG_MS, "{lag_ms}");
    assert!(change.overshoot <= floors::OVERSHOOT, "{}", change.report());
}

#[test]
fn an_angry_moment_leaves_no_lasting_mark() {
    let truth = |at_ms: u64| {
        surely(if (RISE_MS..RISE_MS + SPIKE_MS).contains(&at_ms) {
            Category::Anger
        } else {
            Category::Neutral
        })
    };
    let rows = held_out();
    let courses = courses(&Pools::new(&rows), &truth, 2 * RISE_MS, CALLS, &FusionConfig::default());
    let course = mean_course(&courses, Category::Anger);
    let before = mean(&course[second(RISE_MS - PLATEAU_MS)..second(RISE_MS)]);
    let highest = course[second(RISE_MS)..].iter().copied().fold(0.0, f64::max);
    let after = course[second(RISE_MS + 30_000)];
    println!("3 s of anger: from {before:.3} up to {highest:.3}, 30 s later {after:.3}");
    assert!(highest <= floors::SPIKE, "{highest}");
    assert!(after - before < 0.1, "{after} {before}");
}

#[test]
fn alternating_states_are_told_apart() {
    const HALF_PERIOD_MS: u64 = 30_000;
    let truth = |at_ms: u64| {
        surely(if (at_ms / HALF_PERIOD_MS).is_multiple_of(2) { Category::Happiness } else { Category::Anger })
    };
    let rows = held_out();
    let courses = courses(&Pools::new(&rows), &truth, END_MS, CALLS, &FusionConfig::default());
    let course = mean_course(&courses, Category::Anger);
    let (mut angry, mut happy) = (Vec::new(), Vec::new());
    for period in 1..END_MS / HALF_PERIOD_MS {
        let end = second((period + 1) * HALF_PERIOD_MS) - 1;
        if period.is_multiple_of(2) { happy.push(course[end]) } else { angry.push(course[end]) }
    }
    println!("30 s of each: anger at the end of anger {:.3}, of happiness {:.3}", mean(&angry), mean(&happy));
    assert!(mean(&angry) > mean(&happy) + 0.3, "{angry:?} {happy:?}");
}

/// The table by which the time constants were chosen.
#[test]
#[ignore = "prints a table for choosing the time constants; takes a while"]
fn time_constants_compared() {
    let rows = held_out();
    let pools = Pools::new(&rows);
    println!(
        "| ms | half up | 90 % up | half down | 90 % down | overshoot | error angry | error calm | alarms a minute |"
    );
    for categories_ms in [3_000, 5_000, 8_000, 10_000, 12_000, 15_000, 20_000] {
        let mut config = FusionConfig::default();
        config.memory.categories_ms = categories_ms;
        let (rise, fall, [angry, calm, alarms]) = measure_step(&pools, &config);
        println!(
            "| {categories_ms} | {} | {} | {} | {} | {:.2} | {angry:.3} | {calm:.3} | {alarms:.2} |",
            rise.half_ms, rise.most_ms, fall.half_ms, fall.most_ms, rise.overshoot
        );
    }
}
