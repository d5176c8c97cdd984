//! The app under test, the matcher whose configuration says how it behaves, and requests.

use std::path::{Path, PathBuf};
use std::process::Command;

use axum::body::Body;
use axum::http::Request;
use heartline::app::App;
use heartline::config::Config;
use heartline::http;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

/// The folder of one test: the matcher's library and what it has learned.
pub(crate) struct Desk {
    folder: TempDir,
}

impl Desk {
    /// A folder with version 1.0.0 of the matcher; none, said aloud, where the machine has no C compiler.
    pub(crate) fn new() -> Option<Self> {
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        desk.install("1.0.0").then_some(desk)
    }

    pub(crate) fn library(&self) -> PathBuf {
        self.folder.path().join("libmoody.so")
    }

    pub(crate) fn states(&self) -> PathBuf {
        self.folder.path().join("states")
    }

    /// Compiles a version of the matcher to the place where the configuration looks; says whether there is a compiler.
    pub(crate) fn install(&self, version: &str) -> bool {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
        let fresh = self.folder.path().join("fresh.so");
        let build = Command::new(&compiler)
            .args(["-std=c99", "-O1", "-fPIC", "-shared", "-fvisibility=hidden", "-D_POSIX_C_SOURCE=200809L"])
            .arg(format!("-DVERSION=\"{version}\""))
            .arg("-I")
            .arg(root.join("plugins/abi/include"))
            .arg(root.join("tests/matchers/fixtures/moody.c"))
            .arg("-o")
            .arg(&fresh)
            .output();
        let Ok(build) = build else {
            eprintln!("SKIPPED: no C compiler `{compiler}` on this machine");
            return false;
        };
        assert!(build.status.success(), "{}", String::from_utf8_lossy(&build.stderr));
        std::fs::rename(fresh, self.library()).unwrap();
        true
    }

    /// An app that ranks with this matcher alone.
    pub(crate) fn app(&self, mood: &str, isolation: &str, further: &[&str]) -> App {
        let entry = format!(
            "plugins.matchers=[{{ path = {:?}, isolation = \"{isolation}\", deadline_ms = 2000, config = {{ mood = \
             \"{mood}\" }} }}]",
            self.library()
        );
        let mut settings = vec![
            format!(
                "engine.models_folder={}",
                Path::new(env!("CARGO_MANIFEST_DIR")).join("models/weights").display()
            ),
            "engine.device=cpu".to_owned(),
            "engine.warm_up=false".to_owned(),
            "server.bind=127.0.0.1:0".to_owned(),
            "inference.management=anyone".to_owned(),
            "plugins.breaker.failures=2".to_owned(),
            "plugins.breaker.back_off_ms=86400000".to_owned(),
            "plugins.breaker.max_back_off_ms=86400000".to_owned(),
            // The test's own program is not the server's.
            format!("plugins.process.program={}", env!("CARGO_BIN_EXE_heartline")),
            entry,
            "routing.policies=[{ name = \"default\", matchers = [{ id = \"moody\" }] }]".to_owned(),
        ];
        settings.extend(further.iter().map(|&setting| setting.to_owned()));
        let config = Config::load(None, &settings).unwrap_or_else(|errors| panic!("{errors}"));
        App::build(config).unwrap_or_else(|error| panic!("{error}: {:?}", std::error::Error::source(&error)))
    }
}

pub(crate) async fn send(app: &App, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
    let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let response = http::router(app).oneshot(request.body(body).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_else(|_| json!(String::from_utf8_lossy(&bytes))))
}

/// What is told of the matcher.
pub(crate) async fn matcher(app: &App) -> Value {
    let (status, detail) = send(app, "GET", "/v1/matchers/moody", None).await;
    assert_eq!(status, 200, "{detail}");
    detail
}

/// A ranking of two agents.
pub(crate) async fn rank(app: &App) -> Value {
    let emotion = json!({
        "version": 1, "at_ms": 0,
        "categories": {"neutral": 1.0, "happiness": 0.0, "surprise": 0.0, "sadness": 0.0, "anger": 0.0,
                       "disgust": 0.0, "fear": 0.0},
        "valence": 0.0, "arousal": 0.0, "dominance": 0.0, "satisfaction": 0.0, "frustration": 0.0,
        "confusion": 0.0, "trust": {"confidence": 0.8}
    });
    let agents = json!([{"id": "agent-01", "idle_ms": 5}, {"id": "agent-02", "idle_ms": 9}]);
    let body = json!({"request": {"emotion": emotion}, "agents": agents});
    let (status, ranking) = send(app, "POST", "/v1/rank", Some(body)).await;
    assert_eq!(status, 200, "{ranking}");
    ranking
}

/// Why the matcher had no say, if it had none.
pub(crate) fn failure(ranking: &Value) -> Option<&str> {
    ranking["matchers"][0]["error"].as_str()
}

/// The value of a metric.
pub(crate) async fn metric(app: &App, line: &str) -> Option<f64> {
    let (_, text) = send(app, "GET", "/metrics", None).await;
    let text = text.as_str().unwrap().to_owned();
    let found = text.lines().find_map(|found| found.strip_prefix(line))?;
    found.trim().parse().ok()
}
