//! The text messages that a client sends.

use serde::{Deserialize, Serialize};

use crate::{SessionOptions, SessionUpdate};

/// A text message of the client's.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type")]
pub(crate) enum Message<'a> {
    /// Says how the call is read.
    #[serde(rename = "session.update")]
    Configure {
        /// The options.
        session: &'a SessionOptions,
    },
    /// Changes what may change while the call goes on.
    #[serde(rename = "session.update")]
    Update {
        /// The changes.
        session: &'a SessionUpdate,
    },
    /// Takes a session up again; the first message on the session's own path.
    #[serde(rename = "session.resume")]
    Resume {
        /// The token of `session.created`.
        resume_token: &'a str,
        /// The number of the last event that has come.
        #[serde(skip_serializing_if = "Option::is_none")]
        after: Option<u64>,
    },
    /// Words of a transcript.
    #[serde(rename = "text")]
    Text(&'a TextPart),
    /// Ends the session.
    #[serde(rename = "session.close")]
    Close {},
}

impl Message<'_> {
    pub(crate) fn to_json(&self) -> String {
        // Every key is a string and no number is refused by JSON, so this cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A piece of a transcript.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TextPart {
    /// The number of a track of kind text.
    pub track: u8,
    /// When the words begin, in milliseconds of media time; left out, they end now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_ms: Option<u64>,
    /// When they end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_ms: Option<u64>,
    /// The words. A partial text replaces the partial text before it; a final one ends the utterance.
    pub text: String,
    /// Whether these words are final.
    pub is_final: bool,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn written(message: &Message<'_>) -> Value {
        serde_json::from_str(&message.to_json()).unwrap()
    }

    #[test]
    fn every_message_has_its_type_and_its_fields() {
        let part = TextPart { track: 1, text: "Hello".to_owned(), is_final: true, ..TextPart::default() };
        assert_eq!(
            written(&Message::Text(&part)),
            json!({"type": "text", "track": 1, "text": "Hello", "is_final": true})
        );
        assert_eq!(written(&Message::Close {}), json!({"type": "session.close"}));
        assert_eq!(
            written(&Message::Resume { resume_token: "t", after: Some(4) }),
            json!({"type": "session.resume", "resume_token": "t", "after": 4})
        );
        let update = SessionUpdate { waiting_ms: Some(5), ..SessionUpdate::default() };
        assert_eq!(
            written(&Message::Update { session: &update }),
            json!({"type": "session.update", "session": {"waiting_ms": 5}})
        );
    }
}
