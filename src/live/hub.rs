//! All live calls of a server: how many there may be, where each is found, and how they end together.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use futures_util::future::join_all;
use tokio::sync::{Notify, Semaphore, broadcast, mpsc, watch};
use uuid::Uuid;

use super::event::{Created, Limits, PROTOCOL_VERSION};
use super::log::EventLog;
use super::record::Recorder;
use super::runner::{ModelNames, Runner};
use super::session::{Setup, Shared, View, check_options, lock};
use super::state::StateSettings;
use super::video::FrameDesk;
use super::work::Workers;
use super::{CloseReason, Event, LiveConfig, LiveError, Origin, Session, SessionInfo, SessionOptions};
use crate::app::{ModelUse, NOTICE, WorkPool, random_text};
use crate::emotion::{FusionConfig, Modality};
use crate::engine::Engine;
use crate::media::MediaLimits;
use crate::routing::{Policy, Router, RoutingLimits};
use crate::telemetry::record;

/// Opened sessions that those who follow all of them may be behind.
const WAITING_SESSIONS: usize = 1_024;
/// Messages that may wait for a session's task.
const WAITING_LETTERS: usize = 128;

/// The rooms that live calls work with.
pub struct LiveRooms {
    /// The models.
    pub engine: Engine,
    /// The workers.
    pub pool: WorkPool,
    /// Ranks agents.
    pub router: Arc<Router>,
    /// What media may be.
    pub media: MediaLimits,
    /// How readings become a vector.
    pub fusion: FusionConfig,
    /// What live calls may cost.
    pub live: LiveConfig,
    /// What a list of agents may be.
    pub routing: RoutingLimits,
    /// Whether a lawful basis for reading agents is configured.
    pub allows_agents: bool,
    /// Records calls, where that is configured.
    pub recorder: Option<Recorder>,
}

/// All live calls. Clones are handles to the same ones.
#[derive(Clone)]
pub struct Hub {
    inner: Arc<Inner>,
}

struct Inner {
    rooms: LiveRooms,
    media: Arc<MediaLimits>,
    sessions: Mutex<HashMap<Arc<str>, Session>>,
    is_stopping: AtomicBool,
    /// Tells of every session that is opened; none once no more will be.
    opened: Mutex<Option<broadcast::Sender<Session>>>,
    counter: AtomicU64,
}

impl Hub {
    /// A hub without calls.
    #[must_use]
    pub fn new(rooms: LiveRooms) -> Self {
        let inner = Inner {
            media: Arc::new(rooms.media.clone()),
            rooms,
            sessions: Mutex::default(),
            is_stopping: AtomicBool::new(false),
            opened: Mutex::new(Some(broadcast::Sender::new(WAITING_SESSIONS))),
            counter: AtomicU64::new(1),
        };
        Self { inner: Arc::new(inner) }
    }

    /// What live calls may cost.
    #[must_use]
    pub fn config(&self) -> &LiveConfig {
        &self.inner.rooms.live
    }

    /// Opens a session. It needs a tokio runtime around it.
    ///
    /// # Errors
    /// [`LiveError::Options`], [`LiveError::AgentBiometricsRefused`], [`LiveError::TooManySessions`] or
    /// [`LiveError::Stopping`].
    pub fn open(&self, options: SessionOptions, origin: Origin) -> Result<Session, LiveError> {
        let rooms = &self.inner.rooms;
        check_options(&options, &rooms.live, &rooms.routing, rooms.allows_agents)?;
        let id: Arc<str> = Uuid::now_v7().to_string().into();
        let (session, letters) = self.session(Arc::clone(&id), &options, origin)?;
        {
            let mut sessions = lock(&self.inner.sessions);
            if self.inner.is_stopping.load(Ordering::Relaxed) {
                return Err(LiveError::Stopping);
            }
            let key = session.key();
            let own = || sessions.values().filter(|other| other.key() == key).count();
            let most_own = session.shared.origin.max_sessions;
            if sessions.len() >= rooms.live.max_sessions || most_own.is_some_and(|most| own() >= most) {
                return Err(LiveError::TooManySessions { open: most_own.map_or(sessions.len(), |_| own()) });
            }
            sessions.insert(id, session.clone());
        }
        record::live_opened(session.shared.origin.transport.name());
        session.shared.log.write(0, &Event::Created(Box::new(self.created(&session, &options))));
        self.run(session.clone(), options, letters);
        if let Some(opened) = lock(&self.inner.opened).as_ref() {
            // Nobody may be listening.
            let _ = opened.send(session.clone());
        }
        Ok(session)
    }

    fn session(
        &self,
        id: Arc<str>,
        options: &SessionOptions,
        origin: Origin,
    ) -> Result<(Session, mpsc::Receiver<super::session::Letter>), LiveError> {
        let live = self.inner.rooms.live.clone();
        let (letters, receiver) = mpsc::channel(WAITING_LETTERS);
        let frames = FrameDesk::new(options.tracks.len(), options.frames_per_second, &live);
        let shared = Shared {
            id,
            token: random_text().ok_or(LiveError::NoRandomness)?,
            origin,
            opened: Instant::now(),
            routing: self.inner.rooms.routing.clone(),
            allows_agents: self.inner.rooms.allows_agents,
            log: Arc::new(EventLog::new(live.max_kept_events, live.max_kept_bytes)),
            frames: Mutex::new(frames),
            frame_came: Notify::new(),
            setup: Mutex::new(Setup { tracks: options.tracks.clone().into(), is_locked: false }),
            view: Mutex::new(View {
                call_id: options.call_id.clone(),
                customer_id: options.customer_id.clone(),
                ..View::default()
            }),
            front_ms: AtomicU64::new(0),
            skipped_bytes: AtomicU64::new(0),
            is_closing: AtomicBool::new(false),
            letters,
            audio_room: Arc::new(Semaphore::new(live.max_audio_backlog_bytes)),
            attached: watch::Sender::new(0),
            attachments: AtomicU64::new(0),
            ended: watch::Sender::new(None),
            limits: live,
        };
        Ok((Session { shared: Arc::new(shared) }, receiver))
    }

    /// Starts a session's task and cleans up after it.
    fn run(
        &self,
        session: Session,
        options: SessionOptions,
        letters: mpsc::Receiver<super::session::Letter>,
    ) {
        let rooms = &self.inner.rooms;
        let workers = Workers {
            engine: rooms.engine.clone(),
            pool: rooms.pool.clone(),
            media: Arc::clone(&self.inner.media),
            session: self.inner.counter.fetch_add(1, Ordering::Relaxed),
        };
        let settings = StateSettings {
            fusion: rooms.fusion.clone(),
            live: rooms.live.clone(),
            router: Arc::clone(&rooms.router),
            recording: rooms.recorder.as_ref().map(|recorder| {
                let policy = rooms.router.policies().find(None).map(|policy| Policy::clone(&policy));
                recorder.begin(session.id(), self.models(), policy.unwrap_or_default())
            }),
        };
        let models = self.model_names();
        let shared = Arc::clone(&session.shared);
        let hub = self.clone();
        tokio::spawn(async move {
            let task = tokio::spawn(async move {
                Runner::new(Arc::clone(&shared), workers, settings, options, models).run(letters).await;
            });
            if let Err(error) = task.await {
                // Whoever reads or waits must not wait for ever.
                tracing::error!(%error, session = session.id(), "a session's task failed");
                record::live_ended(CloseReason::Internal.name(), session.shared.opened.elapsed());
                session.shared.log.close();
            }
            lock(&hub.inner.sessions).remove(&session.shared.id);
        });
    }

    fn created(&self, session: &Session, options: &SessionOptions) -> Created {
        let live = &self.inner.rooms.live;
        Created {
            version: PROTOCOL_VERSION,
            notice: NOTICE.to_owned(),
            session_id: session.id().to_owned(),
            resume_token: session.resume_token().to_owned(),
            resume_ms: live.resume_ms,
            options: SessionOptions { agents: None, ..options.clone() },
            limits: Limits {
                max_message_bytes: live.max_message_bytes,
                max_text_characters: live.max_text_characters,
                idle_timeout_ms: live.idle_timeout_ms,
                max_duration_ms: live.max_duration_ms,
            },
            models: self.models(),
        }
    }

    /// The models that read.
    fn models(&self) -> Vec<ModelUse> {
        self.inner.rooms.engine.models().into_iter().map(ModelUse::from).collect()
    }

    fn model_names(&self) -> ModelNames {
        let name = |modality: Modality| self.inner.rooms.engine.model_label(modality.name());
        ModelNames { text: name(Modality::Text), voice: name(Modality::Voice), face: name(Modality::Face) }
    }

    /// The session of this identifier.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<Session> {
        lock(&self.inner.sessions).get(id).cloned()
    }

    /// All sessions, the oldest first.
    #[must_use]
    pub fn sessions(&self) -> Vec<Session> {
        let mut sessions: Vec<Session> = lock(&self.inner.sessions).values().cloned().collect();
        sessions.sort_by(|one, other| one.id().cmp(other.id()));
        sessions
    }

    /// Every session that is opened from now on, until no more will be.
    #[must_use]
    pub fn opened(&self) -> broadcast::Receiver<Session> {
        lock(&self.inner.opened).as_ref().map_or_else(
            // The sender of this one has gone already, which says the same.
            || broadcast::channel(1).1,
            broadcast::Sender::subscribe,
        )
    }

    /// All sessions as they are now, the oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<SessionInfo> {
        self.sessions().iter().map(Session::info).collect()
    }

    /// How many sessions are open.
    #[must_use]
    pub fn count(&self) -> usize {
        lock(&self.inner.sessions).len()
    }

    /// Takes a session up again after a lost connection.
    ///
    /// # Errors
    /// [`LiveError::NotFound`] or [`LiveError::TokenWrong`].
    pub fn resume(&self, id: &str, token: &str) -> Result<Session, LiveError> {
        let session = self.find(id).ok_or(LiveError::NotFound)?;
        if session.knows(token) { Ok(session) } else { Err(LiveError::TokenWrong) }
    }

    /// Ends all sessions and takes no more.
    pub async fn drain(&self) {
        let sessions: Vec<Session> = {
            let sessions = lock(&self.inner.sessions);
            self.inner.is_stopping.store(true, Ordering::Relaxed);
            lock(&self.inner.opened).take();
            sessions.values().cloned().collect()
        };
        join_all(sessions.iter().map(|session| session.close(CloseReason::ServerStopping))).await;
        if let Some(recorder) = &self.inner.rooms.recorder {
            recorder.settle().await;
        }
    }
}
