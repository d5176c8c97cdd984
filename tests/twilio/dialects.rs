//! One capture of each dialect, from its opening to its end.

use serde_json::Value;

use crate::support::{Server, Writing, assert_heard, capture, only, serve, speech};

/// How much of the sample is played, in milliseconds.
const LENGTH_MS: usize = 8_000;

/// What a dialect is: its capture, how it writes sound, and how much goes into one message.
struct Dialect {
    capture: &'static str,
    writing: Writing,
    rate_hz: usize,
    piece_ms: usize,
}

/// Plays a capture and gives the events of its session.
async fn play(server: &Server, dialect: &Dialect) -> Vec<Value> {
    let capture = capture(dialect.capture);
    let mut phone = server.dial().await;
    for message in &capture.before {
        phone.say_json(message).await;
    }
    let recorded = server.record(&server.session().await.session_id);
    let sound = speech(dialect.writing, dialect.rate_hz, LENGTH_MS);
    let pieces = sound.chunks(sound.len() * dialect.piece_ms / LENGTH_MS);
    for (piece, index) in pieces.zip(0_u64..) {
        match capture.media {
            Some(_) => phone.say_json(&capture.media(index, index * dialect.piece_ms as u64, piece)).await,
            None => phone.say_bytes(piece.to_vec()).await,
        }
    }
    for message in &capture.after {
        phone.say_json(message).await;
    }
    if capture.media.is_none() {
        phone.hang_up().await;
    }
    let events = recorded.await.unwrap();
    server.wait_for(|app| app.live().list().is_empty().then_some(())).await;
    events
}

/// What every dialect must come to: the same sound, heard in full and read.
fn check(events: &[Value], call_id: &str) -> f64 {
    let closed = only(events, "session.closed");
    assert_eq!((closed["reason"].as_str(), closed["call_id"].as_str()), (Some("requested"), Some(call_id)));
    assert_eq!(closed["customer_id"], "c-1007");
    let totals = &closed["totals"];
    assert_eq!(
        (&totals["faults"], &totals["audio_gap_ms"], &totals["audio_late_ms"]),
        (&0.into(), &0.into(), &0.into())
    );
    assert_heard(totals, LENGTH_MS as u64);
    assert!(totals["windows_read"].as_u64().unwrap() > 0, "{totals}");
    let voices =
        events.iter().filter(|event| event["type"] == "reading" && event["reading"]["modality"] == "voice");
    assert!(voices.count() > 0, "{events:#?}");
    closed["emotion"]["categories"]["neutral"].as_f64().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_dialect_says_the_same() {
    let server = serve(&[]).await;
    let dialect = |capture, writing, rate_hz, piece_ms| Dialect { capture, writing, rate_hz, piece_ms };
    let mut neutral = Vec::new();
    for (dialect, call_id) in [
        (dialect("twilio", Writing::MuLaw, 8_000, 20), "CA00000000000000000000000000000001"),
        (dialect("exotel", Writing::Little, 8_000, 100), "call-0002"),
        (dialect("telnyx", Writing::ALaw, 8_000, 20), "v2:call-0003"),
        (dialect("telnyx_l16", Writing::Big, 16_000, 20), "v2:call-0005"),
        (dialect("vonage", Writing::Little, 16_000, 20), "call-0006"),
    ] {
        let events = play(&server, &dialect).await;
        neutral.push((dialect.capture, check(&events, call_id)));
    }
    // A wrong byte order or law would be noise, and read as something else.
    for (capture, probability) in &neutral {
        assert!((probability - neutral[0].1).abs() < 0.2, "{capture} differs: {neutral:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_application_says_reaches_the_session() {
    let server = serve(&[]).await;
    let capture = capture("twilio");
    let mut phone = server.dial().await;
    for message in &capture.before {
        phone.say_json(message).await;
    }
    let info = server.session().await;
    let recorded = server.record(&info.session_id);
    assert_eq!(info.tracks.len(), 1);
    phone.say_json(capture.after.last().unwrap()).await;
    let events = recorded.await.unwrap();
    let options = &only(&events, "session.created")["options"];
    assert_eq!((&options["language"], &options["waiting_ms"]), (&"en".into(), &90_000.into()));
    assert_eq!(options["needed_skills"][0]["name"], "refund");
    assert_eq!(options["labels"]["queue"], "gold");
    let consent = &only(&events, "session.closed")["consent"];
    assert_eq!((&consent["state"], &consent["reference"]), (&"notice_given".into(), &"ivr-7".into()));
    assert_eq!(phone.goodbye().await.unwrap().code, 1_000.into());
}
