//! Servers that receive webhooks, and calls that cause them.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use heartline::app::App;
use heartline::config::Config;
use heartline::live::webhooks::Webhooks;
use heartline::live::{CloseReason, Input, Origin, Session, SessionOptions, TextPart, Transport};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::net::TcpListener;

/// The bytes of the secret.
const SECRET: [u8; 32] = [42; 32];
/// Longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What a little server is told to do with the next request; when nothing is left, it says that all is well.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Habit {
    Answer(u16),
    RetryAfter(u16, u64),
    Hang,
}

/// A request that came.
#[derive(Debug, Clone)]
pub(crate) struct Came {
    pub(crate) id: String,
    pub(crate) at: Instant,
    pub(crate) body: Value,
}

#[derive(Clone, Default)]
pub(crate) struct Receiver {
    habits: Arc<Mutex<VecDeque<Habit>>>,
    came: Arc<Mutex<Vec<Came>>>,
}

impl Receiver {
    /// A little server with these habits, and its address.
    pub(crate) async fn start(habits: &[Habit]) -> (Self, SocketAddr) {
        let receiver =
            Self { habits: Arc::new(Mutex::new(habits.iter().copied().collect())), ..Self::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/hook", post(take)).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (receiver, address)
    }

    /// What came so far.
    pub(crate) fn came(&self) -> Vec<Came> {
        self.came.lock().unwrap().clone()
    }

    /// What came, once there is so much of it.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Came> {
        let started = Instant::now();
        while self.came().len() < count {
            assert!(started.elapsed() < PATIENCE, "only {:?} came", self.came());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.came()
    }

    pub(crate) fn kinds(&self) -> Vec<String> {
        self.came().iter().map(|came| came.body["type"].as_str().unwrap().to_owned()).collect()
    }
}

/// Takes a request, after its signature was verified as the specification says.
async fn take(State(receiver): State<Receiver>, headers: HeaderMap, bytes: Bytes) -> (StatusCode, HeaderMap) {
    let header = |name: &str| headers[name].to_str().unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&SECRET).unwrap();
    mac.update(format!("{}.{}.", header("webhook-id"), header("webhook-timestamp")).as_bytes());
    mac.update(&bytes);
    let signature = header("webhook-signature").strip_prefix("v1,").unwrap();
    mac.verify_slice(&BASE64_STANDARD.decode(signature).unwrap()).expect("the signature is ours");
    assert_eq!(header("content-type"), "application/json");
    let body = serde_json::from_slice(&bytes).unwrap();
    let came = Came { id: header("webhook-id").to_owned(), at: Instant::now(), body };
    receiver.came.lock().unwrap().push(came);
    let habit = receiver.habits.lock().unwrap().pop_front();
    let mut answer = HeaderMap::new();
    let status = match habit {
        None => 204,
        Some(Habit::Answer(status)) => status,
        Some(Habit::RetryAfter(status, seconds)) => {
            answer.insert("retry-after", seconds.into());
            status
        }
        Some(Habit::Hang) => std::future::pending().await,
    };
    (StatusCode::from_u16(status).unwrap(), answer)
}

/// An endpoint's configuration.
pub(crate) fn endpoint(address: SocketAddr, events: &[&str], keys: &[&str]) -> String {
    let secret = BASE64_STANDARD.encode(SECRET);
    format!(
        "{{ url = \"http://{address}/hook\", secret = \"whsec_{secret}\", events = {}, keys = {} }}",
        json!(events),
        json!(keys)
    )
}

pub(crate) fn build(endpoints: &[String], settings: &[&str]) -> App {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = vec![
        format!("engine.models_folder={}", root.join("models/weights").display()),
        "engine.device=cpu".to_owned(),
        "engine.warm_up=false".to_owned(),
        "server.bind=127.0.0.1:0".to_owned(),
        "webhooks.retry_ms=20".to_owned(),
        format!("webhooks.endpoints=[{}]", endpoints.join(", ")),
    ];
    all.extend(settings.iter().map(|&setting| setting.to_owned()));
    let config = Config::load(None, &all).unwrap_or_else(|errors| panic!("{errors}"));
    App::build(config).unwrap_or_else(|error| panic!("{error}: {:?}", std::error::Error::source(&error)))
}

/// Starts an app's webhooks.
pub(crate) fn start(app: &App) -> Webhooks {
    Webhooks::start(&app.config().webhooks, app.live()).unwrap_or_else(|error| panic!("{error}"))
}

/// Opens a session for words.
pub(crate) fn open(app: &App, key: Option<&str>) -> Session {
    let options: SessionOptions =
        serde_json::from_value(json!({"call_id": "call-7", "tracks": [{"name": "words", "kind": "text"}]}))
            .unwrap();
    let origin = Origin { key: key.map(Into::into), ..Origin::of(Transport::Http) };
    app.live().open(options, origin).unwrap()
}

/// A session from its opening to its end, in which something is said.
pub(crate) async fn call(app: &App, key: Option<&str>) -> String {
    let session = open(app, key);
    let text = "Where is my refund?".to_owned();
    let part = TextPart { track: 0, start_ms: Some(1_000), end_ms: Some(2_000), text, is_final: true };
    session.send(Input::Text(part)).await.unwrap();
    session.close(CloseReason::Requested).await.unwrap();
    session.id().to_owned()
}
