//! The whole server with its models, and what a session of it tells.

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Request};
use heartline::app::App;
use heartline::config::Config;
use heartline::http;
use heartline::live::{Delivery, EventReader, Session};
use serde_json::Value;
use tokio::runtime::Runtime;
use tower::ServiceExt;

static APP: LazyLock<App> = LazyLock::new(|| build("webrtc.enabled=true"));

/// What the shared server runs on: it outlives every single test, as the server's own tasks must.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// Runs a test of the shared server.
pub(crate) fn run(test: impl Future<Output = ()>) {
    RUNTIME.block_on(test);
}

/// The server that the tests share; loading the models takes longer than most tests.
pub(crate) fn app() -> &'static App {
    &APP
}

pub(crate) fn build(setting: &str) -> App {
    let weights = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/weights");
    let weights = format!("engine.models_folder={}", weights.display());
    let settings = [weights, "engine.device=cpu".to_owned(), setting.to_owned()];
    let config = Config::load(None, &settings).unwrap_or_else(|errors| panic!("{errors}"));
    App::build(config).unwrap_or_else(|error| panic!("{error}: {:?}", std::error::Error::source(&error)))
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}: {}", self.body)).to_str().unwrap()
    }

    pub(crate) fn assert_failure(&self, status: u16, code: &str) {
        let body: Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!((self.status, body["code"].as_str()), (status, Some(code)), "{body}");
    }
}

/// Sends a request through the router, as the network would.
pub(crate) async fn send(
    app: &App,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let request = Request::builder().method(method).uri(path);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let (parts, body) = http::router(app).oneshot(request).await.unwrap().into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap().to_vec();
    Answer { status: parts.status.as_u16(), headers: parts.headers, body: String::from_utf8(body).unwrap() }
}

/// Posts an offer.
pub(crate) async fn offer(path: &str, sdp: &str) -> Answer {
    send(app(), "POST", path, &[("content-type", "application/sdp")], sdp).await
}

/// What was seen of a customer so far.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) has_speech: bool,
    pub(crate) has_voice: bool,
    pub(crate) has_face: bool,
    pub(crate) has_emotion: bool,
    pub(crate) faults: Vec<Value>,
    pub(crate) is_closed: bool,
}

impl Seen {
    pub(crate) fn is_all(&self) -> bool {
        self.has_speech && self.has_voice && self.has_face && self.has_emotion
    }

    fn note(&mut self, event: Value) {
        match event["type"].as_str().unwrap() {
            "utterance.start" => self.has_speech = true,
            "reading" => self.has_voice |= event["reading"]["modality"] == "voice",
            "frame" => {
                let faces = event["faces"].as_array().unwrap();
                self.has_face |= faces.iter().any(|face| face["reading"].is_object());
                if event["skipped"] == "unreadable" {
                    self.faults.push(event);
                }
            }
            "emotion" => self.has_emotion = true,
            "error" => self.faults.push(event),
            "notice" if event["code"] == "audio_damaged" => self.faults.push(event),
            "session.closed" => self.is_closed = true,
            _ => {}
        }
    }
}

/// Reads a session's events until everything was seen, the session has ended, or patience has.
pub(crate) async fn watch(session: &Session, patience: Duration) -> Seen {
    let (mut seen, mut reader) = (Seen::default(), session.events(None));
    let reading = async {
        while !seen.is_all() && !seen.is_closed {
            match reader.next().await {
                Some(Delivery::Event(sent)) => seen.note(serde_json::from_slice(&sent.json).unwrap()),
                Some(Delivery::Missed { .. }) => {}
                None => break,
            }
        }
    };
    let _ = tokio::time::timeout(patience, reading).await;
    seen
}

/// The message with which a session ended.
pub(crate) async fn summary(mut reader: EventReader) -> Value {
    loop {
        let Delivery::Event(sent) = reader.next().await.expect("the session ends with a summary") else {
            continue;
        };
        if sent.kind == "session.closed" {
            return serde_json::from_slice(&sent.json).unwrap();
        }
    }
}
