//! One synthetic call: plays its script in real time and notes when each answer comes.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::script::{PIECE_MS, Script};
use crate::http::live::message::{AUDIO, FRAME, write_binary};
use crate::load::{LoadError, Target};

/// How long silence lasts before speech counts as over, in milliseconds: a window that ends with the speech can only
/// be complete after it.
const PAUSE_MS: u64 = 500;
/// How near to the end of the speech a window must end to be its last one, in milliseconds.
const NEAR_MS: u64 = 250;
/// Ends of speech that are remembered.
const ENDS: usize = 8;
/// How long the summary may take when the call is over.
const GOODBYE_TIME: Duration = Duration::from_secs(30);

/// What became of one call.
#[derive(Debug, Default)]
pub(super) struct Played {
    /// The latencies of readings, by modality, in milliseconds.
    pub(super) latencies_ms: BTreeMap<&'static str, Vec<f64>>,
    pub(super) frames_sent: u64,
    pub(super) frames_read: u64,
    /// Frames that were not read because the server was too slow.
    pub(super) frames_dropped: u64,
    pub(super) events_missed: u64,
    pub(super) windows_skipped: u64,
    pub(super) audio_skipped_bytes: u64,
    /// How much later than planned the player sent, at worst, in milliseconds.
    pub(super) lag_ms: f64,
}

/// What is looked at in an event.
#[derive(Deserialize)]
struct Seen {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    at_ms: u64,
    #[serde(default)]
    end_ms: u64,
    #[serde(default)]
    count: u64,
    #[serde(default)]
    skipped: Option<String>,
    #[serde(default)]
    reading: Option<SeenReading>,
    #[serde(default)]
    totals: Value,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct SeenReading {
    modality: String,
    span: SeenSpan,
}

#[derive(Deserialize)]
struct SeenSpan {
    end_ms: u64,
}

/// Plays a call for so long; what comes before `counts_from` of its media time does not count.
pub(super) async fn play(
    target: &Target,
    script: &Script,
    duration: Duration,
    counts_from: Duration,
) -> Result<Played, LoadError> {
    let stream = TcpStream::connect(target.address)
        .await
        .map_err(|source| LoadError::Unreachable { url: target.url.clone(), source })?;
    // A piece of audio goes out when it is there.
    let _ = stream.set_nodelay(true);
    let url = format!("ws://{}{}/v1/live", target.address, target.prefix);
    let broken = |error: tokio_tungstenite::tungstenite::Error| LoadError::Call(error.to_string());
    let (socket, _) = tokio_tungstenite::client_async(url, stream).await.map_err(broken)?;
    let mut player = Player {
        socket,
        played: Played::default(),
        started: Instant::now(),
        counts_from,
        ends_ms: VecDeque::new(),
        lines: VecDeque::new(),
    };
    player.configure().await?;
    player.run(script, duration).await
}

struct Player {
    socket: WebSocketStream<TcpStream>,
    played: Played,
    started: Instant,
    counts_from: Duration,
    /// When speech ended lately, in milliseconds of media time.
    ends_ms: VecDeque<u64>,
    /// When the lines were sent whose readings have not come.
    lines: VecDeque<Instant>,
}

impl Player {
    async fn send(&mut self, message: Message) -> Result<(), LoadError> {
        self.socket.send(message).await.map_err(|error| LoadError::Call(error.to_string()))
    }

    async fn configure(&mut self) -> Result<(), LoadError> {
        let format = json!({"encoding": "pcm_s16le", "sample_rate_hz": 16_000, "channels": 1});
        let session = json!({"consent": "notice_given", "tracks": [
            {"name": "voice", "kind": "audio", "format": format},
            {"name": "camera", "kind": "video"},
            {"name": "words", "kind": "text"},
        ]});
        let update = json!({"type": "session.update", "session": session});
        self.send(Message::text(update.to_string())).await?;
        self.started = Instant::now();
        Ok(())
    }

    async fn run(mut self, script: &Script, duration: Duration) -> Result<Played, LoadError> {
        let mut at_ms = 0;
        while Duration::from_millis(at_ms) < duration {
            // A microphone hands a piece over when its last sample is there.
            let due = self.started + Duration::from_millis(at_ms + PIECE_MS);
            self.listen_until(due).await?;
            let lag_ms = (Instant::now() - due).as_secs_f64() * 1e3;
            self.played.lag_ms = self.played.lag_ms.max(lag_ms);
            if let Some(piece) = script.audio_at(at_ms) {
                self.send(Message::binary(write_binary(AUDIO, 0, Some(at_ms), piece))).await?;
            }
            if let Some(frame) = script.frame_at(at_ms) {
                self.played.frames_sent += 1;
                self.send(Message::binary(write_binary(FRAME, 1, Some(at_ms), frame))).await?;
            }
            if let Some(line) = script.line_at(at_ms) {
                self.lines.push_back(Instant::now());
                let text = json!({"type": "text", "track": 2, "end_ms": at_ms, "text": line});
                self.send(Message::text(text.to_string())).await?;
            }
            at_ms += PIECE_MS;
        }
        self.send(Message::text(r#"{"type":"session.close"}"#)).await?;
        let goodbye = tokio::time::timeout(GOODBYE_TIME, async {
            while !self.take_next().await? {}
            Ok(())
        });
        goodbye.await.map_err(|_| LoadError::Call("the summary does not come".to_owned()))??;
        Ok(self.played)
    }

    /// Takes what comes until it is time to send again.
    async fn listen_until(&mut self, due: Instant) -> Result<(), LoadError> {
        loop {
            match tokio::time::timeout_at(due.into(), self.take_next()).await {
                Err(_) => return Ok(()),
                Ok(is_over) => {
                    if is_over? {
                        return Err(LoadError::Call("the server ended the session".to_owned()));
                    }
                }
            }
        }
    }

    /// Takes one message; true where it was the last one.
    async fn take_next(&mut self) -> Result<bool, LoadError> {
        let message = self.socket.next().await;
        let lost = || LoadError::Call("the connection was lost".to_owned());
        let message = message.ok_or_else(lost)?.map_err(|error| LoadError::Call(error.to_string()))?;
        let Message::Text(text) = message else { return Ok(false) };
        let seen: Seen =
            serde_json::from_str(&text).map_err(|error| LoadError::Call(format!("an event: {error}")))?;
        self.take(seen)
    }

    fn take(&mut self, seen: Seen) -> Result<bool, LoadError> {
        match seen.kind.as_str() {
            "frame" => match seen.skipped.as_deref() {
                None => {
                    self.played.frames_read += 1;
                    self.note("face", self.moment(seen.at_ms + PIECE_MS));
                }
                Some("superseded" | "overloaded") => self.played.frames_dropped += 1,
                Some(_) => {}
            },
            "utterance.end" => {
                self.ends_ms.push_back(seen.end_ms);
                if self.ends_ms.len() > ENDS {
                    self.ends_ms.pop_front();
                }
            }
            "reading" => self.take_reading(seen.reading),
            "missed" => self.played.events_missed += seen.count,
            "error" => return Err(LoadError::Call(seen.message)),
            "session.closed" => {
                let total = |name: &str| seen.totals[name].as_u64().unwrap_or(0);
                self.played.windows_skipped = total("windows_skipped");
                self.played.audio_skipped_bytes = total("audio_skipped_bytes");
                return Ok(true);
            }
            _ => {}
        }
        Ok(false)
    }

    fn take_reading(&mut self, reading: Option<SeenReading>) {
        let Some(reading) = reading else { return };
        match reading.modality.as_str() {
            "voice" => {
                let end_ms = reading.span.end_ms;
                let is_last = self.ends_ms.iter().any(|speech_ms| speech_ms.abs_diff(end_ms) <= NEAR_MS);
                let complete_ms = if is_last { end_ms + PAUSE_MS } else { end_ms };
                self.note("voice", self.moment(complete_ms.next_multiple_of(PIECE_MS)));
            }
            "text" => {
                if let Some(sent) = self.lines.pop_front() {
                    self.note("text", sent);
                }
            }
            _ => {}
        }
    }

    /// When the media up to a moment had been sent.
    fn moment(&self, at_ms: u64) -> Instant {
        self.started + Duration::from_millis(at_ms)
    }

    fn note(&mut self, modality: &'static str, since: Instant) {
        if since >= self.started + self.counts_from {
            let latency_ms = since.elapsed().as_secs_f64() * 1e3;
            self.played.latencies_ms.entry(modality).or_default().push(latency_ms);
        }
    }
}
