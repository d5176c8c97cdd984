//! What a client says about a call: when it opens it, and while it goes on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::LiveConfig;
use crate::app::{Consent, OptionFault, Role};
use crate::routing::{Agent, LanguageLevel, RoutingLimits, SkillNeed, check_agents};

/// The longest identifier, name or label that a client may give, in characters.
const NAME_LIMIT: usize = 200;
/// The most labels of one call.
const LABEL_LIMIT: usize = 32;
/// The shortest and the longest time from one emotion vector to the next, in milliseconds.
const INTERVAL_MS: std::ops::RangeInclusive<u64> = 100..=60_000;
/// The most frames a second that a client may ask for.
const MOST_FRAMES_PER_SECOND: f32 = 30.0;

/// A call, as the client opens it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SessionOptions {
    /// The platform's own identifier of the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_id: Option<String>,
    /// The platform's own identifier of the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// Further words of the platform's about the call; they come back in its summary.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// What the customer was told.
    pub consent: Consent,
    /// The platform's own reference to where that is recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent_reference: Option<String>,
    /// The streams of the call, in the order of their numbers.
    pub tracks: Vec<TrackOptions>,
    /// From one emotion vector to the next, in milliseconds of media time; left out, the server's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emotion_interval_ms: Option<u64>,
    /// Frames a second that are read while the customer speaks, at most; left out, the server's own.
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
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SessionUpdate {
    /// As in [`SessionOptions`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// As in [`SessionOptions`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language_level: Option<LanguageLevel>,
    /// As in [`SessionOptions`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needed_skills: Option<Vec<SkillNeed>>,
    /// As in [`SessionOptions`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complexity: Option<f32>,
    /// As in [`SessionOptions`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting_ms: Option<u64>,
    /// As in [`SessionOptions`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agents: Option<Vec<Agent>>,
}

/// One stream of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrackOptions {
    /// A name for it, unique in the call.
    pub name: String,
    /// What it carries.
    pub kind: TrackKind,
    /// Whose it is. An agent's voice or face is refused unless the configuration names a lawful basis.
    #[serde(default)]
    pub role: Role,
    /// How the audio is written; audio tracks need it, others have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<AudioEncoding>,
}

/// What a track carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrackKind {
    /// Sound.
    Audio,
    /// Pictures.
    Video,
    /// Words.
    Text,
}

impl TrackKind {
    /// The name in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Text => "text",
        }
    }
}

/// How audio is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "encoding", rename_all = "snake_case", deny_unknown_fields)]
pub enum AudioEncoding {
    /// Signed 16-bit samples, little-endian, channels interleaved.
    PcmS16le {
        /// Samples a second of one channel.
        sample_rate_hz: u32,
        /// Channels.
        channels: u16,
    },
    /// Signed 16-bit samples, big-endian (L16), channels interleaved.
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
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RankingOptions {
    /// How many agents a ranking names; left out, 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top: Option<usize>,
    /// How much the score of one of them must change for a new ranking to be sent; left out, the server's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_change: Option<f32>,
}

impl SessionOptions {
    /// The part that may change later, taken out.
    #[must_use]
    pub fn take_update(&mut self) -> SessionUpdate {
        SessionUpdate {
            language: self.language.take(),
            language_level: self.language_level.take(),
            needed_skills: self.needed_skills.take(),
            complexity: self.complexity.take(),
            waiting_ms: self.waiting_ms.take(),
            agents: self.agents.take(),
        }
    }

    /// What is wrong with these options, all faults at once.
    #[must_use]
    pub fn faults(&self, live: &LiveConfig, routing: &RoutingLimits) -> Vec<OptionFault> {
        let mut faults = self.clone().take_update().faults(routing);
        let mut fault = |field, problem| faults.push(OptionFault { field, problem });
        let names = [
            ("call_id", &self.call_id),
            ("customer_id", &self.customer_id),
            ("consent_reference", &self.consent_reference),
        ];
        for (field, name) in names {
            if name.as_ref().is_some_and(|name| !is_name(name)) {
                fault(field, format!("not 1 to {NAME_LIMIT} characters"));
            }
        }
        if self.labels.len() > LABEL_LIMIT
            || self.labels.iter().any(|(name, value)| !is_name(name) || value.chars().count() > NAME_LIMIT)
        {
            fault("labels", format!("more than {LABEL_LIMIT}, or one longer than {NAME_LIMIT} characters"));
        }
        if self.tracks.len() > live.max_tracks {
            fault("tracks", format!("{} tracks are more than {}", self.tracks.len(), live.max_tracks));
        }
        for (index, track) in self.tracks.iter().enumerate() {
            if let Some(problem) = track.problem(&self.tracks[..index]) {
                fault("tracks", format!("track {index}: {problem}"));
            }
        }
        if self.emotion_interval_ms.is_some_and(|interval_ms| !INTERVAL_MS.contains(&interval_ms)) {
            fault(
                "emotion_interval_ms",
                format!("not within {} to {}", INTERVAL_MS.start(), INTERVAL_MS.end()),
            );
        }
        if self.frames_per_second.is_some_and(|rate| !(0.01..=MOST_FRAMES_PER_SECOND).contains(&rate)) {
            fault("frames_per_second", format!("not within 0.01 to {MOST_FRAMES_PER_SECOND}"));
        }
        if self.ranking.top.is_some_and(|top| !(1..=1_000).contains(&top)) {
            fault("ranking.top", "not within 1 to 1000".to_owned());
        }
        if self.ranking.min_change.is_some_and(|change| !(0.0..=1.0).contains(&change)) {
            fault("ranking.min_change", "not within 0 to 1".to_owned());
        }
        faults
    }
}

impl SessionUpdate {
    /// Takes over what another update says.
    pub fn merge(&mut self, newer: Self) {
        let Self { language, language_level, needed_skills, complexity, waiting_ms, agents } = newer;
        self.language = language.or(self.language.take());
        self.language_level = language_level.or(self.language_level);
        self.needed_skills = needed_skills.or(self.needed_skills.take());
        self.complexity = complexity.or(self.complexity);
        self.waiting_ms = waiting_ms.or(self.waiting_ms);
        self.agents = agents.or(self.agents.take());
    }

    /// What is wrong with this update, all faults at once.
    #[must_use]
    pub fn faults(&self, limits: &RoutingLimits) -> Vec<OptionFault> {
        let mut faults = Vec::new();
        let mut fault = |field, problem| faults.push(OptionFault { field, problem });
        if let Some(Err(error)) = self.language.as_deref().map(oxilangtag::LanguageTag::parse) {
            fault("language", format!("not a BCP 47 tag: {error}"));
        }
        if self.complexity.is_some_and(|complexity| !(0.0..=1.0).contains(&complexity)) {
            fault("complexity", "not within 0 to 1".to_owned());
        }
        let needs = self.needed_skills.as_deref().unwrap_or_default();
        if needs.len() > limits.max_skills {
            fault("needed_skills", format!("{} are more than {}", needs.len(), limits.max_skills));
        }
        for need in needs {
            let characters = need.name.chars().count();
            if !(1..=limits.max_name_characters).contains(&characters) || !(1.0..=5.0).contains(&need.level) {
                let (level, longest) = (need.level, limits.max_name_characters);
                fault(
                    "needed_skills",
                    format!("a name of {characters} characters (1 to {longest}) or level {level} (1 to 5)"),
                );
            }
        }
        if let Some(Err(error)) = self.agents.as_ref().map(|agents| check_agents(agents, limits)) {
            fault("agents", crate::telemetry::with_causes(&error));
        }
        faults
    }
}

impl TrackOptions {
    /// What is wrong with this track beside those before it.
    fn problem(&self, earlier: &[Self]) -> Option<String> {
        if !is_name(&self.name) {
            return Some(format!("its name has not 1 to {NAME_LIMIT} characters"));
        }
        if earlier.iter().any(|track| track.name == self.name) {
            return Some(format!("the name \"{}\" is there twice", self.name));
        }
        match (self.kind, &self.format) {
            (TrackKind::Audio, None) => Some("audio needs a format".to_owned()),
            (TrackKind::Audio, Some(AudioEncoding::Opus { channels })) if !(1..=2).contains(channels) => {
                Some(format!("Opus has 1 or 2 channels, not {channels}"))
            }
            (TrackKind::Video | TrackKind::Text, Some(_)) => Some("only audio has a format".to_owned()),
            _ => None,
        }
    }
}

fn is_name(name: &str) -> bool {
    (1..=NAME_LIMIT).contains(&name.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(json: &str) -> Vec<String> {
        let options: SessionOptions = serde_json::from_str(json).unwrap();
        let faults = options.faults(&LiveConfig::default(), &RoutingLimits::default());
        faults.into_iter().map(|fault| fault.to_string()).collect()
    }

    #[test]
    fn everything_may_be_left_out_and_nothing_may_be_misspelt() {
        assert!(faults("{}").is_empty());
        let error = serde_json::from_str::<SessionOptions>(r#"{"trakcs": []}"#).unwrap_err().to_string();
        assert!(error.contains("trakcs") && error.contains("tracks"), "{error}");
    }

    #[test]
    fn tracks_are_checked_beside_each_other() {
        let found = faults(
            r#"{"tracks": [{"name": "a", "kind": "audio"},
                {"name": "a", "kind": "text"},
                {"name": "b", "kind": "video", "format": {"encoding": "container"}},
                {"name": "c", "kind": "audio", "format": {"encoding": "opus", "channels": 3}},
                {"name": "d", "kind": "audio", "format": {"encoding": "mu_law", "sample_rate_hz": 8000, "channels": 1}}]}"#,
        );
        assert_eq!(found.len(), 4, "{found:?}");
        assert!(found[0].contains("track 0: audio needs a format"), "{found:?}");
    }

    #[test]
    fn all_faults_come_at_once() {
        let found = faults(
            r#"{"call_id": "", "language": "not a tag", "complexity": 2, "emotion_interval_ms": 1,
                "frames_per_second": 100, "ranking": {"top": 0, "min_change": 2}, "agents": [],
                "needed_skills": [{"name": "", "level": 9}]}"#,
        );
        assert_eq!(found.len(), 9, "{found:?}");
    }

    #[test]
    fn an_update_changes_only_what_it_names() {
        let mut update =
            SessionUpdate { waiting_ms: Some(5), complexity: Some(0.5), ..SessionUpdate::default() };
        update.merge(SessionUpdate { waiting_ms: Some(9), ..SessionUpdate::default() });
        assert_eq!((update.waiting_ms, update.complexity), (Some(9), Some(0.5)));
    }
}
