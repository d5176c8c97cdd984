//! A real browser publishes the sample call from the example page.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::response::{Html, IntoResponse};
use axum::routing::{get, post};
use heartline::app::Role;
use heartline::http;
use heartline::live::{AudioEncoding, Origin, SessionOptions, TrackKind, TrackOptions, Transport};
use heartline::media::{MediaLimits, decode_image};
use heartline::webrtc::{Accepted, Published, WebRtc};
use tokio::sync::mpsc;

use super::app::watch;
use super::chromium::{self, Browser};
use super::client::{TERMS, server};

const PATIENCE: Duration = Duration::from_secs(60);

/// The page, from the folder of the examples.
fn page() -> Router {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/browser/whip.html");
    let page = std::fs::read_to_string(path).unwrap();
    Router::new().route("/whip.html", get(|| async move { Html(page) }))
}

/// Serves on a free port and returns the address of the page.
async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router.merge(page())).await });
    format!("http://{address}/whip.html?start&endpoint=/v1/whip")
}

#[derive(Clone)]
struct Door {
    server: WebRtc,
    accepted: Arc<mpsc::Sender<Accepted>>,
}

async fn answer(State(door): State<Door>, offer: String) -> impl IntoResponse {
    let accepted = door.server.accept(&offer, TERMS).await.unwrap();
    let answer = accepted.answer.clone();
    door.accepted.send(accepted).await.unwrap();
    ([(LOCATION, "/v1/whip/it")], answer)
}

/// How long this process has computed, where the operating system is Linux, which counts in hundredths of a second.
fn cpu_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name in parentheses may hold anything; user and system time are fields 12 and 13 after it.
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 10))
}

#[tokio::test(flavor = "multi_thread")]
async fn chromium_sends_opus_and_key_frames_that_are_whole_pictures() {
    let Some(program) = chromium::find() else { return };
    let (sender, mut receiver) = mpsc::channel(1);
    let door = Door { server: server(|_| {}), accepted: Arc::new(sender) };
    let address = serve(Router::new().route("/v1/whip", post(answer)).with_state(door)).await;
    let browser = Browser::open(&program, &address);
    let accepted = tokio::time::timeout(PATIENCE, receiver.recv()).await;
    let mut accepted = accepted.unwrap_or_else(|_| panic!("no offer:\n{}", browser.said())).unwrap();

    let (began, busy) = (Instant::now(), cpu_time());
    let (mut audio, mut pictures) = (Vec::new(), Vec::new());
    while pictures.len() < 20 {
        let piece = tokio::time::timeout(PATIENCE, accepted.publication.next()).await;
        match piece.unwrap_or_else(|_| panic!("nothing comes:\n{}", browser.said())) {
            Some(Published::Audio { at_ms, packet }) => audio.push((at_ms, packet.len())),
            Some(Published::Picture { at_ms, webp }) => pictures.push((at_ms, webp)),
            None => panic!("it ended, {:?}:\n{}", accepted.publication.ending(), browser.said()),
        }
    }
    if let (Some(before), Some(after)) = (busy, cpu_time()) {
        // This process alone, so without the browser; other tests beside this one would count as well.
        eprintln!("receiving took {:?} of {:?}", after - before, began.elapsed());
    }
    for (_, webp) in &pictures {
        let picture = decode_image(webp, &MediaLimits::default()).unwrap();
        assert_eq!(picture.width, picture.height, "the camera's pictures are square");
        assert!(picture.width >= 160, "{}", picture.width);
    }
    let sizes: Vec<(u64, usize)> = pictures.iter().map(|(at_ms, webp)| (*at_ms, webp.len())).collect();
    eprintln!("key frames (ms, bytes): {sizes:?}");
    let (first, last) = (sizes[0].0, sizes[sizes.len() - 1].0);
    let rate = (sizes.len() - 1) as f64 / ((last - first) as f64 / 1_000.0);
    assert!((1.0..=2.6).contains(&rate), "{rate} pictures a second");
    let span_ms = audio[audio.len() - 1].0 - audio[0].0;
    assert!(audio.len() as u64 * 20 + 200 >= span_ms, "{} packets in {span_ms} ms", audio.len());
    assert!(span_ms.abs_diff(last - first) < 3_000, "sound {span_ms} ms, pictures {} ms", last - first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_from_chromium_is_heard_and_seen() {
    let Some(program) = chromium::find() else { return };
    let app = super::app::build("webrtc.enabled=true");
    let browser = Browser::open(&program, &serve(http::router(&app)).await);
    let started = Instant::now();
    let session = loop {
        if let Some(info) = app.live().list().into_iter().find(|info| info.transport == Transport::WebRtc) {
            break app.live().find(&info.session_id).unwrap();
        }
        assert!(started.elapsed() < PATIENCE, "no session:\n{}", browser.said());
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let seen = watch(&session, PATIENCE).await;
    assert!(seen.is_all() && seen.faults.is_empty(), "{seen:?}\n{}", browser.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_without_video_takes_the_sound_of_chromium_alone() {
    let Some(program) = chromium::find() else { return };
    let app = super::app::build("webrtc.enabled=true");
    let voice = TrackOptions {
        name: "voice".to_owned(),
        kind: TrackKind::Audio,
        role: Role::Customer,
        format: Some(AudioEncoding::Opus { channels: 1 }),
    };
    let options = SessionOptions { tracks: vec![voice], ..SessionOptions::default() };
    let session = app.live().open(options, Origin::of(Transport::Http)).unwrap();
    let page = serve(http::router(&app)).await;
    let browser = Browser::open(&program, &format!("{page}/{}", session.id()));
    let started = Instant::now();
    while session.info().media_ms < 2_000 {
        assert!(started.elapsed() < PATIENCE, "no sound:\n{}", browser.said());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(!browser.said().contains("failed"), "{}", browser.said());
}
