//! What a client may get wrong: each fault has its answer, and the call goes on.

use serde_json::{Value, json};

use crate::support::{Live, Server, run, server, tracks};

async fn code(live: &mut Live) -> String {
    let error = live.until("error").await;
    assert_eq!(error["is_recoverable"], true, "{error}");
    error["code"].as_str().unwrap().to_owned()
}

#[test]
fn every_fault_has_its_code_and_the_call_goes_on() {
    run(async {
        let mut live = server().await.connect().await;
        let unusable: [(Value, &str); 6] = [
            (json!({"type": "session.open"}), "message_invalid"),
            (json!({"type": "session.update", "session": {"trakcs": []}}), "message_invalid"),
            (json!({"type": "session.update", "session": {"language": "not a tag"}}), "options_invalid"),
            (json!({"type": "text", "track": 0, "text": "too early"}), "no_such_track"),
            (json!({"type": "session.resume", "resume_token": "x"}), "message_invalid"),
            (
                json!({"type": "session.update", "session": {"tracks": [
                {"name": "a", "kind": "audio", "role": "agent", "format": {"encoding": "container"}}]}}),
                "agent_biometrics_refused",
            ),
        ];
        for (message, expected) in unusable {
            live.say(&message).await;
            assert_eq!(code(&mut live).await, expected, "{message}");
        }
        live.configure(json!({"tracks": tracks()})).await;
        for (kind, track, expected) in
            [(9, 0, "message_invalid"), (1, 1, "no_such_track"), (2, 7, "no_such_track")]
        {
            live.media(kind, track, None, b"anything").await;
            assert_eq!(code(&mut live).await, expected, "kind {kind}, track {track}");
        }
        live.media(2, 1, Some(0), b"no picture").await;
        assert_eq!(live.until("frame").await["skipped"], "unreadable");
        live.configure(json!({"tracks": []})).await;
        assert_eq!(code(&mut live).await, "message_invalid", "streams are settled with the first media");
        live.say(&json!({"type": "text", "track": 2, "text": "x".repeat(5_000)})).await;
        assert_eq!(code(&mut live).await, "text_too_long");
        let summary = live.close().await;
        assert_eq!(summary["totals"]["faults"], 11);
    });
}

#[test]
fn too_many_faults_end_the_call() {
    run(async {
        let server = Server::start(&["live.max_faults=3", "engine.warm_up=false"]).await;
        let mut live = server.connect().await;
        for _ in 0..3 {
            live.say(&json!("nonsense")).await;
        }
        assert_eq!(live.until("session.closed").await["reason"], "too_many_faults");
        assert_eq!(live.of("error")[2]["is_recoverable"], false);
    });
}

#[test]
fn a_message_beyond_the_limit_ends_the_connection_but_not_the_call() {
    run(async {
        let server = Server::start(&["live.max_message_bytes=4096", "engine.warm_up=false"]).await;
        let mut live = server.connect().await;
        live.configure(json!({"tracks": tracks()})).await;
        live.until("session.updated").await;
        live.media(1, 0, None, &[0; 8_192]).await;
        assert_eq!(live.next().await, None);
        assert_eq!(server.app.live().count(), 1);
    });
}

#[test]
fn timestamps_may_jump_repeat_and_begin_anew() {
    run(async {
        let mut live = server().await.connect().await;
        live.configure(json!({"tracks": tracks()})).await;
        let silence = vec![0; 3_200];
        // In order, again, a gap of a second, the epoch, and the beginning.
        for at_ms in [0, 100, 100, 1_200, 1_790_000_000_000, 1_790_000_000_100, 0] {
            live.media(1, 0, Some(at_ms), &silence).await;
        }
        let summary = live.close().await;
        let totals = &summary["totals"];
        assert_eq!((&totals["audio_ms"], &totals["audio_gap_ms"]), (&json!(600), &json!(1_000)), "{totals}");
        assert_eq!(totals["audio_late_ms"], 100);
        assert_eq!(summary["duration_ms"], 1_600);
        let notices = summary["notices"].as_object().unwrap();
        for code in ["audio_gap", "audio_late", "clock_reset"] {
            assert!(notices.contains_key(code), "{code}: {notices:?}");
        }
    });
}
