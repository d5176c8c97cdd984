//! Agents and requests in the shape that the plugin host takes.

use heartline_plugin_host as host;
use heartline_plugin_host::{AgentColumns, AttributeValue, Candidates, ScoreRequest, SpokenLanguage};

use super::{Agent, Attribute, LanguageLevel, RankingRequest, RoutingError};
use crate::emotion::{EmotionVector, ModalityTrust};

/// The agents as columns, in their order.
pub(super) fn candidates(agents: &[Agent]) -> Result<Candidates, RoutingError> {
    let mut builder = Candidates::builder();
    let mut skills = Vec::new();
    let mut languages = Vec::new();
    let mut attributes = Vec::new();
    for agent in agents {
        skills.clear();
        skills.extend(agent.skills.iter().map(|(name, level)| (name.as_str(), *level)));
        languages.clear();
        languages
            .extend(agent.languages.iter().map(|(tag, level)| (tag.as_str(), f32::from(level.number()))));
        attributes.clear();
        attributes.extend(agent.attributes.iter().map(|(name, value)| (name.as_str(), attribute(value))));
        let columns = AgentColumns {
            skills: &skills,
            languages: &languages,
            attitude: agent.attitude.traits().map(|(_, value)| value),
            active_tasks: agent.active_tasks,
            capacity: agent.capacity,
            idle_ms: agent.idle_ms,
            outcomes: host::OutcomeCounts {
                resolved: agent.outcomes.resolved,
                unresolved: agent.outcomes.unresolved,
                upset_resolved: agent.outcomes.upset_resolved,
                upset_unresolved: agent.outcomes.upset_unresolved,
            },
            attributes: &attributes,
        };
        builder.push(&columns).map_err(RoutingError::Candidates)?;
    }
    Ok(builder.build())
}

/// The request as matchers see it.
pub(super) fn request(request: &RankingRequest) -> ScoreRequest {
    ScoreRequest {
        emotion: emotion(&request.emotion),
        languages: spoken(request),
        interpreter: request.interpreter,
        needed_skills: request
            .needed_skills
            .iter()
            .map(|need| (need.name.clone(), need.level, need.must_have))
            .collect(),
        complexity: request.complexity,
        waiting_ms: request.waiting_ms,
        time_limit: None,
    }
}

fn attribute(value: &Attribute) -> AttributeValue<'_> {
    match value {
        Attribute::Flag(flag) => AttributeValue::Flag(*flag),
        Attribute::Number(number) => AttributeValue::Number(*number),
        Attribute::Text(text) => AttributeValue::Text(text),
    }
}

/// The customer's languages: the main one has what the others leave.
fn spoken(request: &RankingRequest) -> Vec<SpokenLanguage> {
    let number = |level: Option<LanguageLevel>| level.map(LanguageLevel::number).map(f32::from);
    let others: f32 = request.other_languages.iter().map(|other| other.share).sum();
    let main = request.language.iter().map(|tag| SpokenLanguage {
        tag: tag.clone(),
        share: (1.0 - others).clamp(f32::EPSILON, 1.0),
        level: number(request.language_level),
    });
    let others = request.other_languages.iter().map(|other| SpokenLanguage {
        tag: other.language.clone(),
        share: other.share,
        level: number(other.level),
    });
    main.chain(others).collect()
}

fn emotion(vector: &EmotionVector) -> host::Emotion {
    // A client may send rounded probabilities; matchers get them summing to 1.
    let sum: f32 = vector.categories.iter().sum();
    host::Emotion {
        at_ms: vector.at_ms,
        categories: vector.categories.map(|share| if sum > 0.0 { share / sum } else { share }),
        valence: vector.valence,
        arousal: vector.arousal,
        dominance: vector.dominance,
        satisfaction: vector.satisfaction,
        frustration: vector.frustration,
        confusion: vector.confusion,
        concern: vector.concern,
        confidence: vector.trust.confidence,
        abstain: vector.trust.abstain.is_some(),
        valence_per_minute: vector.trend.valence_per_minute,
        arousal_per_minute: vector.trend.arousal_per_minute,
        worst: vector.trend.worst.map(|worst| host::WorstMoment {
            at_ms: worst.at_ms,
            valence: worst.valence,
            category: u32::from(worst.category as u8),
        }),
        text: vector.trust.text.map(modality),
        voice: vector.trust.voice.map(modality),
        face: vector.trust.face.map(modality),
    }
}

fn modality(trust: ModalityTrust) -> host::ModalityTrust {
    host::ModalityTrust {
        weight: trust.weight,
        age_ms: trust.age_ms,
        quality: trust.quality,
        readings: trust.readings,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emotion::{Category, FusionConfig, fuse};

    #[test]
    fn rounded_probabilities_are_made_to_sum_to_one() {
        let mut vector = fuse(&[], None, &FusionConfig::default()).vector;
        vector.categories = [0.145; 7];
        let sum: f32 = emotion(&vector).categories.iter().sum();
        assert!((sum - 1.0).abs() < 1e-5);
    }

    #[test]
    fn the_categories_have_the_matchers_order() {
        // The ABI's header lists the categories by number; a reordering here would change what matchers read.
        let names: Vec<&str> = Category::ALL.iter().map(|category| category.name()).collect();
        assert_eq!(names, ["neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear"]);
    }

    #[test]
    fn agents_keep_their_order() {
        let agents: Vec<Agent> = serde_json::from_str(
            r#"[{"id": "a", "skills": {"refund": 3}}, {"id": "b", "languages": {"en": "B2"}}]"#,
        )
        .unwrap();
        assert_eq!(candidates(&agents).unwrap().len(), 2);
    }
}
