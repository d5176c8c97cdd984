//! Too large, too many, too slow, too late.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use heartline::app::{App, Ending, StartError};
use serde_json::json;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::support::{Form, build, config, json_request, send, silence, wall};

/// An app that is small in some way; it need not be warm.
fn small(setting: &str) -> App {
    build(&[setting, "engine.warm_up=false"])
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_before_and_while_it_is_read() {
    let app = small("server.max_body_bytes=4096");
    let declared = Request::builder()
        .method(Method::POST)
        .uri("/v1/analyze")
        .header("content-type", "application/json")
        .header("content-length", "1000000")
        .body(Body::empty())
        .unwrap();
    let message = send(&app, declared).await.assert_failure(413, "body_too_large");
    assert!(message.contains("4096"), "{message}");
    let long = json!({"transcript": "x".repeat(5_000)}).to_string();
    send(&app, json_request("/v1/analyze", &long)).await.assert_failure(413, "body_too_large");
    send(&app, Form::default().part("audio", silence()).request())
        .await
        .assert_failure(413, "body_too_large");
}

#[tokio::test]
async fn media_beyond_their_limits_are_refused() {
    let app = build(&[
        "media.max_audio_seconds=1",
        "media.max_frames=1",
        "media.max_image_pixels=1000",
        "engine.warm_up=false",
    ]);
    send(&app, Form::default().part("audio", silence()).request())
        .await
        .assert_failure(413, "audio_too_large");
    let one = Form::default().file("frame", "0ms.png", wall());
    send(&app, one.request()).await.assert_failure(413, "frame_too_large");
    let two = Form::default().file("frame", "0ms.png", wall()).file("frame", "1ms.png", wall());
    send(&app, two.request()).await.assert_failure(413, "frame_too_large");
}

#[tokio::test]
async fn one_request_too_many_is_told_when_to_come_back() {
    let app = small("server.max_concurrent_requests=1");
    let body = json!({"transcript": "customer: where is my parcel? I have waited for days."}).to_string();
    let (first, second) = tokio::join!(
        send(&app, json_request("/v1/analyze", &body)),
        send(&app, json_request("/v1/analyze", &body)),
    );
    let (served, refused) = if first.status == 200 { (first, second) } else { (second, first) };
    served.assert_success();
    refused.assert_failure(429, "overloaded");
    assert!(refused.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    send(&app, json_request("/v1/analyze", &body)).await.assert_success();
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_answered_all_the_same() {
    let app = build(&["server.request_timeout_ms=100", "engine.deadline_ms=100", "engine.warm_up=false"]);
    let words = "customer: this sentence is one of very many.\n".repeat(1_000);
    let body = json!({ "transcript": words }).to_string();
    send(&app, json_request("/v1/analyze", &body)).await.assert_failure(504, "deadline_exceeded");
}

#[tokio::test]
async fn a_taken_port_is_an_error_that_says_what_to_do() {
    let holder = App::bind(&config(&[])).await.unwrap();
    let taken = format!("server.bind={}", holder.local_addr().unwrap());
    let error = App::bind(&config(&[&taken])).await.unwrap_err();
    assert!(matches!(error, StartError::Bind { .. }));
    assert!(error.to_string().contains("server.bind"), "{error}");
}

/// Begins a request whose body is not finished.
fn begin_request(address: SocketAddr, length: usize, head: &str) -> TcpStream {
    let mut connection = TcpStream::connect(address).unwrap();
    let request = format!(
        "POST /v1/analyze HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n\
         {head}"
    );
    connection.write_all(request.as_bytes()).unwrap();
    connection
}

/// Serves on a free port until the sender is used or dropped.
async fn serve(app: &App) -> (SocketAddr, oneshot::Sender<()>, JoinHandle<Result<Ending, StartError>>) {
    let listener = App::bind(app.config()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async move {
        let _ = stopped.await;
    };
    let app = app.clone();
    (address, stop, tokio::spawn(async move { app.serve(listener, stopped).await }))
}

/// Waits until the only place is taken, which comes before the request's body is read.
async fn until_accepted(app: &App) {
    while !app.is_full() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_accepted_is_answered_before_the_end() {
    let app = small("server.max_concurrent_requests=1");
    let (address, stop, serving) = serve(&app).await;
    // The body is finished only after the stop: the request is accepted, and not yet answered.
    let body = json!({"transcript": "customer: thank you, that was kind of you"}).to_string();
    let (head, tail) = body.split_at(10);
    let mut connection = begin_request(address, body.len(), head);
    until_accepted(&app).await;
    stop.send(()).unwrap();
    while !app.is_draining() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let ready = Request::builder().uri("/readyz").body(Body::empty()).unwrap();
    let message = send(&app, ready).await.assert_failure(503, "not_ready");
    assert!(message.contains("draining"), "{message}");
    connection.write_all(tail.as_bytes()).unwrap();
    let reading = tokio::task::spawn_blocking(move || {
        let mut answer = String::new();
        connection.read_to_string(&mut answer).map(|_| answer)
    });
    let answer = reading.await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(serving.await.unwrap().unwrap(), Ending::Drained);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_drain_ends_even_when_a_client_never_does() {
    let app =
        build(&["server.max_concurrent_requests=1", "server.drain_timeout_ms=100", "engine.warm_up=false"]);
    let (address, stop, serving) = serve(&app).await;
    let connection = begin_request(address, 50, "{");
    until_accepted(&app).await;
    stop.send(()).unwrap();
    let ending = tokio::time::timeout(Duration::from_secs(30), serving).await.expect("the drain ends");
    assert_eq!(ending.unwrap().unwrap(), Ending::CutOff);
    drop(connection);
}
