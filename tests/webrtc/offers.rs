//! Offers: what is accepted, what is refused, and how the answer says so.

use heartline::webrtc::{Terms, WebRtcError};
use str0m::RtcConfig;

use super::client::{Client, TERMS, codecs, refusal, server};

/// The lines of one medium in an SDP.
fn section<'a>(sdp: &'a str, kind: &str) -> Vec<&'a str> {
    let start = format!("m={kind}");
    let lines = sdp.lines().skip_while(|line| !line.starts_with(&start));
    let mut section: Vec<&str> = lines.clone().take(1).collect();
    section.extend(lines.skip(1).take_while(|line| !line.starts_with("m=")));
    section
}

#[tokio::test]
async fn the_answer_takes_opus_and_vp8_and_names_our_address() {
    let server = server(|_| {});
    let (_client, offer) = Client::new(codecs()).await;
    let accepted = server.accept(&offer, TERMS).await.unwrap();
    let answer = &accepted.answer;
    assert!(answer.contains("a=ice-lite"), "{answer}");
    assert!(answer.contains("opus/48000/2") && answer.contains("VP8/90000"), "{answer}");
    assert!(!answer.contains("H264") && offer.contains("H264"), "{answer}");
    assert!(answer.contains(&format!("a=ice-ufrag:{}", accepted.fragment)), "{answer}");
    let address = server.local_address();
    assert!(answer.contains(&format!("127.0.0.1 {} typ host", address.port())), "{answer}");
    assert!(section(answer, "video").contains(&"a=recvonly"), "{answer}");
    assert!(answer.contains("nack pli"), "{answer}");
    assert!(!answer.contains("video-orientation"), "pictures are turned upright by the browser");
}

#[tokio::test]
async fn every_advertised_address_stands_in_the_answer() {
    let server = server(|config| {
        config.advertise = vec!["203.0.113.7".parse().unwrap(), "192.0.2.9".parse().unwrap()];
    });
    let (_client, offer) = Client::new(codecs()).await;
    let answer = server.accept(&offer, TERMS).await.unwrap().answer;
    let port = server.local_address().port();
    for address in ["203.0.113.7", "192.0.2.9"] {
        assert!(answer.contains(&format!("{address} {port} typ host")), "{answer}");
    }
}

#[tokio::test]
async fn video_of_another_codec_is_rejected_and_audio_goes_on() {
    let server = server(|_| {});
    let h264 = RtcConfig::new().clear_codecs().enable_opus(true, false).enable_h264(true);
    let (_client, offer) = Client::new(h264).await;
    let accepted = server.accept(&offer, TERMS).await.unwrap();
    assert!(accepted.has_audio && !accepted.has_video);
    let video = section(&accepted.answer, "video");
    assert_eq!(video[0], "m=video 0 UDP/TLS/RTP/SAVPF 0", "{}", accepted.answer);
}

#[tokio::test]
async fn offers_of_nothing_that_is_taken_are_refused() {
    let server = server(|_| {});
    let foreign = RtcConfig::new().clear_codecs().enable_pcmu(true, false).enable_h264(true);
    let (_client, offer) = Client::new(foreign).await;
    assert!(matches!(refusal(&server, &offer).await, WebRtcError::NothingToReceive));

    let (_client, offer) = Client::new(codecs()).await;
    let receiving = offer.replace("a=sendonly", "a=recvonly");
    assert!(matches!(refusal(&server, &receiving).await, WebRtcError::NothingToReceive));
    let nothing = Terms { audio: false, video: false, ..TERMS };
    assert!(matches!(server.accept(&offer, nothing).await, Err(WebRtcError::NothingToReceive)));
}

#[tokio::test]
async fn what_the_session_does_not_take_is_not_accepted() {
    let server = server(|_| {});
    let (_client, offer) = Client::new(codecs()).await;
    let accepted = server.accept(&offer, Terms { video: false, ..TERMS }).await.unwrap();
    assert!(accepted.has_audio && !accepted.has_video);
    assert_eq!(section(&accepted.answer, "video")[0], "m=video 0 UDP/TLS/RTP/SAVPF 0", "{}", accepted.answer);
}

#[tokio::test]
async fn offers_that_are_none_are_refused() {
    let server = server(|config| config.max_peers = 1);
    let (_client, offer) = Client::new(codecs()).await;
    for text in ["", "hello", "v=0\r\n", &offer.replace("v=0", "v=1")] {
        let error = refusal(&server, text).await;
        assert!(matches!(error, WebRtcError::OfferUnreadable(_)), "{text}: {error}");
    }
    for text in [without(&offer, "a=fingerprint"), offer[..offer.find("m=").unwrap()].to_owned()] {
        let error = refusal(&server, &text).await;
        assert!(matches!(error, WebRtcError::OfferRefused(_)), "{text}: {error}");
    }
    let keyless = without(&offer, "a=ice-pwd");
    let _ = refusal(&server, &keyless).await;
    let long = format!("{offer}{}", "a=x:y\r\n".repeat(20_000));
    assert!(matches!(refusal(&server, &long).await, WebRtcError::OfferTooLarge { .. }));
    assert!(server.accept(&offer, TERMS).await.is_ok(), "no refusal keeps the place");
}

fn without(offer: &str, start: &str) -> String {
    offer.split_inclusive('\n').filter(|line| !line.starts_with(start)).collect()
}

#[tokio::test]
async fn offers_cut_anywhere_or_with_a_byte_changed_are_survived() {
    let server = server(|config| config.connect_timeout_ms = 100);
    let (_client, offer) = Client::new(codecs()).await;
    for cut in (0..offer.len()).step_by(97) {
        let _ = server.accept(&offer[..cut], TERMS).await;
        let mut bytes = offer.clone().into_bytes();
        bytes[cut] = bytes[cut].wrapping_add(1) & 0x7f;
        let _ = server.accept(std::str::from_utf8(&bytes).unwrap(), TERMS).await;
    }
}
