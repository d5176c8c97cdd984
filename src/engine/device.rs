//! The thread that owns a device and its models: it waits for work and serves the queue whose batch is the most urgent.

use std::time::Instant;

use super::EngineError;
use super::post::Post;
use super::queue::{Cut, Due};

/// A queue with its model, as the device's thread sees it.
pub(super) trait Station: Send {
    /// When the next batch should begin; none where nothing waits.
    fn due(&self, now: Instant) -> Option<Due>;
    /// Whether nothing waits and nothing more will come.
    fn is_finished(&self) -> bool;
    /// Computes the next batch and answers it.
    fn execute(&mut self, cut: Cut) -> Result<(), ModelLost>;
    /// Prepares the model for batches of all sizes, and computes a row that it knows.
    fn warm_up(&mut self) -> Result<(), EngineError>;
    /// Whether a model is there.
    fn has_model(&self) -> bool;
    /// Takes over another model, or none, where that was asked for.
    fn change(&mut self);
}

/// A model that panicked or failed and has not been able to compute since.
#[derive(Debug)]
pub(super) struct ModelLost {
    pub(super) model: &'static str,
    pub(super) message: String,
    /// Whether its device is lost to this program.
    pub(super) is_final: bool,
}

/// How a device's thread ended.
#[derive(Debug)]
pub(super) enum Ending {
    /// Nothing waits and nothing more will come.
    Finished,
    /// Another thread has taken over.
    Replaced,
    /// A model has to be loaded anew.
    Lost(ModelLost),
}

/// Serves the stations until all of them are finished, a model is lost or another thread takes over.
pub(super) fn serve(stations: &mut [Box<dyn Station>], post: &Post, thread: u64) -> Ending {
    while post.is_appointed(thread) {
        let seen = post.bell.rings();
        stations.iter_mut().for_each(|station| station.change());
        let now = Instant::now();
        let dues: Vec<(usize, Due)> = stations
            .iter()
            .enumerate()
            .filter_map(|(index, station)| Some((index, station.due(now)?)))
            .collect();
        let ready = dues.iter().filter(|(_, due)| due.at <= now).min_by_key(|(_, due)| *due);
        if let Some((index, due)) = ready {
            if let Err(lost) = stations[*index].execute(due.cut) {
                return Ending::Lost(lost);
            }
        } else if let Some(next) = dues.iter().map(|(_, due)| due.at).min() {
            post.bell.wait(seen, Some(next.saturating_duration_since(now)));
        } else if stations.iter().all(|station| station.is_finished()) {
            return Ending::Finished;
        } else {
            post.bell.wait(seen, None);
        }
    }
    Ending::Replaced
}
