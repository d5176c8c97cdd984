//! Many calls one after the other, and one that lasts an hour: memory stays flat and no task is left behind.
//!
//! A harness of its own, because it counts the tasks of its whole process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "what was measured is worth seeing")]

#[path = "../streaming/support.rs"]
#[allow(dead_code, reason = "the streaming harness uses all of it")]
mod support;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use support::{Live, Piece, run, sample_call, send, server, tracks};

/// What one test's calls may add for good, in bytes: allocators keep some of what was given back.
const GROWTH_LIMIT_BYTES: u64 = 24 << 20;
/// What a long call may hold at any time, in bytes, beyond what it began with.
const CALL_LIMIT_BYTES: u64 = 64 << 20;

/// The program in a process of its own, so that its memory is not that of the test's client.
struct Program {
    child: Child,
    address: SocketAddr,
}

impl Program {
    fn start() -> Self {
        let plugins = std::env::current_exe().unwrap().parent().unwrap().display().to_string();
        let mut command = Command::new(env!("CARGO_BIN_EXE_heartline"));
        command.arg("serve").current_dir(env!("CARGO_MANIFEST_DIR"));
        for setting in [&format!("plugins.folder={plugins}"), "engine.device=cpu", "server.bind=127.0.0.1:0"]
        {
            command.args(["--set", setting]);
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit('/').next().unwrap_or_default().parse();
        Self { child, address: address.unwrap_or_else(|_| panic!("it says {line:?}")) }
    }

    fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1_024
    }

    async fn call(&self) -> Live {
        let mut live = Live::connect(self.address, "/v1/live").await;
        live.configure(json!({"tracks": tracks()})).await;
        live
    }

    async fn short_call(&self) {
        play(self.call().await).await;
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // One that has ended already needs no end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first three seconds of the sample call.
async fn play(mut live: Live) {
    for (at_ms, piece) in sample_call().iter().filter(|(at_ms, _)| *at_ms < 3_000) {
        send(&mut live, *at_ms, piece).await;
    }
    live.close().await;
}

#[test]
fn no_task_is_left_of_calls_that_have_ended() {
    run(async {
        let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
        let server = server().await;
        let call = async || {
            let mut live = server.connect().await;
            live.configure(json!({"tracks": tracks()})).await;
            play(live).await;
        };
        call().await;
        let quiet = async |most: usize| {
            let started = Instant::now();
            while tasks() > most && started.elapsed() < Duration::from_secs(10) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            tasks()
        };
        // The first call pays for what stays: the listener and the engine's own.
        let before = quiet(2).await;
        for _ in 0..20 {
            call().await;
        }
        let left = quiet(before).await;
        assert!(left <= before, "{left} tasks are left of {before}");
        assert_eq!(server.app.live().count(), 0);
    });
}

#[test]
fn two_hundred_calls_and_one_of_an_hour_take_no_memory_for_good() {
    run(async {
        let program = Program::start();
        // The first calls pay for what is kept for ever: threads, and the models' room for their largest batch.
        for _ in 0..10 {
            program.short_call().await;
        }
        long_call(&program, 10).await;
        let before = program.resident_bytes();
        for _ in 0..200 {
            program.short_call().await;
        }
        let grown = program.resident_bytes().saturating_sub(before);
        assert!(grown < GROWTH_LIMIT_BYTES, "200 calls leave {grown} bytes");
        let grown = long_call(&program, 60).await;
        assert!(grown < CALL_LIMIT_BYTES, "an hour takes {grown} bytes");
        eprintln!("an hour takes {grown} bytes");
    });
}

/// Minutes of a call as fast as they go, and the memory that they took at most: eleven seconds of speech every other
/// minute, silence, and a frame and a sentence each ten seconds.
async fn long_call(program: &Program, minutes: u64) -> u64 {
    let mut live = program.call().await;
    let speech: Vec<Vec<u8>> = sample_call()
        .into_iter()
        .filter_map(|(_, piece)| if let Piece::Audio(bytes) = piece { Some(bytes) } else { None })
        .collect();
    let frame = std::fs::read(support::sample("call/frames/0000ms.jpg")).unwrap();
    let silence = vec![0; 3_200];
    let start = program.resident_bytes();
    let mut highest = 0;
    for at_ms in (0..minutes * 60_000).step_by(100) {
        let spoken = speech.get((at_ms % 120_000 / 100) as usize).unwrap_or(&silence);
        live.media(1, 0, Some(at_ms), spoken).await;
        if at_ms % 10_000 == 0 {
            live.media(2, 1, Some(at_ms), &frame).await;
            let text = format!("This is sentence {} about my refund.", at_ms / 10_000);
            live.say(&json!({"type": "text", "track": 2, "end_ms": at_ms + 100, "text": text})).await;
            read_what_is_there(&mut live).await;
            highest = highest.max(program.resident_bytes());
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
