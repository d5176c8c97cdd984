//! What remains of a session when it has ended.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    CallNeed, Consent, EmotionVector, Explanation, Language, NoticeCode, RankingNow, SkipReason,
    TimelinePoint,
};

/// What a session was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Summary {
    /// The session's identifier.
    pub session_id: String,
    /// Your own identifier of the call.
    pub call_id: Option<String>,
    /// Your own identifier of the customer.
    pub customer_id: Option<String>,
    /// Your further words about the call.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// What the customer was told.
    pub consent: ConsentRecord,
    /// Why it ended.
    pub reason: CloseReason,
    /// The latest media time, in milliseconds.
    pub duration_ms: u64,
    /// The customer's state at the end, with its trend and worst moment.
    pub emotion: EmotionVector,
    /// What each modality contributed to it.
    pub explanation: Explanation,
    /// The state over media time.
    pub timeline: Vec<TimelinePoint>,
    /// The customer's language.
    pub language: Language,
    /// What the issue needs.
    pub need: CallNeed,
    /// The last ranking that was sent.
    pub ranking: Option<RankingNow>,
    /// What came in and what became of it.
    pub totals: Totals,
    /// How much of the call was read.
    pub coverage: Coverage,
    /// What was left out and how often.
    pub notices: BTreeMap<NoticeCode, u64>,
}

/// What the customer was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConsentRecord {
    /// What you stated.
    pub state: Consent,
    /// Your own reference to where that is recorded.
    pub reference: Option<String>,
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CloseReason {
    /// You said so.
    Requested,
    /// You went and did not come back in time.
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
    /// One that this library does not know.
    #[serde(other)]
    Unknown,
}

/// What came in and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Totals {
    /// Audio that was heard, in milliseconds.
    pub audio_ms: u64,
    /// Audio in which somebody spoke, in milliseconds.
    pub speech_ms: u64,
    /// Audio that is missing in the timestamps, in milliseconds.
    pub audio_gap_ms: u64,
    /// Audio that came again or too late, in milliseconds.
    pub audio_late_ms: u64,
    /// Bytes of audio that were skipped because the server did not keep up.
    pub audio_skipped_bytes: u64,
    /// Windows of speech that were read.
    pub windows_read: u64,
    /// Windows of speech that were skipped.
    pub windows_skipped: u64,
    /// Frames that came.
    pub frames: u64,
    /// Frames that were read.
    pub frames_read: u64,
    /// Frames that were not read, by reason.
    pub frames_skipped: BTreeMap<SkipReason, u64>,
    /// Frames that were read and show no face.
    pub frames_without_face: u64,
    /// Final texts of the customer.
    pub utterances: u64,
    /// Texts that were read for emotion.
    pub texts_read: u64,
    /// Readings that came too late to change the moments they speak of.
    pub readings_late: u64,
    /// Messages of yours that could not be used.
    pub faults: u64,
    /// How often the connection was lost and came back.
    pub resumes: u64,
    /// Events that were sent.
    pub events: u64,
}

/// How much of the call was read, each as a share from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Coverage {
    /// Of the final texts, how many were read.
    pub text: f32,
    /// Of the speech, how much lies in a window that was read.
    pub voice: f32,
    /// Of the call's seconds, in how many a face was read.
    pub face: f32,
}
