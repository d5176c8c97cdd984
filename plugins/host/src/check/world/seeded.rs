//! Worlds from a seed: ordinary ones, as a contact centre has them, and wild ones, with everything the contract allows.

use heartline_plugin_abi as abi;
use heartline_plugin_abi::{CATEGORY_COUNT, FLAG_UNKNOWN, LEVEL_NATIVE, TRAIT_COUNT};

use super::{Entries, Need, Spoken, Values, World};
use crate::check::random::Random;

const SKILLS: [&str; 8] =
    ["refunds", "billing", "returns", "network", "contracts", "hardware", "fraud", "réclamations"];
const TAGS: [&str; 9] = ["en", "en-GB", "zh", "zh-Hans-CN", "de", "de-AT", "pt-BR", "sr-Latn", "x-private"];

/// How unusual a world may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Temper {
    Ordinary,
    Wild,
}

impl World {
    /// An ordinary world with so many candidates.
    pub(crate) fn seeded(random: &mut Random, count: usize) -> Self {
        Self::make(random, count, Temper::Ordinary)
    }

    /// A world with up to 40 candidates in which everything that the contract allows may happen.
    pub(crate) fn wild(random: &mut Random) -> Self {
        let count = random.below(41);
        let mut world = Self::make(random, count, Temper::Wild);
        if random.percent(20) {
            world.missing = Some(random.pick(&super::MISSING).0);
        }
        world
    }

    fn make(random: &mut Random, count: usize, temper: Temper) -> Self {
        let skill_names =
            SKILLS[..1 + random.below(SKILLS.len())].iter().map(|name| (*name).to_owned()).collect();
        let tags = TAGS[..1 + random.below(TAGS.len())].iter().map(|tag| (*tag).to_owned()).collect();
        let mut world = Self {
            emotion: emotion(random),
            needs: needs(random, temper),
            spoken: spoken(random, temper),
            interpreter: random.percent(50),
            complexity: random.between(0.0, 1.0),
            waiting_ms: quantity(random, temper, 1_200_000),
            time_limit_us: 0,
            // A number of its own, as the header asks for, and now and then none.
            snapshot: if temper == Temper::Wild && random.percent(10) { 0 } else { random.next() | 1 },
            skills: Entries::new(skill_names),
            languages: Entries::new(tags),
            attitudes: Vec::with_capacity(count * TRAIT_COUNT),
            active_tasks: Vec::with_capacity(count),
            capacities: Vec::with_capacity(count),
            idle_ms: Vec::with_capacity(count),
            outcomes: Vec::with_capacity(count),
            attributes: Vec::new(),
            missing: None,
        };
        for _ in 0..count {
            world.push(random, temper);
        }
        world.attributes = attributes(random, count);
        world
    }

    fn push(&mut self, random: &mut Random, temper: Temper) {
        row(random, &mut self.skills, 5.0);
        row(random, &mut self.languages, LEVEL_NATIVE);
        let unknown = random.percent(20);
        for _ in 0..TRAIT_COUNT {
            let value = random.between(0.0, 1.0);
            self.attitudes.push(if unknown || random.percent(5) { f32::NAN } else { value });
        }
        let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        self.active_tasks.push(small(quantity(random, temper, 3)));
        self.capacities.push(small(quantity(random, temper, 4)));
        self.idle_ms.push(quantity(random, temper, 3_600_000));
        let upset = (small(quantity(random, temper, 20)), small(quantity(random, temper, 20)));
        // Upset calls are counted in both pairs.
        self.outcomes.push(abi::Outcomes {
            resolved: upset.0.saturating_add(small(quantity(random, temper, 100))),
            unresolved: upset.1.saturating_add(small(quantity(random, temper, 100))),
            upset_resolved: upset.0,
            upset_unresolved: upset.1,
        });
    }
}

/// A number up to `usual`; in wild worlds now and then 0 or the highest there is.
fn quantity(random: &mut Random, temper: Temper, usual: usize) -> u64 {
    match (temper, random.below(12)) {
        (Temper::Wild, 0) => 0,
        (Temper::Wild, 1) => u64::MAX,
        _ => random.below(usual + 1) as u64,
    }
}

fn row(random: &mut Random, entries: &mut Entries, highest: f32) {
    let order = random.order(entries.names.len());
    let taken = random.below(entries.names.len() + 1);
    let levels: Vec<f32> = (0..taken).map(|_| random.between(1.0, highest)).collect();
    entries.push(order[..taken].iter().map(|&id| id as u32).zip(levels));
}

/// How many needs or languages there are: an ordinary customer has some.
fn count(random: &mut Random, temper: Temper, most: usize) -> usize {
    match temper {
        Temper::Ordinary => 1 + random.below(3),
        Temper::Wild if random.percent(5) => most,
        Temper::Wild => random.below(4),
    }
}

fn needs(random: &mut Random, temper: Temper) -> Vec<Need> {
    let count = count(random, temper, 64);
    let need = |random: &mut Random| Need {
        // Needs may name a skill that nobody has, and one twice.
        name: if random.percent(20) { "unheard-of".to_owned() } else { (*random.pick(&SKILLS)).to_owned() },
        level: random.between(1.0, 5.0),
        must_have: random.percent(50),
    };
    (0..count).map(|_| need(random)).collect()
}

fn spoken(random: &mut Random, temper: Temper) -> Vec<Spoken> {
    let count = count(random, temper, 16);
    let mut left = 1.0_f32;
    let mut spoken: Vec<Spoken> = (0..count)
        .map(|_| {
            let share = (left * random.between(0.1, 0.8)).max(f32::MIN_POSITIVE);
            left -= share;
            let level = if random.percent(50) { f32::NAN } else { random.between(1.0, LEVEL_NATIVE) };
            Spoken { tag: (*random.pick(&TAGS)).to_owned(), share, level }
        })
        .collect();
    spoken.sort_by(|left, right| right.share.total_cmp(&left.share));
    spoken
}

fn attributes(random: &mut Random, count: usize) -> Vec<(String, Values)> {
    let numbers =
        (0..count).map(|_| if random.percent(20) { f64::NAN } else { f64::from(random.share()) }).collect();
    let flags = (0..count).map(|_| *random.pick(&[0, 1, FLAG_UNKNOWN])).collect();
    let ids = (0..count).map(|_| *random.pick(&[0, 1, abi::NONE])).collect();
    let texts = vec!["north".to_owned(), "south".to_owned()];
    // In the order of their names.
    vec![
        ("seniority".to_owned(), Values::Numbers(numbers)),
        ("site".to_owned(), Values::Texts { texts, ids }),
        ("trainer".to_owned(), Values::Flags(flags)),
    ]
}

/// An emotion vector with every number in its range.
pub(crate) fn emotion(random: &mut Random) -> abi::Emotion {
    let raw: [f32; CATEGORY_COUNT] = std::array::from_fn(|_| random.share() + 1e-3);
    let sum: f32 = raw.iter().sum();
    let modality = |random: &mut Random| {
        if random.percent(30) {
            return abi::Modality::default();
        }
        let (weight, quality) = (random.between(0.0, 1.0), random.between(0.0, 1.0));
        let readings = 1 + random.below(100) as u32;
        abi::Modality { age_ms: random.below(60_000) as u64, weight, quality, readings, reserved: 0 }
    };
    let has_worst = random.percent(60);
    let worst_category = random.below(CATEGORY_COUNT) as u32;
    let worst_valence = random.between(-1.0, 1.0);
    abi::Emotion {
        size: abi::size_of_struct::<abi::Emotion>(),
        abstain: u32::from(random.percent(10)),
        categories: raw.map(|share| share / sum),
        valence: random.between(-1.0, 1.0),
        arousal: random.between(-1.0, 1.0),
        dominance: random.between(-1.0, 1.0),
        satisfaction: random.between(0.0, 1.0),
        frustration: random.between(0.0, 1.0),
        confusion: random.between(0.0, 1.0),
        concern: random.between(0.0, 1.0),
        confidence: random.between(0.0, 1.0),
        valence_per_minute: random.between(-2.0, 2.0),
        arousal_per_minute: random.between(-2.0, 2.0),
        worst_valence: if has_worst { worst_valence } else { f32::NAN },
        worst_category: if has_worst { worst_category } else { abi::NONE },
        reserved: 0,
        worst_at_ms: if has_worst { 1_000 } else { 0 },
        at_ms: random.below(600_000) as u64,
        text: modality(random),
        voice: modality(random),
        face: modality(random),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worlds_keep_the_contract() {
        for seed in 0..300 {
            let world = World::wild(&mut Random::new(seed));
            let count = world.count();
            assert_eq!(world.attitudes.len(), count * TRAIT_COUNT);
            for entries in [&world.skills, &world.languages] {
                assert_eq!(entries.offsets.len(), count + 1);
                assert!(entries.offsets.is_sorted());
                assert_eq!(entries.offsets[count] as usize, entries.ids.len());
                assert!(entries.ids.iter().all(|id| (*id as usize) < entries.names.len()));
                assert!(entries.levels.iter().all(|level| (1.0..=7.0).contains(level)));
            }
            let shares: f32 = world.spoken.iter().map(|spoken| spoken.share).sum();
            assert!(shares <= 1.001, "{shares}");
            let sum: f32 = world.emotion.categories.iter().sum();
            assert!((sum - 1.0).abs() < 0.001, "{sum}");
        }
    }

    #[test]
    fn a_seed_gives_the_same_world() {
        let print = |seed| World::wild(&mut Random::new(seed)).print();
        assert_eq!(print(4), print(4));
        assert_ne!(print(4), print(5));
    }
}
