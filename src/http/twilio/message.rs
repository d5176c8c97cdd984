//! One message of a telephone stream, in any dialect. Pure: bytes in, a message or a fault out, nothing kept.
//!
//! The shapes are those that Twilio publishes for Media Streams. Its relatives write numbers as numbers or as text,
//! names with capitals or underscores, leave out `connected` and `track`, or open with `websocket:connected` and then
//! send bare samples as binary messages.

use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::fields::{self, Object};

/// The longest identifier of a stream, a call or an account, in bytes.
const MAX_IDENTIFIER_BYTES: usize = 256;

/// What a message may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageLimits {
    /// The largest message, in bytes.
    pub max_bytes: usize,
    /// The most parameters of a start.
    pub max_parameters: usize,
    /// The longest parameter, its name and its value together, in bytes.
    pub max_parameter_bytes: usize,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// The connection stands; some dialects leave it out.
    Connected,
    /// The stream begins.
    Start(Box<Start>),
    /// A piece of sound.
    Media(Media),
    /// Somebody pressed a key; which one is not kept, because it may be part of a secret.
    Digit,
    /// A mark that somebody set in the sound that is played to the caller.
    Mark,
    /// The stream has ended.
    Stop {
        /// The stream, where the message names it.
        stream: Option<String>,
    },
    /// An event that is none of these.
    Unknown,
}

/// How a stream begins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Start {
    /// The stream.
    pub stream: Option<String>,
    /// The call, which may have several streams one after the other.
    pub call: Option<String>,
    /// The account with the telephone company.
    pub account: Option<String>,
    /// What the encoding of the sound is called.
    pub encoding: Option<String>,
    /// Samples a second.
    pub sample_rate_hz: Option<u64>,
    /// Channels of one track.
    pub channels: Option<u64>,
    /// What the application says about its call, in the order of the names.
    pub parameters: Vec<(String, String)>,
    /// Whether the sound comes as binary messages.
    pub is_binary: bool,
}

/// A piece of sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// The stream, where the message names it.
    pub stream: Option<String>,
    /// Whose voice it is, as the telephone company sees it.
    pub track: Track,
    /// Its place in the row, from 1.
    pub chunk: Option<u64>,
    /// When it begins, in milliseconds since the stream began.
    pub at_ms: Option<u64>,
    /// The sound.
    pub bytes: Bytes,
}

/// A side of a call, as the telephone company sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Track {
    /// What the telephone company hears from the line.
    Inbound,
    /// What it says to the line.
    Outbound,
}

impl Track {
    /// The track of a name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        match name.trim().to_ascii_lowercase().as_str() {
            "inbound" | "inbound_track" => Some(Self::Inbound),
            "outbound" | "outbound_track" => Some(Self::Outbound),
            _ => None,
        }
    }

    /// The track's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        }
    }
}

/// Why a message could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// It is too large.
    #[error("a message of {bytes} bytes is larger than the limit of {limit}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// What is allowed.
        limit: usize,
    },
    /// It is not a JSON object.
    #[error("the message is not a JSON object")]
    NotAnObject,
    /// It does not say which event it is.
    #[error("the message has no event")]
    NoEvent,
    /// A field that the event needs is missing or of another kind.
    #[error("the event {event} has no usable {field}")]
    Field {
        /// The event.
        event: &'static str,
        /// The field.
        field: &'static str,
    },
    /// The start has more or longer parameters than allowed.
    #[error("the parameters of the start are beyond a limit")]
    Parameters,
}

impl MessageError {
    /// The reason's name in metrics.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too_large",
            Self::NotAnObject | Self::NoEvent | Self::Field { .. } => "malformed",
            Self::Parameters => "parameters",
        }
    }
}

/// Reads one text message.
///
/// # Errors
/// [`MessageError`] where it is not a message of any dialect or beyond a limit.
pub fn read(text: &str, limits: &MessageLimits) -> Result<Message, MessageError> {
    if text.len() > limits.max_bytes {
        return Err(MessageError::TooLarge { bytes: text.len(), limit: limits.max_bytes });
    }
    let Ok(Value::Object(message)) = serde_json::from_str(text) else {
        return Err(MessageError::NotAnObject);
    };
    let event = fields::field(&message, &["event"]).and_then(Value::as_str).ok_or(MessageError::NoEvent)?;
    match event.trim().to_ascii_lowercase().as_str() {
        "connected" => Ok(Message::Connected),
        "start" => start(&message, limits).map(|start| Message::Start(Box::new(start))),
        "websocket:connected" => bare_start(&message, limits).map(|start| Message::Start(Box::new(start))),
        "media" => media(&message).map(Message::Media),
        "dtmf" | "websocket:dtmf" => Ok(Message::Digit),
        "mark" => Ok(Message::Mark),
        "stop" => Ok(Message::Stop { stream: identifier(&message, None, STREAM, "stop")? }),
        _ => Ok(Message::Unknown),
    }
}

const STREAM: &[&str] = &["streamsid", "streamid"];
const CALL: &[&str] = &["callsid", "callcontrolid", "callid", "calluuid"];
const ACCOUNT: &[&str] = &["accountsid", "accountid", "userid"];

fn start(message: &Object, limits: &MessageLimits) -> Result<Start, MessageError> {
    let event = "start";
    let body = fields::object(message, &["start"]).ok_or(MessageError::Field { event, field: "start" })?;
    let format = fields::object(body, &["mediaformat"]);
    let number = |names: &[&str], field| match format {
        Some(format) => fields::number(format, names).map_err(|_| MessageError::Field { event, field }),
        None => Ok(None),
    };
    let parameters = fields::object(body, &["customparameters"]);
    let pairs = parameters.into_iter().flatten().map(|(name, value)| (name.as_str(), value));
    Ok(Start {
        stream: identifier(message, Some(body), STREAM, event)?,
        call: identifier(body, None, CALL, event)?,
        account: identifier(body, None, ACCOUNT, event)?,
        encoding: format.and_then(|format| fields::text(format, &["encoding"])),
        sample_rate_hz: number(&["samplerate", "rate"], "sample rate")?,
        channels: number(&["channels"], "channels")?,
        parameters: bounded(pairs, limits)?,
        is_binary: false,
    })
}

/// The opening of the dialect that sends samples as binary messages: the format is a content type, and whatever else
/// the application wants to say stands beside it.
fn bare_start(message: &Object, limits: &MessageLimits) -> Result<Start, MessageError> {
    let event = "websocket:connected";
    let content_type = fields::text(message, &["contenttype"]);
    let content_type = content_type.ok_or(MessageError::Field { event, field: "content-type" })?;
    let mut parts = content_type.split(';').map(str::trim);
    let encoding = parts.next().unwrap_or_default().to_owned();
    let mut settings = parts.filter_map(|part| part.split_once('='));
    let rate = settings.find(|(name, _)| name.trim().eq_ignore_ascii_case("rate"));
    let sample_rate_hz = match rate.map(|(_, rate)| rate.trim().parse()) {
        None => None,
        Some(Ok(rate)) => Some(rate),
        Some(Err(_)) => return Err(MessageError::Field { event, field: "rate" }),
    };
    let others = message.iter().filter(|(name, _)| !matches!(name.as_str(), "event" | "content-type"));
    Ok(Start {
        stream: identifier(message, None, STREAM, event)?,
        call: identifier(message, None, CALL, event)?,
        encoding: Some(encoding),
        sample_rate_hz,
        parameters: bounded(others.map(|(name, value)| (name.as_str(), value)), limits)?,
        is_binary: true,
        ..Start::default()
    })
}

fn media(message: &Object) -> Result<Media, MessageError> {
    let event = "media";
    let missing = |field| MessageError::Field { event, field };
    let body = fields::object(message, &["media"]).ok_or_else(|| missing("media"))?;
    // A track that is named must be known: to take it for the customer's would be a guess about whose voice is read.
    let track = match fields::field(body, &["track"]) {
        None => Track::Inbound,
        Some(name) => name.as_str().and_then(Track::of).ok_or_else(|| missing("track"))?,
    };
    let payload =
        fields::field(body, &["payload"]).and_then(Value::as_str).ok_or_else(|| missing("payload"))?;
    let bytes = STANDARD.decode(payload.trim()).map_err(|_| missing("payload"))?;
    Ok(Media {
        stream: identifier(message, None, STREAM, event)?,
        track,
        chunk: fields::number(body, &["chunk"]).map_err(|_| missing("chunk"))?,
        at_ms: fields::number(body, &["timestamp"]).map_err(|_| missing("timestamp"))?,
        bytes: bytes.into(),
    })
}

/// An identifier in a message or in its body, bounded.
fn identifier(
    message: &Object,
    body: Option<&Object>,
    names: &[&str],
    event: &'static str,
) -> Result<Option<String>, MessageError> {
    let found = fields::text(message, names).or_else(|| fields::text(body?, names));
    match found {
        Some(found) if found.len() > MAX_IDENTIFIER_BYTES => {
            Err(MessageError::Field { event, field: "identifier" })
        }
        found => Ok(found.filter(|found| !found.is_empty())),
    }
}

/// Parameters within their limits; those that are lists or objects are left out.
fn bounded<'a>(
    pairs: impl Iterator<Item = (&'a str, &'a Value)>,
    limits: &MessageLimits,
) -> Result<Vec<(String, String)>, MessageError> {
    let mut kept = Vec::new();
    for (name, value) in pairs {
        let Some(value) = fields::plain(value) else { continue };
        if kept.len() == limits.max_parameters || name.len() + value.len() > limits.max_parameter_bytes {
            return Err(MessageError::Parameters);
        }
        kept.push((name.to_owned(), value));
    }
    Ok(kept)
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
