//! Keeps a device served: it starts the device's thread, and replaces it where a model is lost or hangs.
//!
//! A model that panics or fails fails the rows it was given; where it cannot compute a row that it knows afterwards, its
//! thread ends and another one loads the models anew. An execution that takes longer than the configured time leaves its
//! thread behind: it cannot be ended from outside, so another one takes over with models of its own. Where a GPU says that
//! it is lost to the program, or several replacements in a row do not help, the device counts as lost until it computes
//! again: attempts go on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use heartline_models::ModelError;
use tokio::sync::watch;

use super::desk::panic_message;
use super::device::{Ending, ModelLost, serve};
use super::lanes::Lanes;
use super::models::ModelSource;
use super::post::Post;
use super::repository::Repository;
use super::{EngineConfig, EngineError, MODEL_NAMES};
use crate::telemetry::{record, with_causes};

/// The stack of threads that run models; networks are deep.
pub(super) const STACK_BYTES: usize = 16 << 20;
/// How often the watchdog looks for a thread that hangs.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);
/// The pause before a second replacement in a row; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause between two replacements.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A thread that served for this long is not counted as failing in a row.
const GOOD_SERVICE: Duration = Duration::from_secs(60);
/// How long a thread may take to load its models and warm them up; a GPU may have all its kernels to compile.
const LONGEST_START: Duration = Duration::from_secs(45 * 60);
/// Replacements in a row after which only a new start of the program is likely to help.
const MOST_IN_A_ROW: u32 = 5;
/// Threads that may hang at the same time; each holds models of its own, so more of them would eat the memory.
const MOST_HANGING: u32 = 3;

/// What a device's thread tells.
enum Report {
    Ready,
    Ended(Result<Ending, EngineError>),
}

/// What the watchdog and the device's threads work with.
#[derive(Clone)]
pub(super) struct Keeper {
    pub(super) config: EngineConfig,
    /// The device's place among the source's devices.
    pub(super) place: usize,
    pub(super) device: Arc<str>,
    pub(super) lanes: Lanes,
    pub(super) post: Arc<Post>,
    pub(super) source: Arc<dyn ModelSource>,
    pub(super) repository: Arc<Repository>,
}

impl Keeper {
    /// Starts the watchdog and through it the device's thread. The sender lives until both have ended.
    ///
    /// # Errors
    /// Why the models cannot be loaded or warmed up, or no thread started.
    pub(super) fn start(self, alive: watch::Sender<()>) -> Result<(), EngineError> {
        let (reports, received) = channel();
        self.appoint(&reports)?;
        match received.recv().map(|(_, report)| report) {
            Ok(Report::Ready) => {}
            Ok(Report::Ended(Err(error))) => return Err(error),
            Ok(Report::Ended(Ok(Ending::Lost(ModelLost { model, message, .. })))) => {
                return Err(EngineError::Panicked { model, message });
            }
            Ok(Report::Ended(Ok(_))) | Err(mpsc::RecvError) => return Err(EngineError::Stopped),
        }
        std::thread::Builder::new()
            .name("watchdog".to_owned())
            .spawn(move || {
                let _alive = alive;
                Watch { keeper: self, reports, row: 0, since: Instant::now(), is_ready: true, hanging: 0 }
                    .keep(&received);
            })
            .map(drop)
            .map_err(EngineError::Thread)
    }

    /// Starts a thread that loads the models and serves.
    fn appoint(&self, reports: &Sender<(u64, Report)>) -> Result<(), EngineError> {
        let (keeper, reports) = (self.clone(), reports.clone());
        let thread = self.post.appoint();
        let work = move || {
            let ready = reports.clone();
            let ended =
                catch_unwind(AssertUnwindSafe(|| keeper.work(thread, &ready))).unwrap_or_else(|payload| {
                    let message = panic_message(payload.as_ref());
                    Ok(Ending::Lost(ModelLost { model: "device", message, is_final: false }))
                });
            // Nobody listens any more once the engine has ended.
            let _ = reports.send((thread, Report::Ended(ended)));
        };
        let builder = std::thread::Builder::new().name("device".to_owned()).stack_size(STACK_BYTES);
        builder.spawn(work).map(drop).map_err(EngineError::Thread)
    }

    /// What the device's thread does.
    fn work(&self, thread: u64, reports: &Sender<(u64, Report)>) -> Result<Ending, EngineError> {
        let started = Instant::now();
        let mut stations = self.lanes.stations(&self.post, thread);
        // What was asked for while nobody served comes first.
        stations.iter_mut().for_each(|station| station.change());
        let is_first = self.post.restarts() == 0;
        let present = self.lanes.versions();
        let missing: Vec<bool> = stations.iter().map(|station| !station.has_model()).collect();
        for ((name, present), is_missing) in MODEL_NAMES.into_iter().zip(present).zip(missing) {
            // Of what was unloaded on purpose, nothing is present.
            let version = if is_first { None } else { self.repository.version(name).filter(|_| present > 0) };
            if is_missing && (is_first || version.is_some()) {
                let loaded = self.source.load(name, version, self.place)?;
                self.lanes.restore(loaded.model, loaded.info.version);
                self.repository.is_loaded(loaded.info, name);
            }
        }
        let loaded = started.elapsed();
        stations.iter_mut().for_each(|station| station.change());
        if self.config.warm_up {
            stations.iter_mut().try_for_each(|station| station.warm_up())?;
        }
        let reserved = self.source.reserved_bytes(self.place);
        self.post.reserves(reserved);
        record::device_memory(&self.device, reserved);
        let (loaded_ms, warm_up_ms) = (loaded.as_millis(), (started.elapsed() - loaded).as_millis());
        let device = &*self.device;
        tracing::info!(device, loaded_ms, warm_up_ms, reserved_bytes = reserved, "the models are ready");
        let _ = reports.send((thread, Report::Ready));
        Ok(serve(&mut stations, &self.post, thread))
    }
}

/// The watchdog at work.
struct Watch {
    keeper: Keeper,
    reports: Sender<(u64, Report)>,
    /// Replacements in a row.
    row: u32,
    /// When the present thread was appointed, or was ready.
    since: Instant,
    is_ready: bool,
    hanging: u32,
}

impl Watch {
    /// Watches until the engine has ended.
    fn keep(mut self, received: &Receiver<(u64, Report)>) {
        record::device_health(&self.keeper.device, true);
        loop {
            match received.recv_timeout(LOOK_INTERVAL) {
                Ok((thread, Report::Ready)) if self.keeper.post.is_appointed(thread) => {
                    (self.is_ready, self.since) = (true, Instant::now());
                    self.keeper.post.recovers();
                    record::device_health(&self.keeper.device, true);
                    tracing::info!(device = &*self.keeper.device, "the device computes again");
                }
                Ok((thread, Report::Ended(ended))) if self.keeper.post.is_appointed(thread) => {
                    let reason = match ended {
                        Ok(Ending::Finished) => return,
                        Ok(Ending::Lost(lost)) => {
                            self.despair_if(lost.is_final);
                            format!("model {} was lost: {}", lost.model, lost.message)
                        }
                        Ok(Ending::Replaced) => "its thread ended".to_owned(),
                        Err(error) => {
                            self.despair_if(matches!(error, EngineError::Model(ModelError::DeviceLost(_))));
                            with_causes(&error)
                        }
                    };
                    if !self.replace("lost", reason, received) {
                        return;
                    }
                }
                // A thread that was left behind has come to its end after all.
                Ok((_, Report::Ended(_))) => self.hanging = self.hanging.saturating_sub(1),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => {
                    let Some(reason) = self.why_hanging() else { continue };
                    self.hanging += 1;
                    if !self.replace("stall", reason, received) {
                        return;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn despair_if(&self, is_lost: bool) {
        if is_lost {
            self.keeper.post.despairs();
        }
    }

    /// What the present thread hangs over, if it does.
    fn why_hanging(&self) -> Option<String> {
        if let Some(executing) = self.keeper.post.executing() {
            let is_late = executing.since.elapsed() >= self.keeper.config.stall;
            return is_late.then(|| format!("model {} hangs over {} rows", executing.model, executing.rows));
        }
        let is_late = !self.is_ready && self.since.elapsed() >= LONGEST_START;
        is_late.then(|| "loading and warming up the models hangs".to_owned())
    }

    /// Has another thread take over, after a pause where this one failed soon; false where there is no sense in it.
    fn replace(&mut self, cause: &'static str, reason: String, received: &Receiver<(u64, Report)>) -> bool {
        record::device_health(&self.keeper.device, false);
        record::device_restart(&self.keeper.device, cause);
        tracing::error!(device = &*self.keeper.device, reason, "the device's thread is replaced");
        self.keeper.post.fails(reason);
        // From now on nothing that the old thread says counts.
        let _ = self.keeper.post.appoint();
        let served_well = self.is_ready && self.since.elapsed() >= GOOD_SERVICE;
        self.row = if served_well { 1 } else { self.row + 1 };
        self.is_ready = false;
        if self.row >= MOST_IN_A_ROW {
            self.keeper.post.despairs();
        }
        if self.row > 1 {
            let pause = FIRST_PAUSE.saturating_mul(1 << (self.row - 2).min(10)).min(LONGEST_PAUSE);
            let until = Instant::now() + pause;
            while Instant::now() < until && !self.keeper.lanes.are_closed() {
                std::thread::sleep(LOOK_INTERVAL);
            }
        }
        while self.hanging > MOST_HANGING && !self.keeper.lanes.are_closed() {
            self.keeper.post.despairs();
            if let Ok((_, Report::Ended(_))) = received.recv_timeout(LOOK_INTERVAL) {
                self.hanging = self.hanging.saturating_sub(1);
            }
        }
        if self.keeper.lanes.are_closed() {
            self.keeper.lanes.give_up();
            return false;
        }
        self.since = Instant::now();
        if let Err(error) = self.keeper.appoint(&self.reports) {
            tracing::error!(device = &*self.keeper.device, %error, "the device cannot be served");
            self.keeper.lanes.give_up();
            self.keeper.post.despairs();
            return false;
        }
        true
    }
}
