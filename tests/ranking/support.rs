//! The app under test, requests, and the program.

use std::ffi::OsString;
use std::path::Path;

use axum::body::Body;
use axum::http::{Request, Response};
use heartline::app::App;
use heartline::config::Config;
use heartline::{cli, http};
use serde_json::{Value, json};
use tower::ServiceExt;

/// Settings that every app and every run of the program has.
fn common() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    vec![
        format!("engine.models_folder={}", root.join("models/weights").display()),
        "engine.device=cpu".to_owned(),
        "engine.warm_up=false".to_owned(),
        // A machine that does much at once must not make matchers late.
        "plugins.matchers=[{ path = \"libheartline_skill.so\", deadline_ms = 5000 }, \
         { path = \"libheartline_attitude.so\", deadline_ms = 5000 }, \
         { path = \"libheartline_language.so\", deadline_ms = 5000 }]"
            .to_owned(),
    ]
}

/// A second policy, which counts nothing but attitude and keeps one agent out.
pub(crate) const KIND: &str = "{ name = \"kind\", matchers = [{ id = \"attitude\" }, { id = \"skill\", mode = \"shadow\" }], \
    filters = [{ name = \"not-expert\", require = { rule = \"not_agents\", agents = [\"expert\"] } }] }";

pub(crate) fn build(settings: &[&str]) -> App {
    let mut all = common();
    all.push(format!("routing.policies=[{{ name = \"default\" }}, {KIND}]"));
    all.extend(settings.iter().map(|&setting| setting.to_owned()));
    let config = Config::load(None, &all).unwrap_or_else(|errors| panic!("{errors}"));
    App::build(config).unwrap_or_else(|error| panic!("{error}: {:?}", std::error::Error::source(&error)))
}

/// An answer's status and body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    pub(crate) fn expect_fault(self, status: u16, code: &str) -> String {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{}", self.body);
        self.body["message"].as_str().unwrap().to_owned()
    }
}

pub(crate) async fn send(app: &App, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let response: Response<Body> = http::router(app).oneshot(request.body(body).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, 64 << 20).await.unwrap();
    let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
    Answer { status: parts.status.as_u16(), body }
}

pub(crate) fn agents() -> Value {
    json!([
        {"id": "expert", "skills": {"refund": 5.0}, "languages": {"en": "native"}, "idle_ms": 10,
         "attitude": {"warmth": 0.1, "calm": 0.1, "patience": 0.1, "clarity": 0.2, "energy": 0.5},
         "attributes": {"site": "Lisbon", "vip": true, "years": 9}},
        {"id": "friendly", "skills": {"refund": 2.0}, "languages": {"en": "C1"}, "idle_ms": 900_000,
         "attitude": {"warmth": 0.9, "calm": 0.9, "patience": 0.9, "clarity": 0.9, "energy": 0.5},
         "attributes": {"site": "Porto", "vip": false, "years": 2}},
        {"id": "away", "activity": "offline"}
    ])
}

pub(crate) fn request() -> Value {
    json!({
        "emotion": {"version": 1, "at_ms": 60_000,
            "categories": {"neutral": 0.1, "happiness": 0.0, "surprise": 0.05, "sadness": 0.1, "anger": 0.7,
                           "disgust": 0.03, "fear": 0.02},
            "valence": -0.7, "arousal": 0.6, "dominance": 0.2, "satisfaction": 0.05, "frustration": 0.9,
            "confusion": 0.1, "trust": {"confidence": 0.8}},
        "language": "en", "other_languages": [{"language": "es", "share": 0.2}],
        "needed_skills": [{"name": "refund", "level": 4.0}], "complexity": 0.5
    })
}

/// Ranks the agents, with further keys of the request.
pub(crate) async fn rank(app: &App, keys: Value) -> Answer {
    let mut request = request();
    for (key, value) in keys.as_object().unwrap() {
        request[key] = value.clone();
    }
    send(app, "POST", "/v1/rank", Some(&json!({"request": request, "agents": agents()}))).await
}

pub(crate) fn order(ranking: &Value) -> Vec<&str> {
    let entries = ranking["entries"].as_array().unwrap();
    entries.iter().map(|entry| entry["agent_id"].as_str().unwrap()).collect()
}

/// What the program did.
pub(crate) struct Run {
    pub(crate) code: u8,
    pub(crate) output: String,
    pub(crate) faults: String,
}

/// `heartline rank replay` with further arguments and these records.
pub(crate) fn replay(folder: &Path, arguments: &[&str]) -> Run {
    let mut all: Vec<OsString> = ["heartline", "rank", "replay"].map(OsString::from).to_vec();
    all.extend(arguments.iter().map(OsString::from));
    let mut settings = common();
    settings.push(format!("routing.policies=[{{ name = \"default\" }}, {KIND}]"));
    settings.push(format!("routing.records.folder={}", folder.display()));
    for setting in settings {
        all.extend([OsString::from("--set"), OsString::from(setting)]);
    }
    let (mut output, mut faults) = (Vec::new(), Vec::new());
    let code = cli::run(all, &mut output, &mut faults).code();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { code, output: text(output), faults: text(faults) }
}
