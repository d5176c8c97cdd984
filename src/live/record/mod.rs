//! Recordings: what the state of a call was told and a fingerprint of what it said, in a small file.
//!
//! Media are never recorded. The words neither, unless the configuration says so: what follows from them is recorded
//! in their place, so that a call can be played again all the same. One thread writes all recordings; a session hands
//! its facts over and never waits. `file` is the layout, `outline` the fingerprint, [`replay`] plays a file again.

mod file;
mod outline;
pub mod replay;
mod writer;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use tokio::sync::oneshot;

use super::{Event, Fact, LiveConfig, SessionOptions};
use crate::app::ModelUse;
use crate::emotion::FusionConfig;
use crate::routing::Policy;
pub use file::{Header, RecordedPolicy};
use writer::{Order, Writer};

/// Facts that may wait for the writer, of all sessions together; then a recording is cut rather than a call delayed.
const WAITING_FACTS: usize = 8_192;
/// How long a server that stops waits for its recordings.
const SETTLING_TIME: Duration = Duration::from_secs(5);

/// What keeps calls from being recorded.
#[derive(Debug, thiserror::Error)]
#[error("the folder of recordings {folder} cannot be written to; see live.record_folder", folder = folder.display())]
pub struct RecordError {
    folder: PathBuf,
    #[source]
    source: std::io::Error,
}

/// Records sessions. Clones are handles to the same writer.
#[derive(Clone)]
pub struct Recorder {
    orders: mpsc::Sender<Order>,
    waiting: Arc<AtomicUsize>,
    /// The first line of every recording, but for the session and its models.
    header: Arc<Header>,
}

impl Recorder {
    /// Starts the writer, where the configuration has a folder for it.
    ///
    /// # Errors
    /// [`RecordError`] where the folder cannot be written to.
    pub fn start(
        live: &LiveConfig,
        fusion: &FusionConfig,
        policy: RecordedPolicy,
    ) -> Result<Option<Self>, RecordError> {
        let Some(folder) = live.record_folder.clone() else { return Ok(None) };
        let (orders, received) = mpsc::channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let unusable = |source| RecordError { folder: folder.clone(), source };
        let writer =
            Writer::new(folder.clone(), live.record_max_bytes, Arc::clone(&waiting)).map_err(unusable)?;
        std::thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(move || writer.run(&received))
            .map_err(unusable)?;
        Ok(Some(Self { orders, waiting, header: Arc::new(Header::new(live, fusion, policy)) }))
    }

    /// Begins the recording of a session; it ends when the last handle to it is dropped.
    pub(super) fn begin(&self, session_id: &str, models: Vec<ModelUse>, policy: Policy) -> Recording {
        let id: Arc<str> = session_id.into();
        let header = self.header.of_session(session_id, models, policy);
        let keeps_words = header.records_words;
        self.order(Order::Begin { id: Arc::clone(&id), header: Box::new(header) });
        let tape = Tape {
            id,
            recorder: self.clone(),
            keeps_words,
            has_new_words: AtomicBool::new(false),
            is_cut: AtomicBool::new(false),
        };
        Recording { tape: Arc::new(tape) }
    }

    /// Waits until every recording that has ended is in its file.
    pub(super) async fn settle(&self) {
        let (done, settled) = oneshot::channel();
        self.order(Order::Settle { done });
        if tokio::time::timeout(SETTLING_TIME, settled).await.is_err() {
            tracing::warn!("recordings were still being written when the server ended");
        }
    }

    fn order(&self, order: Order) {
        // Where the writer has gone, nothing can be recorded, and calls go on.
        let _ = self.orders.send(order);
    }
}

/// The recording of one session. Clones are handles to the same one.
#[derive(Clone)]
pub struct Recording {
    tape: Arc<Tape>,
}

struct Tape {
    id: Arc<str>,
    recorder: Recorder,
    keeps_words: bool,
    /// Whether something was said since what follows from the words was recorded.
    has_new_words: AtomicBool,
    is_cut: AtomicBool,
}

impl Drop for Tape {
    fn drop(&mut self) {
        let is_cut = *self.is_cut.get_mut();
        self.recorder.order(Order::End { id: Arc::clone(&self.id), is_cut });
    }
}

impl Recording {
    /// The state begins, or begins anew, with these options.
    pub(super) fn begin_state(&self, options: &SessionOptions) {
        let options = Box::new(options.clone());
        self.put(|id| Order::Options { id, options });
    }

    /// The state took a fact and said something. Where words are not kept, `derived` gives what follows from them.
    pub(super) fn take(&self, fact: &Fact, events: &[Event], derived: impl FnOnce() -> Fact) {
        let tape = &self.tape;
        if !tape.keeps_words {
            match fact {
                Fact::Said { .. } => {
                    tape.has_new_words.store(true, Ordering::Relaxed);
                    return;
                }
                Fact::Update { .. } => tape.has_new_words.store(true, Ordering::Relaxed),
                // Only a judgement uses the words, so what follows from them is recorded before it.
                Fact::Clock { .. } | Fact::End
                    if !events.is_empty() && tape.has_new_words.swap(false, Ordering::Relaxed) =>
                {
                    self.put(|id| Order::Took { id, fact: Box::new(derived()), events: Vec::new() });
                }
                _ => {}
            }
        }
        self.put(|id| Order::Took { id, fact: Box::new(fact.clone()), events: events.to_vec() });
    }

    fn put(&self, order: impl FnOnce(Arc<str>) -> Order) {
        let tape = &self.tape;
        if tape.is_cut.load(Ordering::Relaxed) {
            return;
        }
        if tape.recorder.waiting.fetch_add(1, Ordering::Relaxed) >= WAITING_FACTS {
            tape.recorder.waiting.fetch_sub(1, Ordering::Relaxed);
            // What follows a missing fact could not be played again.
            tape.is_cut.store(true, Ordering::Relaxed);
            tracing::warn!(session = &*tape.id, "a recording was cut: the disk does not keep up");
            return;
        }
        tape.recorder.order(order(Arc::clone(&tape.id)));
    }
}
