//! The client library against the real server, so that the two never drift apart.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use heartline::app::{App, transcript_from_bytes};
use heartline::config::Config;
use heartline::live::Delivery;
use heartline::media::{MediaLimits, frame_time_ms, read_audio};
use heartline_client::{
    Agent, AudioFormat, Backoff, Client, ClientError, Envelope, Event, Role, Sender, SessionOptions,
    SessionUpdate, TextPart, Track,
};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};

use crate::support::root;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(90);

/// A server on a port of its own, until the sender is dropped.
async fn serve() -> (App, SocketAddr, oneshot::Sender<()>) {
    let weights = format!("engine.models_folder={}", root().join("models/weights").display());
    let settings = [&weights, "engine.device=cpu", "engine.warm_up=false", "server.bind=127.0.0.1:0"];
    let settings = settings.map(ToOwned::to_owned);
    // The log keeps every event, so that none is missed by a test that is slow.
    let kept = ["live.max_kept_events=100000", "live.max_kept_bytes=268435456"].map(ToOwned::to_owned);
    let all: Vec<String> = settings.into_iter().chain(kept).collect();
    let app = App::build(Config::load(None, &all).unwrap_or_else(|errors| panic!("{errors}"))).unwrap();
    let listener = App::bind(app.config()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = app.clone();
    tokio::spawn(async move {
        let stopped = async move { drop(stopped.await) };
        serving.serve(listener, stopped).await.unwrap();
    });
    (app, address, stop)
}

fn options() -> SessionOptions {
    let agents = std::fs::read(root().join("samples/agents.json")).unwrap();
    let agents: Vec<Agent> = serde_json::from_slice(&agents).unwrap();
    SessionOptions {
        call_id: Some("sample".to_owned()),
        labels: [("queue".to_owned(), "gold".to_owned())].into(),
        tracks: vec![
            Track::audio("voice", AudioFormat::PcmS16le { sample_rate_hz: 16_000, channels: 1 }),
            Track::video("camera"),
            Track::text("customer", Role::Customer),
            Track::text("agent", Role::Agent),
        ],
        agents: Some(agents),
        ..SessionOptions::default()
    }
}

/// The sample's sound from one time to another, 100 ms a piece.
async fn send_sound(sender: &Sender, from_ms: usize, to_ms: usize) {
    let samples =
        read_audio(&root().join("samples/call/speech.flac"), &MediaLimits::default()).unwrap().samples;
    for (piece, index) in samples[from_ms * 16..to_ms * 16].chunks(1_600).zip(0_u64..) {
        let bytes: Vec<u8> =
            piece.iter().flat_map(|sample| ((sample * 32_767.0) as i16).to_le_bytes()).collect();
        let at_ms = from_ms as u64 + index * 100;
        sender.send_audio(0, Some(at_ms), bytes).await.unwrap();
    }
}

async fn send_words_and_frames(sender: &Sender) {
    let transcript = std::fs::read(root().join("samples/call/transcript.txt")).unwrap();
    for line in transcript_from_bytes(&transcript, &MediaLimits::default()).unwrap().into_iter().take(6) {
        let track = if line.speaker.as_deref() == Some("agent") { 3 } else { 2 };
        let (start_ms, end_ms) = (line.start_ms, line.end_ms);
        let part = TextPart { track, start_ms, end_ms, text: line.text, is_final: true };
        sender.send_text(&part).await.unwrap();
    }
    for name in ["0000ms.jpg", "10000ms.jpg"] {
        let path = root().join("samples/call/frames").join(name);
        let at_ms = frame_time_ms(&path);
        sender.send_frame(1, at_ms, std::fs::read(&path).unwrap()).await.unwrap();
    }
}

/// A message without what is null: to leave a field out and to say that it is empty are the same.
fn bare(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.into_iter().filter(|(_, value)| !value.is_null());
            kept.map(|(name, value)| (name, bare(value))).collect()
        }
        Value::Array(values) => values.into_iter().map(bare).collect(),
        value => value,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_library_knows_every_event_and_every_field() {
    let (app, address, _stop) = serve().await;
    let mut session = Client::new(&format!("http://{address}")).open(options()).await.unwrap();
    let live = app.live().find(session.id()).unwrap();
    let mut raw = live.events(None);
    let sender = session.sender();
    let feeding = tokio::spawn(async move {
        send_sound(&sender, 0, 10_000).await;
        send_words_and_frames(&sender).await;
        let update = SessionUpdate { waiting_ms: Some(60_000), ..SessionUpdate::default() };
        sender.update(&update).await.unwrap();
        // One message that cannot be used: there is no such track.
        sender
            .send_text(&TextPart { track: 9, text: "lost".to_owned(), ..TextPart::default() })
            .await
            .unwrap();
    });
    let mut got = Vec::new();
    let (mut has_ranking, mut has_error, mut frames) = (false, false, 0);
    while !(has_ranking && has_error && frames == 2) {
        let envelope =
            tokio::time::timeout(PATIENCE, session.next_event()).await.expect("events come").unwrap();
        has_ranking |= matches!(envelope.event, Event::Ranking(_));
        has_error |= matches!(envelope.event, Event::Error(_));
        frames += usize::from(matches!(envelope.event, Event::Frame(_)));
        got.push(envelope);
    }
    feeding.await.unwrap();
    let summary = tokio::time::timeout(PATIENCE, session.close()).await.expect("it ends").unwrap();
    assert_eq!((summary.call_id.as_deref(), summary.totals.audio_ms), (Some("sample"), 10_000));
    assert_eq!(summary.labels["queue"], "gold");

    let mut kinds = BTreeSet::new();
    let mut sent = Vec::new();
    while let Some(delivery) = raw.next().await {
        let Delivery::Event(event) = delivery else { panic!("{delivery:?}") };
        let text = std::str::from_utf8(&event.json).unwrap();
        let envelope = Envelope::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let written = serde_json::to_string(&envelope).unwrap();
        let there_and_back = bare(serde_json::from_str(&written).unwrap());
        let original = bare(serde_json::from_str(text).unwrap());
        assert_eq!(there_and_back, original, "the library loses something of {}", event.kind);
        kinds.insert(event.kind);
        sent.push(envelope);
    }
    let known: BTreeSet<_> = heartline::live::Event::KINDS.into_iter().collect();
    assert_eq!(kinds, known, "every kind has come");
    assert!(known.iter().all(|kind| Event::KINDS.contains(kind)));
    // What the library handed out is what the server sent, in its order; it keeps the first event to itself.
    assert_eq!(got[..], sent[1..=got.len()]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_connection_is_taken_up_again() {
    let (_app, address, _stop) = serve().await;
    let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("ws://{}", proxy.local_addr().unwrap());
    let cut = Arc::new(Notify::new());
    let connections = Arc::new(AtomicUsize::new(0));
    let (cutting, counting) = (Arc::clone(&cut), Arc::clone(&connections));
    tokio::spawn(async move {
        loop {
            let (mut near, _) = proxy.accept().await.unwrap();
            counting.fetch_add(1, Ordering::Relaxed);
            let mut far = TcpStream::connect(address).await.unwrap();
            tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                () = cutting.notified() => {}
            }
        }
    });
    let mut session = Client::new(&base).open(options()).await.unwrap();
    let sender = session.sender();
    send_sound(&sender, 0, 6_000).await;
    let mut numbers = Vec::new();
    let hears_emotion =
        async |session: &mut heartline_client::Session, numbers: &mut Vec<u64>, after_ms: u64| {
            loop {
                let next = tokio::time::timeout(PATIENCE, session.next_event()).await.expect("events come");
                let envelope = next.expect("the session lives");
                numbers.push(envelope.number);
                if matches!(&envelope.event, Event::Emotion(now) if now.emotion.at_ms >= after_ms) {
                    return;
                }
            }
        };
    hears_emotion(&mut session, &mut numbers, 4_000).await;
    cut.notify_one();
    let is_back = async {
        while connections.load(Ordering::Relaxed) < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, is_back).await.expect("the library comes back");
    send_sound(&sender, 6_000, 11_000).await;
    hears_emotion(&mut session, &mut numbers, 9_000).await;
    assert!(
        numbers.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "no event is missing or double: {numbers:?}"
    );
    let summary = session.close().await.unwrap();
    assert_eq!((summary.totals.resumes, summary.totals.audio_ms), (1, 11_000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_say_why() {
    let (_, address, stop) = serve().await;
    let client = Client::new(&format!("ws://{address}"));
    let wrong = SessionOptions { language: Some("not a tag".to_owned()), ..options() };
    let error = client.open(wrong).await.unwrap_err();
    assert!(matches!(&error, ClientError::NotOpened(fault) if fault.code == "options_invalid"), "{error:?}");
    let agents = Track { role: Role::Agent, ..options().tracks[0].clone() };
    let error = client.open(SessionOptions { tracks: vec![agents], ..options() }).await.unwrap_err();
    let is_refused =
        matches!(&error, ClientError::NotOpened(fault) if fault.code == "agent_biometrics_refused");
    assert!(is_refused, "{error:?}");

    // A server that stops ends its sessions with a summary, and is not found any more.
    let session =
        client.clone().backoff(Backoff { tries: 2, ..Backoff::default() }).open(options()).await.unwrap();
    drop(stop);
    let summary = tokio::time::timeout(PATIENCE, session.close()).await.expect("it ends").unwrap();
    assert!(
        format!("{:?}", summary.reason).contains("Stopping")
            || format!("{:?}", summary.reason) == "Requested"
    );
    let gone = async {
        while client.open(options()).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.expect("the server is gone");
}
