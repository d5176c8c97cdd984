//! The queues of all models side by side, and what is done to all of them or to one by its name.

use std::sync::Arc;
use std::time::{Duration, Instant};

use heartline_models::RgbImage;
use heartline_models::detector::FaceBox;
use heartline_models::face::{FaceCrop, FacePrediction};
use heartline_models::text::TextPrediction;
use heartline_models::voice::{VoiceClip, VoicePrediction};
use tokio::sync::oneshot;

use super::backlog::Site;
use super::desk::Desk;
use super::device::Station;
use super::lane::{Change, Lane, LaneLimits};
use super::ledger::{Ledger, ModelStatistics};
use super::post::Post;
use super::queue::BatchLimits;
use super::terms::{Priority, Settled};
use super::{AnyModel, EngineConfig, EngineError, MODEL_NAMES, Model, ModelHealth, QueueView};

/// Bytes of text that make one token, roughly, in the languages that the model reads.
const BYTES_PER_TOKEN: usize = 4;
/// Tokens around each text.
const EDGE_TOKENS: usize = 2;

/// The queues of all models. Clones are handles to the same ones.
#[derive(Clone)]
pub(super) struct Lanes {
    pub(super) text: Arc<Lane<String, TextPrediction>>,
    pub(super) voice: Arc<Lane<VoiceClip, VoicePrediction>>,
    pub(super) detector: Arc<Lane<RgbImage, Vec<FaceBox>>>,
    pub(super) face: Arc<Lane<FaceCrop, FacePrediction>>,
    site: Site,
}

/// What each model has done, in the order of [`MODEL_NAMES`]; all devices count in the same ones.
pub(super) type Ledgers = [Arc<Ledger>; MODEL_NAMES.len()];

/// Does the same with each lane.
macro_rules! each_lane {
    ($lanes:expr, $lane:ident => $action:expr) => {{
        let lanes = $lanes;
        [
            {
                let $lane = &lanes.text;
                $action
            },
            {
                let $lane = &lanes.voice;
                $action
            },
            {
                let $lane = &lanes.detector;
                $action
            },
            {
                let $lane = &lanes.face;
                $action
            },
        ]
    }};
}

impl Lanes {
    pub(super) fn new(config: &EngineConfig, site: Site, ledgers: &Ledgers) -> Self {
        let batch = BatchLimits {
            rows: config.max_batch_rows.max(1),
            cost: config.max_batch_rows.max(1) as u64,
            delay: config.batch_delay,
        };
        let limits = LaneLimits { queue_rows: config.queue_rows, batch };
        let text =
            LaneLimits { batch: BatchLimits { cost: config.max_batch_tokens.max(1), ..batch }, ..limits };
        let [of_text, of_voice, of_detector, of_face] = ledgers.clone();
        Self {
            text: Arc::new(Lane::new("text", text, tokens, site.clone(), of_text)),
            voice: Arc::new(Lane::new("voice", limits, |_| 1, site.clone(), of_voice)),
            detector: Arc::new(Lane::new("detector", limits, |_| 1, site.clone(), of_detector)),
            face: Arc::new(Lane::new("face", limits, |_| 1, site.clone(), of_face)),
            site,
        }
    }

    /// The work that comes before new work of a priority, as far as it can be estimated.
    pub(super) fn before(&self, priority: Priority) -> Duration {
        self.site.backlog.before(priority)
    }

    pub(super) fn close(&self) {
        each_lane!(self, lane => lane.close());
    }

    pub(super) fn give_up(&self) {
        each_lane!(self, lane => lane.give_up());
    }

    /// Whether the engine is ending.
    pub(super) fn are_closed(&self) -> bool {
        each_lane!(self, lane => lane.is_closed()).contains(&true)
    }

    /// The version of each loaded model, in the order of [`MODEL_NAMES`]; 0 where none is.
    pub(super) fn versions(&self) -> [u32; MODEL_NAMES.len()] {
        each_lane!(self, lane => lane.version())
    }

    pub(super) fn statistics(&self) -> Vec<ModelStatistics> {
        each_lane!(self, lane => lane.statistics()).into()
    }

    /// What waits before each model.
    pub(super) fn views(&self) -> Vec<QueueView> {
        each_lane!(self, lane => {
            let ([live_rows, batch_rows], oldest) = lane.waiting();
            QueueView {
                model: lane.name,
                live_rows,
                batch_rows,
                limit_rows: lane.limits.queue_rows,
                oldest_ms: u64::try_from(oldest.as_millis()).unwrap_or(u64::MAX),
            }
        })
        .into()
    }

    /// Has each loaded model compute a row that it knows.
    pub(super) async fn health(&self, deadline: Instant) -> Vec<ModelHealth> {
        let (text, voice, detector, face) = tokio::join!(
            probe(&self.text, deadline),
            probe(&self.voice, deadline),
            probe(&self.detector, deadline),
            probe(&self.face, deadline),
        );
        [text, voice, detector, face].into_iter().flatten().collect()
    }

    /// The stations of a device's thread, without their models.
    pub(super) fn stations(&self, post: &Arc<Post>, thread: u64) -> Vec<Box<dyn Station>> {
        each_lane!(self, lane => desk(lane, post, thread)).into()
    }

    /// Puts a model behind its queue; the receiver hears when the device's thread has done so.
    pub(super) fn replace(
        &self,
        model: AnyModel,
        version: u32,
    ) -> Result<oneshot::Receiver<()>, EngineError> {
        let (done, receiver) = oneshot::channel();
        match model {
            AnyModel::Text(model) => self.text.change(Change::Replace { model, version, done }),
            AnyModel::Voice(model) => self.voice.change(Change::Replace { model, version, done }),
            AnyModel::Detector(model) => self.detector.change(Change::Replace { model, version, done }),
            AnyModel::Face(model) => self.face.change(Change::Replace { model, version, done }),
        }?;
        Ok(receiver)
    }

    /// Puts a model that was loaded anew behind its queue; what was asked for meanwhile comes after it.
    pub(super) fn restore(&self, model: AnyModel, version: u32) {
        match model {
            AnyModel::Text(model) => self.text.restore(model, version),
            AnyModel::Voice(model) => self.voice.restore(model, version),
            AnyModel::Detector(model) => self.detector.restore(model, version),
            AnyModel::Face(model) => self.face.restore(model, version),
        }
    }

    /// Takes a model away once nothing waits for it.
    pub(super) fn remove(&self, name: &'static str) -> Result<oneshot::Receiver<()>, EngineError> {
        let (done, receiver) = oneshot::channel();
        match name {
            "text" => self.text.change(Change::Remove { done }),
            "voice" => self.voice.change(Change::Remove { done }),
            "detector" => self.detector.change(Change::Remove { done }),
            "face" => self.face.change(Change::Remove { done }),
            _ => Err(EngineError::UnknownModel { name: name.to_owned() }),
        }?;
        Ok(receiver)
    }
}

fn desk<R: Send + 'static, A: Send + 'static>(
    lane: &Arc<Lane<R, A>>,
    post: &Arc<Post>,
    thread: u64,
) -> Box<dyn Station> {
    Box::new(Desk { lane: Arc::clone(lane), model: None, post: Arc::clone(post), thread, suspicion: None })
}

/// About how many tokens a text has; the model alone knows exactly.
#[expect(clippy::ptr_arg, reason = "a queue weighs its rows by reference")]
fn tokens(text: &String) -> u64 {
    (text.len() / BYTES_PER_TOKEN + EDGE_TOKENS) as u64
}

/// Asks a model for a row that it knows; nothing where none is loaded.
async fn probe<R: Send + Clone, A: Send>(lane: &Lane<R, A>, deadline: Instant) -> Option<ModelHealth> {
    let row = lane.probe()?;
    let started = Instant::now();
    let terms = Settled { deadline, priority: Priority::Live, session: None };
    let outcome = lane.submit(vec![row], terms).await;
    Some(ModelHealth { name: lane.name, elapsed: started.elapsed(), error: outcome.err() })
}

/// A model has computed a row that it knows, so it may serve; before that it is warmed up for so many rows, if any.
pub(super) fn try_out(
    model: &mut AnyModel,
    name: &'static str,
    warm_up_rows: Option<usize>,
) -> Result<(), EngineError> {
    fn ask<R, A>(
        model: &mut dyn Model<R, A>,
        warm_up_rows: Option<usize>,
    ) -> Result<usize, heartline_models::ModelError> {
        warm_up_rows.map_or(Ok(()), |rows| model.warm_up(rows))?;
        let row = model.probe();
        model.compute(&[row]).map(|answers| answers.len())
    }
    let answers = match model {
        AnyModel::Text(model) => ask(model.as_mut(), warm_up_rows),
        AnyModel::Voice(model) => ask(model.as_mut(), warm_up_rows),
        AnyModel::Detector(model) => ask(model.as_mut(), warm_up_rows),
        AnyModel::Face(model) => ask(model.as_mut(), warm_up_rows),
    };
    match answers {
        Ok(1) => Ok(()),
        Ok(found) => Err(EngineError::Model(heartline_models::ModelError::Computation(format!(
            "model {name} gave {found} answers for one row"
        )))),
        Err(error) => Err(EngineError::Model(error)),
    }
}
