//! What a client says about a call: when it opens it, and while it goes on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Agent, LanguageLevel};

/// A call, as it is opened.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionOptions {
    /// Your own identifier of the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_id: Option<String>,
    /// Your own identifier of the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// Further words of yours about the call; they come back in its summary.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// What the customer was told.
    pub consent: Consent,
    /// Your own reference to where that is recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent_reference: Option<String>,
    /// The streams of the call, in the order of their numbers.
    pub tracks: Vec<Track>,
    /// From one emotion vector to the next, in milliseconds of media time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emotion_interval_ms: Option<u64>,
    /// Frames a second that are read while the customer speaks, at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frames_per_second: Option<f32>,
    /// When a ranking is sent, and how much of it.
    pub ranking: RankingOptions,
    /// The customer's language as a BCP 47 tag; otherwise it is detected from the words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// How well the customer speaks it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language_level: Option<LanguageLevel>,
    /// The skills that the issue needs; otherwise they follow from the words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needed_skills: Option<Vec<SkillNeed>>,
    /// How complex the issue is, 0 to 1; otherwise it follows from the words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complexity: Option<f32>,
    /// How long the customer has waited, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting_ms: Option<u64>,
    /// The agents who could take the call; without them there is no ranking.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agents: Option<Vec<Agent>>,
}

/// What may change while a call goes on. What is left out stays as it is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionUpdate {
    /// The customer's language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// How well the customer speaks it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language_level: Option<LanguageLevel>,
    /// The skills that the issue needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needed_skills: Option<Vec<SkillNeed>>,
    /// How complex the issue is, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complexity: Option<f32>,
    /// How long the customer has waited, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting_ms: Option<u64>,
    /// The agents who could take the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agents: Option<Vec<Agent>>,
}

/// What the customer was told; the server records it and never checks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Consent {
    /// You do not say.
    #[default]
    Unstated,
    /// The customer was told that expressions are read.
    NoticeGiven,
    /// The customer agreed to it.
    Agreed,
}

/// Whose voice or face a track has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// The customer's.
    #[default]
    Customer,
    /// The agent's: sound and pictures are refused unless the server names a lawful basis.
    Agent,
}

/// One stream of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Track {
    /// A name for it, unique in the call.
    pub name: String,
    /// What it carries.
    pub kind: TrackKind,
    /// Whose it is.
    #[serde(default)]
    pub role: Role,
    /// How the sound is written; audio tracks need it, others have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<AudioFormat>,
}

impl Track {
    /// A track of the customer's voice.
    #[must_use]
    pub fn audio(name: &str, format: AudioFormat) -> Self {
        Self { name: name.to_owned(), kind: TrackKind::Audio, role: Role::Customer, format: Some(format) }
    }

    /// A track of pictures of the customer.
    #[must_use]
    pub fn video(name: &str) -> Self {
        Self { name: name.to_owned(), kind: TrackKind::Video, role: Role::Customer, format: None }
    }

    /// A track of words.
    #[must_use]
    pub fn text(name: &str, role: Role) -> Self {
        Self { name: name.to_owned(), kind: TrackKind::Text, role, format: None }
    }
}

/// What a track carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TrackKind {
    /// Sound.
    Audio,
    /// Pictures.
    Video,
    /// Words.
    Text,
}

/// How sound is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "encoding", rename_all = "snake_case")]
#[non_exhaustive]
pub enum AudioFormat {
    /// Signed 16-bit samples, little-endian, channels interleaved.
    PcmS16le {
        /// Samples a second of one channel.
        sample_rate_hz: u32,
        /// Channels.
        channels: u16,
    },
    /// Signed 16-bit samples, big-endian, channels interleaved.
    PcmS16be {
        /// Samples a second of one channel.
        sample_rate_hz: u32,
        /// Channels.
        channels: u16,
    },
    /// ITU-T G.711 mu-law, one byte a sample, channels interleaved.
    MuLaw {
        /// Samples a second of one channel.
        sample_rate_hz: u32,
        /// Channels.
        channels: u16,
    },
    /// Opus, one packet a message.
    Opus {
        /// Channels, 1 or 2.
        channels: u16,
    },
    /// A whole file a message: WAV, FLAC, MP3, Ogg Vorbis, AAC or M4A.
    Container,
}

/// When a ranking is sent, and how much of it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RankingOptions {
    /// How many agents a ranking names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top: Option<usize>,
    /// How much the score of one of them must change for a new ranking to be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_change: Option<f32>,
}

/// A skill that the issue needs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SkillNeed {
    /// The skill's name, as in the agents' skills.
    pub name: String,
    /// The level asked for, 1 to 5.
    pub level: f32,
    /// Whether an agent without it is of no use.
    #[serde(default)]
    pub must_have: bool,
}
