//! The answer to an analysis, as it goes over the wire and into the table for people.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Consent;
use crate::emotion::{EmotionVector, Explanation, Modality, Reading, TimelinePoint};
use crate::engine::ModelInfo;
use crate::routing::{LanguageLevel, OtherLanguage, Ranking, SkillNeed};

/// The layout's version.
pub const ANALYSIS_VERSION: u32 = 1;
/// The sentence that goes with every answer.
pub const NOTICE: &str = "This answer describes expressions observed in words, voice and face. It does not know what \
                          anyone feels. Tell customers that it is used, and do not use it on people at work.";
/// Readings that one answer carries at most; all of them count in the fusion.
pub const READING_LIMIT: usize = 500;

/// What one call shows, and who should take it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CallAnalysis {
    /// The layout's version; 1.
    pub version: u32,
    /// What this answer is and is not.
    pub notice: String,
    /// What the customer was told, as the caller stated it.
    pub consent: ConsentRecord,
    /// The latest media time of the material, in milliseconds.
    pub duration_ms: u64,
    /// The customer's state at the end of the material.
    pub emotion: EmotionVector,
    /// What each modality contributed to it.
    pub explanation: Explanation,
    /// The state over media time.
    pub timeline: Vec<TimelinePoint>,
    /// What each modality said of each span, in the order of media time, at most 500.
    pub readings: Vec<Reading>,
    /// How many readings there are in all.
    pub readings_total: usize,
    /// The customer's language.
    pub language: Language,
    /// What the ranking asked the matchers for.
    pub need: CallNeed,
    /// The agents in order; none where no agents were given.
    pub ranking: Option<Ranking>,
    /// What was left out, and why. None of this is an error.
    pub notes: Vec<Note>,
    /// The models that this server reads with.
    pub models: Vec<ModelUse>,
    /// Where the time went.
    pub timings: Timings,
}

/// What the customer was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConsentRecord {
    /// What the caller stated.
    pub state: Consent,
    /// The caller's own reference to where that is recorded.
    pub reference: Option<String>,
}

/// The customer's language.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Language {
    /// The BCP 47 tag; none where it is unknown.
    pub tag: Option<String>,
    /// How sure that is, 0 to 1.
    #[schema(minimum = 0, maximum = 1)]
    pub confidence: f32,
    /// How it was found.
    pub source: LanguageSource,
    /// Further languages that were heard, the most spoken first, with their shares of the words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<OtherLanguage>,
}

/// How a language was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LanguageSource {
    /// The caller named it.
    Stated,
    /// It was detected in the transcript.
    Detected,
    /// It is not known.
    Unknown,
}

/// What the ranking asked the matchers for.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CallNeed {
    /// The skills that the issue needs.
    pub needed_skills: Vec<SkillNeed>,
    /// How complex the issue is, 0 to 1.
    #[schema(minimum = 0, maximum = 1)]
    pub complexity: f32,
    /// The language that the customer asked to be answered in, if any.
    pub requested_language: Option<String>,
    /// How well the customer speaks the language, where it is known.
    pub language_level: Option<LanguageLevel>,
    /// How long the customer has waited, in milliseconds.
    pub waiting_ms: u64,
    /// Whether the caller named the skills, or the transcript did.
    pub source: NeedSource,
}

/// Where the needed skills come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NeedSource {
    /// The caller named them.
    Stated,
    /// The issues in the transcript named them.
    Inferred,
}

/// Something that was left out or could not be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Note {
    /// The stable code, for programs.
    pub code: NoteCode,
    /// The modality it is about, if it is about one.
    pub modality: Option<Modality>,
    /// The same in words.
    pub message: String,
}

/// The kinds of notes. Each is a normal state of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoteCode {
    /// No audio was given.
    NoAudio,
    /// The audio has no speech.
    Silence,
    /// No frames were given.
    NoFrames,
    /// Some or all frames show no face.
    NoFace,
    /// Some frames show several faces; the largest was read.
    SeveralFaces,
    /// No transcript was given.
    NoTranscript,
    /// The transcript has no words of the customer.
    EmptyTranscript,
    /// Utterances of others than the customer were left out.
    OtherSpeakersSkipped,
    /// The language of the transcript could not be told.
    UnknownLanguage,
    /// The text model was not trained for the transcript's language, so its words were not read.
    UnsupportedLanguage,
    /// Utterances were cut at the text model's limit.
    TextCut,
    /// Times were missing and were estimated.
    TimesEstimated,
    /// A model failed; its modality is missing.
    ModelFailed,
    /// No agents were given, so there is no ranking.
    NoAgents,
    /// Material of an agent was read, on the lawful basis that the configuration names.
    AgentBiometricsAllowed,
    /// The caller did not state what the customer was told.
    ConsentUnstated,
}

/// A model that this server reads with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ModelUse {
    /// The model's name.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// The licence of its weights.
    pub licence: String,
}

impl From<ModelInfo> for ModelUse {
    fn from(model: ModelInfo) -> Self {
        Self { name: model.name, version: model.version, licence: model.licence }
    }
}

/// Where the time went, in microseconds. The three models work side by side, so their times overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct Timings {
    /// Decoding audio and frames, and reading the list of agents.
    pub decode_us: u64,
    /// The text model, queue included.
    pub text_us: u64,
    /// The voice model, queue included.
    pub voice_us: u64,
    /// The face detector and the face model, queue included.
    pub face_us: u64,
    /// Concern, need and fusion.
    pub fuse_us: u64,
    /// The matchers.
    pub rank_us: u64,
    /// The whole road.
    pub total_us: u64,
}
