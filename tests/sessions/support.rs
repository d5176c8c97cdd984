//! Servers, requests, and readers of server-sent events.

use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, BodyDataStream};
use axum::http::{HeaderMap, Request};
use futures_util::StreamExt;
use heartline::app::App;
use heartline::config::Config;
use heartline::http;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tower::ServiceExt;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn build(settings: &[&str]) -> App {
    let weights = format!("engine.models_folder={}", root().join("models/weights").display());
    let mut all = vec![weights, "engine.device=cpu".to_owned(), "engine.warm_up=false".to_owned()];
    all.extend(settings.iter().map(|&setting| setting.to_owned()));
    let config = Config::load(None, &all).unwrap_or_else(|errors| panic!("{errors}"));
    App::build(config).unwrap_or_else(|error| panic!("{error}: {:?}", std::error::Error::source(&error)))
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The setting of two keys, of which each may have so many sessions.
pub(crate) fn keys(max_sessions: u32) -> String {
    let hash = |key: &str| -> String {
        Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let key = |name: &str| {
        format!("{{ name = \"{name}\", sha256 = \"{}\", max_sessions = {max_sessions} }}", hash(name))
    };
    format!("access.keys=[{}, {}]", key("one"), key("two"))
}

/// A client of a server.
pub(crate) struct Client {
    pub(crate) router: Router,
    key: Option<&'static str>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn success(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    pub(crate) fn failure(self, status: u16, code: &str) -> String {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{}", self.body);
        self.body["message"].as_str().unwrap().to_owned()
    }
}

impl Client {
    pub(crate) fn new(app: &App) -> Self {
        Self { router: http::router(app), key: None }
    }

    pub(crate) fn with_key(&self, key: &'static str) -> Self {
        Self { router: self.router.clone(), key: Some(key) }
    }

    fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        let builder = Request::builder().method(method).uri(path);
        match self.key {
            Some(key) => builder.header("authorization", format!("Bearer {key}")),
            None => builder,
        }
    }

    pub(crate) async fn send(&self, method: &str, path: &str, kind: &str, body: String) -> Answer {
        let request = self.request(method, path).header("content-type", kind).body(Body::from(body));
        let (parts, body) = self.router.clone().oneshot(request.unwrap()).await.unwrap().into_parts();
        let bytes = axum::body::to_bytes(body, 16 << 20).await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "application/json", String::new()).await
    }

    pub(crate) async fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.send(method, path, "application/json", body.to_string()).await
    }

    /// Opens a session for words and gives its identifier.
    pub(crate) async fn open(&self) -> String {
        let options =
            json!({"call_id": "call-7", "tracks": [{"name": "words", "kind": "text"}], "agents": agents()});
        let opened = self.json("POST", "/v1/sessions", &options).await.success(201);
        opened["session_id"].as_str().unwrap().to_owned()
    }

    /// Says something at a second of the call.
    pub(crate) async fn say(&self, id: &str, second: u64, text: &str) {
        let part =
            json!({"track": 0, "start_ms": second * 1_000, "end_ms": second * 1_000 + 900, "text": text});
        let path = format!("/v1/sessions/{id}/transcript");
        self.json("POST", &path, &json!({"parts": [part]})).await.success(200);
    }

    /// Opens a stream of events.
    pub(crate) async fn events(&self, path: &str, last: Option<u64>) -> Events {
        let mut request = self.request("GET", path);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let answer = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Events { body: answer.into_body().into_data_stream(), text: String::new() }
    }
}

/// A reader of server-sent events.
pub(crate) struct Events {
    body: BodyDataStream,
    text: String,
}

/// One event.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) id: Option<u64>,
    pub(crate) event: String,
    pub(crate) data: Value,
}

impl Events {
    /// The next event; none when the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<Told> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    block
                        .lines()
                        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": ").map(str::to_owned))
                };
                let told = field("event").map(|event| Told {
                    id: field("id").map(|id| id.parse().unwrap()),
                    event,
                    data: serde_json::from_str(&field("data").unwrap()).unwrap(),
                });
                self.text = rest.to_owned();
                // A block without an event is a ping.
                if told.is_some() {
                    return told;
                }
                continue;
            }
            let piece = tokio::time::timeout(PATIENCE, self.body.next()).await.expect("something comes");
            self.text.push_str(std::str::from_utf8(&piece?.unwrap()).unwrap());
        }
    }

    /// Everything until the stream ends.
    pub(crate) async fn all(mut self) -> Vec<Told> {
        let mut told = Vec::new();
        while let Some(next) = self.next().await {
            told.push(next);
        }
        told
    }
}

/// Two made-up agents.
pub(crate) fn agents() -> Value {
    json!([
        {"id": "patient", "skills": {"refund": 5.0}, "languages": {"en": "native"},
         "attitude": {"warmth": 0.9, "calm": 0.9, "patience": 0.9, "clarity": 0.8, "energy": 0.5}},
        {"id": "novice", "skills": {"refund": 1.0}, "languages": {"en": "B1"},
         "attitude": {"warmth": 0.1, "calm": 0.1, "patience": 0.1, "clarity": 0.2, "energy": 0.5}}
    ])
}
