//! Who may load and unload models, and what that does.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderName, HeaderValue, Request};
use heartline::http::inference::grpc::proto::{
    RepositoryIndexRequest, RepositoryModelLoadRequest, RepositoryModelUnloadRequest,
};
use serde_json::{Value, json};
use tonic::Code;

use crate::support::{client, local, post, raw, router, send, small};

const LOAD: &str = "/v2/repository/models/text/load";
const UNLOAD: &str = "/v2/repository/models/text/unload";
const INDEX: &str = "/v2/repository/index";

fn from(address: [u8; 4], mut request: Request<Body>) -> Request<Body> {
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from((address, 9))));
    request
}

fn state<'a>(index: &'a Value, name: &str) -> &'a str {
    let entries = index.as_array().unwrap();
    entries.iter().find(|entry| entry["name"] == name).unwrap()["state"].as_str().unwrap()
}

#[tokio::test]
async fn everything_is_listed() {
    let index = send(router(), post(INDEX, "")).await.assert_success();
    for name in ["text", "voice", "detector", "face", "text_emotion", "voice_emotion", "face_emotion"] {
        assert_eq!(state(&index, name), "READY");
    }
    let ready = send(router(), post(INDEX, r#"{"ready": true}"#)).await.assert_success();
    assert!(ready.as_array().unwrap().iter().all(|entry| entry["state"] == "READY"));
    send(router(), post(INDEX, "{")).await.assert_failure(400);
}

#[tokio::test]
async fn a_model_is_unloaded_and_comes_back() {
    let router = small(&[]);
    let ask = |model: &'static str| send(&router, raw(model, b"Thank you!".to_vec()));
    let answer = send(&router, local(post(UNLOAD, r#"{"parameters": {"unload_dependents": false}}"#))).await;
    assert_eq!((answer.status, answer.body.len()), (200, 0), "{answer:?}");
    let message = ask("text").await.assert_failure(503);
    assert!(message.contains("not loaded"), "{message}");
    ask("text_emotion").await.assert_failure(503);
    let ready = Request::builder().uri("/v2/models/text/ready").body(Body::empty()).unwrap();
    send(&router, ready).await.assert_failure(503);
    let index = send(&router, post(INDEX, "")).await.assert_success();
    assert_eq!((state(&index, "text"), state(&index, "text_emotion")), ("UNAVAILABLE", "UNAVAILABLE"));
    assert_eq!(state(&index, "voice"), "READY");
    assert_eq!(send(&router, local(post(LOAD, ""))).await.status, 200);
    ask("text").await.assert_success();
    ask("text_emotion").await.assert_success();
    // Loading what is loaded is no fault, and a version that is not there is.
    assert_eq!(send(&router, local(post(LOAD, r#"{"parameters": {"version": 1}}"#))).await.status, 200);
    send(&router, local(post(LOAD, r#"{"parameters": {"version": 99}}"#))).await.assert_failure(404);
    ask("text").await.assert_success();
}

#[tokio::test]
async fn only_this_machine_may() {
    for path in [LOAD, UNLOAD] {
        let message = send(router(), post(path, "")).await.assert_failure(403);
        assert!(message.contains("inference.management"), "{message}");
        send(router(), from([192, 168, 0, 7], post(path, ""))).await.assert_failure(403);
        for header in ["x-forwarded-for", "forwarded", "origin"] {
            let mut request = local(post(path, ""));
            request.headers_mut().insert(HeaderName::from_static(header), HeaderValue::from_static("x"));
            send(router(), request).await.assert_failure(403);
        }
    }
}

#[tokio::test]
async fn the_configuration_says_who_may() {
    let open = small(&["inference.management=anyone"]);
    assert_eq!(send(&open, from([192, 168, 0, 7], post(LOAD, ""))).await.status, 200);
    let closed = small(&["inference.management=off"]);
    send(&closed, local(post(LOAD, ""))).await.assert_failure(403);
}

#[tokio::test]
async fn what_cannot_be_loaded_is_said() {
    let load = |model: &str, body: &str| {
        send(router(), local(post(&format!("/v2/repository/models/{model}/load"), body.to_owned())))
    };
    load("none", "").await.assert_failure(404);
    load("..%2Ftext", "").await.assert_failure(404);
    let message = load("face_emotion", "").await.assert_failure(400);
    assert!(message.contains("detector and face"), "{message}");
    let config = json!({"parameters": {"config": "{}"}}).to_string();
    load("text", &config).await.assert_failure(400);
    let file = json!({"parameters": {"file:1/model.safetensors": "AAAA"}}).to_string();
    load("text", &file).await.assert_failure(400);
    load("text", &"x".repeat(70_000)).await.assert_failure(413);
}

#[tokio::test]
async fn the_other_wire_has_the_same_rules() {
    let mut client = client(router());
    let index = client.repository_index(RepositoryIndexRequest::default()).await.unwrap().into_inner();
    assert!(index.models.iter().any(|model| model.name == "voice_emotion" && model.state == "READY"));
    let long = RepositoryIndexRequest { repository_name: "x".repeat(70_000), ..Default::default() };
    let status = client.repository_index(long).await.unwrap_err();
    assert!(!status.message().contains("the only one has no name"), "{status:?}");
    let named = RepositoryIndexRequest { repository_name: "other".to_owned(), ..Default::default() };
    assert_eq!(client.repository_index(named).await.unwrap_err().code(), Code::InvalidArgument);
    let load = RepositoryModelLoadRequest { model_name: "text".to_owned(), ..Default::default() };
    let status = client.repository_model_load(load.clone()).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    let unload = RepositoryModelUnloadRequest { model_name: "text".to_owned(), ..Default::default() };
    let status = client.repository_model_unload(unload).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    // An extension of the message does not reach the server as the connection's address.
    let mut request = tonic::Request::new(load);
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 9))));
    client.repository_model_load(request).await.unwrap();
}
