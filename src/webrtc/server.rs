//! The socket that all peers share, and the door through which they come.

use std::net::{SocketAddr, UdpSocket as PlainSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::directory::Directory;
use super::negotiation::{Identity, Negotiated};
use super::peer::{Peer, PictureRhythm};
use super::publication::{Publication, publication};
use super::{WebRtcConfig, WebRtcError};
use crate::telemetry::record;

/// More than any packet of WebRTC has; what is longer is none.
const MAX_DATAGRAM_BYTES: usize = 2_048;
/// How long the reader rests after the operating system refused it a datagram.
const REST: Duration = Duration::from_millis(10);

/// What a peer may publish.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Whether audio is taken.
    pub audio: bool,
    /// Whether video is taken.
    pub video: bool,
    /// The time from one picture of the video to the next, until the publication says otherwise.
    pub picture_interval: Duration,
    /// What only one peer may publish into: a later one with the same name takes the place of the earlier.
    pub seat: Option<Arc<str>>,
}

/// A peer whose offer has been answered, and that nobody waits for yet. It holds a place.
pub struct Answered {
    negotiated: Negotiated,
    permit: OwnedSemaphorePermit,
    terms: Terms,
}

/// A peer that may connect now.
#[derive(Debug)]
pub struct Accepted {
    /// The publication's identifier, which cannot be guessed.
    pub id: String,
    /// The answer, as SDP.
    pub answer: String,
    /// Our user fragment, which names the connection's ICE session.
    pub fragment: String,
    /// Whether the answer accepts audio.
    pub has_audio: bool,
    /// Whether the answer accepts video.
    pub has_video: bool,
    /// What the peer will send.
    pub publication: Publication,
}

/// The WebRTC side of the server. Clones are handles to the same one.
#[derive(Debug, Clone)]
pub struct WebRtc {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: WebRtcConfig,
    identity: Identity,
    address: SocketAddr,
    candidates: Arc<[SocketAddr]>,
    socket: PlainSocket,
    places: Arc<Semaphore>,
    directory: Arc<Directory>,
    reader: OnceCell<Reader>,
}

/// The task that reads the socket, which ends with the server.
#[derive(Debug)]
struct Reader {
    socket: Arc<UdpSocket>,
    task: JoinHandle<()>,
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl WebRtc {
    /// Takes the UDP address.
    ///
    /// # Errors
    /// [`WebRtcError::Bind`] where the address is taken or not this machine's.
    pub fn bind(config: &WebRtcConfig) -> Result<Self, WebRtcError> {
        let bind = || {
            let socket = PlainSocket::bind(config.bind)?;
            socket.set_nonblocking(true)?;
            let address = socket.local_addr()?;
            Ok((socket, address))
        };
        let (socket, address) =
            bind().map_err(|source| WebRtcError::Bind { address: config.bind, source })?;
        let shared = Shared {
            identity: Identity::new()?,
            address,
            candidates: config.candidates(address.port()).into(),
            socket,
            places: Arc::new(Semaphore::new(config.max_peers)),
            directory: Arc::new(Directory::default()),
            reader: OnceCell::new(),
            config: config.clone(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The UDP address that was taken.
    #[must_use]
    pub fn local_address(&self) -> SocketAddr {
        self.shared.address
    }

    /// Answers an offer. This computes for a few milliseconds, so it belongs on a worker.
    ///
    /// # Errors
    /// [`WebRtcError`] where the server is full or the offer is not usable.
    pub fn negotiate(&self, offer: &str, terms: Terms) -> Result<Answered, WebRtcError> {
        let shared = &self.shared;
        let limit = shared.config.max_peers;
        let permit = Arc::clone(&shared.places).try_acquire_owned();
        let permit = permit.map_err(|_| WebRtcError::Full { limit })?;
        let negotiated = shared.identity.answer(offer, &shared.candidates, (terms.audio, terms.video))?;
        Ok(Answered { negotiated, permit, terms })
    }

    /// Negotiates and begins at once.
    ///
    /// # Errors
    /// As [`Self::negotiate`] and [`Self::begin`].
    pub async fn accept(&self, offer: &str, terms: Terms) -> Result<Accepted, WebRtcError> {
        self.begin(self.negotiate(offer, terms)?).await
    }

    /// Waits for an answered peer in the background.
    ///
    /// # Errors
    /// [`WebRtcError::Socket`]
    pub async fn begin(&self, answered: Answered) -> Result<Accepted, WebRtcError> {
        let shared = &self.shared;
        let Answered { negotiated, permit, terms } = answered;
        let reader = shared.reader.get_or_try_init(|| async { shared.read() }).await?;

        let id = Uuid::now_v7().to_string();
        let (outlet, publication, interval) = publication(terms.picture_interval);
        let lines = negotiated.lines;
        let peer = Peer {
            rtc: negotiated.rtc,
            lines,
            socket: Arc::clone(&reader.socket),
            candidates: Arc::clone(&shared.candidates),
            place: shared.directory.enter(&id, &negotiated.fragment, terms.seat),
            outlet,
            connect_timeout: shared.config.connect_timeout(),
            pictures: PictureRhythm::new(interval),
        };
        let counted = record::webrtc_peer_begins();
        tokio::spawn(async move {
            peer.run().await;
            drop((permit, counted));
        });
        Ok(Accepted {
            id,
            answer: negotiated.answer,
            fragment: negotiated.fragment,
            has_audio: lines.audio.is_some(),
            has_video: lines.video.is_some(),
            publication,
        })
    }

    /// Gives a publication a seat that was not known when it was accepted.
    pub fn seat(&self, id: &str, seat: Arc<str>) {
        self.shared.directory.seat(id, seat);
    }

    /// Our user fragment of a publication, which names its ICE session; none where there is no such publication.
    #[must_use]
    pub fn fragment(&self, id: &str) -> Option<String> {
        self.shared.directory.fragment(id)
    }

    /// Whether a publication goes on.
    #[must_use]
    pub fn contains(&self, id: &str) -> bool {
        self.shared.directory.contains(id)
    }

    /// Ends a publication; whether there was one.
    pub fn close(&self, id: &str) -> bool {
        self.shared.directory.dismiss(id)
    }

    /// Ends every publication.
    pub fn close_all(&self) {
        self.shared.directory.dismiss_all();
    }
}

impl Shared {
    /// Starts to read the socket. This waits for the first offer, because before it nothing on the socket can matter.
    fn read(&self) -> Result<Reader, WebRtcError> {
        let socket = self.socket.try_clone().and_then(UdpSocket::from_std).map_err(WebRtcError::Socket)?;
        let socket = Arc::new(socket);
        let task = tokio::spawn(read(Arc::clone(&socket), Arc::clone(&self.directory)));
        Ok(Reader { socket, task })
    }
}

async fn read(socket: Arc<UdpSocket>, directory: Arc<Directory>) {
    let mut buffer = vec![0; MAX_DATAGRAM_BYTES];
    loop {
        match socket.recv_from(&mut buffer).await {
            Ok((length, source)) if length < MAX_DATAGRAM_BYTES => {
                let source = SocketAddr::new(source.ip().to_canonical(), source.port());
                directory.deliver(&buffer[..length], source, Instant::now());
            }
            Ok(_) => record::webrtc_datagram("too_long"),
            Err(error) => {
                tracing::debug!(%error, "a datagram could not be read");
                tokio::time::sleep(REST).await;
            }
        }
    }
}
