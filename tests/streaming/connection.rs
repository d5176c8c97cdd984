//! Connections that break, come back, stall or stay silent.

use std::time::Duration;

use serde_json::json;
use tokio_tungstenite::tungstenite;

use crate::support::{Server, run, sample_call, send, server, tracks};

#[test]
fn a_lost_connection_is_taken_up_without_losing_anything() {
    run(async {
        let server = server().await;
        let mut first = server.connect().await;
        let created = first.until("session.created").await;
        first.configure(json!({"tracks": tracks()})).await;
        let pieces = sample_call();
        let half = pieces.len() / 2;
        for (at_ms, piece) in &pieces[..half] {
            send(&mut first, *at_ms, piece).await;
        }
        let seen = first.until("emotion").await["number"].as_u64().unwrap();
        // A connection that breaks takes along what the server has not read yet; only the last second is sent again.
        let session = server.app.live().find(created["session_id"].as_str().unwrap()).unwrap();
        while session.info().media_ms < pieces[half - 5].0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        drop(first);

        let path = format!("/v1/live/{}", created["session_id"].as_str().unwrap());
        let mut stranger = server.connect_to(&path).await;
        stranger.say(&json!({"type": "session.resume", "resume_token": "guessed"})).await;
        assert_eq!(stranger.next().await, None, "a stranger learns nothing");

        let mut second = server.connect_to(&path).await;
        let token = &created["resume_token"];
        second.say(&json!({"type": "session.resume", "resume_token": token, "after": seen})).await;
        // The last second is sent again; what was heard already is left out.
        for (at_ms, piece) in &pieces[half - 10..] {
            send(&mut second, *at_ms, piece).await;
        }
        let summary = second.close().await;
        assert_eq!(second.events[0]["number"], seen + 1, "the events go on where the client left");
        assert_eq!(summary["totals"]["audio_gap_ms"], 0);
        assert!(summary["totals"]["audio_late_ms"].as_u64().unwrap() > 0);
        assert_eq!(summary["totals"]["windows_skipped"], 0);
        assert_eq!(summary["totals"]["resumes"], 1);
    });
}

#[test]
fn who_does_not_come_back_in_time_finds_no_session() {
    run(async {
        let server = Server::start(&["live.resume_ms=200", "engine.warm_up=false"]).await;
        let mut live = server.connect().await;
        let id = live.until("session.created").await["session_id"].as_str().unwrap().to_owned();
        let mut events = server.app.live().find(&id).unwrap().events(None);
        drop(live);
        let mut last = None;
        while let Some(delivery) = events.next().await {
            last = Some(delivery);
        }
        let Some(heartline::live::Delivery::Event(closed)) = last else { panic!("{last:?}") };
        let closed: serde_json::Value = serde_json::from_slice(&closed.json).unwrap();
        assert_eq!(
            (&closed["type"], &closed["reason"]),
            (&json!("session.closed"), &json!("connection_lost"))
        );
        while server.app.live().count() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let gone = tokio_tungstenite::connect_async(format!("ws://{}/v1/live/{id}", server.address)).await;
        let Err(tungstenite::Error::Http(answer)) = gone else { panic!("{gone:?}") };
        assert_eq!(answer.status(), 404);
    });
}

#[test]
fn a_session_without_media_and_one_that_lasts_too_long_end() {
    run(async {
        for (setting, reason) in
            [("live.idle_timeout_ms=200", "idle"), ("live.max_duration_ms=1000", "too_long")]
        {
            let server = Server::start(&[setting, "engine.warm_up=false"]).await;
            let mut live = server.connect().await;
            assert_eq!(live.until("session.closed").await["reason"], reason);
            assert_eq!(live.next().await, None);
        }
    });
}

#[test]
fn more_sessions_than_the_limit_are_refused() {
    run(async {
        let server = Server::start(&["live.max_sessions=1", "engine.warm_up=false"]).await;
        let mut live = server.connect().await;
        live.until("session.created").await;
        let refused = tokio_tungstenite::connect_async(format!("ws://{}/v1/live", server.address)).await;
        let Err(tungstenite::Error::Http(answer)) = refused else { panic!("{refused:?}") };
        assert_eq!(answer.status(), 429);
        assert!(answer.headers().contains_key("retry-after"));
        live.close().await;
        while server.app.live().count() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        server.connect().await.until("session.created").await;
    });
}

#[test]
fn a_client_that_does_not_read_costs_the_others_nothing() {
    run(async {
        let server = server().await;
        let mut stalled = server.connect().await;
        stalled.configure(json!({"tracks": tracks(), "emotion_interval_ms": 100})).await;
        let mut reader = server.connect().await;
        reader.configure(json!({"tracks": tracks()})).await;
        for (at_ms, piece) in sample_call() {
            send(&mut stalled, at_ms, &piece).await;
            send(&mut reader, at_ms, &piece).await;
        }
        let summary = reader.close().await;
        assert_eq!(summary["totals"]["windows_skipped"], 0);
        // The session of the one who does not read has gone on all the same.
        let summary = stalled.close().await;
        assert_eq!(summary["totals"]["audio_ms"], 11_000);
        assert_eq!(summary["totals"]["windows_skipped"], 0);
    });
}

#[test]
fn a_stopping_server_ends_its_calls_with_a_summary() {
    run(async {
        let server = Server::start(&["engine.warm_up=false"]).await;
        let mut live = server.connect().await;
        live.configure(json!({"tracks": tracks()})).await;
        live.until("session.updated").await;
        let app = server.app.clone();
        tokio::spawn(async move { app.live().drain().await });
        assert_eq!(live.until("session.closed").await["reason"], "server_stopping");
        let refused = tokio_tungstenite::connect_async(format!("ws://{}/v1/live", server.address)).await;
        assert!(refused.is_err());
    });
}
