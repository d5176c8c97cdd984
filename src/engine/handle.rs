//! The engine's front door: what the other rooms call.

use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use heartline_models::RgbImage;
use heartline_models::detector::FaceBox;
use heartline_models::face::{self, FaceCrop, FacePrediction};
use heartline_models::text::TextPrediction;
use heartline_models::voice::{VoiceClip, VoicePrediction};
use tokio::sync::watch;

use super::device::{Bell, Desk, Station, serve};
use super::lane::{Lane, LaneLimits};
use super::{EngineConfig, EngineError, Health, Model, ModelHealth, ModelInfo, Models};

/// The stack of the device's thread; networks are deep.
const STACK_BYTES: usize = 16 << 20;

/// A face in a frame, and what it expresses.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenFace {
    /// Where it is.
    pub face: FaceBox,
    /// What it expresses.
    pub prediction: FacePrediction,
}

/// The running models. Clones are handles to the same engine; it ends when it is shut down or the last one goes.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

/// The queues as both sides know them.
#[derive(Clone)]
struct Lanes {
    text: Arc<Lane<String, TextPrediction>>,
    voice: Arc<Lane<VoiceClip, VoicePrediction>>,
    detector: Arc<Lane<RgbImage, Vec<FaceBox>>>,
    face: Arc<Lane<FaceCrop, FacePrediction>>,
}

/// A row for each model that a healthy one can answer.
struct Probes {
    text: String,
    voice: VoiceClip,
    detector: RgbImage,
    face: FaceCrop,
}

struct Inner {
    lanes: Lanes,
    probes: Probes,
    models: Vec<ModelInfo>,
    device: String,
    deadline: Duration,
    max_faces_per_frame: usize,
    max_batch_rows: usize,
    /// Holds nothing; its sender lives as long as the device's thread.
    ended: watch::Receiver<()>,
}

/// What the device's thread hands over once its models are ready.
type Ready = Result<(Probes, Vec<ModelInfo>, String), EngineError>;

impl Engine {
    /// Loads all models, warms them up and starts the device's thread. This takes seconds and blocks.
    ///
    /// # Errors
    /// [`EngineError::NoWeights`], [`EngineError::Load`], [`EngineError::Device`], [`EngineError::Thread`], or the
    /// failure of a warm-up.
    pub fn start(config: &EngineConfig) -> Result<Self, EngineError> {
        let own = config.clone();
        Self::start_with(config, move || Models::load(&own))
    }

    /// Starts with other models than those of the configured folder. They are made on the thread that owns them.
    ///
    /// # Errors
    /// What `load` says, [`EngineError::Thread`], or the failure of a warm-up.
    pub fn start_with(
        config: &EngineConfig,
        load: impl FnOnce() -> Result<Models, EngineError> + Send + 'static,
    ) -> Result<Self, EngineError> {
        let bell = Arc::new(Bell::default());
        let lanes = Lanes::new(config, &bell);
        let (sender, receiver) = mpsc::channel::<Ready>();
        let (alive, ended) = watch::channel(());
        let (served, own) = (lanes.clone(), config.clone());
        std::thread::Builder::new()
            .name("device".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || {
                let _alive = alive;
                match prepare(&own, &served, load) {
                    Ok((mut stations, probes, models, device)) => {
                        if sender.send(Ok((probes, models, device))).is_ok() {
                            drop(served);
                            serve(&mut stations, &bell);
                        }
                    }
                    // Whoever starts the engine waits for this, or has gone and needs it no more.
                    Err(error) => drop(sender.send(Err(error))),
                }
            })
            .map_err(EngineError::Thread)?;
        let (probes, models, device) = receiver.recv().unwrap_or(Err(EngineError::Stopped))?;
        let inner = Inner {
            lanes,
            probes,
            models,
            device,
            deadline: config.deadline,
            max_faces_per_frame: config.max_faces_per_frame,
            max_batch_rows: config.max_batch_rows,
            ended,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// What each text says. Without a deadline the configured one counts, here and below.
    ///
    /// # Errors
    /// [`EngineError`]
    pub async fn analyze_texts(
        &self,
        texts: Vec<String>,
        deadline: Option<Instant>,
    ) -> Result<Vec<TextPrediction>, EngineError> {
        Ok(self.inner.lanes.text.submit(texts, self.until(deadline)).await?.1)
    }

    /// How each clip sounds, 16 kHz mono, against what its caller usually sounds like where that is known.
    ///
    /// # Errors
    /// [`EngineError`]
    pub async fn analyze_voice(
        &self,
        clips: Vec<impl Into<VoiceClip>>,
        deadline: Option<Instant>,
    ) -> Result<Vec<VoicePrediction>, EngineError> {
        let clips = clips.into_iter().map(Into::into).collect();
        Ok(self.inner.lanes.voice.submit(clips, self.until(deadline)).await?.1)
    }

    /// Which faces each frame shows, and what they express, the largest first; a frame without a face is empty.
    ///
    /// # Errors
    /// [`EngineError`]
    pub async fn analyze_frames(
        &self,
        frames: Vec<RgbImage>,
        deadline: Option<Instant>,
    ) -> Result<Vec<Vec<SeenFace>>, EngineError> {
        let deadline = self.until(deadline);
        let (frames, mut found) = self.inner.lanes.detector.submit(frames, deadline).await?;
        for faces in &mut found {
            faces.sort_by(|one, other| (other.width * other.height).total_cmp(&(one.width * one.height)));
            faces.truncate(self.inner.max_faces_per_frame);
        }
        if found.iter().all(Vec::is_empty) {
            return Ok(found.into_iter().map(|_| Vec::new()).collect());
        }
        let cropping = tokio::task::spawn_blocking(move || {
            let crops: Vec<FaceCrop> = frames
                .iter()
                .zip(&found)
                .flat_map(|(frame, faces)| faces.iter().map(move |found| face::crop(frame, found)))
                .collect();
            (crops, found)
        });
        let (mut crops, found) = cropping.await.map_err(|error| EngineError::Panicked {
            model: "face",
            message: format!("cropping failed: {error}"),
        })?;
        let mut predictions = Vec::with_capacity(crops.len());
        // Faces may be more than frames, so they are asked for in pieces that always fit the queue.
        while !crops.is_empty() {
            let rest = crops.split_off(crops.len().min(self.inner.max_batch_rows));
            predictions.extend(self.inner.lanes.face.submit(crops, deadline).await?.1);
            crops = rest;
        }
        let mut predictions = predictions.into_iter();
        let seen = |(face, prediction)| SeenFace { face, prediction };
        Ok(found
            .into_iter()
            .map(|faces| faces.into_iter().zip(predictions.by_ref()).map(seen).collect())
            .collect())
    }

    /// The time by which a step that begins now is to be answered.
    fn until(&self, deadline: Option<Instant>) -> Instant {
        deadline.unwrap_or_else(|| Instant::now() + self.inner.deadline)
    }

    /// Has every model compute one row that it knows.
    pub async fn health(&self) -> Health {
        let Inner { lanes, probes, .. } = &*self.inner;
        let deadline = self.until(None);
        let (text, voice, detector, face) = tokio::join!(
            probe(&lanes.text, probes.text.clone(), deadline),
            probe(&lanes.voice, probes.voice.clone(), deadline),
            probe(&lanes.detector, probes.detector.clone(), deadline),
            probe(&lanes.face, probes.face.clone(), deadline),
        );
        Health { models: vec![text, voice, detector, face] }
    }

    /// The models that are loaded.
    #[must_use]
    pub fn models(&self) -> &[ModelInfo] {
        &self.inner.models
    }

    /// The device that they compute on.
    #[must_use]
    pub fn device(&self) -> &str {
        &self.inner.device
    }

    /// Accepts nothing more from now on; what was accepted is still answered. The future completes when that is done
    /// and the device's thread has ended.
    pub fn shutdown(&self) -> impl Future<Output = ()> + Send + 'static {
        self.inner.lanes.close();
        let mut ended = self.inner.ended.clone();
        async move {
            // An error says that the sender is gone, and with it the thread.
            while ended.changed().await.is_ok() {}
        }
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Engine")
            .field("device", &self.inner.device)
            .field("models", &self.inner.models)
            .finish_non_exhaustive()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.lanes.close();
    }
}

impl Lanes {
    fn new(config: &EngineConfig, bell: &Arc<Bell>) -> Self {
        let limits = LaneLimits {
            queue_rows: config.queue_rows,
            max_batch_rows: config.max_batch_rows,
            batch_delay: config.batch_delay,
        };
        Self {
            text: Arc::new(Lane::new("text", limits, Arc::clone(bell))),
            voice: Arc::new(Lane::new("voice", limits, Arc::clone(bell))),
            detector: Arc::new(Lane::new("detector", limits, Arc::clone(bell))),
            face: Arc::new(Lane::new("face", limits, Arc::clone(bell))),
        }
    }

    fn close(&self) {
        self.text.close();
        self.voice.close();
        self.detector.close();
        self.face.close();
    }
}

type Prepared = (Vec<Box<dyn Station>>, Probes, Vec<ModelInfo>, String);

/// Loads the models and warms them up.
fn prepare(
    config: &EngineConfig,
    lanes: &Lanes,
    load: impl FnOnce() -> Result<Models, EngineError>,
) -> Result<Prepared, EngineError> {
    let started = Instant::now();
    let Models { text, voice, detector, face, infos, device } = load()?;
    let loaded = started.elapsed();
    let probes =
        Probes { text: text.probe(), voice: voice.probe(), detector: detector.probe(), face: face.probe() };
    let mut stations =
        vec![desk(&lanes.text, text), desk(&lanes.voice, voice), desk(&lanes.detector, detector)];
    stations.push(desk(&lanes.face, face));
    if config.warm_up {
        // A GPU chooses its kernels by the size of a batch; a processor has nothing to choose.
        let sizes = if device == "cpu" { vec![1] } else { vec![1, config.max_batch_rows] };
        stations.iter_mut().try_for_each(|station| station.warm_up(&sizes))?;
    }
    let (loaded_ms, warm_up_ms) = (loaded.as_millis(), (started.elapsed() - loaded).as_millis());
    tracing::info!(device, loaded_ms, warm_up_ms, "the models are ready");
    Ok((stations, probes, infos, device))
}

fn desk<R: Send + 'static, A: Send + 'static>(
    lane: &Arc<Lane<R, A>>,
    model: Box<dyn Model<R, A>>,
) -> Box<dyn Station> {
    Box::new(Desk { lane: Arc::clone(lane), model })
}

async fn probe<R: Send, A: Send>(lane: &Lane<R, A>, row: R, deadline: Instant) -> ModelHealth {
    let started = Instant::now();
    let outcome = lane.submit(vec![row], deadline).await;
    ModelHealth { name: lane.name, elapsed: started.elapsed(), error: outcome.err() }
}
