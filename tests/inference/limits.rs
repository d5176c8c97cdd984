//! Too large, too many, too slow: every limit, and what lies beyond it.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::support::{binary, elements, infer, post, raw, router, send, small, text_input, wall};

async fn refused(model: &str, asked: &Value, status: u16, expected: &str) {
    let message = infer(model, asked).await.assert_failure(status);
    assert!(message.contains(expected), "{message}");
}

#[tokio::test]
async fn lists_and_names_have_limits() {
    let good = text_input(&["a"]);
    let many = |count: usize, entry: &Value| vec![entry.clone(); count];
    let parameters: Value =
        (0..65).map(|index| (format!("p{index}"), json!(1))).collect::<serde_json::Map<_, _>>().into();
    for (asked, expected) in [
        (json!({"inputs": many(17, &good)}), "more than 16"),
        (json!({"inputs": [good], "outputs": many(65, &json!({"name": "quality"}))}), "more than 64"),
        (json!({"inputs": [good], "parameters": parameters}), "more than 64"),
        (json!({"inputs": [good], "parameters": {"x".repeat(129): 1}}), "128"),
        (json!({"inputs": [good], "id": "x".repeat(1_025)}), "1024"),
        (
            json!({"inputs": [{"name": "x".repeat(129), "datatype": "BYTES", "shape": [1], "data": ["a"]}]}),
            "128",
        ),
        (
            json!({"inputs": [{"name": "text", "datatype": "BYTES", "shape": vec![1; 9], "data": ["a"]}]}),
            "more than 8",
        ),
        (
            json!({"inputs": [{"name": "text", "datatype": "BYTES", "shape": [100_001], "data": vec![""; 100_001]}]}),
            "100000",
        ),
        (json!({"inputs": [text_input(&["x".repeat(4_001).as_str()])]}), "4000 characters"),
    ] {
        refused("text", &asked, 400, expected).await;
    }
    let nested = format!("{}1{}", "[".repeat(9), "]".repeat(9));
    let body =
        format!(r#"{{"inputs": [{{"name": "crop", "datatype": "UINT8", "shape": [1], "data": {nested}}}]}}"#);
    let message = send(router(), post("/v2/models/face/infer", body)).await.assert_failure(400);
    assert!(message.contains("nested"), "{message}");
}

#[tokio::test]
async fn rows_have_the_limit_of_the_queue() {
    refused("text", &json!({"inputs": [text_input(&["a"; 257])]}), 413, "256").await;
    let router = small(&["engine.queue_rows=2", "engine.max_batch_rows=2"]);
    let files = elements(&[&wall(), &wall(), &wall()]);
    let asked = json!({"inputs": [{"name": "image", "datatype": "BYTES", "shape": [3],
        "parameters": {"binary_data_size": files.len()}}]});
    send(&router, binary("face_emotion", &asked, &files)).await.assert_failure(413);
}

#[tokio::test]
async fn media_have_their_own_limits_here_too() {
    let router = small(&["media.max_image_pixels=1000", "media.max_audio_seconds=1", "media.max_frames=1"]);
    send(&router, raw("face_emotion", wall())).await.assert_failure(413);
    send(&router, raw("voice_emotion", crate::support::sample("speech.flac"))).await.assert_failure(413);
    let frame = |shape: [usize; 4]| {
        let bytes = vec![0; shape.iter().product()];
        let asked = json!({"inputs": [{"name": "frame", "datatype": "UINT8", "shape": shape,
            "parameters": {"binary_data_size": bytes.len()}}]});
        binary("detector", &asked, &bytes)
    };
    send(&router, frame([1, 40, 20, 3])).await.assert_success();
    send(&router, frame([1, 40, 40, 3])).await.assert_failure(413);
    send(&router, frame([2, 20, 20, 3])).await.assert_failure(413);
    send(&router, frame([1, 1, 9_000, 3])).await.assert_failure(413);
}

#[tokio::test]
async fn waveforms_are_neither_too_short_nor_too_long() {
    for samples in [6_399_usize, 480_001] {
        let bytes = vec![0; samples * 4];
        let asked = json!({"inputs": [{"name": "waveform", "datatype": "FP32", "shape": [1, samples],
            "parameters": {"binary_data_size": bytes.len()}}]});
        let message = send(router(), binary("voice", &asked, &bytes)).await.assert_failure(400);
        assert!(message.contains("6400 to 480000"), "{message}");
    }
    let mut bytes = vec![0; 6_400 * 4];
    bytes[..4].copy_from_slice(&f32::NAN.to_le_bytes());
    let asked = json!({"inputs": [{"name": "waveform", "datatype": "FP32", "shape": [1, 6_400],
        "parameters": {"binary_data_size": bytes.len()}}]});
    send(router(), binary("voice", &asked, &bytes)).await.assert_failure(400);
}

#[tokio::test]
async fn bodies_have_a_limit() {
    let router = small(&["server.max_body_bytes=4096"]);
    let body = json!({"inputs": [text_input(&["x".repeat(5_000).as_str()])]}).to_string();
    send(&router, post("/v2/models/text/infer", body)).await.assert_failure(413);
    let declared = Request::post("/v2/models/text/infer").header("content-length", "1000000");
    let message = send(&router, declared.body(Body::empty()).unwrap()).await.assert_failure(413);
    assert!(message.contains("4096"), "{message}");
}

#[tokio::test]
async fn one_request_too_many_is_told_when_to_come_back() {
    let router = small(&["server.max_concurrent_requests=1"]);
    let ask = || send(&router, raw("text", b"where is my parcel? I have waited for days.".to_vec()));
    let (one, other) = tokio::join!(ask(), ask());
    let (served, refused) = if one.status == 200 { (one, other) } else { (other, one) };
    served.assert_success();
    refused.assert_failure(429);
    assert!(refused.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    ask().await.assert_success();
}

#[tokio::test]
async fn a_client_is_answered_in_its_own_time() {
    let long = "a rather long sentence about a parcel that never came ".repeat(8);
    let asked = json!({"inputs": [text_input(&vec![long.as_str(); 64])], "parameters": {"timeout": 2_000}});
    // An engine that does not know yet how long rows take tries; one that knows refuses at once.
    let router = small(&[]);
    for status in [&[504][..], &[429, 504]] {
        let started = Instant::now();
        let answer = send(&router, post("/v2/models/text/infer", asked.to_string())).await;
        assert!(status.contains(&answer.status), "{answer:?}");
        answer.assert_failure(answer.status);
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
        let patient = json!({"inputs": [text_input(&["hello"])]});
        send(&router, post("/v2/models/text/infer", patient.to_string())).await.assert_success();
    }
}
