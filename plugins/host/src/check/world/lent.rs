//! A world in the shape that crosses the border: structures of pointers into its columns.

use std::ptr::null;

use heartline_plugin_abi as abi;
use heartline_plugin_abi::{AttributeKind, Text};

use super::{Values, World};
use crate::check::grown::Grown;

/// What a host leaves out where nothing of its kind is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    Skills,
    SkillOffsets,
    Languages,
    LanguageOffsets,
    Attitudes,
    ActiveTasks,
    Capacities,
    IdleMs,
    Outcomes,
    Attributes,
    Everything,
}

/// All of them, with what the table calls them.
pub(crate) const MISSING: [(Missing, &str); 11] = [
    (Missing::Skills, "all skills"),
    (Missing::SkillOffsets, "skill_offsets"),
    (Missing::Languages, "all languages"),
    (Missing::LanguageOffsets, "language_offsets"),
    (Missing::Attitudes, "attitudes"),
    (Missing::ActiveTasks, "active_tasks"),
    (Missing::Capacities, "capacities"),
    (Missing::IdleMs, "idle_ms"),
    (Missing::Outcomes, "outcomes"),
    (Missing::Attributes, "attributes"),
    (Missing::Everything, "every column"),
];

/// A world with the tables of texts that its structures point into.
pub(crate) struct Lent<'world> {
    world: &'world World,
    /// Whether the structures are those of a later minor version.
    is_later: bool,
    /// What the request points to; in a place of its own, because `self` moves.
    emotion: Box<Grown<abi::Emotion>>,
    needs: Vec<abi::SkillNeed>,
    spoken: Vec<abi::Spoken>,
    skill_names: Vec<Text>,
    language_tags: Vec<Text>,
    /// What `attributes` points into.
    _texts: Vec<Vec<Text>>,
    attributes: Vec<abi::Attribute>,
}

fn texts(names: &[String]) -> Vec<Text> {
    names.iter().map(|name| Text::from_borrowed(name)).collect()
}

fn pointer<T>(values: &[T], is_there: bool) -> *const T {
    // A vector without elements has a pointer that leads nowhere; a host passes NULL as well as that.
    if is_there && !values.is_empty() { values.as_ptr() } else { null() }
}

impl<'world> Lent<'world> {
    pub(crate) fn new(world: &'world World, is_later: bool) -> Self {
        let are_skills_there = !matches!(world.missing, Some(Missing::Skills | Missing::Everything));
        let skill = |name: &String| {
            let found =
                world.skills.names.iter().position(|other| other == name).filter(|_| are_skills_there);
            found.map_or(abi::NONE, |index| index as u32)
        };
        let needs = world.needs.iter().map(|need| abi::SkillNeed {
            name: Text::from_borrowed(&need.name),
            skill: skill(&need.name),
            level: need.level,
            must_have: u32::from(need.must_have),
            reserved: 0,
        });
        let spoken = world.spoken.iter().map(|spoken| abi::Spoken {
            tag: Text::from_borrowed(&spoken.tag),
            share: spoken.share,
            level: spoken.level,
        });
        let attribute_texts: Vec<Vec<Text>> = world
            .attributes
            .iter()
            .map(|(_, values)| match values {
                Values::Texts { texts: names, .. } => texts(names),
                Values::Numbers(_) | Values::Flags(_) => Vec::new(),
            })
            .collect();
        let attributes = world.attributes.iter().zip(&attribute_texts).map(attribute).collect();
        Self {
            needs: needs.collect(),
            spoken: spoken.collect(),
            skill_names: texts(&world.skills.names),
            language_tags: texts(&world.languages.names),
            attributes,
            _texts: attribute_texts,
            emotion: Box::new(Grown::new(world.emotion, is_later)),
            is_later,
            world,
        }
    }

    /// The request; valid for as long as `self` is borrowed.
    pub(crate) fn request(&self) -> Grown<abi::Request> {
        let world = self.world;
        let request = abi::Request {
            size: abi::size_of_struct::<abi::Request>(),
            need_count: self.needs.len() as u32,
            emotion: self.emotion.as_ptr(),
            needs: pointer(&self.needs, true),
            languages: pointer(&self.spoken, true),
            language_count: self.spoken.len() as u32,
            interpreter: u32::from(world.interpreter),
            complexity: world.complexity,
            reserved: 0,
            waiting_ms: world.waiting_ms,
            time_limit_us: world.time_limit_us,
        };
        Grown::new(request, self.is_later)
    }

    /// The candidates; valid for as long as `self` is borrowed.
    pub(crate) fn candidates(&self) -> Grown<abi::Candidates> {
        let world = self.world;
        let is_there = |parts: &[Missing]| {
            world.missing.is_none_or(|missing| missing != Missing::Everything && !parts.contains(&missing))
        };
        let (skills, languages) = (is_there(&[Missing::Skills]), is_there(&[Missing::Languages]));
        let skill_rows = is_there(&[Missing::Skills, Missing::SkillOffsets]);
        let language_rows = is_there(&[Missing::Languages, Missing::LanguageOffsets]);
        let attributes = is_there(&[Missing::Attributes]);
        // Where there are no candidates every column is NULL.
        let has_rows = world.count() > 0;
        let count = |names: &[Text], is_there: bool| if is_there { names.len() as u32 } else { 0 };
        let candidates = abi::Candidates {
            size: abi::size_of_struct::<abi::Candidates>(),
            count: world.count() as u32,
            skill_name_count: count(&self.skill_names, skills),
            language_tag_count: count(&self.language_tags, languages),
            attribute_count: if attributes { self.attributes.len() as u32 } else { 0 },
            reserved: 0,
            snapshot: world.snapshot,
            skill_names: pointer(&self.skill_names, skills),
            language_tags: pointer(&self.language_tags, languages),
            skill_offsets: pointer(&world.skills.offsets, skill_rows && has_rows),
            skill_ids: pointer(&world.skills.ids, skill_rows),
            skill_levels: pointer(&world.skills.levels, skill_rows),
            language_offsets: pointer(&world.languages.offsets, language_rows && has_rows),
            language_ids: pointer(&world.languages.ids, language_rows),
            language_levels: pointer(&world.languages.levels, language_rows),
            attitudes: pointer(&world.attitudes, is_there(&[Missing::Attitudes])),
            active_tasks: pointer(&world.active_tasks, is_there(&[Missing::ActiveTasks])),
            capacities: pointer(&world.capacities, is_there(&[Missing::Capacities])),
            idle_ms: pointer(&world.idle_ms, is_there(&[Missing::IdleMs])),
            outcomes: pointer(&world.outcomes, is_there(&[Missing::Outcomes])),
            attributes: pointer(&self.attributes, attributes),
        };
        Grown::new(candidates, self.is_later)
    }
}

fn attribute(((name, values), texts): (&(String, Values), &Vec<Text>)) -> abi::Attribute {
    let empty = abi::Attribute {
        name: Text::from_borrowed(name),
        kind: AttributeKind::NUMBER,
        text_count: 0,
        numbers: null(),
        flags: null(),
        text_ids: null(),
        texts: null(),
    };
    match values {
        Values::Numbers(column) => abi::Attribute { numbers: pointer(column, true), ..empty },
        Values::Flags(column) => {
            abi::Attribute { kind: AttributeKind::FLAG, flags: pointer(column, true), ..empty }
        }
        Values::Texts { ids, .. } => abi::Attribute {
            kind: AttributeKind::TEXT,
            text_count: texts.len() as u32,
            text_ids: pointer(ids, true),
            texts: pointer(texts, true),
            ..empty
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::random::Random;

    #[test]
    fn what_is_missing_is_null_and_the_rest_is_there() {
        let mut world = World::seeded(&mut Random::new(1), 5);
        assert!(!Lent::new(&world, false).candidates().known().idle_ms.is_null());
        world.missing = Some(Missing::IdleMs);
        let lent = Lent::new(&world, false);
        assert!(
            lent.candidates().known().idle_ms.is_null() && !lent.candidates().known().capacities.is_null()
        );
        world.missing = Some(Missing::Everything);
        let lent = Lent::new(&world, false);
        let candidates = lent.candidates();
        let candidates = candidates.known();
        assert!(candidates.skill_offsets.is_null() && candidates.attributes.is_null());
        assert_eq!((candidates.count, candidates.skill_name_count, candidates.attribute_count), (5, 0, 0));
        assert!(lent.needs.iter().all(|need| need.skill == abi::NONE));
    }

    #[test]
    fn no_candidates_are_no_columns() {
        let world = World::seeded(&mut Random::new(1), 0);
        let candidates = Lent::new(&world, false).candidates();
        let candidates = candidates.known();
        assert!(candidates.skill_offsets.is_null() && candidates.attitudes.is_null());
    }
}
