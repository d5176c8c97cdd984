//! Messages good and bad, one of each shape that is published.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const LIMITS: MessageLimits = MessageLimits { max_bytes: 4_096, max_parameters: 3, max_parameter_bytes: 64 };

fn parsed(value: &Value) -> Result<Message, MessageError> {
    read(&value.to_string(), &LIMITS)
}

fn started(value: &Value) -> Start {
    match parsed(value) {
        Ok(Message::Start(start)) => *start,
        other => panic!("{other:?}"),
    }
}

fn heard(value: &Value) -> Media {
    match parsed(value) {
        Ok(Message::Media(media)) => media,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_published_start_is_read() {
    let start = started(&json!({
        "event": "start", "sequenceNumber": "1", "streamSid": "MZ1",
        "start": {
            "streamSid": "MZ1", "accountSid": "AC1", "callSid": "CA1", "tracks": ["inbound", "outbound"],
            "customParameters": {"customer_id": "c-7", "attempt": 2},
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
        }
    }));
    let text = |text: &str| Some(text.to_owned());
    assert_eq!((start.stream, start.call, start.account), (text("MZ1"), text("CA1"), text("AC1")));
    assert_eq!((start.encoding, start.sample_rate_hz), (text("audio/x-mulaw"), Some(8_000)));
    let parameters =
        [("attempt", "2"), ("customer_id", "c-7")].map(|(name, value)| (name.into(), value.into()));
    assert_eq!((start.channels, start.parameters, start.is_binary), (Some(1), parameters.to_vec(), false));
}

#[test]
fn underscores_integers_and_other_names_mean_the_same() {
    let start = started(&json!({
        "event": "start", "sequence_number": 1, "stream_id": "s-1",
        "start": {
            "call_control_id": "v2:c-1", "user_id": "u-1",
            "custom_parameters": {"customer_id": "c-7"},
            "media_format": {"encoding": "PCMU", "sample_rate": "8000", "channels": "1"}
        }
    }));
    assert_eq!((start.stream.as_deref(), start.call.as_deref()), (Some("s-1"), Some("v2:c-1")));
    assert_eq!((start.account.as_deref(), start.sample_rate_hz), (Some("u-1"), Some(8_000)));
    assert_eq!((start.channels, start.parameters.len()), (Some(1), 1));
}

#[test]
fn a_start_needs_nothing_but_itself() {
    assert_eq!(started(&json!({"event": "start", "start": {}})), Start::default());
    assert_eq!(
        parsed(&json!({"event": "start"})),
        Err(MessageError::Field { event: "start", field: "start" })
    );
}

#[test]
fn the_opening_of_bare_samples_is_a_start() {
    let start = started(&json!({
        "event": "websocket:connected", "content-type": "audio/l16;rate=16000", "customer_id": "c-7"
    }));
    assert_eq!((start.encoding.as_deref(), start.sample_rate_hz), (Some("audio/l16"), Some(16_000)));
    assert!(start.is_binary);
    assert_eq!(start.parameters, [("customer_id".to_owned(), "c-7".to_owned())]);
    let unsaid = started(&json!({"event": "websocket:connected", "content-type": "audio/l16"}));
    assert_eq!(unsaid.sample_rate_hz, None);
    for wrong in [
        json!({"event": "websocket:connected"}),
        json!({"event": "websocket:connected", "content-type": "audio/l16;rate=fast"}),
    ] {
        assert!(matches!(parsed(&wrong), Err(MessageError::Field { .. })), "{wrong}");
    }
}

#[test]
fn media_is_read_in_both_spellings() {
    let expected = |stream: &str| Media {
        stream: Some(stream.to_owned()),
        track: Track::Outbound,
        chunk: Some(2),
        at_ms: Some(25),
        bytes: Bytes::from_static(&[0xff, 0x7f]),
    };
    let media = heard(&json!({
        "event": "media", "sequenceNumber": "4", "streamSid": "MZ1",
        "media": {"track": "outbound", "chunk": "2", "timestamp": "25", "payload": "/38="}
    }));
    assert_eq!(media, expected("MZ1"));
    let media = heard(&json!({
        "event": "media", "sequence_number": 4, "stream_id": "s-1",
        "media": {"track": "outbound_track", "chunk": 2, "timestamp": 25, "payload": "/38="}
    }));
    assert_eq!(media, expected("s-1"));
}

#[test]
fn media_without_a_track_is_the_callers() {
    let media = heard(&json!({"event": "media", "media": {"payload": ""}}));
    assert_eq!((media.track, media.chunk, media.at_ms), (Track::Inbound, None, None));
    assert!(media.bytes.is_empty());
}

#[test]
fn media_that_cannot_be_placed_is_refused() {
    for (media, field) in [
        (json!({"track": "sideways", "payload": ""}), "track"),
        (json!({"track": 1, "payload": ""}), "track"),
        (json!({"payload": "not base64"}), "payload"),
        (json!({"payload": 5}), "payload"),
        (json!({}), "payload"),
        (json!({"payload": "", "chunk": "x"}), "chunk"),
        (json!({"payload": "", "timestamp": -5}), "timestamp"),
    ] {
        let error = parsed(&json!({"event": "media", "media": media})).unwrap_err();
        assert_eq!(error, MessageError::Field { event: "media", field }, "{media}");
        assert_eq!(error.reason(), "malformed");
    }
}

#[test]
fn small_events_are_told_apart_and_new_ones_are_no_fault() {
    for (event, message) in [
        ("connected", Message::Connected),
        ("dtmf", Message::Digit),
        ("websocket:dtmf", Message::Digit),
        ("mark", Message::Mark),
        ("stop", Message::Stop { stream: None }),
        ("STOP", Message::Stop { stream: None }),
        ("clear", Message::Unknown),
        ("", Message::Unknown),
    ] {
        assert_eq!(parsed(&json!({ "event": event })), Ok(message), "{event}");
    }
}

#[test]
fn what_is_no_message_says_why() {
    for text in ["", "null", "[]", "{", "5", "\"event\"", "{\"event\":\"stop\"}}"] {
        assert_eq!(read(text, &LIMITS), Err(MessageError::NotAnObject), "{text}");
    }
    assert_eq!(read("{}", &LIMITS), Err(MessageError::NoEvent));
    assert_eq!(read("{\"event\":5}", &LIMITS), Err(MessageError::NoEvent));
    let deep = format!("{}{}", "[".repeat(2_000), "]".repeat(2_000));
    assert_eq!(read(&format!("{{\"event\":{deep}}}"), &LIMITS), Err(MessageError::NotAnObject));
}

#[test]
fn limits_hold() {
    let large = json!({"event": "mark", "mark": {"name": "x".repeat(5_000)}});
    assert!(matches!(parsed(&large), Err(MessageError::TooLarge { limit: 4_096, .. })));
    let start = |parameters: Value| json!({"event": "start", "start": {"customParameters": parameters}});
    assert!(parsed(&start(json!({"a": "1", "b": "2", "c": "3"}))).is_ok());
    for parameters in [json!({"a": "1", "b": "2", "c": "3", "d": "4"}), json!({"a": "x".repeat(64)})] {
        let error = parsed(&start(parameters)).unwrap_err();
        assert_eq!((error.clone(), error.reason()), (MessageError::Parameters, "parameters"));
    }
    let long = json!({"event": "stop", "streamSid": "x".repeat(MAX_IDENTIFIER_BYTES + 1)});
    assert!(matches!(parsed(&long), Err(MessageError::Field { field: "identifier", .. })));
}

/// JSON of any shape, with the words of the protocol as likely keys and values.
fn anything() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "event",
        "start",
        "media",
        "stop",
        "streamSid",
        "stream_id",
        "payload",
        "chunk",
        "timestamp",
        "track",
        "customParameters",
        "media_format",
        "inbound",
        "outbound",
        "websocket:connected",
        "content-type",
        "audio/l16;rate=16000",
        "rate",
        "AAAA",
        "5",
        "-1",
        "1e999",
        "",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((word.clone(), inner), 0..6).prop_map(|pairs| {
                Value::Object(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_can_do_harm(text in ".{0,200}") {
        let _ = read(&text, &LIMITS);
    }

    #[test]
    fn no_json_can_do_harm_and_what_comes_out_is_bounded(
        event in prop::sample::select(vec!["start", "media", "stop", "websocket:connected", "x"]),
        mut message in anything(),
    ) {
        if let Some(object) = message.as_object_mut() {
            object.insert("event".to_owned(), Value::from(event));
        }
        let text = message.to_string();
        match read(&text, &LIMITS) {
            Ok(Message::Media(media)) => prop_assert!(media.bytes.len() <= text.len()),
            Ok(Message::Start(start)) => {
                prop_assert!(start.parameters.len() <= LIMITS.max_parameters);
                for (name, value) in &start.parameters {
                    prop_assert!(name.len() + value.len() <= LIMITS.max_parameter_bytes);
                }
            }
            _ => {}
        }
    }

    #[test]
    fn what_is_sent_is_heard(
        bytes in prop::collection::vec(any::<u8>(), 0..500), chunk in any::<u64>(), at_ms in any::<u64>(),
        as_text in any::<bool>(),
    ) {
        let number = |number: u64| if as_text { Value::from(number.to_string()) } else { Value::from(number) };
        let message = json!({"event": "media", "media": {
            "chunk": number(chunk), "timestamp": number(at_ms), "payload": STANDARD.encode(&bytes)
        }});
        let media = heard(&message);
        prop_assert_eq!((media.chunk, media.at_ms, &media.bytes[..]), (Some(chunk), Some(at_ms), &bytes[..]));
    }
}
