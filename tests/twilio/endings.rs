//! How calls end: told to, cut off, taken up again, and given up.

use std::time::Duration;

use serde_json::Value;

use crate::support::{Phone, Server, Writing, assert_heard, capture, only, serve, speech};

/// Opens the Twilio capture's stream under a name, and sends two seconds of sound from a time on.
async fn speak(server: &Server, stream: &str, from_ms: u64) -> Phone {
    let capture = capture("twilio");
    let mut phone = server.dial().await;
    let named = |mut message: Value| {
        if message.get("streamSid").is_some() {
            message["streamSid"] = Value::from(stream);
        }
        message
    };
    for message in capture.before.clone() {
        phone.say_json(&named(message)).await;
    }
    let sound = speech(Writing::MuLaw, 8_000, 2_000);
    for (piece, index) in sound.chunks(160).zip(0_u64..) {
        phone.say_json(&named(capture.media(from_ms / 20 + index, from_ms + index * 20, piece))).await;
    }
    phone
}

async fn heard_ms(server: &Server, at_least_ms: u64) {
    server
        .wait_for(|app| {
            let info = app.live().list().pop()?;
            (info.media_ms >= at_least_ms).then_some(())
        })
        .await;
}

async fn is_connected(server: &Server, expected: bool) {
    server.wait_for(|app| (app.live().list().pop()?.is_connected == expected).then_some(())).await;
}

/// Cuts a call off and takes it up as another stream or as the same.
async fn resumed(stream: &str, from_ms: u64) -> Vec<Value> {
    let server = serve(&[]).await;
    let phone = speak(&server, "MZ1", 0).await;
    let recorded = server.record(&server.session().await.session_id);
    heard_ms(&server, 1_500).await;
    drop(phone);
    is_connected(&server, false).await;
    let mut phone = speak(&server, stream, from_ms).await;
    is_connected(&server, true).await;
    phone.say(r#"{"event":"stop"}"#).await;
    recorded.await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_cut_off_goes_on_where_it_was() {
    for (stream, from_ms) in [("MZ1", 2_000), ("MZ2", 0)] {
        let events = resumed(stream, from_ms).await;
        let closed = only(&events, "session.closed");
        let totals = &closed["totals"];
        assert_heard(totals, 4_000);
        assert_eq!(totals["resumes"], 1, "{stream}: {totals}");
        assert_eq!(totals["audio_late_ms"], 0, "{stream}: {totals}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_never_comes_back_ends_by_itself() {
    let server = serve(&["live.resume_ms=200"]).await;
    let phone = speak(&server, "MZ1", 0).await;
    let recorded = server.record(&server.session().await.session_id);
    drop(phone);
    let events = recorded.await.unwrap();
    let closed = only(&events, "session.closed");
    assert_eq!(closed["reason"], "connection_lost");
    // The same stream is a new call from now on.
    server.wait_for(|app| app.live().list().is_empty().then_some(())).await;
    let mut phone = speak(&server, "MZ1", 0).await;
    assert_ne!(server.session().await.session_id, closed["session_id"]);
    phone.say(r#"{"event":"stop"}"#).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_faults_end_a_call() {
    let server = serve(&["telephony.max_faults=3"]).await;
    let mut phone = speak(&server, "MZ1", 0).await;
    let recorded = server.record(&server.session().await.session_id);
    for message in ["nonsense", "{}", r#"{"event":"media"}"#, "[]"] {
        phone.say(message).await;
    }
    let events = recorded.await.unwrap();
    assert_eq!(only(&events, "session.closed")["reason"], "too_many_faults");
    assert_eq!(phone.goodbye().await.unwrap().code, 1_008.into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_encoding_that_cannot_be_read_opens_nothing() {
    let server = serve(&[]).await;
    let mut phone = server.dial().await;
    let start = r#"{"event":"start","start":{"media_format":{"encoding":"AMR-WB","sample_rate":16000}}}"#;
    phone.say(start).await;
    assert_eq!(phone.goodbye().await.unwrap().code, 1_003.into());
    assert!(server.app.live().list().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_says_nothing_is_not_waited_for() {
    let server = serve(&["telephony.start_timeout_ms=200", "live.max_sessions=1"]).await;
    let mut silent = server.dial().await;
    silent.say(r#"{"event":"connected"}"#).await;
    assert_eq!(silent.goodbye().await.unwrap().code, 1_008.into());
    // And whoever finds no room is told so.
    let _first = speak(&server, "MZ1", 0).await;
    server.session().await;
    let mut second = server.dial().await;
    second.say(r#"{"event":"start","streamSid":"MZ9","start":{}}"#).await;
    assert_eq!(second.goodbye().await.unwrap().code, 1_013.into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_ends_by_itself_ends_the_connection() {
    let server = serve(&["live.idle_timeout_ms=300"]).await;
    let phone = speak(&server, "MZ1", 0).await;
    let begun = std::time::Instant::now();
    assert_eq!(phone.goodbye().await.unwrap().code, 1_001.into());
    assert!(begun.elapsed() < Duration::from_secs(30));
}
