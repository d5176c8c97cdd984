//! What the server and its models say of themselves, and that it is true.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::support::{build, get, infer, output, raw, router, sample, sample_frames, send, small};

#[tokio::test]
async fn the_server_says_what_it_is() {
    let server = get("/v2").await.assert_success();
    assert_eq!(
        (server["name"].as_str(), server["parameters"]["device"].as_str()),
        (Some("heartline"), Some("cpu"))
    );
    let extensions = server["extensions"].as_array().unwrap();
    for extension in ["binary_tensor_data", "model_repository", "statistics", "schedule_policy", "parameters"]
    {
        assert!(extensions.contains(&json!(extension)), "{extension} is not in {server}");
    }
}

#[tokio::test]
async fn health_has_the_keys_of_both_texts() {
    assert_eq!(get("/v2/health/live").await.assert_success(), json!({"live": true}));
    assert_eq!(get("/v2/health/ready").await.assert_success(), json!({"live": true, "ready": true}));
    let ready = get("/v2/models/text/ready").await.assert_success();
    assert_eq!(ready, json!({"name": "text", "ready": true}));
    get("/v2/models/text/versions/1/ready").await.assert_success();
    get("/v2/models/text/versions/2/ready").await.assert_failure(404);
    get("/v2/models/none/ready").await.assert_failure(404);
}

#[tokio::test]
async fn a_draining_server_is_alive_and_not_ready() {
    let app = build(&["engine.warm_up=false"]);
    let router = heartline::http::router(&app);
    app.begin_drain();
    let ask = |path: &str| Request::builder().uri(path).body(Body::empty()).unwrap();
    send(&router, ask("/v2/health/live")).await.assert_success();
    let message = send(&router, ask("/v2/health/ready")).await.assert_failure(503);
    assert!(message.contains("draining"), "{message}");
}

/// A body for each model that needs no JSON, or JSON for the one that does.
async fn answer_of(model: &str) -> Value {
    let bytes = match model {
        "text" | "text_emotion" => b"Thank you!".to_vec(),
        "voice_emotion" => sample("speech.flac"),
        "face_emotion" => sample_frames().swap_remove(0),
        "face" => vec![90; 48 * 48],
        "voice" => {
            let data = vec![0.1; 16_000];
            let input = json!({"name": "waveform", "datatype": "FP32", "shape": [1, 16_000], "data": data});
            return infer("voice", &json!({"inputs": [input]})).await.assert_success();
        }
        _ => {
            let input =
                json!({"name": "frame", "datatype": "UINT8", "shape": [1, 2, 2, 3], "data": vec![0; 12]});
            return infer("detector", &json!({"inputs": [input]})).await.assert_success();
        }
    };
    send(router(), raw(model, bytes)).await.assert_success()
}

#[tokio::test]
async fn every_model_answers_as_its_metadata_says() {
    let list = get("/v2/models/stats").await.assert_success();
    let models = list["model_stats"].as_array().unwrap().clone();
    assert_eq!(models.len(), 7, "{list}");
    for model in &models {
        let name = model["name"].as_str().unwrap();
        let metadata = get(&format!("/v2/models/{name}")).await.assert_success();
        assert_eq!(metadata["versions"], json!(["1"]));
        assert_eq!(get(&format!("/v2/models/{name}/versions/1")).await.assert_success(), metadata);
        let answer = answer_of(name).await;
        let described = metadata["outputs"].as_array().unwrap();
        assert_eq!(answer["outputs"].as_array().unwrap().len(), described.len(), "{name}");
        for described in described {
            let found = output(&answer, described["name"].as_str().unwrap());
            assert_eq!(found["datatype"], described["datatype"], "{name}");
            let sizes = described["shape"].as_array().unwrap().iter().zip(found["shape"].as_array().unwrap());
            assert_eq!(
                described["shape"].as_array().unwrap().len(),
                found["shape"].as_array().unwrap().len()
            );
            for (known, found) in sizes {
                assert!(known == &json!(-1) || known == found, "{name}: {described} {found}");
            }
            if let Some(labels) = described["parameters"]["labels"].as_array() {
                assert_eq!(json!(labels.len()), described["shape"][1], "{name}");
            }
        }
    }
    get("/v2/models/none").await.assert_failure(404);
    get("/v2/models/text/versions/7").await.assert_failure(404);
}

#[tokio::test]
async fn texts_are_batched_across_requests() {
    let router = small(&["engine.batch_delay_ms=200"]);
    let ask = || send(&router, raw("text", b"where is my parcel?".to_vec()));
    let (one, two, three) = tokio::join!(ask(), ask(), ask());
    for answer in [one, two, three] {
        answer.assert_success();
    }
    let stats = Request::builder().uri("/v2/models/text/stats").body(Body::empty()).unwrap();
    let stats = send(&router, stats).await.assert_success();
    let stats = &stats["model_stats"][0];
    let (rows, executions) =
        (stats["inference_count"].as_u64().unwrap(), stats["execution_count"].as_u64().unwrap());
    assert!(rows >= 3 && executions < rows, "{stats}");
    assert!(!stats["batch_stats"].as_array().unwrap().is_empty(), "{stats}");
}

#[tokio::test]
async fn the_document_names_every_route_of_the_protocol() {
    let document = get("/openapi.json").await.assert_success();
    let infer = &document["paths"]["/v2/models/{model}/versions/{version}/infer"]["post"];
    assert_eq!(infer["parameters"].as_array().unwrap().len(), 2, "{infer}");
    let schema = &infer["responses"]["default"]["content"]["application/json"]["schema"]["$ref"];
    assert_eq!(schema, "#/components/schemas/ProtocolError");
    assert!(document["components"]["schemas"]["ProtocolError"].is_object());
}
