//! A session's front door: what transports and other rooms hold of a call.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::Serialize;
use subtle::ConstantTimeEq;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, watch};
use utoipa::ToSchema;

use super::log::EventLog;
use super::video::FrameDesk;
use super::{
    CloseReason, EventReader, Input, LiveConfig, LiveError, RankingNow, SessionOptions, SessionUpdate,
    Summary, TextPart, Totals, TrackKind, TrackOptions,
};
use crate::app::Role;
use crate::emotion::EmotionVector;
use crate::routing::RoutingLimits;

/// How a call came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, serde::Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// The house's own WebSocket.
    WebSocket,
    /// Requests alone: opened by one, fed by others.
    Http,
    /// A telephony platform's media stream.
    Twilio,
    /// A browser's camera and microphone.
    WebRtc,
}

impl Transport {
    /// The name in labels and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::WebSocket => "web_socket",
            Self::Http => "http",
            Self::Twilio => "twilio",
            Self::WebRtc => "web_rtc",
        }
    }
}

/// Where a session comes from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// How it came in.
    pub transport: Transport,
    /// The name of the API key that opened it; none where none is needed.
    pub key: Option<Arc<str>>,
    /// How many sessions this key may have; none: as many as the server.
    pub max_sessions: Option<usize>,
}

impl Origin {
    /// A transport without a key.
    #[must_use]
    pub const fn of(transport: Transport) -> Self {
        Self { transport, key: None, max_sessions: None }
    }
}

/// What goes into a session's queue.
pub(super) enum Letter {
    Configure(Box<SessionOptions>),
    Update(Box<SessionUpdate>),
    Audio { track: u8, at_ms: Option<u64>, bytes: Bytes, room: OwnedSemaphorePermit },
    Text(TextPart),
    Fault(LiveError),
    Close(CloseReason),
}

/// What is shared between a session's task and its handles.
pub(super) struct Shared {
    pub(super) id: Arc<str>,
    pub(super) token: String,
    pub(super) origin: Origin,
    pub(super) opened: Instant,
    pub(super) limits: LiveConfig,
    pub(super) routing: RoutingLimits,
    pub(super) allows_agents: bool,
    pub(super) log: Arc<EventLog>,
    pub(super) frames: Mutex<FrameDesk>,
    pub(super) frame_came: Notify,
    pub(super) setup: Mutex<Setup>,
    pub(super) view: Mutex<View>,
    /// The latest media time, in milliseconds.
    pub(super) front_ms: AtomicU64,
    /// Audio skipped before it came to the session, in bytes.
    pub(super) skipped_bytes: AtomicU64,
    pub(super) is_closing: AtomicBool,
    pub(super) letters: mpsc::Sender<Letter>,
    pub(super) audio_room: Arc<Semaphore>,
    pub(super) attached: watch::Sender<usize>,
    /// How often a transport was connected.
    pub(super) attachments: AtomicU64,
    pub(super) ended: watch::Sender<Option<Arc<Summary>>>,
}

/// The streams of a session, which are settled with the first media.
#[derive(Debug, Default)]
pub(super) struct Setup {
    pub(super) tracks: Arc<[TrackOptions]>,
    pub(super) is_locked: bool,
}

/// What can be seen of a session from outside.
#[derive(Debug, Clone, Default)]
pub(super) struct View {
    pub(super) call_id: Option<String>,
    pub(super) customer_id: Option<String>,
    pub(super) emotion: Option<EmotionVector>,
    pub(super) ranking: Option<RankingNow>,
    pub(super) totals: Totals,
}

/// A session as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SessionInfo {
    /// The session's identifier.
    pub session_id: String,
    /// The platform's own identifier of the call.
    pub call_id: Option<String>,
    /// The platform's own identifier of the customer.
    pub customer_id: Option<String>,
    /// How it came in.
    pub transport: Transport,
    /// Whether a transport is connected now.
    pub is_connected: bool,
    /// For how long it is open, in milliseconds.
    pub open_ms: u64,
    /// The latest media time, in milliseconds.
    pub media_ms: u64,
    /// The streams.
    pub tracks: Vec<TrackOptions>,
    /// The number of the newest event.
    pub events: u64,
    /// What came in and what became of it.
    pub totals: Totals,
    /// The customer's state as it was last sent.
    pub emotion: Option<EmotionVector>,
    /// The ranking as it was last sent.
    pub ranking: Option<RankingNow>,
}

/// A handle to a live call. Clones are handles to the same one; the call goes on without any.
#[derive(Clone)]
pub struct Session {
    pub(super) shared: Arc<Shared>,
}

/// A transport's connection to a session. While there is one the session waits for media; without any it waits for
/// its client to come back.
pub struct Attachment {
    shared: Arc<Shared>,
}

impl Drop for Attachment {
    fn drop(&mut self) {
        self.shared.attached.send_modify(|count| *count -= 1);
    }
}

impl Session {
    /// The identifier.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.shared.id
    }

    /// What takes the session up again after a lost connection.
    #[must_use]
    pub fn resume_token(&self) -> &str {
        &self.shared.token
    }

    /// The name of the key that opened it.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.shared.origin.key.as_deref()
    }

    /// The streams.
    #[must_use]
    pub fn tracks(&self) -> Arc<[TrackOptions]> {
        Arc::clone(&lock(&self.shared.setup).tracks)
    }

    /// Whether the streams are settled, because media have come.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        lock(&self.shared.setup).is_locked
    }

    /// The time between two frames that are read, as it is now: what comes in between is left out, so that a transport
    /// which can choose need not send it.
    #[must_use]
    pub fn frame_interval(&self) -> Duration {
        let interval_ms = lock(&self.shared.frames).interval_ms();
        Duration::try_from_secs_f32(interval_ms / 1_000.0).unwrap_or(Duration::from_secs(1))
    }

    /// Whether a token is this session's own. It takes as long for a wrong one.
    #[must_use]
    pub fn knows(&self, token: &str) -> bool {
        self.shared.token.as_bytes().ct_eq(token.as_bytes()).into()
    }

    /// The session as it is now.
    #[must_use]
    pub fn info(&self) -> SessionInfo {
        let shared = &self.shared;
        let View { call_id, customer_id, emotion, ranking, totals } = lock(&shared.view).clone();
        SessionInfo {
            session_id: shared.id.to_string(),
            call_id,
            customer_id,
            transport: shared.origin.transport,
            is_connected: *shared.attached.borrow() > 0,
            open_ms: u64::try_from(shared.opened.elapsed().as_millis()).unwrap_or(u64::MAX),
            media_ms: shared.front_ms.load(Ordering::Relaxed),
            tracks: self.tracks().to_vec(),
            events: shared.log.written(),
            totals,
            emotion,
            ranking,
        }
    }

    /// Says that a transport is connected, for as long as what is returned lives.
    #[must_use]
    pub fn attach(&self) -> Attachment {
        self.shared.attachments.fetch_add(1, Ordering::Relaxed);
        self.shared.attached.send_modify(|count| *count += 1);
        Attachment { shared: Arc::clone(&self.shared) }
    }

    /// Settles how the call is read; possible until the first media.
    ///
    /// # Errors
    /// [`LiveError::Options`], [`LiveError::AgentBiometricsRefused`], [`LiveError::Locked`], [`LiveError::NotFound`].
    pub async fn configure(&self, options: SessionOptions) -> Result<(), LiveError> {
        let shared = &self.shared;
        check_options(&options, &shared.limits, &shared.routing, shared.allows_agents)?;
        {
            let mut setup = lock(&shared.setup);
            if setup.is_locked {
                return Err(LiveError::Locked);
            }
            setup.tracks = options.tracks.clone().into();
            let wished = options.frames_per_second;
            *lock(&shared.frames) = FrameDesk::new(options.tracks.len(), wished, &shared.limits);
        }
        self.post(Letter::Configure(Box::new(options))).await
    }

    /// Hands something in. Audio and text wait for room, audio for a bounded time; frames never wait.
    ///
    /// # Errors
    /// [`LiveError`], where it cannot be used. The session goes on.
    pub async fn send(&self, input: Input) -> Result<(), LiveError> {
        match input {
            Input::Update(update) => {
                let faults = update.faults(&self.shared.routing);
                match faults.is_empty() {
                    true => self.post(Letter::Update(update)).await,
                    false => Err(LiveError::Options(faults)),
                }
            }
            Input::Audio { track, at_ms, bytes } => self.send_audio(track, at_ms, bytes).await,
            Input::Frame { track, at_ms, bytes } => self.send_frame(track, at_ms, bytes),
            Input::Text(part) => {
                let (found, limit) = (part.text.chars().count(), self.shared.limits.max_text_characters);
                if found > limit {
                    return Err(LiveError::TextTooLong { found, limit });
                }
                self.check_track(part.track, TrackKind::Text)?;
                self.post(Letter::Text(part)).await
            }
        }
    }

    async fn send_audio(&self, track: u8, at_ms: Option<u64>, bytes: Bytes) -> Result<(), LiveError> {
        self.check_size(&bytes)?;
        self.check_track(track, TrackKind::Audio)?;
        let shared = &self.shared;
        let wanted = bytes.len().clamp(1, shared.limits.max_audio_backlog_bytes) as u32;
        let room = Arc::clone(&shared.audio_room).acquire_many_owned(wanted);
        match tokio::time::timeout(shared.limits.audio_patience(), room).await {
            Ok(Ok(room)) => self.post(Letter::Audio { track, at_ms, bytes, room }).await,
            Ok(Err(_)) => Err(LiveError::NotFound),
            Err(_) => {
                let skipped = bytes.len();
                shared.skipped_bytes.fetch_add(skipped as u64, Ordering::Relaxed);
                Err(LiveError::AudioSkipped { bytes: skipped })
            }
        }
    }

    fn send_frame(&self, track: u8, at_ms: Option<u64>, bytes: Bytes) -> Result<(), LiveError> {
        self.check_size(&bytes)?;
        self.check_track(track, TrackKind::Video)?;
        let shared = &self.shared;
        if shared.is_closing.load(Ordering::Relaxed) {
            return Err(LiveError::NotFound);
        }
        let at_ms = at_ms.unwrap_or_else(|| shared.front_ms.load(Ordering::Relaxed));
        lock(&shared.frames).offer(track, at_ms, bytes);
        shared.frame_came.notify_one();
        Ok(())
    }

    /// Reports a message of the client's that could not be used; too many end the session.
    pub async fn report(&self, fault: LiveError) {
        // A session that has ended needs no report.
        let _ = self.post(Letter::Fault(fault)).await;
    }

    /// The events after a number; without one, all that are kept and come.
    #[must_use]
    pub fn events(&self, after: Option<u64>) -> EventReader {
        self.shared.log.reader(after)
    }

    /// Ends the session: what came in is read first, for a bounded time. The first reason that is given counts.
    ///
    /// # Errors
    /// [`LiveError::Stopping`] where the session's task ended without a summary.
    pub async fn close(&self, reason: CloseReason) -> Result<Arc<Summary>, LiveError> {
        let mut ended = self.shared.ended.subscribe();
        // Where nobody takes the letter any more the session is ending already.
        let _ = self.post(Letter::Close(reason)).await;
        let summary = ended.wait_for(Option::is_some).await.map_err(|_| LiveError::Stopping)?;
        summary.clone().ok_or(LiveError::Stopping)
    }

    /// Whether the session has ended.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.shared.ended.borrow().is_some()
    }

    async fn post(&self, letter: Letter) -> Result<(), LiveError> {
        self.shared.letters.send(letter).await.map_err(|_| LiveError::NotFound)
    }

    fn check_size(&self, bytes: &Bytes) -> Result<(), LiveError> {
        let (found, limit) = (bytes.len(), self.shared.limits.max_message_bytes);
        if found > limit { Err(LiveError::TooLarge { found, limit }) } else { Ok(()) }
    }

    /// Whether there is such a track; media settle the session's streams.
    fn check_track(&self, track: u8, kind: TrackKind) -> Result<(), LiveError> {
        let mut setup = lock(&self.shared.setup);
        let is_there = setup.tracks.get(usize::from(track)).is_some_and(|options| options.kind == kind);
        if !is_there {
            return Err(LiveError::NoTrack { track, kind: kind.name() });
        }
        setup.is_locked = true;
        Ok(())
    }
}

/// Checks what a client says of a call.
pub(super) fn check_options(
    options: &SessionOptions,
    limits: &LiveConfig,
    routing: &RoutingLimits,
    allows_agents: bool,
) -> Result<(), LiveError> {
    let faults = options.faults(limits, routing);
    if !faults.is_empty() {
        return Err(LiveError::Options(faults));
    }
    let shows_agent = |track: &TrackOptions| track.role == Role::Agent && track.kind != TrackKind::Text;
    match options.tracks.iter().position(shows_agent) {
        Some(track) if !allows_agents => Err(LiveError::AgentBiometricsRefused { track }),
        _ => Ok(()),
    }
}

/// The content of a mutex; nothing that holds one can leave it half-written.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
