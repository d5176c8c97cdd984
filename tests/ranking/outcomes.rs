//! How calls ended, reported over the wire.

use serde_json::json;

use crate::support::{build, rank, send};

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_is_taken_once() {
    let app = build(&[]);
    let ranking = rank(&app, json!({})).await.expect(200);
    let path = format!("/v1/rankings/{}/outcome", ranking["id"].as_str().unwrap());
    let outcome = json!({"agent_id": "friendly", "resolved": true, "rating": 0.9, "handling_ms": 240_000});
    let report = send(&app, "POST", &path, Some(&outcome)).await.expect(200);
    let lessons = report["lessons"].as_array().unwrap();
    assert_eq!(lessons.len(), 3, "every matcher of the ranking is told: {report}");
    assert!(lessons.iter().all(|lesson| lesson.get("error").is_none()), "{report}");
    assert_eq!(send(&app, "POST", &path, Some(&outcome)).await.expect(200), report);
    let other = json!({"agent_id": "friendly", "resolved": false});
    send(&app, "POST", &path, Some(&other)).await.expect_fault(409, "outcome_conflict");
    let kept = send(&app, "GET", path.trim_end_matches("/outcome"), None).await.expect(200);
    assert_eq!(kept["outcome"]["outcome"]["agent_id"], "friendly");
}

#[tokio::test(flavor = "multi_thread")]
async fn outcomes_that_make_no_sense_are_refused() {
    let app = build(&[]);
    let ranking = rank(&app, json!({})).await.expect(200);
    let path = format!("/v1/rankings/{}/outcome", ranking["id"].as_str().unwrap());
    for wrong in [
        json!({"agent_id": "nobody"}),
        json!({"agent_id": "friendly", "rating": 5}),
        json!({"agent_id": "friendly", "valence_change": -3}),
        json!({"agent_id": "friendly", "raiting": 0.5}),
        json!({}),
    ] {
        send(&app, "POST", &path, Some(&wrong)).await.expect_fault(422, "request_invalid");
    }
    let outcome = json!({"agent_id": "friendly"});
    send(&app, "POST", "/v1/rankings/none/outcome", Some(&outcome))
        .await
        .expect_fault(404, "ranking_unknown");
}
