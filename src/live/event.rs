//! What a session tells: the messages that every reader of a call gets, over WebSocket, event streams and webhooks.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{SessionOptions, Summary};
use crate::app::{CallNeed, Language, ModelUse};
use crate::emotion::{EmotionVector, Explanation, FaceRegion, Modality, Reading};
use crate::routing::Ranking;

/// The version of the messages' layout.
pub const PROTOCOL_VERSION: u32 = 1;

/// One event of a call.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(tag = "type")]
#[non_exhaustive]
pub enum Event {
    /// The session is open.
    #[serde(rename = "session.created")]
    Created(Box<Created>),
    /// What is known of the call has changed.
    #[serde(rename = "session.updated")]
    Updated(Updated),
    /// Somebody begins to speak.
    #[serde(rename = "utterance.start")]
    UtteranceStart(UtteranceStart),
    /// Somebody has stopped speaking.
    #[serde(rename = "utterance.end")]
    UtteranceEnd(UtteranceEnd),
    /// The words or the voice of a span were read.
    #[serde(rename = "reading")]
    Reading(Box<TrackReading>),
    /// The answer to one frame.
    #[serde(rename = "frame")]
    Frame(FrameAnswer),
    /// The customer's state.
    #[serde(rename = "emotion")]
    Emotion(Box<EmotionNow>),
    /// The agents in order.
    #[serde(rename = "ranking")]
    Ranking(Box<RankingNow>),
    /// Something was left out, and why; the call goes on as before.
    #[serde(rename = "notice")]
    Notice(Notice),
    /// A message of the client's could not be used.
    #[serde(rename = "error")]
    Error(Fault),
    /// The session has ended.
    #[serde(rename = "session.closed")]
    Closed(Box<Summary>),
}

impl Event {
    /// Every kind, as it stands in `type`.
    pub const KINDS: [&'static str; 11] = [
        "session.created",
        "session.updated",
        "utterance.start",
        "utterance.end",
        "reading",
        "frame",
        "emotion",
        "ranking",
        "notice",
        "error",
        "session.closed",
    ];

    /// The kind, as it stands in `type`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Created(_) => "session.created",
            Self::Updated(_) => "session.updated",
            Self::UtteranceStart(_) => "utterance.start",
            Self::UtteranceEnd(_) => "utterance.end",
            Self::Reading(_) => "reading",
            Self::Frame(_) => "frame",
            Self::Emotion(_) => "emotion",
            Self::Ranking(_) => "ranking",
            Self::Notice(_) => "notice",
            Self::Error(_) => "error",
            Self::Closed(_) => "session.closed",
        }
    }
}

/// The session is open.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Created {
    /// The version of the messages' layout; 1.
    pub version: u32,
    /// What the events are and are not.
    pub notice: String,
    /// The session's identifier.
    pub session_id: String,
    /// What takes the session up again after a lost connection.
    pub resume_token: String,
    /// How long a lost connection may stay away, in milliseconds.
    pub resume_ms: u64,
    /// How the call is read; the agents are left out.
    pub options: SessionOptions,
    /// What a message may be.
    pub limits: Limits,
    /// The models that read.
    pub models: Vec<ModelUse>,
}

/// What a client should know of the server's limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Limits {
    /// The largest message, in bytes.
    pub max_message_bytes: usize,
    /// The longest text, in characters.
    pub max_text_characters: usize,
    /// How long a session lives without any message, in milliseconds.
    pub idle_timeout_ms: u64,
    /// How long a session lives at most, in milliseconds.
    pub max_duration_ms: u64,
}

/// What is known of the call has changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Updated {
    /// The streams of the call; they are settled with the first media.
    pub tracks: usize,
    /// How many agents are ranked.
    pub agents: usize,
}

/// Somebody begins to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UtteranceStart {
    /// The track's number.
    pub track: u8,
    /// When, in milliseconds of media time.
    pub start_ms: u64,
}

/// Somebody has stopped speaking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UtteranceEnd {
    /// The track's number.
    pub track: u8,
    /// When it began, in milliseconds of media time.
    pub start_ms: u64,
    /// When it ended, in milliseconds of media time.
    pub end_ms: u64,
}

/// What was read of a span of words or voice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TrackReading {
    /// The track's number.
    pub track: u8,
    /// The reading.
    pub reading: Reading,
}

/// The answer to one frame. Every frame has one, in the order in which the frames of its track came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FrameAnswer {
    /// The track's number.
    pub track: u8,
    /// Which frame of the track it was, counted from 1.
    pub frame: u64,
    /// The frame's media time, in milliseconds.
    pub at_ms: u64,
    /// Why it was not read; none where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<SkipReason>,
    /// The faces that it shows, the largest first.
    pub faces: Vec<SeenPerson>,
}

/// A face in a frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SeenPerson {
    /// A number that stays with the face as long as it is in sight; it does not say who somebody is.
    pub face_id: u32,
    /// Whether this face counts as the customer's.
    pub is_customer: bool,
    /// Where it is.
    pub region: FaceRegion,
    /// What it expresses; none where it was not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<Reading>,
}

/// Why a frame was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// Enough frames of this moment were read already.
    SampledOut,
    /// A newer frame came before this one's turn.
    Superseded,
    /// It is older than a frame that was read, or the same.
    Late,
    /// The server was too busy for it.
    Overloaded,
    /// It cannot be decoded.
    Unreadable,
    /// The model failed.
    ModelFailed,
    /// The call ended first.
    Ended,
}

impl SkipReason {
    /// The name in counts and labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SampledOut => "sampled_out",
            Self::Superseded => "superseded",
            Self::Late => "late",
            Self::Overloaded => "overloaded",
            Self::Unreadable => "unreadable",
            Self::ModelFailed => "model_failed",
            Self::Ended => "ended",
        }
    }
}

/// The customer's state.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct EmotionNow {
    /// The state.
    pub emotion: EmotionVector,
    /// What each modality contributed.
    pub explanation: Explanation,
    /// The customer's language.
    pub language: Language,
}

/// The agents in order.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RankingNow {
    /// The media time of the state that it answers to, in milliseconds.
    pub at_ms: u64,
    /// Why it is sent now.
    pub because: RankingCause,
    /// What the matchers were asked for.
    pub need: CallNeed,
    /// The agents, as many as the client asked for.
    pub ranking: Ranking,
    /// How many agents could take the call.
    pub eligible: usize,
    /// How many could not.
    pub excluded: usize,
}

/// Why a ranking is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RankingCause {
    /// It is the first.
    First,
    /// Another agent leads by enough.
    Leader,
    /// Other agents are among those named.
    Members,
    /// A score has changed by enough.
    Scores,
    /// The agents or the needs were changed by the client.
    Update,
}

/// Something was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Notice {
    /// The kind.
    pub code: NoticeCode,
    /// The track's number; none where it is about the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub track: Option<u8>,
    /// The modality; none where it is about all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modality: Option<Modality>,
    /// In a sentence.
    pub message: String,
}

/// The kinds of notices. Each is sent when it first holds, and again with its count when the call ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoticeCode {
    /// It was not stated what the customer was told.
    ConsentUnstated,
    /// A track shows an agent, and the configuration names a lawful basis.
    AgentBiometricsAllowed,
    /// Audio is missing: its timestamps jump ahead.
    AudioGap,
    /// Audio came again, or too late.
    AudioLate,
    /// Audio was skipped because the server does not keep up.
    AudioSkipped,
    /// A packet of audio was damaged and was concealed.
    AudioDamaged,
    /// A track's timestamps began anew and were mapped to go on.
    ClockReset,
    /// Fewer frames are read because the server does not keep up.
    FramesThinned,
    /// The words are in a language that the text model does not read.
    UnsupportedLanguage,
    /// Words were longer than the model reads and were cut.
    TextCut,
    /// A model failed; its modality is missing for a while.
    ModelFailed,
    /// Readings came too late to change the moments they speak of.
    ReadingLate,
    /// The matchers could not rank.
    RankingFailed,
    /// The earliest utterances are no longer remembered.
    UtterancesForgotten,
}

impl NoticeCode {
    /// The name in counts and labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ConsentUnstated => "consent_unstated",
            Self::AgentBiometricsAllowed => "agent_biometrics_allowed",
            Self::AudioGap => "audio_gap",
            Self::AudioLate => "audio_late",
            Self::AudioSkipped => "audio_skipped",
            Self::AudioDamaged => "audio_damaged",
            Self::ClockReset => "clock_reset",
            Self::FramesThinned => "frames_thinned",
            Self::UnsupportedLanguage => "unsupported_language",
            Self::TextCut => "text_cut",
            Self::ModelFailed => "model_failed",
            Self::ReadingLate => "reading_late",
            Self::RankingFailed => "ranking_failed",
            Self::UtterancesForgotten => "utterances_forgotten",
        }
    }
}

/// A message of the client's could not be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    /// The stable code, for programs.
    pub code: String,
    /// What went wrong, for people.
    pub message: String,
    /// Whether the session goes on.
    pub is_recoverable: bool,
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CloseReason {
    /// The client said so.
    Requested,
    /// The client went and did not come back in time.
    ConnectionLost,
    /// Nothing came for too long.
    Idle,
    /// It lasted as long as a call may.
    TooLong,
    /// Too many messages were faulty.
    TooManyFaults,
    /// The server is stopping.
    ServerStopping,
    /// The server made a mistake.
    Internal,
}

impl CloseReason {
    /// The name in labels and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::ConnectionLost => "connection_lost",
            Self::Idle => "idle",
            Self::TooLong => "too_long",
            Self::TooManyFaults => "too_many_faults",
            Self::ServerStopping => "server_stopping",
            Self::Internal => "internal",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_what_stands_in_type() {
        let events = [
            Event::Updated(Updated { tracks: 1, agents: 2 }),
            Event::UtteranceStart(UtteranceStart { track: 0, start_ms: 5 }),
            Event::Frame(FrameAnswer {
                track: 1,
                frame: 1,
                at_ms: 0,
                skipped: Some(SkipReason::SampledOut),
                faces: Vec::new(),
            }),
            Event::Error(Fault { code: "x".to_owned(), message: String::new(), is_recoverable: true }),
        ];
        for event in events {
            let json = serde_json::to_value(&event).unwrap();
            assert_eq!(json["type"], event.kind());
            assert!(Event::KINDS.contains(&event.kind()));
        }
    }

    #[test]
    fn reasons_have_their_wire_names() {
        for reason in [SkipReason::SampledOut, SkipReason::Late, SkipReason::ModelFailed, SkipReason::Ended] {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.name());
        }
        for code in [NoticeCode::ConsentUnstated, NoticeCode::AudioGap, NoticeCode::UtterancesForgotten] {
            assert_eq!(serde_json::to_value(code).unwrap(), code.name());
        }
        for reason in [CloseReason::Requested, CloseReason::TooManyFaults, CloseReason::ServerStopping] {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.name());
        }
    }
}
