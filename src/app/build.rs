//! The app: every room built from one configuration.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use heartline_plugin_host::HostError;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

use super::matchers::{Matchers, Reload, load_router};
use super::{AppError, MatcherDetail, MatcherInfo, PoolError, StartError, WorkPool, paths};
use crate::config::Config;
use crate::engine::Engine;
use crate::live::record::{RecordedPolicy, Recorder};
use crate::live::{Hub, LiveRooms};
use crate::routing::{Policy, Records, Router};
use crate::telemetry::record;
use crate::webrtc::WebRtc;

/// Pieces of work that may wait for one worker: a call has three (audio, frames, agents), so that a few calls can
/// queue before the server says that it is full.
const WAITING_PER_WORKER: usize = 32;

/// How long a finding about the models' health holds.
const HEALTH_LIFETIME: Duration = Duration::from_secs(2);
/// How long the devices' threads may take to end once what was accepted is answered.
const ENGINE_END: Duration = Duration::from_secs(10);

/// The built program. Clones are handles to the same one.
#[derive(Clone)]
pub struct App {
    rooms: Arc<Rooms>,
}

/// A place among the requests in work, free again when it is dropped.
#[derive(Debug)]
pub struct Place {
    _permit: OwnedSemaphorePermit,
}

struct Rooms {
    config: Config,
    engine: Engine,
    router: Arc<Router>,
    live: Hub,
    webrtc: Option<WebRtc>,
    matchers: Matchers,
    /// Held while a matcher is loaded anew.
    reloads: Mutex<()>,
    pool: WorkPool,
    permits: Arc<Semaphore>,
    draining: AtomicBool,
    health: Mutex<Option<(Instant, Option<String>)>>,
}

impl App {
    /// Loads the matchers and the models. This takes seconds and blocks.
    ///
    /// # Errors
    /// [`StartError`] with what to do.
    pub fn build(mut config: Config) -> Result<Self, StartError> {
        // Matchers come first: they load at once, so their faults show before the models are loaded.
        let (router, matchers) = load_router(&config)?;
        let webrtc = config.webrtc.enabled.then(|| WebRtc::bind(&config.webrtc)).transpose();
        let webrtc = webrtc.map_err(StartError::WebRtc)?;
        config.engine.models_folder = paths::find(&config.engine.models_folder);
        config.samples.folder = paths::find(&config.samples.folder);
        let engine = Engine::start(&config.engine).map_err(|source| StartError::Engine {
            folder: config.engine.models_folder.clone(),
            source: Box::new(source),
        })?;
        record::build(env!("CARGO_PKG_VERSION"), &engine.device());
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let pool = WorkPool::new(workers, workers * WAITING_PER_WORKER);
        let records = Records::start(&config.routing.records).map_err(StartError::Rankings)?;
        let router = Arc::new(router.with_records(records));
        let recorder = Recorder::start(&config.live, &config.fusion, RecordedPolicy::of(&config))
            .map_err(StartError::Record)?;
        let live = Hub::new(LiveRooms {
            engine: engine.clone(),
            pool: pool.clone(),
            router: Arc::clone(&router),
            media: config.media.clone(),
            fusion: config.fusion.clone(),
            live: config.live.clone(),
            routing: config.routing.limits.clone(),
            allows_agents: config.privacy.agent_biometrics_basis.is_some(),
            recorder,
        });
        let rooms = Rooms {
            engine,
            router,
            live,
            webrtc,
            matchers,
            reloads: Mutex::default(),
            pool,
            permits: Arc::new(Semaphore::new(config.server.max_concurrent_requests)),
            draining: AtomicBool::new(false),
            health: Mutex::new(None),
            config,
        };
        Ok(Self { rooms: Arc::new(rooms) })
    }

    /// The configuration, with the folders as they were found.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.rooms.config
    }

    /// The models.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.rooms.engine
    }

    /// The live calls.
    #[must_use]
    pub fn live(&self) -> &Hub {
        &self.rooms.live
    }

    /// Where browsers publish, if they may.
    #[must_use]
    pub fn webrtc(&self) -> Option<&WebRtc> {
        self.rooms.webrtc.as_ref()
    }

    /// What is told of each matcher, by name.
    #[must_use]
    pub fn matcher_infos(&self) -> Vec<MatcherInfo> {
        self.rooms.matchers.infos(&self.active_policy())
    }

    /// Everything that is told of one matcher; none where there is none of that name.
    #[must_use]
    pub fn matcher_detail(&self, id: &str) -> Option<MatcherDetail> {
        self.rooms.matchers.detail(id, &self.active_policy())
    }

    /// The policy that ranks now where a request names none.
    fn active_policy(&self) -> Arc<Policy> {
        // There always is one: the book is made with it, and it cannot be taken out.
        self.rooms.router.policies().find(None).unwrap_or_default()
    }

    /// Loads a matcher's library anew while rankings go on; gives the new generation, or none where there is no such
    /// matcher. One is loaded at a time, on a thread that rankings do not need.
    ///
    /// # Errors
    /// What the host says; the present generation then stays.
    pub async fn reload_matcher(&self, id: &str, reload: Reload) -> Option<Result<u64, HostError>> {
        let _turn = self.rooms.reloads.lock().await;
        let (matchers, name) = (self.rooms.matchers.clone(), id.to_owned());
        let loaded = tokio::task::spawn_blocking(move || matchers.reload(&name, reload)).await;
        loaded.unwrap_or_else(|error| {
            let reason = format!("the host failed: {error}");
            Some(Err(HostError::Panicked { id: id.to_owned(), reason }))
        })
    }

    /// Ends a matcher's quarantine; says whether there is such a matcher.
    pub fn reset_matcher(&self, id: &str) -> bool {
        self.rooms.matchers.reset(id)
    }

    /// Brings the metrics up to date that are looked up rather than counted.
    pub fn publish_metrics(&self) {
        self.rooms.matchers.publish();
    }

    /// Whether the program takes no new work because it is ending.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.rooms.draining.load(Ordering::Relaxed)
    }

    /// Whether as many requests are in work as the configuration allows.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.rooms.permits.available_permits() == 0
    }

    /// Says that the program is ending: it is no longer ready, and what was accepted is still answered.
    pub fn begin_drain(&self) {
        self.rooms.draining.store(true, Ordering::Relaxed);
    }

    /// Ends the models' threads, after what they accepted is answered, and keeps what matchers have learned and the last
    /// rankings. Requests after this are refused.
    pub async fn stop(&self) {
        if tokio::time::timeout(ENGINE_END, self.rooms.engine.shutdown()).await.is_err() {
            tracing::warn!("a device does not end; it is left behind");
        }
        let matchers = self.rooms.matchers.clone();
        if let Err(error) = tokio::task::spawn_blocking(move || matchers.stop()).await {
            tracing::error!(%error, "what matchers have learned could not be kept");
        }
        let router = self.router();
        let settled = tokio::task::spawn_blocking(move || router.records().map(Records::settle)).await;
        if let Err(error) = settled {
            tracing::error!(%error, "the last rankings may not be recorded");
        }
    }

    /// Why a model cannot answer, if one cannot. The models compute for this, so what was found holds for a while.
    pub async fn engine_fault(&self) -> Option<String> {
        let mut checked = self.rooms.health.lock().await;
        if let Some((at, fault)) = checked.as_ref()
            && at.elapsed() < HEALTH_LIFETIME
        {
            return fault.clone();
        }
        let fault = self.rooms.engine.health().await.fault();
        *checked = Some((Instant::now(), fault.clone()));
        fault
    }

    pub(super) fn router(&self) -> Arc<Router> {
        Arc::clone(&self.rooms.router)
    }

    /// Takes a place among the requests in work, without waiting for one. It comes before a request's body is read,
    /// so that bodies in memory are bounded as well.
    ///
    /// # Errors
    /// [`AppError::Overloaded`]
    pub fn admit(&self) -> Result<Place, AppError> {
        let permit = Arc::clone(&self.rooms.permits).try_acquire_owned();
        permit.map(|permit| Place { _permit: permit }).map_err(|_| AppError::overloaded())
    }

    /// When a request that begins now must be answered.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.request_timeout()
    }

    /// How long a request may take.
    #[must_use]
    pub fn request_timeout(&self) -> Duration {
        self.rooms.config.server.request_timeout
    }

    /// Does work that would stall an async thread.
    ///
    /// # Errors
    /// [`PoolError::Full`] where too much is waiting already.
    pub async fn run_blocking<T, F>(&self, work: F) -> Result<T, PoolError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        self.rooms.pool.run(work).await
    }
}
