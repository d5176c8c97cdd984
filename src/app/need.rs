//! What the matchers are asked for: what the caller states, and otherwise what the words suggest.

use super::analysis::{CallNeed, Language, NeedSource};
use crate::emotion::{EmotionVector, Need};
use crate::routing::{LanguageLevel, RankingRequest, SkillNeed};

/// The level asked for in a skill that was inferred: an agent who knows the matter.
const INFERRED_LEVEL: f32 = 3.0;

/// What the caller states of the need.
#[derive(Debug, Clone, Default)]
pub(crate) struct StatedNeed {
    pub(crate) needed_skills: Option<Vec<SkillNeed>>,
    pub(crate) complexity: Option<f32>,
    pub(crate) language_level: Option<LanguageLevel>,
    pub(crate) waiting_ms: u64,
}

/// Joins what is stated with what was inferred.
pub(crate) fn call_need(stated: StatedNeed, inferred: Need) -> CallNeed {
    let (needed_skills, source) = match stated.needed_skills {
        Some(skills) => (skills, NeedSource::Stated),
        None => {
            (inferred.needed_skills.iter().map(|name| inferred_skill(name)).collect(), NeedSource::Inferred)
        }
    };
    CallNeed {
        needed_skills,
        complexity: stated.complexity.unwrap_or(inferred.complexity),
        requested_language: inferred.requested_language,
        language_level: stated.language_level,
        waiting_ms: stated.waiting_ms,
        source,
    }
}

/// What the matchers are asked with.
pub(crate) fn ranking_request(
    emotion: EmotionVector,
    need: &CallNeed,
    language: &Language,
) -> RankingRequest {
    // A customer who asks for another language than the one spoken wants to be answered in it, and in it alone.
    let other_languages =
        if need.requested_language.is_some() { Vec::new() } else { language.others.clone() };
    RankingRequest {
        language: need.requested_language.clone().or_else(|| language.tag.clone()),
        other_languages,
        language_level: need.language_level,
        needed_skills: need.needed_skills.clone(),
        complexity: need.complexity,
        waiting_ms: need.waiting_ms,
        ..RankingRequest::new(emotion)
    }
}

/// A skill that nobody asked for by name: useful, but no reason to turn an agent down.
fn inferred_skill(name: &str) -> SkillNeed {
    SkillNeed { name: name.to_owned(), level: INFERRED_LEVEL, must_have: false }
}
