//! What a peer publishes, in order, until it ends.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, watch};

use crate::telemetry::record;

/// How many pieces may wait for whoever takes them: more than a second of audio with its pictures.
const WAITING: usize = 96;

/// One piece of media.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {
    /// One Opus packet.
    Audio {
        /// The media time of its first sample, in milliseconds.
        at_ms: u64,
        /// The packet.
        packet: Bytes,
    },
    /// One picture of the video, complete in itself.
    Picture {
        /// The media time, in milliseconds.
        at_ms: u64,
        /// The picture as a WebP file.
        webp: Bytes,
    },
}

/// Why a publication ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The peer said goodbye, or was told to go by the server's own client.
    Closed,
    /// Another peer took its place.
    Replaced,
    /// The peer never connected.
    NeverConnected,
    /// The peer was connected and then fell silent.
    Lost,
    /// What the peer sent broke the protocol.
    Failed,
    /// Whoever took the media has left.
    Abandoned,
}

impl Ending {
    /// The ending as metrics and logs name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Replaced => "replaced",
            Self::NeverConnected => "never_connected",
            Self::Lost => "lost",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
        }
    }
}

/// The media of one peer. Dropping it ends the peer.
#[derive(Debug)]
pub struct Publication {
    pieces: mpsc::Receiver<Published>,
    interval: watch::Sender<Duration>,
    ending: Arc<OnceLock<Ending>>,
}

impl Publication {
    /// Changes how often a picture is asked for.
    pub fn set_picture_interval(&self, interval: Duration) {
        self.interval.send_if_modified(|current| std::mem::replace(current, interval) != interval);
    }

    /// The next piece; none once the publication has ended.
    pub async fn next(&mut self) -> Option<Published> {
        self.pieces.recv().await
    }

    /// Why it ended. Before [`Self::next`] has given nothing, this is not decided.
    #[must_use]
    pub fn ending(&self) -> Ending {
        // A task that was torn down left no word.
        self.ending.get().copied().unwrap_or(Ending::Failed)
    }
}

/// The peer's end of a publication.
#[derive(Debug)]
pub(super) struct Outlet {
    pieces: mpsc::Sender<Published>,
    ending: Arc<OnceLock<Ending>>,
}

/// Both ends, and how often a picture is wanted.
pub(super) fn publication(interval: Duration) -> (Outlet, Publication, watch::Receiver<Duration>) {
    let (sender, receiver) = mpsc::channel(WAITING);
    let (wish, wished) = watch::channel(interval);
    let ending = Arc::new(OnceLock::new());
    let outlet = Outlet { pieces: sender, ending: Arc::clone(&ending) };
    (outlet, Publication { pieces: receiver, interval: wish, ending }, wished)
}

impl Outlet {
    /// Hands a piece on, or drops it where too many wait: media that is late helps nobody.
    pub(super) fn publish(&self, piece: Published) {
        let kind = match piece {
            Published::Audio { .. } => "audio",
            Published::Picture { .. } => "picture",
        };
        let is_taken = self.pieces.try_send(piece).is_ok();
        record::webrtc_media(kind, if is_taken { "taken" } else { "dropped" });
    }

    /// Completes when nobody takes the media any more.
    pub(super) async fn abandoned(&self) {
        self.pieces.closed().await;
    }

    /// Says why the publication ends.
    pub(super) fn end(self, ending: Ending) {
        // The first word counts; there is only one, as this consumes the outlet.
        let _ = self.ending.set(ending);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audio(at_ms: u64) -> Published {
        Published::Audio { at_ms, packet: Bytes::new() }
    }

    #[tokio::test]
    async fn pieces_come_in_order_and_then_the_ending() {
        let (outlet, mut publication, _) = publication(Duration::ZERO);
        outlet.publish(audio(0));
        outlet.publish(audio(20));
        outlet.end(Ending::Lost);
        assert_eq!(publication.next().await, Some(audio(0)));
        assert_eq!(publication.next().await, Some(audio(20)));
        assert_eq!(publication.next().await, None);
        assert_eq!(publication.ending(), Ending::Lost);
    }

    #[tokio::test]
    async fn what_does_not_fit_is_dropped_and_nobody_waits() {
        let (outlet, mut publication, _) = publication(Duration::ZERO);
        for at_ms in 0..=WAITING as u64 {
            outlet.publish(audio(at_ms));
        }
        drop(outlet);
        let mut count = 0;
        while publication.next().await.is_some() {
            count += 1;
        }
        assert_eq!(count, WAITING);
        assert_eq!(publication.ending(), Ending::Failed, "a task that left no word has failed");
    }

    #[tokio::test]
    async fn the_peer_learns_that_nobody_listens() {
        let (outlet, publication, _) = publication(Duration::ZERO);
        drop(publication);
        outlet.abandoned().await;
    }
}
