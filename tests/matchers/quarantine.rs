//! A matcher that fails is no longer asked; whoever runs the server sees it and can let it out.

use serde_json::json;

use crate::support::{Desk, failure, matcher, metric, rank, send};

const QUARANTINED: &str = "heartline_matcher_quarantined{matcher=\"moody\"}";

#[tokio::test]
async fn a_failing_matcher_is_left_alone_and_the_fallback_ranks() {
    let Some(desk) = Desk::new() else { return };
    let app = desk.app("fails", "none", &[]);
    for _ in 0..2 {
        let ranking = rank(&app).await;
        assert!(failure(&ranking).unwrap().contains("failed"), "{ranking}");
        assert_eq!(ranking["fallback"], true);
        assert_eq!(ranking["entries"][0]["agent_id"], "agent-02", "the longest idle comes first");
    }
    let ranking = rank(&app).await;
    assert!(failure(&ranking).unwrap().contains("quarantine"), "{ranking}");
    let health = &matcher(&app).await["health"];
    assert_eq!((health["state"].as_str(), health["calls"].as_u64()), (Some("open"), Some(2)), "{health}");
    assert!(health["retry_in_ms"].as_u64().unwrap() > 80_000_000, "{health}");
    assert_eq!(metric(&app, QUARANTINED).await, Some(1.0));

    // Let out, it is asked once, and one more failure is enough.
    let (status, detail) = send(&app, "POST", "/v1/matchers/moody/reset", None).await;
    assert_eq!(status, 200, "{detail}");
    assert!(!failure(&rank(&app).await).unwrap().contains("quarantine"));
    // Other settings heal it.
    let body = json!({"config": {"mood": "well"}});
    assert_eq!(send(&app, "POST", "/v1/matchers/moody/reload", Some(body)).await.0, 200);
    let (_, detail) = send(&app, "POST", "/v1/matchers/moody/reset", None).await;
    assert_eq!(detail["health"]["state"], "closed");
    assert_eq!(failure(&rank(&app).await), None);
    assert_eq!(metric(&app, QUARANTINED).await, Some(0.0));
}

#[tokio::test]
async fn a_hanging_matcher_costs_its_deadline_once() {
    let Some(desk) = Desk::new() else { return };
    let app = desk.app("hangs", "none", &["plugins.breaker.failures=1"]);
    let started = std::time::Instant::now();
    let ranking = rank(&app).await;
    assert!(failure(&ranking).is_some() && ranking["fallback"] == true, "{ranking}");
    let waited = started.elapsed();
    assert!(waited.as_millis() >= 1_900 && waited.as_secs() < 20, "{waited:?}");
    let started = std::time::Instant::now();
    assert!(failure(&rank(&app).await).is_some());
    assert!(started.elapsed() < waited, "nobody waits for it a second time");
    assert_eq!(matcher(&app).await["health"]["overruns"], 1);
}
