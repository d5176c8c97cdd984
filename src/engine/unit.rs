//! A device with the queues before it, and the choice among several.
//!
//! Every device has its own thread, its own copy of each model and its own queues. A request goes to the healthy device
//! with the least work before it; where they are even, its session decides, so that calls spread over idle devices.

use std::sync::Arc;
use std::thread;

use tokio::sync::watch;

use super::backlog::{Backlog, Site};
use super::lanes::{Lanes, Ledgers};
use super::models::ModelSource;
use super::post::Post;
use super::repository::Repository;
use super::terms::Priority;
use super::view::{DeviceView, ExecutingView};
use super::watchdog::Keeper;
use super::{EngineConfig, EngineError, ModelStatistics};

/// A device with the queues before it.
pub(super) struct Unit {
    pub(super) device: Arc<str>,
    pub(super) lanes: Lanes,
    pub(super) post: Arc<Post>,
    /// Holds nothing; its sender lives as long as the watchdog's thread.
    ended: watch::Receiver<()>,
}

impl Unit {
    /// Loads the models onto the device at this place of the source's and starts its threads.
    fn start(
        config: &EngineConfig,
        source: &Arc<dyn ModelSource>,
        repository: &Arc<Repository>,
        ledgers: &Ledgers,
        (place, device): (usize, Arc<str>),
    ) -> Result<Self, EngineError> {
        let post = Arc::new(Post::default());
        let site =
            Site { device: Arc::clone(&device), bell: Arc::clone(&post.bell), backlog: Backlog::default() };
        let lanes = Lanes::new(config, site, ledgers);
        let (alive, ended) = watch::channel(());
        let keeper = Keeper {
            config: config.clone(),
            place,
            device: Arc::clone(&device),
            lanes: lanes.clone(),
            post: Arc::clone(&post),
            source: Arc::clone(source),
            repository: Arc::clone(repository),
        };
        keeper.start(alive)?;
        Ok(Self { device, lanes, post, ended })
    }

    pub(super) fn is_healthy(&self) -> bool {
        self.post.fault().is_none()
    }

    fn view(&self) -> DeviceView {
        let executing = self.post.executing().map(|executing| ExecutingView {
            model: executing.model,
            rows: executing.rows,
            for_ms: u64::try_from(executing.since.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
        let fault = self.post.fault();
        DeviceView {
            device: self.device.to_string(),
            is_healthy: fault.is_none(),
            fault,
            restarts: self.post.restarts(),
            reserved_bytes: self.post.reserved_bytes(),
            executing,
            queues: self.lanes.views(),
        }
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        self.lanes.close();
    }
}

/// All devices of an engine; there is one at least.
pub(super) struct Units {
    units: Vec<Unit>,
}

impl Units {
    /// Opens the source's devices and loads the models onto each of them, all at once.
    ///
    /// # Errors
    /// The first device's that cannot be used, whatever the others do: a card that is asked for and missing is a
    /// mistake to be seen at the start.
    pub(super) fn start(
        config: &EngineConfig,
        source: &Arc<dyn ModelSource>,
        repository: &Arc<Repository>,
    ) -> Result<Self, EngineError> {
        let devices: Vec<Arc<str>> = source.open()?.into_iter().map(Arc::from).collect();
        let ledgers = Ledgers::default();
        let units = thread::scope(|scope| {
            let starting: Vec<_> = devices
                .into_iter()
                .enumerate()
                .map(|place| scope.spawn(|| Unit::start(config, source, repository, &ledgers, place)))
                .collect();
            let joined =
                starting.into_iter().map(|thread| thread.join().unwrap_or(Err(EngineError::Stopped)));
            joined.collect::<Result<Vec<_>, _>>()
        })?;
        if units.is_empty() { Err(EngineError::Stopped) } else { Ok(Self { units }) }
    }

    /// The queues for a request of this priority and session.
    pub(super) fn choose(&self, priority: Priority, session: Option<u64>) -> &Lanes {
        let count = self.units.len();
        let first = session.map_or(0, |session| usize::try_from(session % count as u64).unwrap_or(0));
        let from_first = (0..count).map(|step| &self.units[(first + step) % count]);
        let work = |unit: &&Unit| (!unit.is_healthy(), unit.lanes.before(priority));
        // Of devices that are even, the first one is taken.
        from_first.min_by_key(work).map_or(&self.units[0].lanes, |unit| &unit.lanes)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Unit> {
        self.units.iter()
    }

    /// The names of the devices, separated by commas.
    pub(super) fn names(&self) -> String {
        let names: Vec<&str> = self.units.iter().map(|unit| &*unit.device).collect();
        names.join(",")
    }

    pub(super) fn views(&self) -> Vec<DeviceView> {
        self.units.iter().map(Unit::view).collect()
    }

    /// What each model has done, on all devices together: they count in the same ledgers.
    pub(super) fn statistics(&self) -> Vec<ModelStatistics> {
        self.units.first().map(|unit| unit.lanes.statistics()).unwrap_or_default()
    }

    /// Why no device computes, where none does.
    pub(super) fn fault(&self) -> Option<String> {
        let faults: Option<Vec<String>> = self.units.iter().map(|unit| unit.post.fault()).collect();
        faults.map(|faults| faults.join("; "))
    }

    /// Whether some device computes or can still recover.
    pub(super) fn is_alive(&self) -> bool {
        self.units.iter().any(|unit| !unit.post.is_hopeless())
    }

    pub(super) fn close(&self) {
        self.units.iter().for_each(|unit| unit.lanes.close());
    }

    /// Signals that end when all threads have.
    pub(super) fn endings(&self) -> Vec<watch::Receiver<()>> {
        self.units.iter().map(|unit| unit.ended.clone()).collect()
    }
}
