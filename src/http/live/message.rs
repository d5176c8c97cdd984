//! What a client of a live call sends: text messages by `type`, and binary messages with media behind a short header.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::live::{Input, LiveError, TextPart};

/// The length of a binary message's header, in bytes: kind, track, two zeros, the media time.
pub const HEADER_BYTES: usize = 12;
/// The kind of a binary message with audio.
pub const AUDIO: u8 = 1;
/// The kind of a binary message with a frame.
pub const FRAME: u8 = 2;
/// The media time of media that follow what came before.
pub const FOLLOWS: u64 = u64::MAX;

/// A text message of the client's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", deny_unknown_fields)]
pub enum ClientMessage {
    /// Says how the call is read; after the first media only what may change: language, needs, agents.
    #[serde(rename = "session.update")]
    Update {
        /// [`SessionOptions`](crate::live::SessionOptions), or after the first media
        /// [`SessionUpdate`](crate::live::SessionUpdate).
        session: Value,
    },
    /// Takes a session up, as the first message on the path of that session.
    #[serde(rename = "session.resume")]
    Resume {
        /// The token of `session.created`.
        resume_token: String,
        /// The number of the last event that the client has; left out, all that are kept come again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<u64>,
    },
    /// Words of a transcript.
    #[serde(rename = "text")]
    Text(TextPart),
    /// Ends the session.
    #[serde(rename = "session.close")]
    Close {},
}

/// Why a message could not be used.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// It is not JSON, or its fields are not those of its type.
    #[error("the message is not usable: {0}")]
    Text(String),
    /// It has no header, or one that says something unknown.
    #[error("the binary message is not usable: {0}")]
    Header(String),
    /// It is a message for another moment.
    #[error("{0}")]
    OutOfOrder(&'static str),
}

impl From<MessageError> for LiveError {
    fn from(error: MessageError) -> Self {
        Self::Message(error.to_string())
    }
}

/// Reads a text message.
///
/// # Errors
/// [`MessageError::Text`] with what was expected.
pub fn read_text(text: &str) -> Result<ClientMessage, MessageError> {
    serde_json::from_str(text).map_err(|error| MessageError::Text(error.to_string()))
}

/// Reads a binary message. The media are not copied.
///
/// # Errors
/// [`MessageError::Header`]
pub fn read_binary(message: &Bytes) -> Result<Input, MessageError> {
    let Some((header, _)) = message.split_first_chunk::<HEADER_BYTES>() else {
        let reason = format!("{} bytes are less than the header of {HEADER_BYTES}", message.len());
        return Err(MessageError::Header(reason));
    };
    let [kind, track, zero, nought, time @ ..] = *header;
    if (zero, nought) != (0, 0) {
        return Err(MessageError::Header("bytes 2 and 3 of the header are not zero".to_owned()));
    }
    let time_ms = u64::from_le_bytes(time);
    let at_ms = (time_ms != FOLLOWS).then_some(time_ms);
    let bytes = message.slice(HEADER_BYTES..);
    match kind {
        AUDIO => Ok(Input::Audio { track, at_ms, bytes }),
        FRAME => Ok(Input::Frame { track, at_ms, bytes }),
        kind => {
            Err(MessageError::Header(format!("kind {kind} is neither {AUDIO} (audio) nor {FRAME} (frame)")))
        }
    }
}

/// Writes a binary message.
#[must_use]
pub fn write_binary(kind: u8, track: u8, at_ms: Option<u64>, media: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(HEADER_BYTES + media.len());
    message.extend([kind, track, 0, 0]);
    message.extend(at_ms.unwrap_or(FOLLOWS).to_le_bytes());
    message.extend(media);
    message
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_type_has_its_fields_and_no_others() {
        assert_eq!(read_text(r#"{"type": "session.close"}"#).unwrap(), ClientMessage::Close {});
        let text = read_text(r#"{"type": "text", "track": 2, "text": "Hello", "is_final": false}"#).unwrap();
        assert!(matches!(text, ClientMessage::Text(TextPart { track: 2, is_final: false, .. })));
        for (message, word) in [
            ("{", "EOF"),
            (r#"{"type": "session.open"}"#, "session.update"),
            (r#"{"type": "text", "track": 2, "txet": "Hello"}"#, "txet"),
            (r#"{"type": "session.resume"}"#, "resume_token"),
        ] {
            let error = read_text(message).unwrap_err().to_string();
            assert!(error.contains(word), "{message}: {error}");
        }
    }

    #[test]
    fn a_header_says_what_follows() {
        let message = Bytes::from(write_binary(AUDIO, 3, Some(1_234), b"media"));
        let Input::Audio { track, at_ms, bytes } = read_binary(&message).unwrap() else { panic!() };
        assert_eq!((track, at_ms, bytes.as_ref()), (3, Some(1_234), b"media".as_slice()));
        let message = Bytes::from(write_binary(FRAME, 0, None, b""));
        assert!(matches!(read_binary(&message).unwrap(), Input::Frame { at_ms: None, .. }));
        for bad in [&b"short"[..], &[7; 12], &[1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]] {
            assert!(read_binary(&Bytes::copy_from_slice(bad)).is_err());
        }
    }

    proptest! {
        #[test]
        fn no_message_ends_the_program(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_binary(&Bytes::from(bytes.clone()));
            if let Ok(text) = std::str::from_utf8(&bytes) {
                let _ = read_text(text);
            }
        }
    }
}
