//! One peer: a task that drives its protocol state with datagrams and time, and hands on what comes out.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use str0m::media::{KeyframeRequestKind, MediaData, Rid, SenderFeedback};
use str0m::net::{Protocol, Receive};
use str0m::{Event, IceConnectionState, Input, Output, Rtc, RtcError};
use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::time::sleep_until;

use super::clock::{MediaClock, Track};
use super::directory::{Datagram, Place};
use super::negotiation::Lines;
use super::picture::still_picture;
use super::publication::{Ending, Outlet, Published};
use crate::telemetry::record;

/// Everything that a peer's task owns.
pub(super) struct Peer {
    pub(super) rtc: Rtc,
    pub(super) lines: Lines,
    pub(super) socket: Arc<UdpSocket>,
    /// Our addresses, as the answer named them.
    pub(super) candidates: Arc<[SocketAddr]>,
    pub(super) place: Place,
    pub(super) outlet: Outlet,
    pub(super) connect_timeout: Duration,
    pub(super) pictures: PictureRhythm,
}

/// When the next key frame is due.
#[derive(Debug)]
pub(super) struct PictureRhythm {
    interval: watch::Receiver<Duration>,
    due: Option<Instant>,
    is_asked: bool,
    /// The layer that is read, where the browser sends several.
    layer: Option<Option<Rid>>,
}

/// What the peer's task waits for.
enum Turn {
    Datagram(Option<Datagram>),
    Time,
    Picture,
    Nothing,
    End(Ending),
}

impl Peer {
    /// Drives the peer until it ends.
    pub(super) async fn run(mut self) {
        let ending = self.drive().await;
        self.say_goodbye();
        tracing::debug!(ending = ending.name(), "a WebRTC peer has left");
        record::webrtc_ending(ending.name());
        // The place first: whoever learns of the ending finds the peer gone.
        drop(self.place);
        self.outlet.end(ending);
    }

    async fn drive(&mut self) -> Ending {
        let mut clock = MediaClock::default();
        let connect_by = Instant::now() + self.connect_timeout;
        let mut is_connected = false;
        loop {
            let wake = match self.drain(&mut clock) {
                Ok(Drained::Until(wake)) => wake,
                Ok(Drained::Over(ending)) => return ending,
                Err(error) => {
                    tracing::debug!(%error, "a WebRTC peer broke the protocol");
                    return Ending::Failed;
                }
            };
            is_connected = is_connected || self.rtc.is_connected();
            let turn = self.wait(wake, (!is_connected).then_some(connect_by)).await;
            let fed = match turn {
                Turn::Datagram(Some(datagram)) => self.feed(&datagram),
                Turn::Time => self.rtc.handle_input(Input::Timeout(Instant::now())),
                Turn::Picture => {
                    self.ask_for_picture();
                    Ok(())
                }
                Turn::Nothing => Ok(()),
                Turn::Datagram(None) => return Ending::Closed,
                Turn::End(ending) => return ending,
            };
            if let Err(error) = fed {
                tracing::debug!(%error, "a WebRTC peer broke the protocol");
                return Ending::Failed;
            }
        }
    }

    async fn wait(&mut self, wake: Instant, connect_by: Option<Instant>) -> Turn {
        let far = Instant::now() + Duration::from_secs(3_600);
        let picture_due = self.pictures.due.unwrap_or(far);
        tokio::select! {
            biased;
            ending = self.place.farewell.heard() => Turn::End(ending),
            () = self.outlet.abandoned() => Turn::End(Ending::Abandoned),
            () = sleep_until(connect_by.unwrap_or(far).into()), if connect_by.is_some() => {
                Turn::End(Ending::NeverConnected)
            }
            () = sleep_until(wake.min(far).into()) => Turn::Time,
            () = sleep_until(picture_due.into()), if self.pictures.due.is_some() => Turn::Picture,
            Ok(()) = self.pictures.interval.changed() => {
                self.pictures.hurry();
                Turn::Nothing
            }
            datagram = self.place.datagrams.recv() => Turn::Datagram(datagram),
        }
    }

    /// Takes all output, as the library demands after each input.
    fn drain(&mut self, clock: &mut MediaClock) -> Result<Drained, RtcError> {
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(wake) if self.rtc.is_alive() => return Ok(Drained::Until(wake)),
                Output::Timeout(_) | Output::Event(Event::Closed) => {
                    return Ok(Drained::Over(Ending::Closed));
                }
                Output::Transmit(datagram) => self.transmit(datagram.destination, &datagram.contents),
                Output::Event(Event::IceConnectionStateChange(IceConnectionState::Disconnected)) => {
                    return Ok(Drained::Over(Ending::Lost));
                }
                Output::Event(Event::MediaData(data)) => self.take(data, clock),
                Output::Event(Event::SenderFeedback(feedback)) => self.heed(&feedback, clock),
                Output::Event(_) => {}
            }
        }
    }

    /// Sends without waiting: what the socket does not take now is lost, as on any network.
    fn transmit(&mut self, destination: SocketAddr, bytes: &[u8]) {
        // The library sends to an address only after it has verified that the peer is there.
        self.place.learn(destination);
        let is_v6 = self.candidates_are_mapped();
        let destination = match destination {
            SocketAddr::V4(v4) if is_v6 => SocketAddr::new(v4.ip().to_ipv6_mapped().into(), v4.port()),
            other => other,
        };
        let _ = self.socket.try_send_to(bytes, destination);
    }

    /// Whether the socket is of IP version 6, where addresses of version 4 are written in another way.
    fn candidates_are_mapped(&self) -> bool {
        self.socket.local_addr().is_ok_and(|address| address.is_ipv6())
    }

    fn feed(&mut self, datagram: &Datagram) -> Result<(), RtcError> {
        let source = datagram.source;
        // One socket has several names; the one of the same IP version is where this came to.
        let Some(&destination) = self.candidates.iter().find(|own| own.is_ipv4() == source.is_ipv4()) else {
            return Ok(());
        };
        let Ok(received) = Receive::new(Protocol::Udp, source, destination, &datagram.bytes) else {
            // Not a packet of any protocol that is spoken here: as good as lost.
            return Ok(());
        };
        self.rtc.handle_input(Input::Receive(datagram.arrival, received))
    }

    fn take(&mut self, data: MediaData, clock: &mut MediaClock) {
        let (ticks, rate) = (data.time.numer(), data.time.denom());
        if Some(data.mid) == self.lines.audio {
            let at_ms = clock.at_ms(Track::Audio, ticks, rate, data.network_time);
            self.outlet.publish(Published::Audio { at_ms, packet: Bytes::from_owner(data.data) });
        } else if Some(data.mid) == self.lines.video && self.pictures.reads(data.rid) {
            let at_ms = clock.at_ms(Track::Video, ticks, rate, data.network_time);
            self.pictures.begin();
            match still_picture(&data.data) {
                Ok(webp) => {
                    self.pictures.has_come();
                    self.outlet.publish(Published::Picture { at_ms, webp: webp.into() });
                }
                // Between two key frames lie the frames that build upon them.
                Err(_) => record::webrtc_media("video_between", "skipped"),
            }
        }
    }

    fn heed(&self, feedback: &SenderFeedback, clock: &mut MediaClock) {
        let report = &feedback.sender_info;
        let track = match Some(feedback.mid) {
            mid if mid == self.lines.audio => Track::Audio,
            mid if mid == self.lines.video => Track::Video,
            _ => return,
        };
        clock.report(track, report.rtp_time.numer(), report.ntp_time);
    }

    fn ask_for_picture(&mut self) {
        let layer = self.pictures.layer.flatten();
        self.pictures.is_asked();
        let Some(mut writer) = self.lines.video.and_then(|mid| self.rtc.writer(mid)) else { return };
        if let Err(error) = writer.request_keyframe(layer, KeyframeRequestKind::Pli) {
            tracing::debug!(%error, "a key frame could not be asked for");
        }
    }

    /// Tells the peer that it is over, where it still listens.
    fn say_goodbye(&mut self) {
        if self.rtc.close().is_err() {
            return;
        }
        while let Ok(output) = self.rtc.poll_output() {
            match output {
                Output::Transmit(datagram) => self.transmit(datagram.destination, &datagram.contents),
                Output::Timeout(_) => return,
                Output::Event(_) => {}
            }
        }
    }
}

/// How far the output was taken.
enum Drained {
    /// Nothing is left until a moment.
    Until(Instant),
    /// The peer has ended.
    Over(Ending),
}

impl PictureRhythm {
    /// One picture in each interval, which may change.
    pub(super) const fn new(interval: watch::Receiver<Duration>) -> Self {
        Self { interval, due: None, is_asked: false, layer: None }
    }

    fn next(&self) -> Instant {
        Instant::now() + *self.interval.borrow()
    }

    /// Whether a layer is the one that is read: the first that comes.
    fn reads(&mut self, layer: Option<Rid>) -> bool {
        *self.layer.get_or_insert(layer) == layer
    }

    /// The video has begun; without anything of it, there is nobody to ask.
    fn begin(&mut self) {
        if self.due.is_none() {
            self.due = Some(self.next());
        }
    }

    /// The interval has changed. A shorter one counts at once: who begins to speak is not looked at two seconds later.
    fn hurry(&mut self) {
        self.due = self.due.map(|due| due.min(self.next()));
    }

    /// A key frame came. One that came unasked puts the next request off.
    fn has_come(&mut self) {
        if !std::mem::take(&mut self.is_asked) {
            self.due = Some(self.next());
        }
    }

    /// A key frame is asked for now.
    fn is_asked(&mut self) {
        self.is_asked = true;
        self.due = Some(self.next());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_millis(500);

    #[test]
    fn an_answered_request_keeps_the_rhythm_and_an_unasked_picture_moves_it() {
        let mut rhythm = PictureRhythm::new(watch::channel(INTERVAL).1);
        assert_eq!(rhythm.due, None, "before the first packet nobody can be asked");
        rhythm.begin();
        let first = rhythm.due.unwrap();
        rhythm.begin();
        assert_eq!(rhythm.due, Some(first));
        rhythm.is_asked();
        let second = rhythm.due.unwrap();
        assert!(second >= first);
        rhythm.has_come();
        assert_eq!(rhythm.due, Some(second), "the answer came when it was expected");
        std::thread::sleep(Duration::from_millis(2));
        rhythm.has_come();
        assert!(rhythm.due.unwrap() > second);
    }

    #[test]
    fn a_shorter_interval_counts_at_once_and_a_longer_one_from_the_next() {
        let (interval, receiver) = watch::channel(INTERVAL);
        let mut rhythm = PictureRhythm::new(receiver);
        rhythm.hurry();
        assert_eq!(rhythm.due, None);
        rhythm.begin();
        let due = rhythm.due.unwrap();
        interval.send(INTERVAL * 4).unwrap();
        rhythm.hurry();
        assert_eq!(rhythm.due, Some(due));
        interval.send(INTERVAL / 50).unwrap();
        rhythm.hurry();
        assert!(rhythm.due.unwrap() < due);
    }

    #[test]
    fn one_layer_is_read() {
        let mut rhythm = PictureRhythm::new(watch::channel(INTERVAL).1);
        let (low, high) = (Some(Rid::from("l")), Some(Rid::from("h")));
        assert!(rhythm.reads(low));
        assert!(!rhythm.reads(high));
        assert!(rhythm.reads(low));
    }
}
