//! What an analysis is asked with: the call's material, and the options that go with it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::media::{AudioFormat, RawFormat, TranscriptLine};
use crate::routing::{Agent, LanguageLevel, RoutingError, SkillNeed};

/// The longest consent reference, in characters.
const CONSENT_REFERENCE_LIMIT: usize = 200;
/// The longest step between two frames without own times, in milliseconds.
const FRAME_INTERVAL_LIMIT_MS: u64 = 3_600_000;

/// The material of one call. Every part may be missing, but not all of them.
#[derive(Debug, Default)]
pub struct CallMaterial {
    /// The bytes of an audio file, or of raw samples where the options say so.
    pub audio: Option<Vec<u8>>,
    /// Pictures of the customer.
    pub frames: Frames,
    /// What was said.
    pub transcript: Option<Vec<TranscriptLine>>,
    /// The agents to rank.
    pub agents: Option<AgentList>,
    /// How to read all this.
    pub options: CallOptions,
}

/// Pictures, as they came.
#[derive(Debug, Default)]
pub enum Frames {
    /// There are none.
    #[default]
    None,
    /// Image files in memory.
    Encoded(Vec<EncodedFrame>),
    /// A folder of image files, or a single one.
    Path(PathBuf),
}

/// One image file in memory.
#[derive(Debug, Clone)]
pub struct EncodedFrame {
    /// Its media time; left out, it follows the one before by the options' frame interval.
    pub timestamp_ms: Option<u64>,
    /// The file.
    pub bytes: Vec<u8>,
}

/// Agents, as they came.
#[derive(Debug)]
pub enum AgentList {
    /// JSON that was not looked at yet.
    Json(Vec<u8>),
    /// JSON that was read with the rest of a body, and not looked at yet.
    Parsed(serde_json::Value),
    /// Checked agents.
    Checked(Vec<Agent>),
}

impl AgentList {
    /// The checked agents.
    ///
    /// # Errors
    /// Those of [`crate::routing::parse_agents`].
    pub fn into_agents(self, limits: &crate::routing::RoutingLimits) -> Result<Vec<Agent>, RoutingError> {
        match self {
            Self::Json(json) => crate::routing::parse_agents(&json, limits),
            Self::Parsed(value) => crate::routing::read_agents(value, limits),
            Self::Checked(agents) => Ok(agents),
        }
    }
}

/// Whose voice or face a recording shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The customer's.
    #[default]
    Customer,
    /// The agent's: refused unless the configuration names a lawful basis.
    Agent,
}

/// What the customer was told, as the caller states it; it is recorded with the answer and never checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// The caller does not say.
    #[default]
    Unstated,
    /// The customer was told that expressions are read.
    NoticeGiven,
    /// The customer agreed to it.
    Agreed,
}

/// The encoding of raw samples, for audio without a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "encoding", rename_all = "snake_case", deny_unknown_fields)]
pub enum RawAudio {
    /// Signed 16-bit samples, little-endian, channels interleaved.
    PcmS16le {
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
}

impl From<RawAudio> for AudioFormat {
    fn from(raw: RawAudio) -> Self {
        Self::Raw(match raw {
            RawAudio::PcmS16le { sample_rate_hz, channels } => {
                RawFormat::PcmS16le { sample_rate_hz, channels }
            }
            RawAudio::MuLaw { sample_rate_hz, channels } => RawFormat::MuLaw { sample_rate_hz, channels },
        })
    }
}

/// How to read a call's material.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CallOptions {
    /// The customer's language as a BCP 47 tag, where it is known; otherwise it is detected from the transcript.
    pub language: Option<String>,
    /// How well the customer speaks it, where it is known.
    pub language_level: Option<LanguageLevel>,
    /// The skills that the issue needs; left out, the issue the customer keeps coming back to names one.
    pub needed_skills: Option<Vec<SkillNeed>>,
    /// How complex the issue is, 0 to 1; left out, it follows the customer's confusion and concern.
    pub complexity: Option<f32>,
    /// How long the customer has waited, in milliseconds.
    pub waiting_ms: u64,
    /// The encoding of the audio where it is raw; left out, the file says it itself.
    pub audio_format: Option<RawAudio>,
    /// Whose voice the audio is.
    pub audio_role: Role,
    /// Whose face the frames show.
    pub video_role: Role,
    /// The step between frames that have no media time of their own, in milliseconds.
    pub frame_interval_ms: Option<u64>,
    /// What the customer was told.
    pub consent: Consent,
    /// The caller's own reference to where that is recorded.
    pub consent_reference: Option<String>,
}

/// One fault in the options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionFault {
    /// The option.
    pub field: &'static str,
    /// What is wrong and what was expected.
    pub problem: String,
}

impl std::fmt::Display for OptionFault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.field, self.problem)
    }
}

impl CallOptions {
    /// What is wrong with these options, all faults at once.
    #[must_use]
    pub fn faults(&self) -> Vec<OptionFault> {
        let mut faults = Vec::new();
        let mut fault = |field, problem| faults.push(OptionFault { field, problem });
        if let Some(Err(error)) = self.language.as_deref().map(oxilangtag::LanguageTag::parse) {
            fault("language", format!("not a BCP 47 tag: {error}"));
        }
        if let Some(complexity) = self.complexity
            && !(0.0..=1.0).contains(&complexity)
        {
            fault("complexity", format!("{complexity} is not within 0 to 1"));
        }
        if let Some(interval) = self.frame_interval_ms
            && !(1..=FRAME_INTERVAL_LIMIT_MS).contains(&interval)
        {
            fault("frame_interval_ms", format!("{interval} is not within 1 to {FRAME_INTERVAL_LIMIT_MS}"));
        }
        let reference_length = self.consent_reference.as_deref().map_or(0, |text| text.chars().count());
        if reference_length > CONSENT_REFERENCE_LIMIT {
            fault("consent_reference", format!("longer than {CONSENT_REFERENCE_LIMIT} characters"));
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_all_optional_and_closed() {
        let options: CallOptions = serde_json::from_str("{}").unwrap();
        assert_eq!(options, CallOptions::default());
        let error = serde_json::from_str::<CallOptions>(r#"{"langauge": "en"}"#).unwrap_err().to_string();
        assert!(error.contains("langauge") && error.contains("language_level"), "{error}");
    }

    #[test]
    fn all_faults_are_found_at_once() {
        let options = CallOptions {
            language: Some("not a tag".to_owned()),
            complexity: Some(f32::NAN),
            frame_interval_ms: Some(0),
            consent_reference: Some("x".repeat(CONSENT_REFERENCE_LIMIT + 1)),
            ..CallOptions::default()
        };
        let fields: Vec<_> = options.faults().into_iter().map(|fault| fault.field).collect();
        assert_eq!(fields, ["language", "complexity", "frame_interval_ms", "consent_reference"]);
        assert!(CallOptions::default().faults().is_empty());
    }

    #[test]
    fn raw_audio_is_tagged_by_its_encoding() {
        let raw: RawAudio =
            serde_json::from_str(r#"{"encoding": "mu_law", "sample_rate_hz": 8000, "channels": 1}"#).unwrap();
        assert_eq!(raw, RawAudio::MuLaw { sample_rate_hz: 8_000, channels: 1 });
    }
}
