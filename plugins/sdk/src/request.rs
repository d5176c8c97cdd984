//! What a matcher is told about the customer, as safe types.

use std::time::Duration;

use heartline_plugin_abi as abi;
use heartline_plugin_abi::CATEGORY_COUNT;

use crate::{MatcherError, raw};

/// The emotion categories, in the order of [`Emotion::categories`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Category {
    /// None of the others.
    Neutral,
    /// Joy, amusement, relief.
    Happiness,
    /// Surprise, of either kind.
    Surprise,
    /// Sadness, disappointment.
    Sadness,
    /// Anger, annoyance.
    Anger,
    /// Disgust, disapproval.
    Disgust,
    /// Fear, nervousness.
    Fear,
}

/// How much one modality had a say in the emotion vector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Modality {
    /// The weight in the fusion, in [0, 1].
    pub weight: f32,
    /// The age of the newest reading, in ms of media time.
    pub age_ms: u64,
    /// The quality of the readings, in [0, 1].
    pub quality: f32,
    /// How many readings there were.
    pub readings: u32,
}

/// The session's worst moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WorstMoment {
    /// When it was, in ms of media time.
    pub at_ms: u64,
    /// The valence then, in [-1, 1].
    pub valence: f32,
    /// The index of the leading category then.
    pub category: u32,
}

/// The emotion vector: what was observed of the customer, not what is known of their feelings.
#[derive(Debug, Clone, PartialEq)]
pub struct Emotion {
    /// The moment it describes, in ms of media time.
    pub at_ms: u64,
    /// Probabilities that sum to 1, in the order of [`Category`].
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
    /// How strongly the customer keeps coming back to one issue, in [0, 1].
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
    /// What the words contributed; `None` where there were none.
    pub text: Option<Modality>,
    /// What the voice contributed; `None` where there was none.
    pub voice: Option<Modality>,
    /// What the face contributed; `None` where there was none.
    pub face: Option<Modality>,
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
    /// The probability of a category.
    #[must_use]
    pub fn category(&self, category: Category) -> f32 {
        self.categories[category as usize]
    }

    fn from_abi(raw: &abi::Emotion) -> Self {
        let worst = (raw.worst_category != abi::NONE).then_some(WorstMoment {
            at_ms: raw.worst_at_ms,
            valence: raw.worst_valence,
            category: raw.worst_category,
        });
        Self {
            at_ms: raw.at_ms,
            categories: raw.categories,
            valence: raw.valence,
            arousal: raw.arousal,
            dominance: raw.dominance,
            satisfaction: raw.satisfaction,
            frustration: raw.frustration,
            confusion: raw.confusion,
            concern: raw.concern,
            confidence: raw.confidence,
            abstain: raw.abstain != 0,
            valence_per_minute: raw.valence_per_minute,
            arousal_per_minute: raw.arousal_per_minute,
            worst,
            text: modality(&raw.text),
            voice: modality(&raw.voice),
            face: modality(&raw.face),
        }
    }
}

fn modality(raw: &abi::Modality) -> Option<Modality> {
    let abi::Modality { age_ms, weight, quality, readings, .. } = *raw;
    (readings > 0).then_some(Modality { weight, age_ms, quality, readings })
}

/// A skill the issue asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SkillNeed<'call> {
    /// The skill's name.
    pub name: &'call str,
    /// The skill's index in the candidates' table of skills; `None` where no candidate has it.
    pub skill: Option<u32>,
    /// The proficiency asked for, 1 to 5.
    pub level: f32,
    /// Whether the issue cannot be served without it.
    pub must_have: bool,
}

/// A language that the customer speaks in this call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spoken<'call> {
    /// A BCP 47 tag.
    pub tag: &'call str,
    /// The share of what was said, in (0, 1].
    pub share: f32,
    /// How well the customer speaks it, as a CEFR number (A1 is 1, C2 is 6, native is 7); `None` where it is unknown.
    pub level: Option<f32>,
}

/// One customer who waits for an agent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Request<'call> {
    /// What was observed of the customer.
    pub emotion: Emotion,
    /// The needed skills.
    pub needs: Vec<SkillNeed<'call>>,
    /// The customer's languages, the largest share first; none where the language is unknown, more than one where the
    /// customer mixes languages.
    pub languages: Vec<Spoken<'call>>,
    /// Whether an interpreter can be brought into the call.
    pub interpreter: bool,
    /// How complex the issue is, in [0, 1].
    pub complexity: f32,
    /// How long the customer has waited, in ms.
    pub waiting_ms: u64,
    /// How long the answer may take, counted from the call; `None` where there is no limit.
    pub time_limit: Option<Duration>,
}

impl<'call> Request<'call> {
    /// Reads the ABI's request.
    ///
    /// # Safety
    /// The pointer and all it leads to must be as the header says, for as long as `'call`.
    pub(crate) unsafe fn from_abi(pointer: *const abi::Request) -> Result<Self, MatcherError> {
        // SAFETY: the caller promises that the request is as the header says.
        let request = unsafe { raw::structure(pointer, "the request is null or too short") }?;
        // SAFETY: as before.
        let emotion = unsafe { raw::structure(request.emotion, "the emotion is null or too short") }?;
        // SAFETY: as before.
        let needs = unsafe { raw::column(request.needs, request.need_count as usize, "the needs are null") }?;
        let needs = needs
            .iter()
            .map(|need| {
                // SAFETY: as before.
                let name = unsafe { raw::text(need.name, "a needed skill's name is no text") }?;
                let skill = (need.skill != abi::NONE).then_some(need.skill);
                Ok(SkillNeed { name, skill, level: need.level, must_have: need.must_have != 0 })
            })
            .collect::<Result<_, MatcherError>>()?;
        let count = request.language_count as usize;
        // SAFETY: as before.
        let spoken = unsafe { raw::column(request.languages, count, "the languages are null") }?;
        let languages = spoken
            .iter()
            .map(|spoken| {
                // SAFETY: as before.
                let tag = unsafe { raw::text(spoken.tag, "a language is no text") }?;
                let level = (!spoken.level.is_nan()).then_some(spoken.level);
                Ok(Spoken { tag, share: spoken.share, level })
            })
            .collect::<Result<_, MatcherError>>()?;
        Ok(Self {
            emotion: Emotion::from_abi(emotion),
            needs,
            languages,
            interpreter: request.interpreter != 0,
            complexity: request.complexity,
            waiting_ms: request.waiting_ms,
            time_limit: (request.time_limit_us > 0).then(|| Duration::from_micros(request.time_limit_us)),
        })
    }
}
