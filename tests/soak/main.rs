//! Many calls one after the other, and one that lasts an hour: memory stays flat and no task is left behind.
//!
//! A harness of its own, because it measures the memory of its whole process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../streaming/support.rs"]
#[allow(dead_code, reason = "the streaming harness uses all of it")]
mod support;

use std::time::{Duration, Instant};

use serde_json::json;

use support::{Live, Piece, run, sample_call, send, server, tracks};

/// What one test's calls may add for good, in bytes: allocators keep some of what was given back.
const GROWTH_LIMIT_BYTES: u64 = 24 << 20;
/// What a long call may hold at any time, in bytes, beyond what it began with.
const CALL_LIMIT_BYTES: u64 = 24 << 20;

/// The memory of this process, in bytes.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1_024
}

fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

async fn short_call() {
    let mut live = server().await.connect().await;
    live.configure(json!({"tracks": tracks()})).await;
    for (at_ms, piece) in sample_call().iter().filter(|(at_ms, _)| *at_ms < 3_000) {
        send(&mut live, *at_ms, piece).await;
    }
    live.close().await;
}

/// Ends when all sessions and their tasks have gone.
async fn quiet(tasks_before: usize) -> usize {
    let started = Instant::now();
    loop {
        let left = tasks();
        let is_quiet = server().await.app.live().count() == 0 && left <= tasks_before;
        if is_quiet || started.elapsed() > Duration::from_secs(10) {
            return left;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn two_hundred_calls_and_one_of_an_hour_leave_nothing_behind() {
    run(async {
        // The first calls pay for what is kept for ever: threads, buffers, tables.
        for _ in 0..10 {
            short_call().await;
        }
        let before = quiet(0).await;
        let (bytes, tasks_before) = (resident_bytes(), before);
        for _ in 0..200 {
            short_call().await;
        }
        let left = quiet(tasks_before).await;
        assert!(left <= tasks_before, "{left} tasks are left of {tasks_before}");
        let grown = resident_bytes().saturating_sub(bytes);
        assert!(grown < GROWTH_LIMIT_BYTES, "200 calls leave {grown} bytes");
        // Minutes first: models keep the room of their largest batch for ever.
        long_call(10).await;
        let grown = long_call(60).await;
        assert!(grown < CALL_LIMIT_BYTES, "an hour takes {grown} bytes");
        let left = quiet(tasks_before).await;
        assert!(left <= tasks_before, "{left} tasks are left of {tasks_before}");
    });
}

/// Minutes of a call as fast as they go, and the memory that they took at most: eleven seconds of speech every other minute, silence, and a frame each ten
/// seconds.
async fn long_call(minutes: u64) -> u64 {
    let mut live = server().await.connect().await;
    live.configure(json!({"tracks": tracks()})).await;
    let speech: Vec<Vec<u8>> = sample_call()
        .into_iter()
        .filter_map(|(_, piece)| if let Piece::Audio(bytes) = piece { Some(bytes) } else { None })
        .collect();
    let frame = std::fs::read(support::sample("call/frames/0000ms.jpg")).unwrap();
    let silence = vec![0; 3_200];
    let start = resident_bytes();
    let mut highest = 0;
    for at_ms in (0..minutes * 60_000).step_by(100) {
        let spoken = speech.get((at_ms % 120_000 / 100) as usize).unwrap_or(&silence);
        live.media(1, 0, Some(at_ms), spoken).await;
        if at_ms % 10_000 == 0 {
            live.media(2, 1, Some(at_ms), &frame).await;
            let text = format!("This is sentence {} about my refund.", at_ms / 10_000);
            live.say(&json!({"type": "text", "track": 2, "end_ms": at_ms + 100, "text": text})).await;
            read_what_is_there(&mut live).await;
            highest = highest.max(resident_bytes());
        }
    }
    let summary = live.close().await;
    assert_eq!(summary["duration_ms"], minutes * 60_000);
    assert_eq!(summary["totals"]["windows_skipped"], 0, "{}", summary["totals"]);
    assert!(summary["timeline"].as_array().unwrap().len() <= 600);
    highest.saturating_sub(start)
}

async fn read_what_is_there(live: &mut Live) {
    while let Ok(Some(_)) = tokio::time::timeout(Duration::from_millis(1), live.next()).await {}
    live.events.clear();
}
