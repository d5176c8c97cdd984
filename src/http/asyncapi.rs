//! `GET /asyncapi.json`: the document of the live protocol, message by message, built from the types that are sent.
//!
//! The schemas are those of the code; the examples stand in `asyncapi_examples.json` and are held against both.

use axum::Json;
use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use super::live::message::HEADER_BYTES;
use crate::live;

/// The version of AsyncAPI that the document follows.
const ASYNCAPI_VERSION: &str = "3.0.0";
/// Recorded from the sample call and cut short; identifiers are made up.
const EXAMPLES: &str = include_str!("asyncapi_examples.json");
/// What the reader of a slow connection is told instead of the events that are gone.
const MISSED: &str = "missed";
/// Where a schema of the code stands in the document.
const SCHEMAS: &str = "#/components/schemas/";

/// The schemas of all messages, as their types describe them.
#[derive(OpenApi)]
#[openapi(components(schemas(
    live::Created,
    live::Updated,
    live::UtteranceStart,
    live::UtteranceEnd,
    live::TrackReading,
    live::FrameAnswer,
    live::EmotionNow,
    live::RankingNow,
    live::Notice,
    live::Fault,
    live::Summary,
    live::SessionOptions,
    live::SessionUpdate,
    live::TextPart
)))]
struct Schemas;

/// The name of a server event's schema.
fn schema_of(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "session.created" => "Created",
        "session.updated" => "Updated",
        "utterance.start" => "UtteranceStart",
        "utterance.end" => "UtteranceEnd",
        "reading" => "TrackReading",
        "frame" => "FrameAnswer",
        "emotion" => "EmotionNow",
        "ranking" => "RankingNow",
        "notice" => "Notice",
        "error" => "Fault",
        "session.closed" => "Summary",
        _ => return None,
    })
}

/// The AsyncAPI document of this version.
#[must_use]
pub fn asyncapi_document() -> Value {
    let examples: Value = serde_json::from_str(EXAMPLES).unwrap_or_default();
    let mut messages = Map::new();
    let (mut sent, mut received) = (Vec::new(), Vec::new());
    for (kind, payload, summary) in client_messages() {
        messages.insert(kind.to_owned(), message(kind, summary, &payload, &examples["client"][kind]));
        received.push(json!({"$ref": format!("#/channels/live/messages/{kind}")}));
    }
    messages.insert("media".to_owned(), media());
    received.push(json!({"$ref": "#/channels/live/messages/media"}));
    for kind in live::Event::KINDS.into_iter().chain([MISSED]) {
        let (payload, summary) = server_message(kind);
        messages.insert(kind.to_owned(), message(kind, summary, &payload, &examples["server"][kind]));
        sent.push(json!({"$ref": format!("#/channels/live/messages/{kind}")}));
    }
    json!({
        "asyncapi": ASYNCAPI_VERSION,
        "info": {
            "title": "Heartline live calls",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Streams of a call in, the customer's state and a ranking out. Events describe expressions \
                            observed, not feelings known.",
            "license": {"name": "Apache-2.0 OR MIT"},
        },
        "defaultContentType": "application/json",
        "channels": {
            "live": {
                "address": "/v1/live",
                "title": "A new call; /v1/live/{session_id} takes one up again, with session.resume first.",
                "messages": messages,
                "bindings": {"ws": {"method": "GET"}},
            },
        },
        "operations": {
            "feed": {"action": "receive", "channel": {"$ref": "#/channels/live"}, "messages": received},
            "tell": {"action": "send", "channel": {"$ref": "#/channels/live"}, "messages": sent},
        },
        "components": {"schemas": schemas()},
    })
}

/// The schemas of the code.
fn schemas() -> Value {
    let document = serde_json::to_value(Schemas::openapi()).unwrap_or_default();
    document["components"]["schemas"].clone()
}

/// The messages of the client: kind, payload, and what each is for.
fn client_messages() -> Vec<(&'static str, Value, &'static str)> {
    let reference = |name: &str| json!({"$ref": format!("{SCHEMAS}{name}")});
    let typed = |kind: &str, mut properties: Value, required: &[&str]| {
        properties["type"] = json!({"const": kind});
        let required: Vec<_> = ["type"].iter().chain(required).collect();
        json!({"type": "object", "properties": properties, "required": required})
    };
    vec![
        (
            "session.update",
            typed(
                "session.update",
                json!({"session": {"anyOf": [reference("SessionOptions"), reference("SessionUpdate")]}}),
                &["session"],
            ),
            "Says how the call is read; after the first media only what may change.",
        ),
        (
            "text",
            json!({"allOf": [typed("text", json!({}), &[]), reference("TextPart")]}),
            "Words of a transcript.",
        ),
        (
            "session.resume",
            typed(
                "session.resume",
                json!({"resume_token": {"type": "string"}, "after": {"type": "integer", "minimum": 0}}),
                &["resume_token"],
            ),
            "Takes a call up again, as the first message on its own path.",
        ),
        ("session.close", typed("session.close", json!({}), &[]), "Ends the call; its summary follows."),
    ]
}

/// A message of the server: its payload and what it is for.
fn server_message(kind: &str) -> (Value, &'static str) {
    let Some(name) = schema_of(kind) else {
        let payload = json!({
            "type": "object",
            "properties": {"type": {"const": kind}, "count": {"type": "integer", "minimum": 1}},
            "required": ["type", "count"],
        });
        return (payload, "This connection was too slow, and so many events are gone.");
    };
    let place = json!({
        "type": "object",
        "properties": {
            "type": {"const": kind},
            "number": {"type": "integer", "minimum": 1, "description": "The event's number in the call."},
            "session_ms": {"type": "integer", "minimum": 0, "description": "The call's media time."},
        },
        "required": ["type", "number", "session_ms"],
    });
    let summary = match kind {
        "session.created" => "The session is open.",
        "session.updated" => "What is known of the call has changed.",
        "utterance.start" => "Somebody begins to speak.",
        "utterance.end" => "Somebody has stopped speaking.",
        "reading" => "The words or the voice of a span were read.",
        "frame" => "The answer to one frame; every frame has one.",
        "emotion" => "The customer's state.",
        "ranking" => "The agents in order.",
        "notice" => "Something was left out, and why; the call goes on.",
        "error" => "A message of the client's could not be used.",
        _ => "The session has ended.",
    };
    (json!({"allOf": [place, {"$ref": format!("{SCHEMAS}{name}")}]}), summary)
}

fn message(kind: &str, summary: &str, payload: &Value, example: &Value) -> Value {
    json!({
        "name": kind,
        "title": kind,
        "summary": summary,
        "contentType": "application/json",
        "payload": payload,
        "examples": [{"name": "example", "payload": example}],
    })
}

/// The binary message with sound or a picture.
fn media() -> Value {
    let description = format!(
        "A header of {HEADER_BYTES} bytes, then the media: u8 kind (1 audio, 2 frame), u8 track, u16 zero, u64 \
         little-endian media time in milliseconds (all ones: it follows what came before)."
    );
    json!({
        "name": "media",
        "title": "media",
        "summary": "Sound or a picture, as a binary message.",
        "description": description,
        "contentType": "application/octet-stream",
        "payload": {"type": "string", "format": "binary"},
    })
}

/// The document.
#[utoipa::path(
    get,
    path = "/asyncapi.json",
    responses((status = 200, description = "The AsyncAPI document of the live protocol.", body = Object))
)]
pub(super) async fn asyncapi() -> Json<Value> {
    Json(asyncapi_document())
}

#[cfg(test)]
mod tests {
    use heartline_client::Envelope;

    use super::super::live::message::{ClientMessage, read_text};
    use super::*;
    use crate::live::{SessionOptions, SessionUpdate};

    fn example<'a>(document: &'a Value, kind: &str) -> &'a Value {
        &document["channels"]["live"]["messages"][kind]["examples"][0]["payload"]
    }

    #[test]
    fn every_event_is_there_with_an_example_that_clients_can_read() {
        let document = asyncapi_document();
        for kind in live::Event::KINDS.into_iter().chain([MISSED]) {
            let text = example(&document, kind).to_string();
            let envelope = Envelope::parse(&text).unwrap_or_else(|error| panic!("{kind}: {error}"));
            assert_eq!(envelope.event.kind(), kind);
            let operation = document["operations"]["tell"]["messages"].to_string();
            assert!(operation.contains(&format!("/messages/{kind}\"")), "{kind}");
        }
    }

    #[test]
    fn every_message_of_a_client_is_there_with_an_example_that_the_server_takes() {
        let document = asyncapi_document();
        for (kind, ..) in client_messages() {
            let text = example(&document, kind).to_string();
            let message = read_text(&text).unwrap_or_else(|error| panic!("{kind}: {error}"));
            assert_eq!(serde_json::to_value(&message).unwrap()["type"], kind);
            if let ClientMessage::Update { session } = message {
                serde_json::from_value::<SessionOptions>(session).unwrap();
            }
        }
        serde_json::from_value::<SessionUpdate>(json!({"waiting_ms": 5})).unwrap();
        // What the server refuses names every type that it takes.
        let refused = read_text(r#"{"type":"?"}"#).unwrap_err().to_string();
        let taken: Vec<_> = client_messages().into_iter().map(|(kind, ..)| kind).collect();
        assert!(taken.iter().all(|kind| refused.contains(&format!("`{kind}`"))), "{refused}");
        assert_eq!(refused.matches('`').count(), 2 * (taken.len() + 1), "{refused}");
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = asyncapi_document();
        let text = document.to_string();
        let mut found = 0;
        for part in text.split("\"$ref\":\"#").skip(1) {
            let pointer = part.split('"').next().unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer} leads nowhere");
            found += 1;
        }
        assert!(found > 40, "{found} references");
    }

    #[test]
    fn every_field_of_an_example_is_described() {
        let document = asyncapi_document();
        for kind in live::Event::KINDS {
            let schema = &document["components"]["schemas"][schema_of(kind).unwrap()]["properties"];
            for field in example(&document, kind).as_object().unwrap().keys() {
                let is_place = ["type", "number", "session_ms"].contains(&field.as_str());
                assert!(is_place || schema.get(field).is_some(), "{kind}: {field} is not described");
            }
        }
    }
}
