//! What clients get wrong over HTTP, and what they are told.

use axum::http::{Method, Request};
use serde_json::{Value, json};

use crate::support::{binary, elements, get, infer, post, raw, router, send, text_input};

async fn refused(model: &str, asked: &Value, status: u16, expected: &str) {
    let message = infer(model, asked).await.assert_failure(status);
    assert!(message.contains(expected), "{asked}: {message}");
}

fn with(change: &str, value: Value) -> Value {
    let mut input = text_input(&["a"]);
    input[change] = value;
    json!({ "inputs": [input] })
}

#[tokio::test]
async fn tensors_that_the_model_does_not_take() {
    let good = text_input(&["a"]);
    for (asked, expected) in [
        (json!({"inputs": []}), "needs the input text"),
        (json!({"inputs": [good, good]}), "twice"),
        (with("name", json!("words")), "it takes text"),
        (with("datatype", json!("FP32")), "numbers, not texts"),
        (with("datatype", json!("TEXT")), "not a datatype"),
        (with("datatype", json!("INT64")), "no model here takes INT64"),
        (with("shape", json!([2])), "1 elements are not the shape"),
        (with("shape", json!([1, 1])), "it takes [-1]"),
        (with("shape", json!([-1])), "not usable"),
        (with("shape", json!([0])), "elements are not the shape"),
        (with("shape", json!([u64::MAX, 2])), "more elements than can be counted"),
        (with("data", json!([1])), "texts, not numbers"),
        (with("data", json!("a")), "a list"),
        (with("data", json!([null])), "not usable"),
        (with("data", Value::Null), "neither data"),
        (with("parameters", json!({"shared_memory_region": "a"})), "shared memory"),
        (with("parameters", json!({"binary_data_size": 1})), "both data"),
        (json!({"inputs": [good], "outputs": [{"name": "colour"}]}), "categories"),
        (json!({"inputs": [good], "outputs": [{"name": "quality"}, {"name": "quality"}]}), "twice"),
        (
            json!({"inputs": [good], "outputs": [{"name": "quality", "parameters": {"classification": 1}}]}),
            "no classes",
        ),
        (json!({"inputs": [good], "parameters": {"triton_final_response": true}}), "reserved"),
        (json!({"inputs": [good], "parameters": {"priority": "high"}}), "whole number"),
        (json!({"inputs": [good], "parameters": {"priority": {}}}), "not usable"),
        (json!({"inputs": [good], "parameters": {"timeout": -1}}), "whole number"),
        (json!({}), "missing field `inputs`"),
        (json!([]), "not usable"),
    ] {
        refused("text", &asked, 400, expected).await;
    }
}

#[tokio::test]
async fn parameters_that_nobody_knows_are_ignored() {
    let asked =
        json!({"inputs": [text_input(&["a"])], "parameters": {"colour": "red", "priority": 2}, "later": {}});
    infer("text", &asked).await.assert_success();
}

#[tokio::test]
async fn rows_that_cannot_be_read_are_named() {
    let bytes = elements(&[b"fine", &[0xff, 0xfe]]);
    let asked = json!({"inputs": [{"name": "text", "datatype": "BYTES", "shape": [2],
        "parameters": {"binary_data_size": bytes.len()}}]});
    let message = send(router(), binary("text", &asked, &bytes)).await.assert_failure(400);
    assert!(message.contains("row 1") && message.contains("UTF-8"), "{message}");
    for model in ["voice_emotion", "face_emotion"] {
        let message =
            send(router(), raw(model, b"neither sound nor picture".to_vec())).await.assert_failure(400);
        assert!(message.contains("row 0"), "{message}");
        send(router(), raw(model, Vec::new())).await.assert_failure(400);
    }
    let broken = json!({"inputs": [{"name": "audio", "datatype": "BYTES", "shape": [1],
        "parameters": {"content_type": "base64"}, "data": ["***"]}]});
    refused("voice_emotion", &broken, 400, "base64").await;
}

#[tokio::test]
async fn bodies_that_are_not_what_their_headers_promise() {
    let asked = json!({"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1],
        "parameters": {"binary_data_size": 5}}]});
    let whole = elements(&[b"a"]);
    send(router(), binary("text", &asked, &whole)).await.assert_success();
    let more = [whole.clone(), vec![0]].concat();
    let message = send(router(), binary("text", &asked, &more)).await.assert_failure(400);
    assert!(message.contains("belong to no input"), "{message}");
    send(router(), binary("text", &asked, &whole[..4])).await.assert_failure(400);
    for value in ["100000", "-1", "seven", "18446744073709551616"] {
        let mut request = binary("text", &asked, &whole);
        request.headers_mut().insert(crate::support::HEADER, value.parse().unwrap());
        send(router(), request).await.assert_failure(400);
    }
    for body in ["", "{", "nonsense", "\u{0}"] {
        send(router(), post("/v2/models/text/infer", body)).await.assert_failure(400);
    }
    let deep = format!("{{\"inputs\": {}", "[".repeat(100_000));
    send(router(), post("/v2/models/text/infer", deep)).await.assert_failure(400);
    let mut packed = post("/v2/models/text/infer", "x");
    packed.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
    send(router(), packed).await.assert_failure(415);
}

#[tokio::test]
async fn raw_bodies_that_do_not_say_their_shape() {
    for (model, bytes) in
        [("voice", vec![0; 64_000]), ("detector", vec![0; 12]), ("face", vec![0; 48 * 48 + 1])]
    {
        let message = send(router(), raw(model, bytes)).await.assert_failure(400);
        assert!(message.contains("do not say the shape"), "{message}");
    }
}

#[tokio::test]
async fn paths_and_methods_that_are_not_there() {
    for path in ["/v2/none", "/v2/models", "/v2/models/text/versions", "/v2/models/none/stats"] {
        get(path).await.assert_failure(404);
    }
    let message = infer("none", &json!({"inputs": []})).await.assert_failure(404);
    assert!(message.contains("\"none\""), "{message}");
    let long = infer(&"x".repeat(4_000), &json!({"inputs": []})).await.assert_failure(404);
    assert!(long.len() < 300, "{long}");
    let delete = Request::builder().method(Method::DELETE).uri("/v2/models/text").body("".into()).unwrap();
    let answer = send(router(), delete).await;
    answer.assert_failure(405);
    assert!(answer.headers.contains_key("allow"));
    // The house's own errors keep their own body.
    assert!(get("/v1/none").await.json()["code"].is_string());
}

#[tokio::test]
async fn agents_are_not_read_without_a_basis() {
    let asked = |role: &str| {
        let input =
            json!({"name": "crop", "datatype": "UINT8", "shape": [1, 48, 48], "data": vec![9; 48 * 48]});
        json!({"inputs": [input], "parameters": {"role": role}})
    };
    infer("face", &asked("customer")).await.assert_success();
    refused("face", &asked("agent"), 403, "agent_biometrics_basis").await;
    refused("face", &asked("cat"), 400, "customer").await;
    let words = json!({"inputs": [text_input(&["a"])], "parameters": {"role": "agent"}});
    infer("text", &words).await.assert_success();
}
