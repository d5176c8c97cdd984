//! What a matcher is told about the customer.

use crate::{CATEGORY_COUNT, Text};

/// How much one modality had a say in an emotion vector. Never changes within a major version.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Modality {
    /// The age of the newest reading, in ms of media time.
    pub age_ms: u64,
    /// The weight in the fusion, in [0, 1].
    pub weight: f32,
    /// The quality of the readings, in [0, 1].
    pub quality: f32,
    /// How many readings there were; 0 where the modality is missing, and then the other fields are 0 too.
    pub readings: u32,
    /// Fills the structure up to a multiple of eight bytes; 0.
    pub reserved: u32,
}

/// The emotion vector: what was observed of the customer, not what is known of their feelings.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Emotion {
    /// The bytes of this structure that the host has filled in.
    pub size: u32,
    /// 1 where there is too little to say anything; the other fields are then weak guesses. Otherwise 0.
    pub abstain: u32,
    /// Calibrated probabilities that sum to 1: neutral, happiness, surprise, sadness, anger, disgust, fear.
    pub categories: [f32; CATEGORY_COUNT],
    /// Unpleasant to pleasant, in [-1, 1].
    pub valence: f32,
    /// Sleepy to excited, in [-1, 1].
    pub arousal: f32,
    /// Powerless to in control, in [-1, 1].
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
    /// The slope of valence over the session, in units a minute.
    pub valence_per_minute: f32,
    /// The slope of arousal over the session, in units a minute.
    pub arousal_per_minute: f32,
    /// The valence of the session's worst moment; NaN where there is none yet.
    pub worst_valence: f32,
    /// The leading category of the worst moment; [`crate::NONE`] where there is none yet.
    pub worst_category: u32,
    /// Fills the structure up to a multiple of eight bytes; 0.
    pub reserved: u32,
    /// When the worst moment was, in ms of media time.
    pub worst_at_ms: u64,
    /// The moment this vector describes, in ms of media time.
    pub at_ms: u64,
    /// What the words contributed.
    pub text: Modality,
    /// What the voice contributed.
    pub voice: Modality,
    /// What the face contributed.
    pub face: Modality,
}

/// A skill the customer's issue asks for. Never changes within a major version.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct SkillNeed {
    /// The skill's name.
    pub name: Text,
    /// The skill's index in [`crate::Candidates::skill_names`]; [`crate::NONE`] where no candidate has it.
    pub skill: u32,
    /// The proficiency asked for, 1 to 5.
    pub level: f32,
    /// 1 where the issue cannot be served without the skill, 0 where it merely helps.
    pub must_have: u32,
    /// Fills the structure up to a multiple of eight bytes; 0.
    pub reserved: u32,
}

/// A language that the customer speaks in this call. Never changes within a major version.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Spoken {
    /// A BCP 47 tag, never empty.
    pub tag: Text,
    /// The share of what was said, in (0, 1]; the shares of a request sum to at most 1.
    pub share: f32,
    /// How well the customer speaks it, as a CEFR number (A1 is 1, C2 is 6, native is 7); NaN where it is unknown.
    pub level: f32,
}

/// One customer who waits for an agent.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Request {
    /// The bytes of this structure that the host has filled in.
    pub size: u32,
    /// How many needs `needs` has.
    pub need_count: u32,
    /// The emotion vector; never null.
    pub emotion: *const Emotion,
    /// The needed skills; may be null where there are none.
    pub needs: *const SkillNeed,
    /// The customer's languages, the largest share first; may be null where there are none.
    pub languages: *const Spoken,
    /// How many languages `languages` has; 0 where the customer's language is unknown.
    pub language_count: u32,
    /// 1 where an interpreter can be brought into the call, otherwise 0.
    pub interpreter: u32,
    /// How complex the issue is, in [0, 1].
    pub complexity: f32,
    /// Fills the structure up to a multiple of eight bytes; 0.
    pub reserved: u32,
    /// How long the customer has waited, in ms.
    pub waiting_ms: u64,
    /// How long the answer may take, counted from the call, in microseconds; 0 where there is no limit.
    pub time_limit_us: u64,
}
