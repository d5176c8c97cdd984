//! The app under test, requests, tensors and media.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request};
use heartline::app::App;
use heartline::config::Config;
use heartline::http;
use heartline::http::inference::grpc::proto::grpc_inference_service_client::GrpcInferenceServiceClient;
use serde_json::{Value, json};
use tower::ServiceExt;

/// The server that most tests share; loading the models takes longer than most tests. One router keeps one core, so
/// that its statistics add up.
static ROUTER: LazyLock<Router> = LazyLock::new(|| http::router(&build(&[])));

pub(crate) const HEADER: &str = "inference-header-content-length";

pub(crate) fn router() -> &'static Router {
    &ROUTER
}

/// An app with further settings.
pub(crate) fn build(settings: &[&str]) -> App {
    let weights = format!("engine.models_folder={}", root().join("models/weights").display());
    let mut all = vec![weights, "engine.device=cpu".to_owned(), "server.bind=127.0.0.1:0".to_owned()];
    all.extend(settings.iter().map(|&setting| setting.to_owned()));
    let config = Config::load(None, &all).unwrap_or_else(|errors| panic!("{errors}"));
    App::build(config).unwrap_or_else(|error| panic!("{error}: {:?}", std::error::Error::source(&error)))
}

/// The server of an app that is small in some way; it need not be warm.
pub(crate) fn small(settings: &[&str]) -> Router {
    let mut all = vec!["engine.warm_up=false"];
    all.extend(settings);
    http::router(&build(&all))
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn sample(name: &str) -> Vec<u8> {
    let path = root().join("samples/call").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn sample_frames() -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(root().join("samples/call/frames")).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// A picture without a face.
pub(crate) fn wall() -> Vec<u8> {
    let picture = image::RgbImage::from_fn(320, 240, |x, y| image::Rgb([120, (x / 2) as u8, (y / 2) as u8]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// An answer with its body read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    pub(crate) fn assert_success(&self) -> Value {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }

    /// Checks a failure: its status, and that its body is the protocol's.
    pub(crate) fn assert_failure(&self, status: u16) -> String {
        let body = self.json();
        assert_eq!(self.status, status, "{body}");
        assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
        assert!(self.headers.contains_key("x-request-id"));
        body["error"].as_str().unwrap().to_owned()
    }

    /// The JSON of an answer that has tensors as bytes, and those bytes.
    pub(crate) fn split(&self) -> (Value, &[u8]) {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        let length: usize = self.headers[HEADER].to_str().unwrap().parse().unwrap();
        let (json, bytes) = self.body.split_at(length);
        (serde_json::from_slice(json).unwrap(), bytes)
    }
}

/// Sends a request through a router, as the network would.
pub(crate) async fn send(router: &Router, request: Request<Body>) -> Answer {
    let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let body = axum::body::to_bytes(body, 64 << 20).await.unwrap().to_vec();
    Answer { status: parts.status.as_u16(), headers: parts.headers, body }
}

pub(crate) async fn get(path: &str) -> Answer {
    send(router(), Request::builder().uri(path).body(Body::empty()).unwrap()).await
}

pub(crate) fn post(path: &str, body: impl Into<Body>) -> Request<Body> {
    Request::builder().method(Method::POST).uri(path).body(body.into()).unwrap()
}

/// A request from a program on the same machine.
pub(crate) fn local(mut request: Request<Body>) -> Request<Body> {
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 9))));
    request
}

pub(crate) async fn infer(model: &str, body: &Value) -> Answer {
    send(router(), post(&format!("/v2/models/{model}/infer"), body.to_string())).await
}

/// A body of JSON with tensors as bytes after it.
pub(crate) fn binary(model: &str, json: &Value, bytes: &[u8]) -> Request<Body> {
    let mut body = json.to_string().into_bytes();
    let length = body.len();
    body.extend_from_slice(bytes);
    let mut request = post(&format!("/v2/models/{model}/infer"), body);
    request.headers_mut().insert(HEADER, length.into());
    request
}

/// A body that is nothing but one tensor's data.
pub(crate) fn raw(model: &str, bytes: Vec<u8>) -> Request<Body> {
    let mut request = post(&format!("/v2/models/{model}/infer"), bytes);
    request.headers_mut().insert(HEADER, 0.into());
    request
}

pub(crate) fn text_input(texts: &[&str]) -> Value {
    json!({"name": "text", "datatype": "BYTES", "shape": [texts.len()], "data": texts})
}

/// Elements of BYTES as bytes.
pub(crate) fn elements(values: &[&[u8]]) -> Vec<u8> {
    let prefixed = |value: &&[u8]| {
        let length = u32::try_from(value.len()).unwrap();
        [&length.to_le_bytes()[..], value].concat()
    };
    values.iter().flat_map(prefixed).collect()
}

/// An output of an answer, by name.
pub(crate) fn output<'a>(answer: &'a Value, name: &str) -> &'a Value {
    let outputs = answer["outputs"].as_array().unwrap();
    outputs
        .iter()
        .find(|output| output["name"] == name)
        .unwrap_or_else(|| panic!("{name} is not in {answer}"))
}

pub(crate) fn shape(answer: &Value, name: &str) -> Vec<u64> {
    let sizes = output(answer, name)["shape"].as_array().unwrap();
    sizes.iter().map(|size| size.as_u64().unwrap()).collect()
}

pub(crate) fn numbers(answer: &Value, name: &str) -> Vec<f32> {
    let data = output(answer, name)["data"].as_array().unwrap();
    data.iter().map(|number| number.as_f64().unwrap() as f32).collect()
}

pub(crate) fn words(answer: &Value, name: &str) -> Vec<String> {
    let data = output(answer, name)["data"].as_array().unwrap();
    data.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

/// A client over a router, without a network between.
pub(crate) fn client(router: &Router) -> GrpcInferenceServiceClient<Router> {
    GrpcInferenceServiceClient::new(router.clone())
}
