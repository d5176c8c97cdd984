//! WHIP as a client sees it, and what becomes of what it publishes.

use std::time::Duration;

use heartline::live::{
    AudioEncoding, CloseReason, Origin, Session, SessionOptions, TrackKind, TrackOptions, Transport,
};
use str0m::RtcConfig;

use super::app::{Answer, app, build, offer, run, send, summary, watch};
use super::client::{AUDIO_RATE, Client, VIDEO_RATE, codecs};
use super::media::{key_frame, speech_packets};

const SDP: (&str, &str) = ("content-type", "application/sdp");
const FRAGMENT: (&str, &str) = ("content-type", "application/trickle-ice-sdpfrag");
const TICK: Duration = Duration::from_millis(20);

async fn publish(path: &str) -> (Client, Answer) {
    let (mut client, sdp) = Client::new(codecs()).await;
    let answer = offer(path, &sdp).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    client.take_answer(&answer.body);
    client.connect().await;
    (client, answer)
}

fn session_of(answer: &Answer) -> Session {
    app().live().find(answer.header("x-session-id")).expect("the session is open")
}

async fn delete(path: &str) -> Answer {
    send(app(), "DELETE", path, &[], "").await
}

/// Publishes the sample call's speech, and its face whenever a key frame is asked for.
async fn play(client: &mut Client) {
    let (key, packets) = (key_frame(), speech_packets());
    let mut seen = 0;
    for (step, packet) in packets.iter().enumerate() {
        client.send_audio(step as u64 * u64::from(AUDIO_RATE) / 50, packet);
        if step == 0 || client.requests.len() > seen {
            seen = client.requests.len();
            client.send_video(step as u64 * u64::from(VIDEO_RATE) / 50, &key);
        }
        client.drive(TICK).await;
    }
}

#[test]
fn what_is_published_is_heard_and_seen_and_the_end_has_a_summary() {
    run(async {
        let (mut client, answer) = publish("/v1/whip").await;
        assert_eq!(answer.header("content-type"), "application/sdp");
        let session = session_of(&answer);
        let tracks = session.tracks();
        assert_eq!(
            tracks.iter().map(|track| track.name.as_str()).collect::<Vec<_>>(),
            ["microphone", "camera"]
        );
        assert_eq!(session.info().transport, Transport::WebRtc);
        assert!(session.info().is_connected);

        let seen = tokio::select! {
            seen = watch(&session, Duration::from_secs(90)) => seen,
            () = async { loop { play(&mut client).await } } => unreachable!(),
        };
        assert!(seen.is_all() && seen.faults.is_empty(), "{seen:?}");

        let location = answer.header("location").to_owned();
        let reader = session.events(None);
        assert_eq!(delete(&location).await.status, 200);
        assert_eq!(summary(reader).await["reason"], "requested");
        delete(&location).await.assert_failure(404, "publication_not_found");
        client.drive(Duration::from_millis(300)).await;
        assert!(client.is_dismissed);
    });
}

#[test]
fn trickled_candidates_are_noted_for_the_ice_session_that_there_is() {
    run(async {
        let (_client, answer) = publish("/v1/whip").await;
        let (location, tag) = (answer.header("location"), answer.header("etag"));
        assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 4, "{tag}");
        let body = "a=ice-ufrag:abcd\r\na=ice-pwd:x\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n\
                a=candidate:1 1 udp 1 192.0.2.1 61764 typ host\r\n";
        let patch = async |headers: &[(&str, &str)]| send(app(), "PATCH", location, headers, body).await;
        assert_eq!(patch(&[FRAGMENT, ("if-match", tag)]).await.status, 204);
        patch(&[FRAGMENT]).await.assert_failure(428, "precondition_required");
        patch(&[FRAGMENT, ("if-match", "\"other\"")]).await.assert_failure(412, "precondition_failed");
        patch(&[FRAGMENT, ("if-match", "*")]).await.assert_failure(422, "ice_restart_refused");
        patch(&[SDP, ("if-match", tag)]).await.assert_failure(415, "unsupported_media_type");
        for method in ["GET", "PUT"] {
            send(app(), method, location, &[], "").await.assert_failure(405, "method_not_allowed");
        }
        let unknown = send(app(), "PATCH", "/v1/whip/none", &[FRAGMENT, ("if-match", tag)], body).await;
        unknown.assert_failure(404, "publication_not_found");
        assert_eq!(delete(location).await.status, 200);
    });
}

#[test]
fn clients_may_ask_what_can_be_posted() {
    run(async {
        let answer = send(app(), "OPTIONS", "/v1/whip", &[], "").await;
        assert_eq!((answer.status, answer.header("accept-post")), (204, "application/sdp"));
        let answer = send(app(), "OPTIONS", "/v1/whip/any", &[], "").await;
        assert_eq!(answer.header("accept-patch"), "application/trickle-ice-sdpfrag");
    });
}

fn track(name: &str, kind: TrackKind, format: Option<AudioEncoding>) -> TrackOptions {
    TrackOptions { name: name.to_owned(), kind, role: heartline::app::Role::Customer, format }
}

fn open(tracks: Vec<TrackOptions>) -> Session {
    let options = SessionOptions { tracks, frames_per_second: Some(4.0), ..SessionOptions::default() };
    app().live().open(options, Origin::of(Transport::Http)).unwrap()
}

#[test]
fn a_publication_into_an_open_session_leaves_it_open_and_a_later_one_takes_its_place() {
    run(async {
        let text = track("words", TrackKind::Text, None);
        let voice = track("voice", TrackKind::Audio, Some(AudioEncoding::Opus { channels: 1 }));
        let session = open(vec![text, voice]);
        let path = format!("/v1/whip/{}", session.id());
        let (mut first, answer) = publish(&path).await;
        assert_eq!(answer.header("x-session-id"), session.id());
        assert!(answer.body.contains("m=video 0 "), "the session takes no video: {}", answer.body);
        for (step, packet) in speech_packets().iter().take(50).enumerate() {
            first.send_audio(step as u64 * u64::from(AUDIO_RATE) / 50, packet);
            first.drive(TICK).await;
        }
        first.drive(Duration::from_millis(300)).await;
        let heard_ms = session.info().media_ms;
        assert!((900..=1_100).contains(&heard_ms), "{heard_ms} ms");

        let (_second, again) = publish(&path).await;
        assert_ne!(again.header("location"), answer.header("location"));
        first.drive(Duration::from_millis(300)).await;
        assert!(first.is_dismissed, "the later publication takes the place of the earlier");
        assert_eq!(delete(again.header("location")).await.status, 200);
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(
            !session.is_ended() && !session.info().is_connected,
            "the platform's session is the platform's to end"
        );
        session.close(CloseReason::Requested).await.unwrap();
    });
}

#[test]
fn a_session_that_ends_lets_its_browser_go() {
    run(async {
        let (mut client, answer) = publish("/v1/whip").await;
        session_of(&answer).close(CloseReason::Requested).await.unwrap();
        client.drive(Duration::from_millis(2_500)).await;
        assert!(client.is_dismissed);
        delete(answer.header("location")).await.assert_failure(404, "publication_not_found");
    });
}

#[test]
fn a_browser_that_leaves_ends_its_own_session() {
    run(async {
        let (mut client, answer) = publish("/v1/whip").await;
        let reader = session_of(&answer).events(None);
        client.leave().await;
        assert_eq!(summary(reader).await["reason"], "requested");
    });
}

#[test]
fn what_cannot_be_published_is_refused_with_its_reason() {
    run(async {
        let (_client, sdp) = Client::new(codecs()).await;
        let json = send(app(), "POST", "/v1/whip", &[("content-type", "application/json")], &sdp).await;
        json.assert_failure(415, "unsupported_media_type");
        offer("/v1/whip", "hello").await.assert_failure(400, "sdp_invalid");
        offer("/v1/whip", &"x".repeat(70_000)).await.assert_failure(413, "body_too_large");
        let foreign = RtcConfig::new().clear_codecs().enable_pcmu(true, false).enable_h264(true);
        let (_client, unusable) = Client::new(foreign).await;
        let sessions = app().live().count();
        offer("/v1/whip", &unusable).await.assert_failure(422, "media_unsupported");
        assert!(app().live().count() <= sessions, "no session is opened for it");
        offer("/v1/whip/none", &sdp).await.assert_failure(404, "session_not_found");
        let pcm = AudioEncoding::PcmS16le { sample_rate_hz: 16_000, channels: 1 };
        let session = open(vec![track("voice", TrackKind::Audio, Some(pcm))]);
        offer(&format!("/v1/whip/{}", session.id()), &sdp).await.assert_failure(422, "media_unsupported");
        session.close(CloseReason::Requested).await.unwrap();
    });
}

#[test]
fn a_server_that_takes_no_browsers_says_so() {
    run(async {
        let off = build("webrtc.enabled=false");
        let (_client, sdp) = Client::new(codecs()).await;
        send(&off, "POST", "/v1/whip", &[SDP], &sdp).await.assert_failure(404, "webrtc_off");
        send(&off, "DELETE", "/v1/whip/x", &[], "").await.assert_failure(404, "webrtc_off");
    });
}
