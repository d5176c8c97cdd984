//! Recordings that are whole: they come out the same, with their words and without.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Folder, SECRET_WORD, agents, build, lines, open, recorded, replay, say, update};

#[tokio::test]
async fn a_recorded_call_comes_out_the_same() {
    for keeps_words in ["live.record_words=false", "live.record_words=true"] {
        let folder = Folder::new();
        let path = recorded(&folder, &[keeps_words]).await;
        assert_eq!(folder.names().len(), 1, "{:?}", folder.names());
        let run = replay(&path, &[]);
        run.assert(0, &["all the same as recorded", "ranking (first)", "agent-", "concern", "(refund)"]);
        let events: Vec<Value> = replay(&path, &["--json"])
            .output
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let (last, events) = events.split_last().unwrap();
        assert_eq!((last["type"].as_str(), last["is_same"].as_bool()), (Some("replay"), Some(true)));
        assert_eq!(last["replayed_events"].as_u64(), Some(events.len() as u64));
        let kinds: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
        for kind in ["reading", "emotion", "ranking"] {
            assert!(kinds.contains(&kind), "{kind} is not in {kinds:?}");
        }
    }
}

#[tokio::test]
async fn words_are_in_it_only_where_they_are_wanted() {
    let folder = Folder::new();
    let silent = recorded(&folder, &[]).await;
    let text = lines(&silent).join("\n");
    assert!(!text.contains(SECRET_WORD) && !text.contains("manager"), "words are in the recording");
    assert!(text.contains("\"topic\":\"refund\""), "what follows from them is");
    let talking = recorded(&folder, &["live.record_words=true"]).await;
    assert!(lines(&talking).join("\n").contains(SECRET_WORD));
}

#[tokio::test]
async fn another_policy_ranks_otherwise() {
    let folder = Folder::new();
    let path = recorded(&folder, &[]).await;
    replay(&path, &["--policy-from", "config"]).assert(0, &["all the same"]);
    let attitude_alone = r#"routing.policies=[{ name = "default", matchers = [{ id = "attitude" }] }]"#;
    let other = ["--policy-from", "config", "--set", attitude_alone];
    replay(&path, &other).assert(1, &["differs", "recorded: emotion", "replayed: emotion", "ranking agent-"]);
    // The file names libraries, and only those of the configuration are loaded.
    let fewer = r#"plugins.matchers=[{ path = "libheartline_attitude.so" }]"#;
    replay(&path, &["--set", fewer]).assert(64, &["libheartline_skill.so", "--policy-from config"]);
}

#[tokio::test]
async fn media_time_passes_as_slowly_as_is_asked_for() {
    let folder = Folder::new();
    let path = recorded(&folder, &[]).await;
    let started = Instant::now();
    // The call lasts 31 s.
    replay(&path, &["--speed", "20"]).assert(0, &["all the same"]);
    assert!(started.elapsed() >= Duration::from_millis(1_500), "{:?}", started.elapsed());
    replay(&path, &["--speed", "0"]).assert(64, &["--speed"]);
}

#[tokio::test]
async fn a_recording_has_a_limit_and_says_that_it_was_reached() {
    let folder = Folder::new();
    let app = build(&folder, &["live.record_max_bytes=65536"]);
    let session = open(&app);
    for second in 0..60 {
        say(&session, second * 2, "Where is my refund?").await;
        // A list of agents weighs more than all the rest of a call.
        let mut all = agents(150);
        for (index, agent) in all.as_array_mut().unwrap().iter_mut().enumerate() {
            agent["id"] = json!(format!("{:x}", (second as usize * 1_000 + index) * 0x9e37_79b9));
        }
        update(&session, json!({"agents": all})).await;
    }
    app.live().drain().await;
    let path = folder.path().join(format!("{}.heartline-replay", session.id()));
    let bytes = std::fs::metadata(&path).unwrap().len();
    assert!((20_000..=65_536).contains(&bytes), "{bytes}");
    replay(&path, &[]).assert(0, &["all the same as recorded", "live.record_max_bytes"]);
}

#[tokio::test]
async fn a_recording_that_is_not_whole_has_another_name() {
    let folder = Folder::new();
    let app = build(&folder, &[]);
    let session = open(&app);
    let partial = [format!(".{}.partial", session.id())];
    let started = Instant::now();
    while folder.names() != partial {
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", folder.names());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    app.live().drain().await;
    assert_eq!(folder.names(), [format!("{}.heartline-replay", session.id())]);
}
