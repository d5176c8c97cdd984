//! What a transport hands to a session.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::SessionUpdate;

/// One thing that came in.
#[derive(Debug, Clone)]
pub enum Input {
    /// What is known of the call has changed.
    Update(Box<SessionUpdate>),
    /// A piece of audio.
    Audio {
        /// The track's number.
        track: u8,
        /// The media time of its first sample, in milliseconds; none: it follows what came before.
        at_ms: Option<u64>,
        /// The audio, in the track's format.
        bytes: Bytes,
    },
    /// An image file.
    Frame {
        /// The track's number.
        track: u8,
        /// Its media time, in milliseconds; none: it shows what is heard now.
        at_ms: Option<u64>,
        /// The file.
        bytes: Bytes,
    },
    /// Words.
    Text(TextPart),
}

/// A piece of a transcript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TextPart {
    /// The number of a track of kind text.
    pub track: u8,
    /// When the words begin, in milliseconds of media time; left out, they end now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_ms: Option<u64>,
    /// When they end, in milliseconds of media time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_ms: Option<u64>,
    /// The words. A partial text replaces the partial text before it; a final one ends the utterance.
    pub text: String,
    /// Whether these words are final.
    #[serde(default = "yes")]
    pub is_final: bool,
}

const fn yes() -> bool {
    true
}
