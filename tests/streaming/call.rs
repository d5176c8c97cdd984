//! The sample call, streamed: what comes back, in which order, and that it is what the analysis of the whole says.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Live, Piece, agents, run, sample_call, send, server, tracks};

/// How much faster than it was spoken the call is sent: words must not run further ahead of the voice than readings may
/// lie apart.
const SPEED: u32 = 8;

/// Streams the whole sample call and returns the client with everything that came.
async fn stream(session: Value) -> (Live, Value) {
    let mut live = server().await.connect().await;
    live.until("session.created").await;
    live.configure(session).await;
    live.until("session.updated").await;
    let started = tokio::time::Instant::now();
    for (at_ms, piece) in sample_call() {
        tokio::time::sleep_until(started + Duration::from_millis(at_ms) / SPEED).await;
        send(&mut live, at_ms, &piece).await;
        if matches!(piece, Piece::Frame(_)) {
            // The newest frame wins, so each is awaited here, as it would be in real time.
            live.until("frame").await;
        }
    }
    let summary = live.close().await;
    (live, summary)
}

#[test]
fn a_call_gives_readings_a_track_of_emotion_a_ranking_and_a_summary() {
    run(async {
        let session = json!({"call_id": "call-7", "consent": "notice_given", "tracks": tracks(),
            "agents": agents(), "labels": {"queue": "returns"}});
        let (live, summary) = stream(session).await;
        let numbers: Vec<_> = live.events.iter().filter_map(|event| event["number"].as_u64()).collect();
        let expected: Vec<_> = (1..=live.events.len() as u64).collect();
        assert_eq!(numbers, expected, "nothing is lost and all is in order");

        for modality in ["text", "voice"] {
            let readings = live.of("reading");
            let count = readings.iter().filter(|event| event["reading"]["modality"] == modality).count();
            assert!(count >= 4, "{count} readings of {modality}");
        }
        let frames = live.of("frame");
        assert_eq!(frames.len(), 6);
        assert!(frames.iter().all(|frame| frame["faces"][0]["is_customer"] == true), "{frames:?}");
        let ids: Vec<_> = frames.iter().map(|frame| &frame["faces"][0]["face_id"]).collect();
        assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "one person is one face: {ids:?}");
        assert!(live.of("utterance.start").len() >= 4);
        assert_eq!(live.of("utterance.start").len(), live.of("utterance.end").len());

        let track = live.of("emotion");
        let times: Vec<_> = track.iter().filter_map(|event| event["emotion"]["at_ms"].as_u64()).collect();
        assert!(times.len() >= 10 && times.is_sorted(), "{times:?}");
        let last = &track[track.len() - 1]["emotion"];
        assert_eq!(last["concern_issue"]["topic"], "refund");
        assert!(last["frustration"].as_f64().unwrap() > 0.2, "{last}");
        assert!(last["valence"].as_f64().unwrap() < 0.0, "{last}");

        let rankings = live.of("ranking");
        assert_eq!(rankings[0]["because"], "first");
        assert!(rankings.len() < track.len(), "{} rankings are too many", rankings.len());
        assert!(rankings[0]["ranking"]["entries"].as_array().unwrap().len() <= 10);

        assert_eq!(summary["reason"], "requested");
        assert_eq!((&summary["call_id"], &summary["labels"]["queue"]), (&json!("call-7"), &json!("returns")));
        assert_eq!(summary["totals"]["utterances"], 7);
        assert_eq!(summary["totals"]["audio_gap_ms"], 0);
        assert_eq!(summary["totals"]["windows_skipped"], 0);
        assert!(summary["coverage"]["voice"].as_f64().unwrap() > 0.99, "{}", summary["coverage"]);
        assert_eq!(summary["emotion"]["concern_issue"]["topic"], "refund");
        assert!(summary["timeline"].as_array().unwrap().len() >= 8, "{}", summary["timeline"]);
        // On a busy machine words may run ahead of the voice all the same.
        let notices: Vec<_> = summary["notices"].as_object().unwrap().keys().collect();
        assert!(notices.iter().all(|code| *code == "reading_late"), "{notices:?}");
    });
}

#[test]
fn a_streamed_call_ends_where_its_analysis_ends() {
    run(async {
        let (_, summary) = stream(json!({"tracks": tracks(), "consent": "agreed"})).await;
        let app = &server().await.app;
        let material = heartline::app::CallMaterial {
            audio: Some(std::fs::read(crate::support::sample("call/speech.flac")).unwrap()),
            frames: heartline::app::Frames::Path(crate::support::sample("call/frames")),
            transcript: Some(
                heartline::media::read_transcript(
                    &crate::support::sample("call/transcript.txt"),
                    &heartline::media::MediaLimits::default(),
                )
                .unwrap(),
            ),
            ..heartline::app::CallMaterial::default()
        };
        let whole = app.analyze_call(material).await.unwrap().emotion;
        let number = |field: &str| summary["emotion"][field].as_f64().unwrap() as f32;
        // The windows of running speech lie a little differently, so a little difference is right.
        for (field, expected) in
            [("valence", whole.valence), ("arousal", whole.arousal), ("frustration", whole.frustration)]
        {
            assert!((number(field) - expected).abs() < 0.15, "{field}: {} and {expected}", number(field));
        }
        assert!((number("concern") - whole.concern).abs() < 1e-6);
    });
}

#[test]
fn what_is_updated_counts_at_once() {
    run(async {
        let mut live = server().await.connect().await;
        live.configure(json!({"tracks": tracks()})).await;
        live.until("session.updated").await;
        live.say(&json!({"type": "text", "track": 2, "text": "Where is my refund?", "start_ms": 0,
            "end_ms": 1500}))
            .await;
        live.until("reading").await;
        live.configure(json!({"agents": agents(), "needed_skills": [{"name": "refund"}]})).await;
        assert_eq!(live.until("session.updated").await["agents"], 50);
        assert_eq!(live.until("ranking").await["need"]["source"], "stated");
        live.configure(json!({"needed_skills": [{"name": "delivery"}]})).await;
        let ranking = live.until("ranking").await;
        assert_eq!(
            (&ranking["because"], &ranking["need"]["needed_skills"][0]["name"]),
            (&json!("update"), &json!("delivery"))
        );
        live.close().await;
    });
}

#[test]
fn partial_words_wait_for_the_final_ones() {
    run(async {
        let mut live = server().await.connect().await;
        live.configure(json!({"tracks": tracks()})).await;
        for (text, is_final) in [("I am", false), ("I am so", false), ("I am so very angry with you", true)] {
            live.say(&json!({"type": "text", "track": 2, "text": text, "start_ms": 0, "is_final": is_final}))
                .await;
        }
        // The last one never gets its final words; it is read when the call ends.
        live.say(
            &json!({"type": "text", "track": 2, "text": "And this", "start_ms": 60_000, "is_final": false}),
        )
        .await;
        let summary = live.close().await;
        assert_eq!(summary["totals"]["utterances"], 2);
        assert_eq!(live.of("reading").len(), 2);
        assert_eq!(summary["emotion"]["at_ms"], summary["duration_ms"]);
    });
}
