//! The request as the server writes it, and its shape in the ABI.

use std::time::Duration;

use heartline_plugin_abi as abi;
use heartline_plugin_abi::{CATEGORY_COUNT, Text};
use serde::{Deserialize, Serialize};

use crate::HostError;
use crate::candidates::Lend;

/// How far the categories' sum may be from 1 before the vector is refused.
const SUM_TOLERANCE: f32 = 0.01;
/// The most languages of one customer.
const MAX_LANGUAGES: usize = 16;

/// How much one modality had a say in the emotion vector.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct ModalityTrust {
    /// The weight in the fusion, in [0, 1].
    pub weight: f32,
    /// The age of the newest reading, in ms of media time.
    pub age_ms: u64,
    /// The quality of the readings, in [0, 1].
    pub quality: f32,
    /// How many readings there were, at least 1.
    pub readings: u32,
}

/// The session's worst moment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WorstMoment {
    /// When it was, in ms of media time.
    pub at_ms: u64,
    /// The valence then, in [-1, 1].
    pub valence: f32,
    /// The index of the leading category then.
    pub category: u32,
}

/// The emotion vector as matchers see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Emotion {
    /// The moment it describes, in ms of media time.
    pub at_ms: u64,
    /// Probabilities that sum to 1: neutral, happiness, surprise, sadness, anger, disgust, fear.
    pub categories: [f32; CATEGORY_COUNT],
    /// In [-1, 1].
    pub valence: f32,
    /// In [-1, 1].
    pub arousal: f32,
    /// In [-1, 1].
    pub dominance: f32,
    /// In [0, 1].
    pub satisfaction: f32,
    /// In [0, 1].
    pub frustration: f32,
    /// In [0, 1].
    pub confusion: f32,
    /// In [0, 1].
    pub concern: f32,
    /// How far the vector can be trusted, in [0, 1].
    pub confidence: f32,
    /// Whether there is too little to say anything.
    pub abstain: bool,
    /// The slope of valence over the session, in units a minute.
    pub valence_per_minute: f32,
    /// The slope of arousal over the session, in units a minute.
    pub arousal_per_minute: f32,
    /// The session's worst moment, if there was one yet.
    pub worst: Option<WorstMoment>,
    /// What the words contributed.
    pub text: Option<ModalityTrust>,
    /// What the voice contributed.
    pub voice: Option<ModalityTrust>,
    /// What the face contributed.
    pub face: Option<ModalityTrust>,
}

impl Default for Emotion {
    /// The abstaining vector: nothing was seen or heard.
    fn default() -> Self {
        Self {
            at_ms: 0,
            categories: [1.0 / CATEGORY_COUNT as f32; CATEGORY_COUNT],
            valence: 0.0,
            arousal: 0.0,
            dominance: 0.0,
            satisfaction: 0.0,
            frustration: 0.0,
            confusion: 0.0,
            concern: 0.0,
            confidence: 0.0,
            abstain: true,
            valence_per_minute: 0.0,
            arousal_per_minute: 0.0,
            worst: None,
            text: None,
            voice: None,
            face: None,
        }
    }
}

impl Emotion {
    fn check(&self) -> Result<(), HostError> {
        for share in self.categories {
            within("emotion.categories", share, 0.0, 1.0)?;
        }
        let sum: f32 = self.categories.iter().sum();
        within("emotion.categories", sum, 1.0 - SUM_TOLERANCE, 1.0 + SUM_TOLERANCE)?;
        for (field, value) in [
            ("emotion.valence", self.valence),
            ("emotion.arousal", self.arousal),
            ("emotion.dominance", self.dominance),
        ] {
            within(field, value, -1.0, 1.0)?;
        }
        for (field, value) in [
            ("emotion.satisfaction", self.satisfaction),
            ("emotion.frustration", self.frustration),
            ("emotion.confusion", self.confusion),
            ("emotion.concern", self.concern),
            ("emotion.confidence", self.confidence),
        ] {
            within(field, value, 0.0, 1.0)?;
        }
        within("emotion.valence_per_minute", self.valence_per_minute, f32::MIN, f32::MAX)?;
        within("emotion.arousal_per_minute", self.arousal_per_minute, f32::MIN, f32::MAX)?;
        if let Some(worst) = self.worst {
            within("emotion.worst.valence", worst.valence, -1.0, 1.0)?;
            if worst.category as usize >= CATEGORY_COUNT {
                let reason = format!("{} is no category, there are {CATEGORY_COUNT}", worst.category);
                return Err(HostError::InvalidRequest { field: "emotion.worst.category", reason });
            }
        }
        for (field, trust) in
            [("emotion.text", self.text), ("emotion.voice", self.voice), ("emotion.face", self.face)]
        {
            if let Some(trust) = trust {
                within(field, trust.weight, 0.0, 1.0)?;
                within(field, trust.quality, 0.0, 1.0)?;
            }
        }
        Ok(())
    }

    fn to_abi(&self) -> abi::Emotion {
        abi::Emotion {
            size: abi::size_of_struct::<abi::Emotion>(),
            abstain: u32::from(self.abstain),
            categories: self.categories,
            valence: self.valence,
            arousal: self.arousal,
            dominance: self.dominance,
            satisfaction: self.satisfaction,
            frustration: self.frustration,
            confusion: self.confusion,
            concern: self.concern,
            confidence: self.confidence,
            valence_per_minute: self.valence_per_minute,
            arousal_per_minute: self.arousal_per_minute,
            worst_valence: self.worst.map_or(f32::NAN, |worst| worst.valence),
            worst_category: self.worst.map_or(abi::NONE, |worst| worst.category),
            reserved: 0,
            worst_at_ms: self.worst.map_or(0, |worst| worst.at_ms),
            at_ms: self.at_ms,
            text: modality(self.text),
            voice: modality(self.voice),
            face: modality(self.face),
        }
    }
}

fn modality(trust: Option<ModalityTrust>) -> abi::Modality {
    trust.map_or_else(abi::Modality::default, |trust| abi::Modality {
        age_ms: trust.age_ms,
        weight: trust.weight,
        quality: trust.quality,
        readings: trust.readings.max(1),
        reserved: 0,
    })
}

/// A language that the customer speaks in this call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpokenLanguage {
    /// A BCP 47 tag.
    pub tag: String,
    /// The share of what was said, in (0, 1].
    pub share: f32,
    /// How well the customer speaks it, as a CEFR number: A1 is 1, C2 is 6, native is 7.
    pub level: Option<f32>,
}

/// One customer who waits for an agent.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ScoreRequest {
    /// What was observed of the customer.
    pub emotion: Emotion,
    /// The customer's languages; none where the language is unknown. Matchers get them with the largest share first.
    pub languages: Vec<SpokenLanguage>,
    /// Whether an interpreter can be brought into the call.
    pub interpreter: bool,
    /// Name, proficiency asked for (1 to 5), and whether the issue cannot be served without it.
    pub needed_skills: Vec<(String, f32, bool)>,
    /// How complex the issue is, in [0, 1].
    pub complexity: f32,
    /// How long the customer has waited, in ms.
    pub waiting_ms: u64,
    /// How long a matcher may take; `None` where there is no limit. A matcher cannot be interrupted, only told.
    pub time_limit: Option<Duration>,
}

impl ScoreRequest {
    pub(crate) fn check(&self, max_needed_skills: usize) -> Result<(), HostError> {
        self.emotion.check()?;
        if self.needed_skills.len() > max_needed_skills {
            let reason = format!("{} are more than {max_needed_skills}", self.needed_skills.len());
            return Err(HostError::InvalidRequest { field: "needed_skills", reason });
        }
        for (_, level, _) in &self.needed_skills {
            within("needed_skills", *level, 1.0, 5.0)?;
        }
        self.check_languages()?;
        within("complexity", self.complexity, 0.0, 1.0)
    }

    fn check_languages(&self) -> Result<(), HostError> {
        let refuse = |reason: String| Err(HostError::InvalidRequest { field: "languages", reason });
        if self.languages.len() > MAX_LANGUAGES {
            return refuse(format!("{} are more than {MAX_LANGUAGES}", self.languages.len()));
        }
        for spoken in &self.languages {
            if spoken.tag.is_empty() {
                return refuse("a language has no tag".to_owned());
            }
            if !(spoken.share > 0.0 && spoken.share <= 1.0) {
                return refuse(format!("the share {} is not above 0 and at most 1", spoken.share));
            }
            if let Some(level) = spoken.level {
                within("languages", level, 1.0, abi::LEVEL_NATIVE)?;
            }
        }
        let sum: f32 = self.languages.iter().map(|spoken| spoken.share).sum();
        within("languages", sum, 0.0, 1.0 + SUM_TOLERANCE)
    }
}

fn within(field: &'static str, value: f32, low: f32, high: f32) -> Result<(), HostError> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    let reason = format!("{value} is not between {low} and {high}");
    Err(HostError::InvalidRequest { field, reason })
}

/// A request in the ABI's shape, with everything its pointers lead to.
pub(crate) struct RawRequest<'request> {
    emotion: abi::Emotion,
    needs: Vec<abi::SkillNeed>,
    languages: Vec<abi::Spoken>,
    request: &'request ScoreRequest,
}

impl<'request> RawRequest<'request> {
    pub(crate) fn new(request: &'request ScoreRequest, columns: &impl Lend) -> Self {
        let needs = request
            .needed_skills
            .iter()
            .map(|(name, level, must_have)| abi::SkillNeed {
                name: Text::from_borrowed(name),
                skill: columns.skill_index(name).unwrap_or(abi::NONE),
                level: *level,
                must_have: u32::from(*must_have),
                reserved: 0,
            })
            .collect();
        let mut languages: Vec<abi::Spoken> = request
            .languages
            .iter()
            .map(|spoken| abi::Spoken {
                tag: Text::from_borrowed(&spoken.tag),
                share: spoken.share,
                level: spoken.level.unwrap_or(f32::NAN),
            })
            .collect();
        languages.sort_by(|left, right| right.share.total_cmp(&left.share));
        Self { emotion: request.emotion.to_abi(), needs, languages, request }
    }

    /// The structure to pass to a matcher whose caller waits for so long; valid for as long as `self` is borrowed.
    pub(crate) fn to_abi(&self, left: Option<Duration>) -> abi::Request {
        let limit = self.request.time_limit.into_iter().chain(left).min();
        let time_limit_us = limit.map_or(0, |limit| {
            // 0 would mean that there is no limit, and a limit beyond 584,000 years is none.
            u64::try_from(limit.as_micros()).unwrap_or(u64::MAX).max(1)
        });
        abi::Request {
            size: abi::size_of_struct::<abi::Request>(),
            // Bounded by `max_needed_skills` long before it could overflow.
            need_count: u32::try_from(self.needs.len()).unwrap_or(u32::MAX),
            emotion: &raw const self.emotion,
            needs: self.needs.as_ptr(),
            languages: self.languages.as_ptr(),
            // Bounded by `MAX_LANGUAGES`.
            language_count: u32::try_from(self.languages.len()).unwrap_or(0),
            interpreter: u32::from(self.request.interpreter),
            complexity: self.request.complexity,
            reserved: 0,
            waiting_ms: self.request.waiting_ms,
            time_limit_us,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Candidates;

    fn field(request: &ScoreRequest) -> &'static str {
        match request.check(4).unwrap_err() {
            HostError::InvalidRequest { field, .. } => field,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn the_default_request_is_valid() {
        ScoreRequest::default().check(4).unwrap();
    }

    #[test]
    fn numbers_outside_their_range_are_refused_by_name() {
        let mut request = ScoreRequest { complexity: f32::NAN, ..ScoreRequest::default() };
        assert_eq!(field(&request), "complexity");
        let spoken = |share, level| SpokenLanguage { tag: "en".to_owned(), share, level };
        for languages in [
            vec![spoken(1.0, Some(0.5))],
            vec![spoken(0.0, None)],
            vec![spoken(0.7, None), spoken(0.7, None)],
            vec![SpokenLanguage { tag: String::new(), share: 1.0, level: None }],
            vec![spoken(0.01, None); MAX_LANGUAGES + 1],
        ] {
            request = ScoreRequest { languages, ..ScoreRequest::default() };
            assert_eq!(field(&request), "languages");
        }
        request = ScoreRequest { needed_skills: vec![("a".into(), 6.0, true)], ..ScoreRequest::default() };
        assert_eq!(field(&request), "needed_skills");
        request = ScoreRequest { needed_skills: vec![("a".into(), 1.0, true); 5], ..ScoreRequest::default() };
        assert_eq!(field(&request), "needed_skills");
    }

    #[test]
    fn an_emotion_that_is_no_distribution_is_refused() {
        let mut request = ScoreRequest::default();
        request.emotion.categories = [0.5; CATEGORY_COUNT];
        assert_eq!(field(&request), "emotion.categories");
        request.emotion = Emotion { valence: -1.5, ..Emotion::default() };
        assert_eq!(field(&request), "emotion.valence");
        request.emotion = Emotion { valence_per_minute: f32::INFINITY, ..Emotion::default() };
        assert_eq!(field(&request), "emotion.valence_per_minute");
        let worst = WorstMoment { at_ms: 0, valence: 0.0, category: 7 };
        request.emotion = Emotion { worst: Some(worst), ..Emotion::default() };
        assert_eq!(field(&request), "emotion.worst.category");
    }

    #[test]
    fn what_is_unknown_has_the_marks_that_the_header_names() {
        let request = ScoreRequest {
            needed_skills: vec![("unheard of".into(), 2.0, true)],
            time_limit: Some(Duration::from_nanos(1)),
            ..ScoreRequest::default()
        };
        let candidates = Candidates::builder().build();
        let raw = RawRequest::new(&request, &candidates);
        let abi_request = raw.to_abi(Some(Duration::from_secs(1)));
        assert_eq!(abi_request.language_count, 0);
        assert_eq!(
            abi_request.time_limit_us, 1,
            "a short limit must not turn into none, and the shorter counts"
        );
        assert_eq!(raw.to_abi(Some(Duration::ZERO)).time_limit_us, 1);
        assert_eq!(raw.needs[0].skill, abi::NONE);
        assert_eq!(raw.emotion.worst_category, abi::NONE);
        assert_eq!(raw.emotion.voice.readings, 0);
    }
}
