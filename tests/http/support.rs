//! The app under test, requests and media.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use axum::body::Body;
use axum::http::{Method, Request, Response};
use heartline::app::App;
use heartline::config::Config;
use heartline::http;
use serde_json::Value;
use tower::ServiceExt;

/// The app that most tests share; loading the models takes longer than most tests.
static APP: LazyLock<App> = LazyLock::new(|| build(&[]));

pub(crate) fn app() -> &'static App {
    &APP
}

/// An app with further settings.
pub(crate) fn build(settings: &[&str]) -> App {
    App::build(config(settings))
        .unwrap_or_else(|error| panic!("{error}: {:?}", std::error::Error::source(&error)))
}

pub(crate) fn config(settings: &[&str]) -> Config {
    let weights = format!("engine.models_folder={}", root().join("models/weights").display());
    let mut all = vec![weights, "engine.device=cpu".to_owned(), "server.bind=127.0.0.1:0".to_owned()];
    all.extend(settings.iter().map(|&setting| setting.to_owned()));
    Config::load(None, &all).unwrap_or_else(|errors| panic!("{errors}"))
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn sample(name: &str) -> PathBuf {
    root().join("samples/call").join(name)
}

/// An answer with its body read.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Checks a failure: its status, its code, and that its body and its header name the same request.
    pub(crate) fn assert_failure(&self, status: u16, code: &str) -> String {
        let body = self.json();
        assert_eq!((self.status, body["code"].as_str()), (status, Some(code)), "{body}");
        assert_eq!(body["request_id"].as_str(), self.headers["x-request-id"].to_str().ok());
        assert_eq!(body.as_object().unwrap().len(), 3, "{body}");
        body["message"].as_str().unwrap().to_owned()
    }

    pub(crate) fn assert_success(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        self.json()
    }
}

/// Sends a request through the router, as the network would.
pub(crate) async fn send(app: &App, request: Request<Body>) -> Answer {
    let response: Response<Body> = http::router(app).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, 64 << 20).await.unwrap().to_vec();
    Answer { status: parts.status.as_u16(), headers: parts.headers, body }
}

pub(crate) async fn get(path: &str) -> Answer {
    send(app(), Request::builder().uri(path).body(Body::empty()).unwrap()).await
}

pub(crate) fn json_request(path: &str, body: &str) -> Request<Body> {
    let builder =
        Request::builder().method(Method::POST).uri(path).header("content-type", "application/json");
    builder.body(Body::from(body.to_owned())).unwrap()
}

pub(crate) async fn post_json(path: &str, body: &Value) -> Answer {
    send(app(), json_request(path, &body.to_string())).await
}

/// A multipart form.
#[derive(Default)]
pub(crate) struct Form {
    bytes: Vec<u8>,
}

const BOUNDARY: &str = "a-boundary-that-nothing-contains";

impl Form {
    pub(crate) fn part(mut self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.push(&format!("name=\"{name}\""), content.as_ref());
        self
    }

    pub(crate) fn file(mut self, name: &str, file_name: &str, content: impl AsRef<[u8]>) -> Self {
        self.push(&format!("name=\"{name}\"; filename=\"{file_name}\""), content.as_ref());
        self
    }

    fn push(&mut self, disposition: &str, content: &[u8]) {
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n");
        self.bytes.extend_from_slice(head.as_bytes());
        self.bytes.extend_from_slice(content);
        self.bytes.extend_from_slice(b"\r\n");
    }

    pub(crate) fn request(mut self) -> Request<Body> {
        self.bytes.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        Request::builder()
            .method(Method::POST)
            .uri("/v1/analyze")
            .header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"))
            .body(Body::from(self.bytes))
            .unwrap()
    }

    pub(crate) async fn send(self) -> Answer {
        send(app(), self.request()).await
    }
}

/// The whole sample call as a form.
pub(crate) fn sample_form() -> Form {
    let mut form = Form::default().file("audio", "speech.flac", read("speech.flac"));
    for (name, bytes) in sample_frames() {
        form = form.file("frame", &name, bytes);
    }
    form.part("transcript", read("transcript.txt")).part("agents", sample_agents())
}

pub(crate) fn read(name: &str) -> Vec<u8> {
    let path = sample(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn sample_frames() -> Vec<(String, Vec<u8>)> {
    let mut frames: Vec<_> = std::fs::read_dir(sample("frames"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap()))
        .collect();
    frames.sort();
    frames
}

pub(crate) fn sample_agents() -> Vec<u8> {
    ["agents.json", "../agents.json"]
        .iter()
        .find_map(|name| std::fs::read(sample(name)).ok())
        .expect("the sample has agents")
}

/// Two made-up agents.
pub(crate) fn agents() -> Value {
    serde_json::json!([
        {"id": "patient", "skills": {"refund": 5.0}, "languages": {"en": "native", "zh": "C1"},
         "attitude": {"warmth": 0.9, "calm": 0.9, "patience": 0.9, "clarity": 0.8, "energy": 0.5}},
        {"id": "novice", "skills": {"refund": 1.0}, "languages": {"en": "B1", "zh": "B1"},
         "attitude": {"warmth": 0.1, "calm": 0.1, "patience": 0.1, "clarity": 0.2, "energy": 0.5}}
    ])
}

/// A WAV file of 16-bit samples at 16 kHz.
pub(crate) fn wav(samples: &[i16]) -> Vec<u8> {
    let data: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let length = u32::try_from(data.len()).unwrap();
    let mut file = Vec::new();
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(36 + length).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend_from_slice(&16_000_u32.to_le_bytes());
    file.extend_from_slice(&32_000_u32.to_le_bytes());
    file.extend_from_slice(b"\x02\0\x10\0data");
    file.extend_from_slice(&length.to_le_bytes());
    file.extend_from_slice(&data);
    file
}

/// Three seconds in which nobody speaks.
pub(crate) fn silence() -> Vec<u8> {
    wav(&vec![0; 48_000])
}

/// A picture without a face.
pub(crate) fn wall() -> Vec<u8> {
    let picture = image::RgbImage::from_fn(320, 240, |x, y| image::Rgb([120, (x / 2) as u8, (y / 2) as u8]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// The codes of an analysis' notes.
pub(crate) fn notes(analysis: &Value) -> Vec<&str> {
    analysis["notes"].as_array().unwrap().iter().map(|note| note["code"].as_str().unwrap()).collect()
}
