//! A server with live calls, a client that speaks the wire by hand, and the sample call cut into pieces.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use heartline::app::App;
use heartline::config::Config;
use heartline::media::{MediaLimits, parse_transcript, read_audio};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// How long a test waits for something that must come.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn sample(name: &str) -> PathBuf {
    root().join("samples").join(name)
}

/// A server that lives as long as its runtime.
pub(crate) struct Server {
    pub(crate) app: App,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) async fn start(settings: &[&str]) -> Self {
        let weights = format!("engine.models_folder={}", root().join("models/weights").display());
        let mut all = vec![weights, "engine.device=cpu".to_owned(), "server.bind=127.0.0.1:0".to_owned()];
        all.extend(settings.iter().map(|&setting| setting.to_owned()));
        let config = Config::load(None, &all).unwrap_or_else(|errors| panic!("{errors}"));
        let built = tokio::task::spawn_blocking(move || {
            let app = App::build(config.clone());
            (app.unwrap_or_else(|error| panic!("{error}: {:?}", std::error::Error::source(&error))), config)
        });
        let (app, config) = built.await.unwrap();
        let listener = App::bind(&config).await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = app.clone();
        tokio::spawn(async move { serving.serve(listener, std::future::pending()).await });
        Self { app, address }
    }

    pub(crate) async fn connect(&self) -> Live {
        self.connect_to("/v1/live").await
    }

    pub(crate) async fn connect_to(&self, path: &str) -> Live {
        Live::connect(self.address, path).await
    }
}

/// The runtime of all tests, so that they can share a server.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
static SERVER: OnceCell<Server> = OnceCell::const_new();

/// The server that most tests share; loading the models takes longer than most tests.
pub(crate) async fn server() -> &'static Server {
    SERVER.get_or_init(|| Server::start(&[])).await
}

/// Runs a test on the shared runtime.
pub(crate) fn run<T: Send + 'static>(test: impl Future<Output = T> + Send + 'static) -> T {
    RUNTIME
        .block_on(RUNTIME.spawn(test))
        .unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

/// A client of a live call.
pub(crate) struct Live {
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Everything that came.
    pub(crate) events: Vec<Value>,
}

impl Live {
    pub(crate) async fn connect(address: SocketAddr, path: &str) -> Self {
        let (socket, _) = connect_async(format!("ws://{address}{path}")).await.unwrap();
        Self { socket, events: Vec::new() }
    }

    pub(crate) async fn say(&mut self, message: &Value) {
        self.socket.send(Message::text(message.to_string())).await.unwrap();
    }

    pub(crate) async fn configure(&mut self, session: Value) {
        self.say(&json!({"type": "session.update", "session": session})).await;
    }

    pub(crate) async fn media(&mut self, kind: u8, track: u8, at_ms: Option<u64>, media: &[u8]) {
        let message = heartline::http::live::message::write_binary(kind, track, at_ms, media);
        self.socket.send(Message::binary(message)).await.unwrap();
    }

    /// The next event; none when the connection is closed.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("an event comes");
            match message {
                Some(Ok(Message::Text(text))) => {
                    let event: Value = serde_json::from_str(&text).unwrap();
                    self.events.push(event.clone());
                    return Some(event);
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// Reads until an event of this type comes.
    pub(crate) async fn until(&mut self, kind: &str) -> Value {
        while let Some(event) = self.next().await {
            if event["type"] == kind {
                return event;
            }
        }
        panic!("the connection ended before {kind}: {:?}", self.kinds());
    }

    /// Asks for the end and reads what is left; gives the summary.
    pub(crate) async fn close(&mut self) -> Value {
        self.say(&json!({"type": "session.close"})).await;
        let closed = self.until("session.closed").await;
        assert_eq!(self.next().await, None, "nothing comes after the end");
        closed
    }

    pub(crate) fn of(&self, kind: &str) -> Vec<&Value> {
        self.events.iter().filter(|event| event["type"] == kind).collect()
    }

    pub(crate) fn kinds(&self) -> Vec<&str> {
        self.events.iter().filter_map(|event| event["type"].as_str()).collect()
    }
}

/// The tracks of a call with all three modalities.
pub(crate) fn tracks() -> Value {
    json!([
        {"name": "voice", "kind": "audio",
         "format": {"encoding": "pcm_s16le", "sample_rate_hz": 16_000, "channels": 1}},
        {"name": "camera", "kind": "video"},
        {"name": "words", "kind": "text"},
        {"name": "agent words", "kind": "text", "role": "agent"},
    ])
}

/// A message of the sample call.
pub(crate) enum Piece {
    Audio(Vec<u8>),
    Frame(Vec<u8>),
    Text(Value),
}

/// The sample call as a platform would send it, in the order of media time: audio in pieces of 100 ms, frames, and
/// each line of the transcript when it ends.
pub(crate) fn sample_call() -> Vec<(u64, Piece)> {
    let audio = read_audio(&sample("call/speech.flac"), &MediaLimits::default()).unwrap();
    let mut pieces: Vec<(u64, Piece)> = Vec::new();
    for (index, samples) in audio.samples.chunks(1_600).enumerate() {
        let bytes = samples.iter().flat_map(|sample| ((sample * 32_767.0) as i16).to_le_bytes()).collect();
        pieces.push((index as u64 * 100, Piece::Audio(bytes)));
    }
    let mut frames: Vec<_> =
        std::fs::read_dir(sample("call/frames")).unwrap().map(|entry| entry.unwrap().path()).collect();
    frames.sort();
    for path in frames {
        let at_ms = heartline::media::frame_time_ms(&path).unwrap();
        pieces.push((at_ms, Piece::Frame(std::fs::read(&path).unwrap())));
    }
    let transcript = std::fs::read(sample("call/transcript.txt")).unwrap();
    for line in parse_transcript(&transcript, &MediaLimits::default()).unwrap() {
        let track = if line.is_customer() { 2 } else { 3 };
        let text = json!({"type": "text", "track": track, "start_ms": line.start_ms, "end_ms": line.end_ms,
            "text": line.text});
        pieces.push((line.end_ms.unwrap(), Piece::Text(text)));
    }
    pieces.sort_by_key(|(at_ms, _)| *at_ms);
    pieces
}

/// Sends a piece.
pub(crate) async fn send(live: &mut Live, at_ms: u64, piece: &Piece) {
    match piece {
        Piece::Audio(bytes) => live.media(1, 0, Some(at_ms), bytes).await,
        Piece::Frame(bytes) => live.media(2, 1, Some(at_ms), bytes).await,
        Piece::Text(text) => live.say(text).await,
    }
}

pub(crate) fn agents() -> Value {
    let agents = std::fs::read(sample("agents.json")).unwrap();
    let agents: Value = serde_json::from_slice(&agents).unwrap();
    agents.get("agents").cloned().unwrap_or(agents)
}
