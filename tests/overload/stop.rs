//! The end in the middle of it all.

use std::sync::Arc;
use std::time::Duration;

use heartline::load::{Load, Plan};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::{Server, call, calls, measure, read_all};

/// The server's last words where it left nothing undone.
const DRAINED: &str = "every accepted request was answered";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_told_to_end_under_load_answers_what_it_accepted() {
    const CLIENTS: usize = 8;
    let mut server = Server::start(&["telemetry.log_filter=heartline=debug"]).await;
    let client = server.client(Duration::from_secs(20)).await;
    let asking = tokio::spawn(async move {
        let plan = Plan {
            warm_up: Duration::ZERO,
            duration: Duration::from_secs(4),
            timeout: Duration::from_secs(20),
            ..Plan::new(Load::Closed { concurrency: CLIENTS })
        };
        measure(&client, &calls(4), &plan).await
    });
    tokio::time::sleep(Duration::from_secs(2)).await;
    server.terminate();
    let status = server.ended(Duration::from_secs(20)).await;
    assert_eq!(status.code(), Some(0), "{}", server.log());
    let report = asking.await.unwrap();
    let answered =
        server.log().lines().filter(|line| line.contains("answered") && line.contains("status=")).count();
    let arrived = report.answers.values().sum::<u64>();
    eprintln!(
        "{answered} answers left the server and {arrived} arrived; without one: {:?}",
        report.unanswered
    );
    assert!(server.log().contains(DRAINED), "{}", server.log());
    assert!(arrived > 0 && report.answers.keys().all(|status| *status == 200), "{report:?}");
    assert_eq!(arrived, answered as u64, "every answer arrived whole");
    assert_eq!(report.unanswered.late, 0, "nobody was left waiting: {report:?}");
    // A request that was on its way when its idle connection was closed was never accepted.
    assert!(report.unanswered.broken <= CLIENTS as u64, "{report:?}");
}

#[tokio::test]
async fn nothing_new_is_taken_while_the_last_ones_are_answered() {
    let mut server = Server::start(&["engine.warm_up=false"]).await;
    let idle = server.connect("").await;
    let request = call(1, false);
    let (begun, rest) = request.split_at(request.len() - 5);
    let mut last = server.connect(begun).await;
    // The look at the metric is a request as well.
    server.until_metric("heartline_requests_in_flight", 2.0).await;
    server.terminate();
    let address = server.address;
    tokio::time::timeout(Duration::from_secs(5), async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("new clients are refused");
    last.write_all(rest.as_bytes()).await.unwrap();
    let answer = read_all(&mut last).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("connection: close"), "{answer}");
    assert_eq!(server.ended(Duration::from_secs(10)).await.code(), Some(0));
    assert!(server.log().contains(DRAINED), "{}", server.log());
    drop(idle);
}

#[tokio::test]
async fn a_client_that_never_ends_its_request_does_not_hold_up_the_end() {
    let mut server = Server::start(&["server.drain_timeout_ms=300", "engine.warm_up=false"]).await;
    let request = call(1, false);
    let last = Arc::new(server.connect(&request[..request.len() - 5]).await);
    // The look at the metric is a request as well.
    server.until_metric("heartline_requests_in_flight", 2.0).await;
    server.terminate();
    assert_eq!(server.ended(Duration::from_secs(10)).await.code(), Some(0));
    assert!(!server.log().contains(DRAINED), "{}", server.log());
    drop(last);
}
