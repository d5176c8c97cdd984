//! A matcher in a process of its own: whatever it does costs one ranking its say.

use serde_json::json;

use crate::support::{Desk, failure, matcher, rank, send};

#[tokio::test]
async fn a_crash_costs_one_ranking_its_matcher() {
    let Some(desk) = Desk::new() else { return };
    let app = desk.app("crashes", "process", &[]);
    assert_eq!(matcher(&app).await["isolation"], "process");
    let ranking = rank(&app).await;
    assert!(failure(&ranking).is_some() && ranking["fallback"] == true, "{ranking}");
    let health = &matcher(&app).await["health"];
    assert_eq!(health["crashes"], 1, "{health}");
    let body = json!({"config": {"mood": "well"}});
    let (status, detail) = send(&app, "POST", "/v1/matchers/moody/reload", Some(body)).await;
    assert_eq!(status, 200, "{detail}");
    send(&app, "POST", "/v1/matchers/moody/reset", None).await;
    assert_eq!(failure(&rank(&app).await), None);
}

#[tokio::test]
async fn an_endless_loop_is_ended_at_the_deadline() {
    let Some(desk) = Desk::new() else { return };
    let app = desk.app("hangs", "process", &[]);
    let started = std::time::Instant::now();
    assert!(failure(&rank(&app).await).is_some());
    let waited = started.elapsed();
    assert!(waited.as_millis() >= 1_900 && waited.as_secs() < 20, "{waited:?}");
}

#[tokio::test]
async fn it_ranks_as_it_does_within_the_server() {
    let Some(desk) = Desk::new() else { return };
    let inside = rank(&desk.app("well", "none", &[])).await;
    let outside = rank(&desk.app("well", "process", &[])).await;
    assert_eq!(inside["entries"], outside["entries"]);
}
