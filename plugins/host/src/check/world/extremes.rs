//! Worlds at the ends of what the contract allows, each with a name.

use heartline_plugin_abi as abi;
use heartline_plugin_abi::{CATEGORY_COUNT, FLAG_UNKNOWN, LEVEL_NATIVE};

use super::{Entries, Need, Spoken, Values, World};
use crate::check::random::Random;

/// A long name: 64 KiB of text with characters of several bytes.
fn long_name() -> String {
    "長".repeat((64 << 10) / 3)
}

/// All of them.
pub(crate) fn extremes(random: &mut Random) -> Vec<(&'static str, World)> {
    let base = World::seeded(random, 7);
    let count = base.count();
    let change = |body: &dyn Fn(&mut World)| {
        let mut world = base.clone();
        body(&mut world);
        world
    };
    let mut worlds = vec![
        ("unknown traits", change(&|world| world.attitudes.fill(f32::NAN))),
        ("traits at 0", change(&|world| world.attitudes.fill(0.0))),
        ("traits at 1", change(&|world| world.attitudes.fill(1.0))),
        ("levels at the lowest", change(&|world| levels(world, 1.0, 1.0))),
        ("levels at the highest", change(&|world| levels(world, 5.0, LEVEL_NATIVE))),
        ("idle for ever", change(&|world| world.idle_ms.fill(u64::MAX))),
        ("waiting for ever", change(&|world| world.waiting_ms = u64::MAX)),
        ("no capacity", change(&|world| world.capacities.fill(0))),
        ("4,294,967,295 tasks", change(&|world| world.active_tasks.fill(u32::MAX))),
        ("4,294,967,295 of capacity", change(&|world| world.capacities.fill(u32::MAX))),
        ("outcomes at the highest", change(&|world| world.outcomes.fill(most_outcomes()))),
        ("no outcomes", change(&|world| world.outcomes.fill(abi::Outcomes::default()))),
        ("64 needs", change(&|world| world.needs = needs())),
        ("no needs", change(&|world| world.needs.clear())),
        ("16 languages", change(&|world| world.spoken = sixteen_languages())),
        ("no language", change(&|world| world.spoken.clear())),
        ("long names", change(&long_names)),
        ("strange tags", change(&strange_tags)),
        ("unknown attributes", change(&|world| world.attributes = unknown_attributes(count))),
        ("attributes at the ends", change(&|world| world.attributes = extreme_numbers(count))),
        ("no skill and no language", change(&|world| nobody_knows_anything(world, count))),
    ];
    for (name, emotion) in emotions(&base.emotion) {
        worlds.push((name, World { emotion, ..base.clone() }));
    }
    worlds
}

fn levels(world: &mut World, skill: f32, language: f32) {
    world.skills.levels.fill(skill);
    world.languages.levels.fill(language);
    world.needs.iter_mut().for_each(|need| need.level = skill);
    world.spoken.iter_mut().for_each(|spoken| spoken.level = language);
}

fn most_outcomes() -> abi::Outcomes {
    let most = u32::MAX;
    abi::Outcomes { resolved: most, unresolved: most, upset_resolved: most, upset_unresolved: most }
}

fn needs() -> Vec<Need> {
    let need = |index: usize| Need {
        name: format!("skill-{index}"),
        level: 5.0,
        must_have: index.is_multiple_of(2),
    };
    (0..64).map(need).collect()
}

fn sixteen_languages() -> Vec<Spoken> {
    let spoken = |index: usize| Spoken { tag: format!("x-{index}"), share: 1.0 / 16.0, level: f32::NAN };
    (0..16).map(spoken).collect()
}

fn long_names(world: &mut World) {
    let long = long_name();
    world.skills.names[0].clone_from(&long);
    world.languages.names[0].clone_from(&long);
    world.needs = vec![Need { name: long.clone(), level: 3.0, must_have: true }];
    world.spoken = vec![Spoken { tag: long, share: 1.0, level: 3.0 }];
}

fn strange_tags(world: &mut World) {
    let tags = ["-", "--", "en-", "-en", "EN", "e\u{301}n", "a-b-c-d-e-f-g-h-i", "\u{0}"];
    world.spoken =
        tags.iter().map(|tag| Spoken { tag: (*tag).to_owned(), share: 0.125, level: f32::NAN }).collect();
    "-\u{0}-".clone_into(&mut world.languages.names[0]);
}

fn unknown_attributes(count: usize) -> Vec<(String, Values)> {
    vec![
        ("a".to_owned(), Values::Numbers(vec![f64::NAN; count])),
        ("b".to_owned(), Values::Flags(vec![FLAG_UNKNOWN; count])),
        ("c".to_owned(), Values::Texts { texts: Vec::new(), ids: vec![abi::NONE; count] }),
    ]
}

fn extreme_numbers(count: usize) -> Vec<(String, Values)> {
    vec![
        ("high".to_owned(), Values::Numbers(vec![f64::MAX; count])),
        ("low".to_owned(), Values::Numbers(vec![f64::MIN; count])),
        ("tiny".to_owned(), Values::Numbers(vec![5e-324; count])),
    ]
}

fn nobody_knows_anything(world: &mut World, count: usize) {
    for entries in [&mut world.skills, &mut world.languages] {
        *entries = Entries { offsets: vec![0; count + 1], ..Entries::new(Vec::new()) };
    }
}

fn emotions(base: &abi::Emotion) -> Vec<(&'static str, abi::Emotion)> {
    let missing = abi::Modality::default();
    let even = [1.0 / CATEGORY_COUNT as f32; CATEGORY_COUNT];
    let abstaining = abi::Emotion {
        abstain: 1,
        categories: even,
        confidence: 0.0,
        worst_valence: f32::NAN,
        worst_category: abi::NONE,
        text: missing,
        voice: missing,
        face: missing,
        ..*base
    };
    let mut extremes = vec![("an abstaining emotion", abstaining)];
    for (name, sign, category) in [("the worst emotion", -1.0_f32, 4), ("the best emotion", 1.0, 1)] {
        let mut categories = [0.0; CATEGORY_COUNT];
        categories[category] = 1.0;
        let high = if sign < 0.0 { 1.0 } else { 0.0 };
        extremes.push((
            name,
            abi::Emotion {
                abstain: 0,
                categories,
                valence: sign,
                arousal: -sign,
                dominance: sign,
                satisfaction: 1.0 - high,
                frustration: high,
                confusion: high,
                concern: high,
                confidence: 1.0,
                valence_per_minute: sign * f32::MAX,
                arousal_per_minute: -sign * f32::MAX,
                worst_valence: sign,
                worst_category: category as u32,
                worst_at_ms: u64::MAX,
                at_ms: u64::MAX,
                ..*base
            },
        ));
    }
    extremes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worlds_have_names_of_their_own_and_rows() {
        let worlds = extremes(&mut Random::new(1));
        for (index, (name, world)) in worlds.iter().enumerate() {
            assert!(worlds[..index].iter().all(|(other, _)| other != name), "{name}");
            assert_eq!(world.count(), 7, "{name}");
            assert_eq!(world.skills.offsets.len(), 8, "{name}");
        }
        assert!(worlds.len() > 20);
    }
}
