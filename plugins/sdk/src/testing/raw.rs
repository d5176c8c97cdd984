//! Requests, agents and outcomes of a test in the ABI's shape: pointers into what the test owns.

use heartline_plugin_abi as abi;
use heartline_plugin_abi::{AttributeKind, CallResult, Text};

use super::agents::{Agents, OwnedColumn};
use crate::{Emotion, Modality, Outcome, Request};

/// A request, with what its pointers lead to.
pub(crate) struct RawRequest {
    emotion: Box<abi::Emotion>,
    needs: Vec<abi::SkillNeed>,
    languages: Vec<abi::Spoken>,
    request: abi::Request,
}

impl RawRequest {
    /// Skills get the ids that these agents have for them.
    pub(crate) fn new(request: &Request<'_>, agents: &Agents) -> Self {
        let need = |need: &crate::SkillNeed<'_>| abi::SkillNeed {
            name: Text::from_borrowed(need.name),
            skill: agents.skill_id(need.name).unwrap_or(abi::NONE),
            level: need.level,
            must_have: u32::from(need.must_have),
            reserved: 0,
        };
        let spoken = |spoken: &crate::Spoken<'_>| abi::Spoken {
            tag: Text::from_borrowed(spoken.tag),
            share: spoken.share,
            level: spoken.level.unwrap_or(f32::NAN),
        };
        let limit = request.time_limit.map_or(0, |limit| limit.as_micros());
        let mut raw = Self {
            emotion: Box::new(emotion(&request.emotion)),
            needs: request.needs.iter().map(need).collect(),
            languages: request.languages.iter().map(spoken).collect(),
            request: abi::Request {
                size: abi::size_of_struct::<abi::Request>(),
                need_count: length(request.needs.len()),
                emotion: std::ptr::null(),
                needs: std::ptr::null(),
                languages: std::ptr::null(),
                language_count: length(request.languages.len()),
                interpreter: u32::from(request.interpreter),
                complexity: request.complexity,
                reserved: 0,
                waiting_ms: request.waiting_ms,
                time_limit_us: u64::try_from(limit).unwrap_or(u64::MAX),
            },
        };
        // The heap's memory stays where it is when the structure moves.
        raw.request.emotion = &raw const *raw.emotion;
        raw.request.needs = pointer(&raw.needs);
        raw.request.languages = pointer(&raw.languages);
        raw
    }

    /// The structure to pass; valid for as long as `self` lives.
    pub(crate) fn to_abi(&self) -> abi::Request {
        self.request
    }
}

/// Agents, with what their pointers lead to besides the columns themselves.
pub(crate) struct RawAgents<'agents> {
    agents: &'agents Agents,
    skill_names: Vec<Text>,
    language_tags: Vec<Text>,
    /// What the attributes' `texts` lead to.
    _attribute_texts: Vec<Vec<Text>>,
    attributes: Vec<abi::Attribute>,
}

impl<'agents> RawAgents<'agents> {
    pub(crate) fn new(agents: &'agents Agents) -> Self {
        let attribute_texts: Vec<Vec<Text>> = agents
            .attributes
            .values()
            .map(|column| match column {
                OwnedColumn::Texts { texts, .. } => table(texts),
                OwnedColumn::Numbers(_) | OwnedColumn::Flags(_) => Vec::new(),
            })
            .collect();
        let columns = agents.attributes.iter().zip(&attribute_texts);
        let attributes = columns.map(|((name, column), texts)| attribute(name, column, texts)).collect();
        Self {
            agents,
            skill_names: table(&agents.skills.names),
            language_tags: table(&agents.languages.names),
            _attribute_texts: attribute_texts,
            attributes,
        }
    }

    /// The structure to pass; valid for as long as `self` lives. What is empty is null.
    pub(crate) fn to_abi(&self) -> abi::Candidates {
        let agents = self.agents;
        abi::Candidates {
            size: abi::size_of_struct::<abi::Candidates>(),
            count: length(agents.count),
            skill_name_count: length(self.skill_names.len()),
            language_tag_count: length(self.language_tags.len()),
            attribute_count: length(self.attributes.len()),
            reserved: 0,
            snapshot: agents.snapshot,
            skill_names: pointer(&self.skill_names),
            language_tags: pointer(&self.language_tags),
            skill_offsets: pointer(&agents.skills.offsets),
            skill_ids: pointer(&agents.skills.ids),
            skill_levels: pointer(&agents.skills.levels),
            language_offsets: pointer(&agents.languages.offsets),
            language_ids: pointer(&agents.languages.ids),
            language_levels: pointer(&agents.languages.levels),
            attitudes: pointer(&agents.attitudes),
            active_tasks: pointer(&agents.active_tasks),
            capacities: pointer(&agents.capacities),
            idle_ms: pointer(&agents.idle_ms),
            outcomes: pointer(&agents.outcomes),
            attributes: pointer(&self.attributes),
        }
    }
}

fn attribute(name: &str, column: &OwnedColumn, texts: &[Text]) -> abi::Attribute {
    let empty = abi::Attribute {
        name: Text::from_borrowed(name),
        kind: AttributeKind::NUMBER,
        text_count: 0,
        numbers: std::ptr::null(),
        flags: std::ptr::null(),
        text_ids: std::ptr::null(),
        texts: std::ptr::null(),
    };
    match column {
        OwnedColumn::Numbers(numbers) => abi::Attribute { numbers: pointer(numbers), ..empty },
        OwnedColumn::Flags(flags) => {
            abi::Attribute { kind: AttributeKind::FLAG, flags: pointer(flags), ..empty }
        }
        OwnedColumn::Texts { ids, .. } => abi::Attribute {
            kind: AttributeKind::TEXT,
            text_count: length(texts.len()),
            text_ids: pointer(ids),
            texts: pointer(texts),
            ..empty
        },
    }
}

/// An outcome in the ABI's shape.
pub(crate) fn outcome(outcome: &Outcome) -> abi::Outcome {
    abi::Outcome {
        size: abi::size_of_struct::<abi::Outcome>(),
        result: match outcome.is_resolved {
            Some(true) => CallResult::RESOLVED,
            Some(false) => CallResult::UNRESOLVED,
            None => CallResult::UNKNOWN,
        },
        transferred: u32::from(outcome.is_transferred),
        rating: outcome.rating.unwrap_or(f32::NAN),
        valence_change: outcome.valence_change.unwrap_or(f32::NAN),
        reserved: 0,
        handling_ms: outcome.handling_ms.unwrap_or(0),
    }
}

fn emotion(emotion: &Emotion) -> abi::Emotion {
    abi::Emotion {
        size: abi::size_of_struct::<abi::Emotion>(),
        abstain: u32::from(emotion.abstain),
        categories: emotion.categories,
        valence: emotion.valence,
        arousal: emotion.arousal,
        dominance: emotion.dominance,
        satisfaction: emotion.satisfaction,
        frustration: emotion.frustration,
        confusion: emotion.confusion,
        concern: emotion.concern,
        confidence: emotion.confidence,
        valence_per_minute: emotion.valence_per_minute,
        arousal_per_minute: emotion.arousal_per_minute,
        worst_valence: emotion.worst.map_or(f32::NAN, |worst| worst.valence),
        worst_category: emotion.worst.map_or(abi::NONE, |worst| worst.category),
        reserved: 0,
        worst_at_ms: emotion.worst.map_or(0, |worst| worst.at_ms),
        at_ms: emotion.at_ms,
        text: modality(emotion.text),
        voice: modality(emotion.voice),
        face: modality(emotion.face),
    }
}

fn modality(modality: Option<Modality>) -> abi::Modality {
    modality.map_or_else(abi::Modality::default, |Modality { weight, age_ms, quality, readings }| {
        abi::Modality { age_ms, weight, quality, readings, reserved: 0 }
    })
}

fn table(texts: &[&str]) -> Vec<Text> {
    texts.iter().map(|text| Text::from_borrowed(text)).collect()
}

/// Null for what is empty, as a host may.
fn pointer<T>(column: &[T]) -> *const T {
    if column.is_empty() { std::ptr::null() } else { column.as_ptr() }
}

/// No test has four billion of anything.
fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
