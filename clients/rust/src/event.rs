//! What a session tells. Messages of a kind or with fields that this library does not know are no fault: a server may
//! be newer than its clients.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    EmotionVector, Explanation, FaceRegion, LanguageLevel, Modality, RankingNow, Reading, SessionOptions,
    Summary,
};

/// An event with its place in the session.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Envelope {
    /// Its number, counted from 1; 0 where it is about this connection and not about the call.
    pub number: u64,
    /// The session's media time when it was sent, in milliseconds.
    pub session_ms: u64,
    /// The event.
    #[serde(flatten)]
    pub event: Event,
}

impl Envelope {
    /// Reads a message of the server's.
    ///
    /// # Errors
    /// Where it is not an event, or a known event without a field that it must have.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Place {
            /// What is said of the reader and not of the call has no number.
            #[serde(default)]
            number: u64,
            #[serde(default)]
            session_ms: u64,
            #[serde(rename = "type")]
            kind: String,
        }
        let place: Place = serde_json::from_str(text)?;
        let event = if Event::KINDS.contains(&place.kind.as_str()) {
            serde_json::from_str(text)?
        } else {
            Event::Unknown(Unknown { kind: place.kind, message: serde_json::from_str(text)? })
        };
        Ok(Self { number: place.number, session_ms: place.session_ms, event })
    }
}

/// One event of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// A message of yours could not be used.
    #[serde(rename = "error")]
    Error(Fault),
    /// The session has ended.
    #[serde(rename = "session.closed")]
    Closed(Box<Summary>),
    /// This reader was too slow, and so many events are gone.
    #[serde(rename = "missed")]
    Missed(Missed),
    /// One that this library does not know.
    #[serde(skip_deserializing, untagged)]
    Unknown(Unknown),
}

impl Event {
    /// Every kind that this library knows, as it stands in `type`.
    pub const KINDS: [&'static str; 12] = [
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
        "missed",
    ];

    /// The kind, as it stands in `type`.
    #[must_use]
    pub fn kind(&self) -> &str {
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
            Self::Missed(_) => "missed",
            Self::Unknown(unknown) => &unknown.kind,
        }
    }
}

/// This reader was too slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Missed {
    /// How many events are gone.
    pub count: u64,
}

/// An event that this library does not know.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Unknown {
    /// Its kind.
    #[serde(skip)]
    pub kind: String,
    /// The whole message.
    #[serde(flatten)]
    pub message: Value,
}

/// The session is open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Created {
    /// The version of the messages' layout.
    pub version: u32,
    /// What the events are and are not.
    pub notice: String,
    /// The session's identifier.
    pub session_id: String,
    /// What takes the session up again after a lost connection.
    pub resume_token: String,
    /// How long a lost connection may stay away, in milliseconds.
    pub resume_ms: u64,
    /// How the call is read.
    pub options: SessionOptions,
    /// What a message may be.
    pub limits: Limits,
    /// The models that read.
    pub models: Vec<ModelUse>,
}

/// What a client should know of the server's limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
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

/// A model that reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModelUse {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// Its weights' licence.
    pub licence: String,
}

/// What is known of the call has changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Updated {
    /// How many streams the call has; they are settled with the first media.
    pub tracks: usize,
    /// How many agents are ranked.
    pub agents: usize,
}

/// Somebody begins to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UtteranceStart {
    /// The track's number.
    pub track: u8,
    /// When, in milliseconds of media time.
    pub start_ms: u64,
}

/// Somebody has stopped speaking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UtteranceEnd {
    /// The track's number.
    pub track: u8,
    /// When it began, in milliseconds of media time.
    pub start_ms: u64,
    /// When it ended, in milliseconds of media time.
    pub end_ms: u64,
}

/// What was read of a span of words or voice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrackReading {
    /// The track's number.
    pub track: u8,
    /// The reading.
    pub reading: Reading,
}

/// The answer to one frame. Every frame has one, in the order in which the frames of its track came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
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
    /// One that this library does not know.
    #[serde(other)]
    Unknown,
}

/// The customer's state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EmotionNow {
    /// The state.
    pub emotion: EmotionVector,
    /// What each modality contributed.
    pub explanation: Explanation,
    /// The customer's language.
    pub language: Language,
}

/// The customer's language.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Language {
    /// The BCP 47 tag; none where it is unknown.
    pub tag: Option<String>,
    /// How sure that is, 0 to 1.
    pub confidence: f32,
    /// How it was found.
    pub source: LanguageSource,
    /// Further languages that were heard, the most spoken first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<OtherLanguage>,
}

/// A language beside the main one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OtherLanguage {
    /// The BCP 47 tag.
    pub language: String,
    /// Its share of the words, 0 to 1.
    pub share: f32,
    /// How well the customer speaks it, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<LanguageLevel>,
}

/// How a language was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LanguageSource {
    /// You named it.
    Stated,
    /// It was detected in the words.
    Detected,
    /// It is not known, or in a way that this library does not know.
    #[serde(other)]
    Unknown,
}

/// Something was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
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

/// The kinds of notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NoticeCode {
    /// It was not stated what the customer was told.
    ConsentUnstated,
    /// A track shows an agent, and the server names a lawful basis.
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
    /// One that this library does not know.
    #[serde(other)]
    Unknown,
}

/// A message of yours could not be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Fault {
    /// The stable code, for programs.
    pub code: String,
    /// What went wrong, for people.
    pub message: String,
    /// Whether the session goes on.
    pub is_recoverable: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_with_its_place() {
        let text =
            r#"{"type":"utterance.end","number":7,"session_ms":900,"track":0,"start_ms":5,"end_ms":800}"#;
        let envelope = Envelope::parse(text).unwrap();
        assert_eq!((envelope.number, envelope.session_ms, envelope.event.kind()), (7, 900, "utterance.end"));
        assert_eq!(envelope.event, Event::UtteranceEnd(UtteranceEnd { track: 0, start_ms: 5, end_ms: 800 }));
        assert_eq!(serde_json::to_value(&envelope).unwrap(), serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn what_is_new_is_no_fault() {
        let text = r#"{"type":"weather","number":8,"session_ms":1,"sun":true}"#;
        let envelope = Envelope::parse(text).unwrap();
        let Event::Unknown(unknown) = &envelope.event else { panic!("{envelope:?}") };
        assert_eq!((unknown.kind.as_str(), &unknown.message["sun"]), ("weather", &Value::Bool(true)));
        let text = r#"{"type":"notice","number":9,"session_ms":1,"code":"rain","message":"wet","drops":5}"#;
        let Event::Notice(notice) = Envelope::parse(text).unwrap().event else { panic!("a notice is known") };
        assert_eq!((notice.code, notice.track), (NoticeCode::Unknown, None));
    }

    #[test]
    fn what_is_no_event_is_refused() {
        for text in ["", "[]", "{}", r#"{"number":1}"#, r#"{"type":"notice","number":1}"#] {
            assert!(Envelope::parse(text).is_err(), "{text}");
        }
    }
}
