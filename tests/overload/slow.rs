//! Clients that take their time.

use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;

use crate::support::{Server, call, head, read_all};

/// A server that is soon impatient and has few places.
const SETTINGS: [&str; 6] = [
    "server.header_timeout_ms=500",
    "server.body_timeout_ms=500",
    "server.min_body_bytes_per_second=1000",
    "server.max_concurrent_requests=4",
    "server.max_connections=24",
    "engine.warm_up=false",
];

#[tokio::test]
async fn places_taken_by_bodies_that_trickle_are_free_again_soon() {
    let server = Server::start(&SETTINGS).await;
    let mut slow = JoinSet::new();
    for _ in 0..4 {
        let mut stream = server.connect(&format!("{}\r\n{{", head(10_000))).await;
        slow.spawn(async move {
            let (mut reading, mut writing) = stream.split();
            let trickle = async {
                while writing.write_all(b" ").await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                std::future::pending::<()>().await;
            };
            let mut answer = vec![0; 4_096];
            let count = tokio::select! {
                count = tokio::io::AsyncReadExt::read(&mut reading, &mut answer) => count.unwrap(),
                () = trickle => unreachable!(),
            };
            String::from_utf8_lossy(&answer[..count]).into_owned()
        });
    }
    server.until_metric("heartline_requests_in_flight", 5.0).await;
    let started = Instant::now();
    // All places are taken, until the slow ones are told to go.
    let mut refusals = 0;
    let answer = loop {
        let (answer, _) = server.ask().await;
        if !answer.starts_with("HTTP/1.1 429") {
            break answer;
        }
        refusals += 1;
        assert!(started.elapsed() < Duration::from_secs(10), "the places stay taken");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(refusals > 0, "the slow ones had no places");
    while let Some(answer) = slow.join_next().await {
        let answer = answer.unwrap();
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("body_timeout"), "{answer}");
    }
}

#[tokio::test]
async fn silent_clients_and_slow_heads_do_not_keep_others_out() {
    let server = Server::start(&SETTINGS).await;
    // As many as may be connected, one half silent and one half in the middle of a head.
    let mut slow = Vec::new();
    for number in 0..24 {
        let words = if number % 2 == 0 { "" } else { "POST /v1/analyze HTTP/1.1\r\nhos" };
        slow.push(server.connect(words).await);
    }
    let (answer, elapsed) = server.ask().await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(elapsed < Duration::from_secs(10), "{elapsed:?}");
    for mut stream in slow {
        assert_eq!(read_all(&mut stream).await, "", "a slow one is closed without a word");
    }
}

#[tokio::test]
async fn a_client_that_never_reads_is_let_go() {
    let server = Server::start(&SETTINGS).await;
    // Requests without end on one connection, whose answers nobody reads: soon no more can be sent.
    let mut stream = server.connect("").await;
    let request = "GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(100);
    let started = Instant::now();
    while stream.write_all(request.as_bytes()).await.is_ok() {
        assert!(started.elapsed() < Duration::from_secs(20), "the server goes on for ever");
    }
    let (answer, _) = server.ask().await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_large_body_at_a_steady_pace_is_read() {
    let server = Server::start(&SETTINGS).await;
    let request = call(300, true);
    let mut stream = server.connect("").await;
    let started = Instant::now();
    // Twice the pace that is asked for, and longer in all than any body has from the start.
    for piece in request.as_bytes().chunks(200) {
        stream.write_all(piece).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(started.elapsed() > Duration::from_secs(2));
    let answer = read_all(&mut stream).await;
    let beginning = &answer[..answer.len().min(300)];
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"readings_total\":300"), "{beginning}");
}
