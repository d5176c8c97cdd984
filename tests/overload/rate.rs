//! Ten times as many requests as the server can answer.

use std::sync::Arc;
use std::time::Duration;

use heartline::load::{Arrivals, Load, Plan};

use crate::support::{Server, calls, measure};

/// How long the overload lasts where nothing else is said, in seconds.
const DEFAULT_SECONDS: u64 = 8;
/// What is kept of the rate that the server can do: in a full run, and in a short one, whose figures jump more.
const KEPT_SHARE: [f64; 2] = [0.9, 0.75];
/// How much memory may come on top in the second half of an overload, in bytes.
const GROWTH_LIMIT_BYTES: u64 = 24 << 20;
/// An answer that comes later than this is of no use to a live call.
const BOUND: Duration = Duration::from_secs(3);
/// Calls are of so many utterances.
const ROWS: usize = 4;

/// The overload's length in seconds, and whether it is a full run.
fn length() -> (u64, bool) {
    match std::env::var("HEARTLINE_OVERLOAD_SECONDS").map(|text| text.parse()) {
        Ok(Ok(seconds)) => (seconds, seconds >= 30),
        Ok(Err(error)) => panic!("HEARTLINE_OVERLOAD_SECONDS is no number: {error}"),
        Err(_) => (DEFAULT_SECONDS, false),
    }
}

/// The mean of samples.
fn mean(samples: &[u64]) -> u64 {
    samples.iter().sum::<u64>() / samples.len().max(1) as u64
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_times_the_sustainable_rate_costs_little_of_it_and_no_memory() {
    let (seconds, is_full) = length();
    let server = Arc::new(Server::start(&["server.max_concurrent_requests=16"]).await);
    let client = server.client(Duration::from_secs(10)).await;
    let requests = calls(ROWS);
    let plan = |load, seconds| Plan {
        warm_up: Duration::from_secs(2),
        duration: Duration::from_secs(seconds),
        bound: Some(BOUND),
        max_in_flight: 4_000,
        ..Plan::new(load)
    };
    let most = measure(&client, &requests, &plan(Load::Closed { concurrency: 12 }, seconds.min(15))).await;
    assert_eq!(most.failed, 0, "{most:?}");
    let sustainable = most.requests_per_second;

    let watched = Arc::clone(&server);
    let watching = tokio::spawn(async move {
        let mut samples = Vec::new();
        loop {
            samples.push(watched.resident_bytes());
            tokio::time::sleep(Duration::from_millis(250)).await;
            if samples.len() as u64 == (seconds + 2) * 4 {
                return samples;
            }
        }
    });
    let load = Load::Open { rate: sustainable * 10.0, arrivals: Arrivals::Poisson };
    let flooded = measure(&client, &requests, &plan(load, seconds)).await;
    let memory = watching.await.unwrap();

    let (half, last) = (&memory[memory.len() / 4..memory.len() / 2], &memory[memory.len() * 3 / 4..]);
    let kept = flooded.good_per_second / sustainable;
    eprintln!(
        "{sustainable:.1} calls a second can be done; asked {:.0}, {:.1} good ones were answered ({:.0} %), {:?}; \
         memory {} MB, then {} MB; latency {:?}",
        sustainable * 10.0,
        flooded.good_per_second,
        kept * 100.0,
        flooded.answers,
        mean(half) >> 20,
        mean(last) >> 20,
        flooded.latency_ms,
    );
    assert_eq!(flooded.failed, flooded.answers[&429], "whoever is not served is refused: {flooded:?}");
    assert!(kept >= KEPT_SHARE[usize::from(!is_full)], "{kept:.2} of the rate is left");
    assert!(mean(last) <= mean(half) + GROWTH_LIMIT_BYTES, "memory grows: {memory:?}");

    let (answer, elapsed) = server.ask().await;
    assert!(answer.starts_with("HTTP/1.1 200") && elapsed < Duration::from_secs(2), "{elapsed:?}: {answer}");
}
