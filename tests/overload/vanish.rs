//! Clients that go before they have their answer.

use std::time::Duration;

use crate::support::{Server, call, head};

#[tokio::test]
async fn the_work_of_clients_who_have_gone_is_not_done() {
    let server = Server::start(&["engine.warm_up=false"]).await;
    // As much work as the queue takes, of which nobody waits for anything.
    let mut gone = Vec::new();
    for _ in 0..4 {
        gone.push(server.connect(&call(60, false)).await);
    }
    // A call puts 32 rows into the queue at once, and one such portion is being computed.
    server.until_metric("heartline_queue_rows{device=\"cpu\",model=\"text\"}", 60.0).await;
    drop(gone);
    let elapsed = server.until_idle(Duration::from_secs(10)).await;
    let skipped = server.metric("heartline_skipped_rows_total{model=\"text\",reason=\"gone\"}").await;
    assert!(skipped >= 32.0, "{skipped} rows were left out after {elapsed:?}");
    let (answer, elapsed) = server.ask().await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(elapsed < Duration::from_secs(5), "{elapsed:?}");
}

#[tokio::test]
async fn half_requests_leave_nothing_behind() {
    let server = Server::start(&["server.max_concurrent_requests=4", "engine.warm_up=false"]).await;
    for round in 0..50 {
        let words = match round % 3 {
            0 => "POST /v1/ana".to_owned(),
            1 => format!("{}\r\n{{\"transcript\": \"cut", head(1_000)),
            _ => call(1, false),
        };
        drop(server.connect(&words).await);
    }
    server.until_idle(Duration::from_secs(10)).await;
    let (answer, _) = server.ask().await;
    assert!(answer.starts_with("HTTP/1.1 200"), "no place was lost: {answer}");
}
