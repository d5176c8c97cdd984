//! Endpoints that fail, hang, refuse and fall behind.

use std::time::{Duration, Instant};

use heartline::app::{App, StartError};
use heartline::config::Config;

use crate::support::{Came, Habit, PATIENCE, Receiver, build, call, endpoint, open, start};

/// What an endpoint with these habits gets of one session's end.
async fn end_of_one(habits: &[Habit], settings: &[&str]) -> Vec<Came> {
    let (receiver, address) = Receiver::start(habits).await;
    let app = build(&[endpoint(address, &["session.closed"], &[])], settings);
    let webhooks = start(&app);
    call(&app, None).await;
    app.live().drain().await;
    assert!(webhooks.drain(PATIENCE).await);
    receiver.came()
}

#[tokio::test]
async fn a_failure_is_tried_again_under_the_same_name() {
    let came = end_of_one(&[Habit::Answer(500), Habit::Answer(408), Habit::Answer(503)], &[]).await;
    assert_eq!(came.len(), 4);
    assert!(came.iter().all(|one| one.id == came[0].id && one.body == came[0].body));
}

#[tokio::test]
async fn attempts_have_an_end() {
    let habits = [Habit::Answer(500); 9];
    assert_eq!(end_of_one(&habits, &["webhooks.max_attempts=3"]).await.len(), 3);
}

#[tokio::test]
async fn a_refusal_is_believed() {
    for status in [400, 404, 410, 302] {
        assert_eq!(end_of_one(&[Habit::Answer(status)], &[]).await.len(), 1, "{status}");
    }
}

#[tokio::test]
async fn an_endpoint_says_when_to_come_back() {
    let came = end_of_one(&[Habit::RetryAfter(429, 1)], &[]).await;
    assert_eq!(came.len(), 2);
    assert!(came[1].at - came[0].at >= Duration::from_secs(1));
}

#[tokio::test]
async fn one_that_hangs_is_left_after_a_time_and_tried_again() {
    let came = end_of_one(&[Habit::Hang], &["webhooks.timeout_ms=200"]).await;
    assert_eq!(came.len(), 2);
    assert!(came[1].at - came[0].at >= Duration::from_millis(200));
}

#[tokio::test]
async fn one_that_is_away_costs_the_others_nothing() {
    let (receiver, address) = Receiver::start(&[]).await;
    let (hanging, hanging_address) = Receiver::start(&[Habit::Hang; 50]).await;
    let closed = ["session.closed"];
    // Nobody listens on the discard port of this machine.
    let away = "127.0.0.1:9".parse().unwrap();
    let endpoints = [
        endpoint(away, &closed, &[]),
        endpoint(hanging_address, &closed, &[]),
        endpoint(address, &closed, &[]),
    ];
    let app = build(&endpoints, &[]);
    let webhooks = start(&app);
    let started = Instant::now();
    for _ in 0..5 {
        call(&app, None).await;
    }
    receiver.wait_for(5).await;
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
    assert_eq!(hanging.came().len(), 1, "the others wait behind the one that hangs");
    app.live().drain().await;
    assert!(!webhooks.drain(Duration::from_millis(200)).await, "what cannot be sent is left");
}

#[tokio::test]
async fn a_full_backlog_keeps_the_ends() {
    let (receiver, address) = Receiver::start(&[Habit::Hang]).await;
    let wanted = ["session.created", "session.updated", "emotion", "reading", "session.closed"];
    let settings = ["webhooks.max_backlog=2", "webhooks.timeout_ms=1500", "webhooks.max_attempts=1"];
    let app = build(&[endpoint(address, &wanted, &[])], &settings);
    let webhooks = start(&app);
    // The first message hangs; meanwhile two sessions tell more than may wait.
    let first = open(&app, None);
    receiver.wait_for(1).await;
    let (second, third) = (call(&app, None).await, call(&app, None).await);
    receiver.wait_for(3).await;
    let ends: Vec<_> = receiver.came()[1..]
        .iter()
        .map(|came| (came.body["type"].clone(), came.body["session_id"].clone()))
        .collect();
    let end = |id: &str| ("session.closed".into(), id.into());
    assert_eq!(ends, [end(&second), end(&third)]);
    drop(first);
    app.live().drain().await;
    assert!(webhooks.drain(PATIENCE).await);
}

#[tokio::test]
async fn a_missing_secret_is_found_before_the_port_is_taken() {
    let setting =
        "webhooks.endpoints=[{ url = \"https://a.example\", secret_env = \"NO_SUCH_SECRET_HERE\" }]";
    let config = Config::load(None, &["server.bind=127.0.0.1:0".to_owned(), setting.to_owned()]).unwrap();
    let error = App::bind(&config).await.unwrap_err();
    let StartError::Webhooks(source) = &error else { panic!("{error}") };
    assert!(source.to_string().contains("NO_SUCH_SECRET_HERE"), "{source}");
}
