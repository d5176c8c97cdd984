//! Calls as they come: in order and not, of one side and of both, told to stop or not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const LIMITS: CallLimits = CallLimits {
    message: MessageLimits { max_bytes: 65_536, max_parameters: 8, max_parameter_bytes: 256 },
    window: 4,
    max_faults: 3,
    reads_agents: false,
};

fn call() -> Call {
    Call::new(LIMITS)
}

fn start(parameters: &Value) -> String {
    json!({"event": "start", "streamSid": "MZ1", "start": {
        "callSid": "CA1", "customParameters": parameters,
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
    }})
    .to_string()
}

/// 20 ms of mu-law that tells its number.
fn media(track: &str, chunk: u64) -> String {
    let bytes = vec![u8::try_from(chunk % 256).unwrap(); 160];
    json!({"event": "media", "streamSid": "MZ1", "media": {
        "track": track, "chunk": chunk.to_string(), "timestamp": ((chunk - 1) * 20).to_string(),
        "payload": STANDARD.encode(bytes)
    }})
    .to_string()
}

/// The times and sides of what is to be passed on.
fn sounds(step: Step) -> Vec<(Side, Option<u64>)> {
    match step {
        Step::Sound(sounds) | Step::End(_, sounds) => {
            sounds.into_iter().map(|sound| (sound.side, sound.at_ms)).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn a_call_goes_from_start_to_stop() {
    let mut call = call();
    assert_eq!(call.take_text(r#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#), Step::Nothing);
    let Step::Open(opening) = call.take_text(&start(&json!({"customer_id": "c-7", "queue": "gold"}))) else {
        panic!("a start opens");
    };
    assert_eq!((opening.stream.as_deref(), opening.call.as_deref()), (Some("MZ1"), Some("CA1")));
    assert_eq!(opening.parameters.customer_id.as_deref(), Some("c-7"));
    for chunk in 1..=3 {
        let Step::Sound(sounds) = call.take_text(&media("inbound", chunk)) else { panic!("media is sound") };
        let [sound] = &sounds[..] else { panic!("{sounds:?}") };
        assert_eq!((sound.side, sound.at_ms), (Side::Customer, Some((chunk - 1) * 20)));
        assert_eq!((sound.bytes.len(), call.end_ms()), (160, chunk * 20));
    }
    assert_eq!(call.take_text(r#"{"event":"dtmf","dtmf":{"digit":"1"}}"#), Step::Nothing);
    let stop = r#"{"event":"stop","streamSid":"MZ1","stop":{"callSid":"CA1"}}"#;
    assert_eq!(call.take_text(stop), Step::End(Ending::Stopped, Vec::new()));
    assert!(call.counts().is_empty(), "{:?}", call.counts());
}

#[test]
fn the_agents_voice_is_dropped_unless_the_policy_allows_it() {
    let mut silent = call();
    silent.take_text(&start(&json!({})));
    assert_eq!(silent.take_text(&media("outbound", 1)), Step::Nothing);
    assert_eq!(sounds(silent.take_text(&media("inbound", 1))), [(Side::Customer, Some(0))]);
    assert_eq!(silent.counts()["agent_voice"], 1);

    let mut open = Call::new(CallLimits { reads_agents: true, ..LIMITS });
    open.take_text(&start(&json!({})));
    assert_eq!(sounds(open.take_text(&media("outbound", 1))), [(Side::Agent, Some(0))]);
    assert!(open.counts().is_empty());
}

#[test]
fn in_a_call_that_an_agent_makes_the_tracks_are_the_other_way_round() {
    let mut call = call();
    call.take_text(&start(&json!({"customer_track": "outbound"})));
    assert_eq!(call.take_text(&media("inbound", 1)), Step::Nothing);
    assert_eq!(sounds(call.take_text(&media("outbound", 1))), [(Side::Customer, Some(0))]);
}

#[test]
fn each_track_has_its_own_order() {
    let mut call = Call::new(CallLimits { reads_agents: true, ..LIMITS });
    call.take_text(&start(&json!({})));
    call.take_text(&media("inbound", 1));
    assert_eq!(call.take_text(&media("inbound", 3)), Step::Nothing);
    assert_eq!(sounds(call.take_text(&media("outbound", 1))), [(Side::Agent, Some(0))]);
    let times: Vec<_> =
        sounds(call.take_text(&media("inbound", 2))).into_iter().map(|(_, at_ms)| at_ms).collect();
    assert_eq!(times, [Some(20), Some(40)]);
    assert_eq!(call.counts(), &BTreeMap::from([("reordered", 1)]));
}

#[test]
fn what_waits_at_the_end_is_not_lost() {
    let mut call = call();
    call.take_text(&start(&json!({})));
    call.take_text(&media("inbound", 1));
    call.take_text(&media("inbound", 4));
    assert_eq!(sounds(call.take_text(r#"{"event":"stop"}"#)), [(Side::Customer, Some(60))]);
    assert!(call.rest().is_empty());
    assert_eq!(call.counts()["missing"], 1);
}

#[test]
fn bare_samples_follow_each_other() {
    let mut call = call();
    assert_eq!(call.take_binary(Bytes::from_static(&[0; 640])), Step::Nothing);
    let opening = r#"{"event":"websocket:connected","content-type":"audio/l16;rate=16000"}"#;
    assert!(matches!(call.take_text(opening), Step::Open(_)));
    assert_eq!(sounds(call.take_binary(Bytes::from_static(&[0; 640]))), [(Side::Customer, None)]);
    assert_eq!(call.counts(), &BTreeMap::from([("before_start", 1)]));
}

#[test]
fn faults_end_a_call_when_there_are_too_many() {
    let mut call = call();
    call.take_text(&start(&json!({})));
    assert_eq!(call.take_text("nonsense"), Step::Nothing);
    assert_eq!(call.take_binary(Bytes::new()), Step::Nothing);
    assert_eq!(call.take_text(&media("inbound", 1).replace("MZ1", "MZ2")), Step::Nothing);
    // What is no fault does not count towards the limit.
    assert_eq!(call.take_text(r#"{"event":"fresh"}"#), Step::Nothing);
    assert_eq!(call.take_text(&start(&json!({}))), Step::Nothing);
    assert_eq!(call.take_text("[]"), Step::End(Ending::TooManyFaults, Vec::new()));
    let counted =
        BTreeMap::from([("malformed", 3), ("other_stream", 1), ("repeated_start", 1), ("unknown_event", 1)]);
    assert_eq!(call.counts(), &counted);
}

#[test]
fn a_format_that_cannot_be_read_ends_the_call_at_once() {
    let text = start(&json!({})).replace("audio/x-mulaw", "AMR-WB");
    let expected = Ending::Format(FormatError::Encoding("AMR-WB".to_owned()));
    assert_eq!(call().take_text(&text), Step::End(expected, Vec::new()));
}

#[test]
fn a_call_that_is_taken_up_again_goes_on_in_time() {
    let resumed = |chunk: u64| {
        let mut call = call();
        call.take_text(&start(&json!({})));
        call.resume(10_000, 500);
        let first = sounds(call.take_text(&media("inbound", chunk)));
        let second = sounds(call.take_text(&media("inbound", chunk + 1)));
        (first[0].1, second[0].1)
    };
    // One stream counts on, the other from zero.
    assert_eq!(resumed(601), (Some(12_000), Some(12_020)));
    assert_eq!(resumed(1), (Some(10_500), Some(10_520)));
}

proptest! {
    #[test]
    fn no_row_of_messages_can_do_harm(
        messages in prop::collection::vec(
            prop_oneof![
                (0_u64..30).prop_map(|chunk| media("inbound", chunk + 1)),
                (0_u64..30).prop_map(|chunk| media("outbound", chunk + 1)),
                Just(start(&json!({}))),
                Just(start(&json!({"customer_track": "outbound", "byte_order": "x"}))),
                Just(r#"{"event":"stop"}"#.to_owned()),
                Just(r#"{"event":"websocket:connected","content-type":"audio/l16"}"#.to_owned()),
                ".{0,20}",
            ],
            0..60,
        ),
    ) {
        let mut call = Call::new(CallLimits { reads_agents: true, ..LIMITS });
        let mut last = [None, None];
        for message in &messages {
            let (sounds, is_over) = match call.take_text(message) {
                Step::Sound(sounds) => (sounds, false),
                Step::End(_, sounds) => (sounds, true),
                _ => continue,
            };
            for sound in sounds {
                let last = &mut last[sound.side as usize];
                prop_assert!(sound.at_ms > *last, "{:?} after {:?}", sound.at_ms, last);
                *last = sound.at_ms;
            }
            if is_over {
                break;
            }
        }
    }
}
