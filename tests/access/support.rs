//! Servers with keys, requests, and what comes back.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use heartline::app::{App, Ending, StartError};
use heartline::config::Config;
use heartline::http;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tower::ServiceExt;

/// The key of the contact centre.
pub(crate) const CENTRE: &str = "hlk_the-key-of-the-contact-centre";
/// The key of the dashboard.
pub(crate) const DASHBOARD: &str = "hlk_the-key-of-the-dashboard";
/// The page of another host that may ask.
pub(crate) const DESK: &str = "https://desk.example";

/// A server with two keys, which most tests share.
static ROUTER: LazyLock<Router> = LazyLock::new(|| http::router(&build(&[&keys()])));

pub(crate) fn router() -> &'static Router {
    &ROUTER
}

pub(crate) fn sha256(key: &str) -> String {
    Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The setting of the two keys.
pub(crate) fn keys() -> String {
    let (centre, dashboard) = (sha256(CENTRE), sha256(DASHBOARD));
    format!(
        "access.keys=[{{ name = \"centre\", sha256 = \"{centre}\", requests_per_second = 1000, burst = 1000 }}, \
         {{ name = \"dashboard\", sha256 = \"{dashboard}\", requests_per_second = 1, burst = 2 }}]"
    )
}

pub(crate) fn config(settings: &[&str]) -> Config {
    let weights = format!("engine.models_folder={}", root().join("models/weights").display());
    let mut all = vec![
        weights,
        "engine.device=cpu".to_owned(),
        "engine.warm_up=false".to_owned(),
        "server.bind=127.0.0.1:0".to_owned(),
        format!("access.allowed_origins=[\"{DESK}\"]"),
    ];
    all.extend(settings.iter().map(|&setting| setting.to_owned()));
    Config::load(None, &all).unwrap_or_else(|errors| panic!("{errors}"))
}

pub(crate) fn build(settings: &[&str]) -> App {
    App::build(config(settings))
        .unwrap_or_else(|error| panic!("{error}: {:?}", std::error::Error::source(&error)))
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
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

    pub(crate) fn assert_failure(&self, status: u16, code: &str) -> String {
        let body = self.json();
        assert_eq!((self.status, body["code"].as_str()), (status, Some(code)), "{body}");
        body["message"].as_str().unwrap().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Sends a request without a body through a router, as the network would.
pub(crate) async fn ask(router: &Router, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let builder = Request::builder().method(method).uri(path).header("host", "calls.example");
    let builder = headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value));
    let answer = router.clone().oneshot(builder.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = answer.into_parts();
    let body = axum::body::to_bytes(body, 64 << 20).await.unwrap().to_vec();
    Answer { status: parts.status.as_u16(), headers: parts.headers, body }
}

/// A server on a free port, until the sender is used or dropped.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) ending: JoinHandle<Result<Ending, StartError>>,
}

pub(crate) async fn serve(settings: &[&str]) -> Served {
    let app = build(settings);
    let listener = App::bind(app.config()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async move {
        let _ = stopped.await;
    };
    Served { address, stop, ending: tokio::spawn(async move { app.serve(listener, stopped).await }) }
}
