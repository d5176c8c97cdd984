//! A publisher to test against: the same library as the server's, in the other role, on a UDP socket of its own.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use heartline::webrtc::{Accepted, Terms, WebRtc, WebRtcConfig, WebRtcError};
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::format::Codec;
use str0m::media::{Direction, Frequency, MediaKind, MediaTime, Mid};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};
use tokio::net::UdpSocket;

pub(crate) const AUDIO_RATE: u32 = 48_000;
pub(crate) const VIDEO_RATE: u32 = 90_000;
/// Two pictures a second of everything.
pub(crate) const TERMS: Terms =
    Terms { audio: true, video: true, picture_interval: Duration::from_millis(500), seat: None };

pub(crate) struct Client {
    rtc: Rtc,
    socket: UdpSocket,
    address: SocketAddr,
    pending: Option<SdpPendingOffer>,
    audio: Option<Mid>,
    video: Option<Mid>,
    /// When the server asked for a key frame.
    pub(crate) requests: Vec<Instant>,
    /// Whether the server has said goodbye.
    pub(crate) is_dismissed: bool,
    /// So many of the next media packets are lost on their way.
    pub(crate) lose: usize,
}

pub(crate) fn server(change: impl FnOnce(&mut WebRtcConfig)) -> WebRtc {
    let mut config = WebRtcConfig { enabled: true, ..WebRtcConfig::default() };
    change(&mut config);
    WebRtc::bind(&config).unwrap()
}

impl Client {
    /// A client with an offer to send audio and video.
    pub(crate) async fn new(codecs: RtcConfig) -> (Self, String) {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let mut rtc = codecs.build(Instant::now());
        rtc.add_local_candidate(Candidate::host(address, "udp").unwrap());
        let mut changes = rtc.sdp_api();
        let audio = changes.add_media(MediaKind::Audio, Direction::SendOnly, None, None, None);
        let video = changes.add_media(MediaKind::Video, Direction::SendOnly, None, None, None);
        let (offer, pending) = changes.apply().unwrap();
        let client = Self {
            rtc,
            socket,
            address,
            pending: Some(pending),
            audio: Some(audio),
            video: Some(video),
            requests: Vec::new(),
            is_dismissed: false,
            lose: 0,
        };
        (client, offer.to_sdp_string())
    }

    /// A client that publishes what the server takes, connected.
    pub(crate) async fn publish(server: &WebRtc) -> (Self, Accepted) {
        let (mut client, offer) = Self::new(codecs()).await;
        let accepted = server.accept(&offer, TERMS).await.unwrap();
        client.take_answer(&accepted.answer);
        client.connect().await;
        (client, accepted)
    }

    pub(crate) fn take_answer(&mut self, answer: &str) {
        let answer = SdpAnswer::from_sdp_string(answer).unwrap();
        self.rtc.sdp_api().accept_answer(self.pending.take().unwrap(), answer).unwrap();
    }

    pub(crate) async fn connect(&mut self) {
        let patience = Instant::now() + Duration::from_secs(10);
        while !self.rtc.is_connected() {
            assert!(Instant::now() < patience, "no connection");
            self.drive(Duration::from_millis(10)).await;
        }
    }

    /// Sends one packet of audio.
    pub(crate) fn send_audio(&mut self, ticks: u64, packet: &[u8]) {
        self.send(self.audio.unwrap(), Codec::Opus, MediaTime::new(ticks, rate(AUDIO_RATE)), packet);
    }

    /// Sends one frame of video.
    pub(crate) fn send_video(&mut self, ticks: u64, frame: &[u8]) {
        self.send(self.video.unwrap(), Codec::Vp8, MediaTime::new(ticks, rate(VIDEO_RATE)), frame);
    }

    fn send(&mut self, mid: Mid, codec: Codec, time: MediaTime, data: &[u8]) {
        let writer = self.rtc.writer(mid).unwrap();
        let pt = writer.payload_params().find(|params| params.spec().codec == codec).unwrap().pt();
        writer.write(pt, Instant::now(), time, data).unwrap();
        self.drain();
    }

    /// Sends bytes as they are.
    pub(crate) fn send_raw(&self, bytes: &[u8], to: SocketAddr) {
        self.socket.try_send_to(bytes, to).unwrap();
    }

    /// Answers the network and the clock for a while.
    pub(crate) async fn drive(&mut self, time: Duration) {
        let end = Instant::now() + time;
        let mut buffer = vec![0; 2_048];
        loop {
            let wake = self.drain().min(end);
            match tokio::time::timeout_at(wake.into(), self.socket.recv_from(&mut buffer)).await {
                Ok(received) => {
                    let (length, source) = received.unwrap();
                    let received =
                        Receive::new(Protocol::Udp, source, self.address, &buffer[..length]).unwrap();
                    self.rtc.handle_input(Input::Receive(Instant::now(), received)).unwrap();
                }
                Err(_) if Instant::now() >= end => return,
                Err(_) => self.rtc.handle_input(Input::Timeout(Instant::now())).unwrap(),
            }
        }
    }

    /// Says goodbye.
    pub(crate) async fn leave(&mut self) {
        self.rtc.close().unwrap();
        self.drive(Duration::from_millis(100)).await;
    }

    fn drain(&mut self) -> Instant {
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(wake) => return wake,
                Output::Transmit(datagram) => {
                    // Packets of media begin with the version, 2, in the upper bits, and have a dynamic type.
                    let is_media = datagram.contents[0] >= 128 && datagram.contents[1] & 0x7f >= 96;
                    if is_media && self.lose > 0 {
                        self.lose -= 1;
                        continue;
                    }
                    self.socket.try_send_to(&datagram.contents, datagram.destination).unwrap();
                }
                Output::Event(Event::KeyframeRequest(_)) => self.requests.push(Instant::now()),
                Output::Event(Event::Closed) => self.is_dismissed = true,
                Output::Event(_) => {}
            }
        }
    }
}

fn rate(hertz: u32) -> Frequency {
    Frequency::new(hertz).unwrap()
}

/// What browsers offer, as far as it matters here.
pub(crate) fn codecs() -> RtcConfig {
    RtcConfig::new().clear_codecs().enable_opus(true, false).enable_vp8(true).enable_h264(true)
}

/// The error of an offer that is refused.
pub(crate) async fn refusal(server: &WebRtc, offer: &str) -> WebRtcError {
    server.accept(offer, TERMS).await.expect_err("the offer is refused")
}
