//! The server under test, a telephone company in its place, and the sound of the sample call.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt, StreamExt};
use heartline::app::App;
use heartline::config::Config;
use heartline::live::{Delivery, SessionInfo};
use heartline::media::{MediaLimits, read_audio};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Bytes, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A server on a port of its own; it ends with the test.
pub(crate) struct Server {
    pub(crate) app: App,
    pub(crate) address: std::net::SocketAddr,
    _stop: oneshot::Sender<()>,
}

pub(crate) async fn serve(settings: &[&str]) -> Server {
    let mut all = vec![
        format!("engine.models_folder={}", root().join("models/weights").display()),
        "engine.device=cpu".to_owned(),
        "engine.warm_up=false".to_owned(),
        "server.bind=127.0.0.1:0".to_owned(),
    ];
    all.extend(settings.iter().map(|&setting| setting.to_owned()));
    let config = Config::load(None, &all).unwrap_or_else(|errors| panic!("{errors}"));
    let app = App::build(config).unwrap();
    let listener = App::bind(app.config()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = app.clone();
    tokio::spawn(async move {
        let stopped = async move { drop(stopped.await) };
        serving.serve(listener, stopped).await.unwrap();
    });
    Server { app, address, _stop: stop }
}

impl Server {
    /// A telephone company's connection.
    pub(crate) async fn dial(&self) -> Phone {
        self.dial_with(&[]).await.unwrap()
    }

    /// The same with headers; the status where it is refused.
    pub(crate) async fn dial_with(&self, headers: &[(&'static str, &str)]) -> Result<Phone, u16> {
        use tokio_tungstenite::tungstenite::Error;
        let mut request = format!("ws://{}/v1/twilio", self.address).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match tokio_tungstenite::connect_async(request).await {
            Ok((socket, _)) => Ok(Phone { socket }),
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// The only session that is open, as soon as it is.
    pub(crate) async fn session(&self) -> SessionInfo {
        self.wait_for(|app| app.live().list().pop()).await
    }

    /// Waits until something holds.
    pub(crate) async fn wait_for<T>(&self, found: impl Fn(&App) -> Option<T>) -> T {
        let looking = async {
            loop {
                if let Some(found) = found(&self.app) {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, looking).await.expect("it holds in time")
    }

    /// All events of a session, until it ends.
    pub(crate) fn record(&self, session_id: &str) -> JoinHandle<Vec<Value>> {
        let mut events = self.app.live().find(session_id).unwrap().events(None);
        tokio::spawn(async move {
            let mut recorded = Vec::new();
            while let Some(delivery) =
                tokio::time::timeout(PATIENCE, events.next()).await.expect("events end")
            {
                let Delivery::Event(sent) = delivery else { panic!("{delivery:?}") };
                recorded.push(serde_json::from_slice(&sent.json).unwrap());
            }
            recorded
        })
    }
}

/// The only event of a kind.
pub(crate) fn only<'a>(events: &'a [Value], kind: &str) -> &'a Value {
    let found: Vec<_> = events.iter().filter(|event| event["type"] == kind).collect();
    assert_eq!(found.len(), 1, "{kind} in {events:#?}");
    found[0]
}

/// Checks how much was heard: resampling may keep a few milliseconds back at the end.
pub(crate) fn assert_heard(totals: &Value, expected_ms: u64) {
    let heard_ms = totals["audio_ms"].as_u64().unwrap();
    assert!(heard_ms.abs_diff(expected_ms) <= 20, "{heard_ms} ms were heard: {totals}");
}

/// A telephone company's side of a connection.
pub(crate) struct Phone {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Phone {
    pub(crate) async fn say(&mut self, message: &str) {
        self.socket.send(Message::text(message)).await.unwrap();
    }

    pub(crate) async fn say_json(&mut self, message: &Value) {
        self.say(&message.to_string()).await;
    }

    pub(crate) async fn say_bytes(&mut self, bytes: Vec<u8>) {
        self.socket.send(Message::Binary(Bytes::from(bytes))).await.unwrap();
    }

    /// Hangs up in good order.
    pub(crate) async fn hang_up(&mut self) {
        self.socket.close(None).await.unwrap();
    }

    /// How the server ends the connection. It says nothing else before.
    pub(crate) async fn goodbye(mut self) -> Option<CloseFrame> {
        let ended = tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("the connection ends");
        match ended {
            Some(Ok(Message::Close(frame))) => frame,
            None | Some(Err(_)) => None,
            Some(Ok(message)) => panic!("the telephone was told {message:?}"),
        }
    }
}

/// A capture: what comes before its sound, the message that carries sound, and what comes after.
pub(crate) struct Capture {
    pub(crate) before: Vec<Value>,
    pub(crate) media: Option<Value>,
    pub(crate) after: Vec<Value>,
}

pub(crate) fn capture(name: &str) -> Capture {
    let path = root().join("tests/twilio/fixtures").join(format!("{name}.jsonl"));
    let text = std::fs::read_to_string(path).unwrap();
    let messages: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let is_media = |message: &Value| message["event"] == "media";
    let place = messages.iter().position(is_media);
    let opening = place.unwrap_or(1);
    Capture {
        before: messages[..opening].to_vec(),
        media: place.map(|place| messages[place].clone()),
        after: messages[opening + usize::from(place.is_some())..].to_vec(),
    }
}

impl Capture {
    /// The message of one piece of sound, its numbers counted on.
    pub(crate) fn media(&self, index: u64, at_ms: u64, sound: &[u8]) -> Value {
        let mut message = self.media.clone().expect("the dialect sends sound as text");
        let object = message.as_object_mut().unwrap();
        for name in ["sequenceNumber", "sequence_number"] {
            if let Some(number) = object.get_mut(name) {
                count(number, index);
            }
        }
        let media = object["media"].as_object_mut().unwrap();
        count(&mut media["chunk"], index);
        count(&mut media["timestamp"], at_ms);
        media["payload"] = Value::from(STANDARD.encode(sound));
        message
    }
}

/// Counts a number on, as a number or as text, as it was.
fn count(number: &mut Value, by: u64) {
    *number = match number {
        Value::String(text) => Value::from((text.parse::<u64>().unwrap() + by).to_string()),
        Value::Number(number) => Value::from(number.as_u64().unwrap() + by),
        other => panic!("{other} is no number"),
    };
}

/// The sample call at 16 kHz.
static SPEECH: LazyLock<Vec<f32>> = LazyLock::new(|| {
    let path: PathBuf = root().join("samples/call/speech.flac");
    read_audio(&path, &MediaLimits::default()).unwrap().samples
});

/// How a dialect writes sound.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Writing {
    MuLaw,
    ALaw,
    Little,
    Big,
}

/// So many milliseconds of the sample call at a rate of 8 or 16 kHz.
pub(crate) fn speech(writing: Writing, rate_hz: usize, length_ms: usize) -> Vec<u8> {
    let step = 16_000 / rate_hz;
    let samples = SPEECH[..length_ms * 16].chunks(step).map(|chunk| {
        let mean = chunk.iter().sum::<f32>() / chunk.len() as f32;
        (mean * 32_767.0) as i16
    });
    match writing {
        Writing::MuLaw => samples.map(mu_law).collect(),
        Writing::ALaw => samples.map(a_law).collect(),
        Writing::Little => samples.flat_map(i16::to_le_bytes).collect(),
        Writing::Big => samples.flat_map(i16::to_be_bytes).collect(),
    }
}

/// ITU-T G.711 mu-law.
fn mu_law(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = (i32::from(sample).abs() + 0x84).min(0x7fff);
    let exponent = (24 - magnitude.leading_zeros() as i32).max(0);
    let mantissa = (magnitude >> (exponent + 3)) & 0x0f;
    !(sign | ((exponent as u8) << 4) | mantissa as u8)
}

/// ITU-T G.711 A-law.
fn a_law(sample: i16) -> u8 {
    let sign = if sample < 0 { 0 } else { 0x80 };
    let magnitude = i32::from(sample).abs().min(0x7fff) >> 4;
    let exponent = (28 - (magnitude as u32 | 0x0f).leading_zeros() as i32).max(0);
    let mantissa = if exponent == 0 { magnitude } else { (magnitude >> (exponent - 1)) & 0x0f };
    (sign | ((exponent as u8) << 4) | mantissa as u8) ^ 0x55
}
