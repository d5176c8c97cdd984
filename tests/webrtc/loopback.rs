//! A publisher and the server on one machine, with real sockets between them: what is sent arrives, once, in order and
//! with the right time.

use std::time::{Duration, Instant};

use bytes::Bytes;
use heartline::media::{MediaLimits, decode_image};
use heartline::webrtc::{Accepted, Ending, Published, WebRtc};
use tokio::net::UdpSocket;

use super::client::{AUDIO_RATE, Client, TERMS, VIDEO_RATE, codecs, server};
use super::media::{frame_between, key_frame, opus_packets, webp};

const TICK: Duration = Duration::from_millis(20);
const AUDIO_STEP: u64 = AUDIO_RATE as u64 / 50;
/// Timestamps that soon wrap around in their 32 bits.
const FIRST_TICKS: u64 = (1 << 32) - 20 * AUDIO_STEP;

/// Publishes for so many steps of 20 ms, a frame of video in every fifth, and a key frame where one was asked for.
async fn play(client: &mut Client, packets: &[Vec<u8>], first: usize) -> usize {
    let (key, between) = (key_frame(), frame_between());
    let (mut seen, mut sent) = (client.requests.len(), 0);
    for (step, packet) in packets.iter().enumerate() {
        let step = step + first;
        client.send_audio(FIRST_TICKS + step as u64 * AUDIO_STEP, packet);
        if step.is_multiple_of(5) {
            let is_asked = client.requests.len() > seen;
            seen = client.requests.len();
            let is_key = step == 0 || is_asked;
            sent += usize::from(is_key);
            client.send_video(step as u64 * u64::from(VIDEO_RATE) / 50, if is_key { &key } else { &between });
        }
        client.drive(TICK).await;
    }
    sent
}

/// What has come so far.
async fn collect(accepted: &mut Accepted) -> (Vec<(u64, Bytes)>, Vec<(u64, Bytes)>) {
    let (mut audio, mut pictures) = (Vec::new(), Vec::new());
    while let Ok(Some(piece)) =
        tokio::time::timeout(Duration::from_millis(300), accepted.publication.next()).await
    {
        match piece {
            Published::Audio { at_ms, packet } => audio.push((at_ms, packet)),
            Published::Picture { at_ms, webp } => pictures.push((at_ms, webp)),
        }
    }
    (audio, pictures)
}

/// Plays while somebody listens.
async fn play_and_collect(
    client: &mut Client,
    accepted: &mut Accepted,
    packets: &[Vec<u8>],
) -> (usize, Vec<(u64, Bytes)>, Vec<(u64, Bytes)>) {
    let (sent, (audio, pictures)) = tokio::join!(play(client, packets, 0), collect(accepted));
    (sent, audio, pictures)
}

#[tokio::test]
async fn audio_and_pictures_arrive_with_their_time() {
    let server = server(|_| {});
    let (mut client, mut accepted) = Client::publish(&server).await;
    assert!(accepted.has_audio && accepted.has_video);
    let packets = opus_packets(120);
    let (sent, audio, pictures) = play_and_collect(&mut client, &mut accepted, &packets).await;

    let bytes: Vec<&[u8]> = audio.iter().map(|(_, packet)| &packet[..]).collect();
    assert_eq!(bytes, packets.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let times: Vec<u64> = audio.iter().map(|(at_ms, _)| *at_ms).collect();
    assert_eq!(times, (0..120).map(|packet| packet * 20).collect::<Vec<_>>(), "wrapping timestamps go on");

    // 2.4 seconds at two pictures a second; a busy machine may be late for one.
    assert!((4..=6).contains(&pictures.len()) && pictures.len() <= sent, "{} of {sent}", pictures.len());
    assert!((3..=5).contains(&client.requests.len()), "{} requests", client.requests.len());
    for (at_ms, picture) in &pictures {
        assert_eq!(picture, &webp(), "the picture is the file that its frame was taken from");
        // A frame every 100 ms, beside audio that began at the same moment.
        assert!(*at_ms < 2_500, "{at_ms}");
    }
    assert!(pictures.windows(2).all(|pair| pair[1].0 >= pair[0].0 + 400), "{:?}", moments(&pictures));
    let picture = decode_image(&pictures[0].1, &MediaLimits::default()).unwrap();
    assert_eq!((picture.width, picture.height), (640, 640));
}

fn moments(pictures: &[(u64, Bytes)]) -> Vec<u64> {
    pictures.iter().map(|(at_ms, _)| *at_ms).collect()
}

#[tokio::test]
async fn lost_packets_leave_a_gap_in_time() {
    let server = server(|_| {});
    let (mut client, mut accepted) = Client::publish(&server).await;
    let packets = opus_packets(40);
    let sending = async {
        for (index, packet) in packets.iter().enumerate() {
            client.lose = if (10..13).contains(&index) { 1 } else { 0 };
            client.send_audio(index as u64 * AUDIO_STEP, packet);
            client.drive(TICK).await;
        }
    };
    let ((), (audio, _)) = tokio::join!(sending, collect(&mut accepted));
    let times: Vec<u64> = audio.iter().map(|(at_ms, _)| *at_ms).collect();
    let expected: Vec<u64> =
        (0..40).filter(|packet| !(10..13).contains(packet)).map(|packet| packet * 20).collect();
    assert_eq!(times, expected);
}

#[tokio::test]
async fn a_key_frame_with_a_lost_packet_is_sent_again_or_dropped_and_never_torn() {
    let server = server(|_| {});
    let (mut client, mut accepted) = Client::publish(&server).await;
    let (key, sending) = (key_frame(), async {
        for frame in 0..12_u64 {
            client.lose = usize::from(frame % 3 == 1);
            client.send_video(frame * 9_000, &key_frame());
            client.drive(Duration::from_millis(100)).await;
        }
        client.drive(Duration::from_millis(600)).await;
    });
    let ((), (_, pictures)) = tokio::join!(sending, collect(&mut accepted));
    assert!(pictures.len() >= 8, "{}", pictures.len());
    assert!(pictures.iter().all(|(_, picture)| picture[20..20 + key.len()] == key));
}

#[tokio::test]
async fn two_publishers_share_the_socket_and_nothing_else() {
    let server = server(|_| {});
    let (mut one, mut accepted_one) = Client::publish(&server).await;
    let (mut two, mut accepted_two) = Client::publish(&server).await;
    let packets = opus_packets(100);
    let (first, second) = packets.split_at(50);
    let (one, two) = tokio::join!(
        play_and_collect(&mut one, &mut accepted_one, first),
        play_and_collect(&mut two, &mut accepted_two, second)
    );
    let bytes =
        |audio: Vec<(u64, Bytes)>| audio.into_iter().map(|(_, packet)| packet.to_vec()).collect::<Vec<_>>();
    assert_eq!(bytes(one.1), first);
    assert_eq!(bytes(two.1), second);
}

#[tokio::test]
async fn noise_on_the_socket_disturbs_nobody() {
    let server = server(|_| {});
    let (mut client, mut accepted) = Client::publish(&server).await;
    let stranger = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let packets = opus_packets(30);
    let to = server.local_address();
    let noise = async {
        for round in 0..600_usize {
            let mut bytes: Vec<u8> = (0..round * 7 % 1_400).map(|at| (at * 31 + round) as u8).collect();
            // Every kind of first byte, so that each protocol gets its share.
            if let Some(first) = bytes.first_mut() {
                *first = round as u8;
            }
            let _ = stranger.send_to(&bytes, to).await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let ((_, audio, _), ()) = tokio::join!(play_and_collect(&mut client, &mut accepted, &packets), noise);
    assert_eq!(audio.len(), packets.len());
}

#[tokio::test]
async fn a_publisher_that_sends_rubbish_harms_only_itself() {
    let server = server(|_| {});
    let (wild, mut accepted_wild) = Client::publish(&server).await;
    let (mut calm, mut accepted_calm) = Client::publish(&server).await;
    let packets = opus_packets(30);
    let rubbish = async {
        for round in 0..300_usize {
            let mut bytes: Vec<u8> = (0..2 + round * 13 % 1_300).map(|at| (at * 17 + round) as u8).collect();
            bytes[0] = round as u8;
            wild.send_raw(&bytes, server.local_address());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let ((_, audio, _), (), _) = tokio::join!(
        play_and_collect(&mut calm, &mut accepted_calm, &packets),
        rubbish,
        collect(&mut accepted_wild)
    );
    assert_eq!(audio.len(), packets.len());
}

#[tokio::test]
async fn whoever_is_told_to_go_hears_of_it() {
    let server = server(|_| {});
    let (mut client, mut accepted) = Client::publish(&server).await;
    assert!(server.contains(&accepted.id));
    assert!(server.close(&accepted.id));
    assert_eq!(accepted.publication.next().await, None);
    assert_eq!(accepted.publication.ending(), Ending::Closed);
    assert!(!server.contains(&accepted.id) && !server.close(&accepted.id));
    client.drive(Duration::from_millis(300)).await;
    assert!(client.is_dismissed);
}

#[tokio::test]
async fn a_publication_that_nobody_takes_ends() {
    let server = server(|config| config.max_peers = 1);
    let (mut client, accepted) = Client::publish(&server).await;
    let id = accepted.id.clone();
    drop(accepted);
    client.drive(Duration::from_millis(500)).await;
    assert!(client.is_dismissed && !server.contains(&id));
    place_is_free(&server).await;
}

#[tokio::test]
async fn pictures_can_be_asked_for_more_often_and_less() {
    let server = server(|_| {});
    let (mut client, accepted) = Client::publish(&server).await;
    client.send_video(0, &key_frame());
    let mut requests = async |interval_ms: u64| {
        accepted.publication.set_picture_interval(Duration::from_millis(interval_ms));
        let before = client.requests.len();
        client.drive(Duration::from_millis(1_000)).await;
        client.requests.len() - before
    };
    let (often, seldom) = (requests(100).await, requests(5_000).await);
    assert!((5..=11).contains(&often), "{often} requests");
    assert!(seldom <= 1, "{seldom} requests");
}

#[tokio::test]
async fn whoever_falls_silent_is_given_up() {
    let server = server(|_| {});
    let (client, mut accepted) = Client::publish(&server).await;
    // The socket stays open, but nobody answers any more.
    let silent_since = Instant::now();
    let ended = tokio::time::timeout(Duration::from_secs(40), accepted.publication.next()).await;
    assert_eq!(ended, Ok(None));
    eprintln!("given up after {:?}", silent_since.elapsed());
    assert_eq!(accepted.publication.ending(), Ending::Lost);
    assert!(!server.contains(&accepted.id));
    drop(client);
}

#[tokio::test]
async fn whoever_never_connects_gives_up_the_place() {
    let server = server(|config| {
        config.max_peers = 1;
        config.connect_timeout_ms = 200;
    });
    let (_client, offer) = Client::new(codecs()).await;
    let mut accepted = server.accept(&offer, TERMS).await.unwrap();
    assert!(server.accept(&offer, TERMS).await.unwrap_err().to_string().contains("1 browsers"));
    assert_eq!(accepted.publication.next().await, None);
    assert_eq!(accepted.publication.ending(), Ending::NeverConnected);
    place_is_free(&server).await;
}

async fn place_is_free(server: &WebRtc) {
    let (_client, offer) = Client::new(codecs()).await;
    for _ in 0..50 {
        if server.accept(&offer, TERMS).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the place is still taken");
}
