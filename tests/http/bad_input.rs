//! What clients get wrong, and what they are told.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::json;

use crate::support::{Form, agents, app, build, get, json_request, post_json, send, silence, wall};

#[tokio::test]
async fn unreadable_media_is_named() {
    let answer = Form::default().part("audio", b"these are no samples, only words").send().await;
    answer.assert_failure(400, "audio_unreadable");
    let answer = Form::default().part("audio", b"").send().await;
    answer.assert_failure(400, "audio_unreadable");
    let mut cut = silence();
    cut.truncate(2_000);
    Form::default().part("audio", cut).send().await.assert_failure(400, "audio_unreadable");
    let form = Form::default().file("frame", "0ms.png", wall()).file("frame", "40ms.png", b"no picture");
    let message = form.send().await.assert_failure(400, "frame_unreadable");
    assert!(message.contains("frame 2"), "{message}");
}

#[tokio::test]
async fn base64_that_is_none_is_named() {
    let answer = post_json("/v1/analyze", &json!({"audio": {"data": "not base64!"}})).await;
    let message = answer.assert_failure(400, "audio_unreadable");
    assert!(message.contains("audio.data"), "{message}");
    let answer = post_json("/v1/analyze", &json!({"frames": [{"data": "?"}]})).await;
    let message = answer.assert_failure(400, "frame_unreadable");
    assert!(message.contains("frames[0].data"), "{message}");
}

#[tokio::test]
async fn agents_with_wrong_fields_are_all_reported() {
    let agents = r#"[{"id": "a", "skils": {}}, {"id": "b", "capacity": "many"}]"#;
    let form = Form::default().part("transcript", "customer: hello").part("agents", agents);
    let message = form.send().await.assert_failure(422, "agents_invalid");
    assert!(message.contains("agents[0]") && message.contains("skils"), "{message}");
    assert!(message.contains("agents[1]") && message.contains("capacity"), "{message}");
    let agents = r#"[{"id": "a", "skills": {"refund": 9}}, {"id": "b"}, {"id": "b"}]"#;
    let form = Form::default().part("transcript", "customer: hello").part("agents", agents);
    let message = form.send().await.assert_failure(422, "agents_invalid");
    assert!(message.contains("agents[0].skills") && message.contains("agents[2].id"), "{message}");
    for bad in ["{", "5", "[]"] {
        let form = Form::default().part("transcript", "customer: hello").part("agents", bad);
        form.send().await.assert_failure(422, "agents_invalid");
    }
}

#[tokio::test]
async fn nothing_at_all_is_refused() {
    post_json("/v1/analyze", &json!({})).await.assert_failure(422, "nothing_to_analyze");
    post_json("/v1/analyze", &json!({"agents": agents()})).await.assert_failure(422, "nothing_to_analyze");
    Form::default().send().await.assert_failure(422, "nothing_to_analyze");
}

#[tokio::test]
async fn malformed_bodies_are_told_from_invalid_ones() {
    for body in ["", "{", "transcript", "{\"agents\": ["] {
        send(app(), json_request("/v1/analyze", body)).await.assert_failure(400, "json_malformed");
        send(app(), json_request("/v1/rank", body)).await.assert_failure(400, "json_malformed");
    }
    let message =
        post_json("/v1/analyze", &json!({"transkript": "a"})).await.assert_failure(422, "request_invalid");
    assert!(message.contains("transkript") && message.contains("transcript"), "{message}");
    post_json("/v1/analyze", &json!([1])).await.assert_failure(422, "request_invalid");
}

#[tokio::test]
async fn malformed_forms_are_refused() {
    let no_boundary = Request::builder().method(Method::POST).uri("/v1/analyze");
    let no_boundary =
        no_boundary.header("content-type", "multipart/form-data").body(Body::from("x")).unwrap();
    send(app(), no_boundary).await.assert_failure(400, "multipart_malformed");
    let cut_off = Request::builder()
        .method(Method::POST)
        .uri("/v1/analyze")
        .header("content-type", "multipart/form-data; boundary=b")
        .body(Body::from("--b\r\nContent-Disposition: form-data; name=\"audio\"\r\n\r\nthe end is miss"))
        .unwrap();
    send(app(), cut_off).await.assert_failure(400, "multipart_malformed");
}

#[tokio::test]
async fn unknown_and_repeated_parts_are_refused() {
    let message = Form::default().part("sound", b"x").send().await.assert_failure(422, "request_invalid");
    assert!(message.contains("sound") && message.contains("audio"), "{message}");
    let twice = Form::default().part("transcript", "a").part("transcript", "b");
    twice.send().await.assert_failure(422, "request_invalid");
}

#[tokio::test]
async fn options_are_checked_all_at_once() {
    let options = r#"{"complexity": 2, "language": "no such tag", "frame_interval_ms": 0}"#;
    let form = Form::default().part("transcript", "customer: hello").part("options", options);
    let message = form.send().await.assert_failure(422, "options_invalid");
    for field in ["complexity", "language", "frame_interval_ms"] {
        assert!(message.contains(field), "{message}");
    }
    let unknown = Form::default().part("transcript", "a").part("options", r#"{"langauge": "en"}"#);
    let message = unknown.send().await.assert_failure(422, "options_invalid");
    assert!(message.contains("langauge") && message.contains("language"), "{message}");
}

#[tokio::test]
async fn a_broken_transcript_is_named_by_its_line() {
    let form = Form::default().part("transcript", "{\"text\": \"fine\"}\n{\"words\": 1}");
    let message = form.send().await.assert_failure(422, "transcript_invalid");
    assert!(message.contains("line 2"), "{message}");
    let form = Form::default().part("transcript", [0xff, 0xfe, 0x00]);
    form.send().await.assert_failure(422, "transcript_invalid");
}

#[tokio::test]
async fn the_wrong_content_type_is_refused() {
    for path in ["/v1/analyze", "/v1/rank"] {
        let request = Request::builder().method(Method::POST).uri(path).header("content-type", "text/plain");
        let answer = send(app(), request.body(Body::from("hello")).unwrap()).await;
        answer.assert_failure(415, "unsupported_media_type");
        let bare = Request::builder().method(Method::POST).uri(path).body(Body::from("hello")).unwrap();
        send(app(), bare).await.assert_failure(415, "unsupported_media_type");
    }
}

#[tokio::test]
async fn unknown_routes_and_methods_are_refused() {
    get("/v1/nothing").await.assert_failure(404, "not_found");
    get("/").await.assert_failure(404, "not_found");
    let answer = get("/v1/analyze").await;
    answer.assert_failure(405, "method_not_allowed");
    assert!(answer.headers["allow"].to_str().unwrap().contains("POST"));
}

#[tokio::test]
async fn an_agents_voice_and_face_are_refused_without_a_basis() {
    let form = Form::default().part("audio", silence()).part("options", r#"{"audio_role": "agent"}"#);
    form.send().await.assert_failure(403, "agent_biometrics_refused");
    let form = Form::default().file("frame", "0ms.png", wall()).part("options", r#"{"video_role": "agent"}"#);
    form.send().await.assert_failure(403, "agent_biometrics_refused");
    // A role without material marks nothing.
    let form = Form::default().part("transcript", "hello").part("options", r#"{"audio_role": "agent"}"#);
    form.send().await.assert_success();
}

#[tokio::test]
async fn a_lawful_basis_in_the_configuration_allows_it_and_is_named() {
    let app = build(&["privacy.agent_biometrics_basis=safety research, protocol 7", "engine.warm_up=false"]);
    let form = Form::default().part("audio", silence()).part("options", r#"{"audio_role": "agent"}"#);
    let analysis = send(&app, form.request()).await.assert_success();
    let notes = analysis["notes"].as_array().unwrap();
    let note = notes.iter().find(|note| note["code"] == "agent_biometrics_allowed").unwrap();
    assert!(note["message"].as_str().unwrap().contains("protocol 7"));
}
