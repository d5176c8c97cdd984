//! `POST /v1/rank`: a vector from outside and agents in, a ranking out.

use serde_json::{Value, json};

use crate::support::{agents, post_json};

fn angry() -> Value {
    json!({
        "version": 1, "at_ms": 60_000,
        "categories": {"neutral": 0.1, "happiness": 0.0, "surprise": 0.05, "sadness": 0.1, "anger": 0.7,
                       "disgust": 0.03, "fear": 0.02},
        "valence": -0.7, "arousal": 0.6, "dominance": 0.2, "satisfaction": 0.05, "frustration": 0.9,
        "confusion": 0.1, "trust": {"confidence": 0.8}
    })
}

fn body(emotion: &Value, agents: &Value) -> Value {
    let skills = json!([{"name": "refund", "level": 3.0, "must_have": false}]);
    json!({"request": {"emotion": emotion, "language": "en", "needed_skills": skills}, "agents": agents})
}

#[tokio::test]
async fn agents_are_ranked_with_every_factor() {
    let ranking = post_json("/v1/rank", &body(&angry(), &agents())).await.assert_success();
    let order: Vec<_> = ranking["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["agent_id"].as_str().unwrap())
        .collect();
    assert_eq!(order.first(), Some(&"patient"));
    assert_eq!(ranking["matchers"].as_array().unwrap().len(), 3);
    for report in ranking["matchers"].as_array().unwrap() {
        assert!(report.get("error").is_none_or(Value::is_null), "{report}");
    }
}

#[tokio::test]
async fn a_vector_out_of_range_is_refused_with_its_fields() {
    let mut vector = angry();
    vector["valence"] = json!(-3.0);
    vector["categories"]["anger"] = json!(0.1);
    let message =
        post_json("/v1/rank", &body(&vector, &agents())).await.assert_failure(422, "request_invalid");
    assert!(message.contains("valence") && message.contains("categories"), "{message}");
}

#[tokio::test]
async fn needs_out_of_range_are_refused() {
    let mut wrong = body(&angry(), &agents());
    wrong["request"]["complexity"] = json!(1.5);
    post_json("/v1/rank", &wrong).await.assert_failure(422, "request_invalid");
    let mut unknown = body(&angry(), &agents());
    unknown["request"]["mood"] = json!("bad");
    let message = post_json("/v1/rank", &unknown).await.assert_failure(422, "request_invalid");
    assert!(message.contains("mood"), "{message}");
}

#[tokio::test]
async fn without_agents_there_is_no_ranking() {
    post_json("/v1/rank", &body(&angry(), &json!([]))).await.assert_failure(422, "agents_invalid");
    let missing = json!({"request": {"emotion": angry()}});
    post_json("/v1/rank", &missing).await.assert_failure(422, "request_invalid");
}

#[tokio::test]
async fn agents_who_are_away_are_excluded_with_the_reason() {
    let away =
        json!([{"id": "off", "activity": "offline"}, {"id": "full", "active_tasks": 1, "capacity": 1}]);
    let ranking = post_json("/v1/rank", &body(&angry(), &away)).await.assert_success();
    assert!(ranking["entries"].as_array().unwrap().is_empty());
    let codes: Vec<_> =
        ranking["excluded"].as_array().unwrap().iter().map(|one| &one["exclusion"]["code"]).collect();
    assert!(codes.contains(&&json!("offline")) && codes.contains(&&json!("at_capacity")), "{codes:?}");
}
