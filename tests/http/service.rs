//! What those who run the server use: health, metrics, the document, the lists, request identifiers.

use axum::body::Body;
use axum::http::Request;
use heartline::http::route_names;
use serde_json::json;

use crate::support::{app, get, post_json, send};

#[tokio::test]
async fn alive_and_ready() {
    let alive = get("/healthz").await.assert_success();
    assert_eq!(alive["live"], true);
    assert_eq!(get("/readyz").await.assert_success(), json!({"ready": true}));
}

#[tokio::test]
async fn the_document_has_every_route_and_the_error_body() {
    let document = get("/openapi.json").await.assert_success();
    assert!(document["openapi"].as_str().unwrap().starts_with("3."));
    for (method, path) in route_names() {
        let operation = &document["paths"][path][method];
        assert!(operation.is_object(), "{method} {path} is not described");
        // An upgrade of the connection is an answer as well.
        let mut answers = operation["responses"].as_object().unwrap().keys();
        assert!(answers.any(|status| status.starts_with(['1', '2'])), "{method} {path} has no answer");
        assert!(
            !operation["summary"].as_str().unwrap_or_default().is_empty(),
            "{method} {path} has no summary"
        );
    }
    let schemas = &document["components"]["schemas"];
    for name in ["CallAnalysis", "EmotionVector", "Ranking", "ErrorBody", "CallOptions", "Agent"] {
        assert!(schemas[name].is_object(), "{name} is not described");
    }
    let analyze = &document["paths"]["/v1/analyze"]["post"]["requestBody"]["content"];
    assert!(analyze["multipart/form-data"].is_object() && analyze["application/json"].is_object());
}

#[tokio::test]
async fn models_and_matchers_are_listed() {
    let list = get("/v1/models").await.assert_success();
    let models = list["models"].as_array().unwrap();
    for name in ["text", "voice", "face"] {
        let model = models.iter().find(|model| model["name"] == name);
        let model = model.unwrap_or_else(|| panic!("{name} is not listed"));
        assert!(!model["licence"].as_str().unwrap().is_empty());
        assert_eq!(model["device"], "cpu");
    }
    let list = get("/v1/matchers").await.assert_success();
    let ids: Vec<_> =
        list["matchers"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 3, "{ids:?}");
    for matcher in list["matchers"].as_array().unwrap() {
        assert_eq!(matcher["mode"], "active");
        assert!(matcher["abi"].as_str().unwrap().starts_with("1."));
    }
}

#[tokio::test]
async fn a_request_keeps_its_identifier() {
    let request =
        Request::builder().uri("/healthz").header("x-request-id", "call-7").body(Body::empty()).unwrap();
    assert_eq!(send(app(), request).await.headers["x-request-id"], "call-7");
    let first = get("/healthz").await.headers["x-request-id"].clone();
    assert_ne!(first, get("/healthz").await.headers["x-request-id"]);
}

#[tokio::test]
async fn requests_and_failures_are_counted_by_route_and_fault() {
    // The recorder starts with the first look; only what comes after is counted.
    get("/metrics").await;
    get("/v1/made-up/path").await.assert_failure(404, "not_found");
    post_json("/v1/analyze", &json!({})).await.assert_failure(422, "nothing_to_analyze");
    let answer = get("/metrics").await;
    assert!(answer.headers["content-type"].to_str().unwrap().starts_with("text/plain"));
    let text = answer.text();
    for part in [
        "heartline_requests_total{route=\"unmatched\",status=\"404\"}",
        "heartline_requests_total{route=\"/v1/analyze\",status=\"422\"}",
        "heartline_failures_total{fault=\"client\",code=\"nothing_to_analyze\"}",
        "heartline_request_seconds_bucket{route=\"/v1/analyze\"",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    assert!(!text.contains("made-up"), "what clients make up is no label");
}
