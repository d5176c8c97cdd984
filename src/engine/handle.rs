//! The engine's front door: what the other rooms call.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use heartline_models::RgbImage;
use heartline_models::detector::FaceBox;
use heartline_models::face::{self, FaceCrop, FacePrediction};
use heartline_models::text::TextPrediction;
use heartline_models::voice::{VoiceClip, VoicePrediction};
use tokio::sync::oneshot;

use super::lanes::{Lanes, try_out};
use super::models::{LoadedModel, ModelFolders, ModelSource};
use super::repository::Repository;
use super::terms::{Settled, Terms};
use super::unit::{Unit, Units};
use super::view::{EngineView, resident_bytes};
use super::watchdog::STACK_BYTES;
use super::{EngineConfig, EngineError, Health, MODEL_NAMES, ModelInfo, ModelStatistics, RepositoryEntry};
use crate::telemetry::{record, with_causes};

/// How often it is looked whether a device that is to make a change still computes.
const CHANGE_LOOK_INTERVAL: Duration = Duration::from_millis(200);

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

struct Inner {
    units: Units,
    source: Arc<dyn ModelSource>,
    repository: Arc<Repository>,
    deadline: Duration,
    max_faces_per_frame: usize,
    max_batch_rows: usize,
    warm_up: bool,
    /// Models are loaded and unloaded one after the other.
    changing: tokio::sync::Mutex<()>,
}

impl Engine {
    /// Loads all models onto each device, warms them up and starts the devices' threads. This takes seconds and blocks.
    ///
    /// # Errors
    /// [`EngineError::NoWeights`], [`EngineError::Load`], [`EngineError::Device`], [`EngineError::Thread`], or the
    /// failure of a warm-up.
    pub fn start(config: &EngineConfig) -> Result<Self, EngineError> {
        Self::start_with(config, Arc::new(ModelFolders::new(config)))
    }

    /// Starts with models from elsewhere than the configured folder.
    ///
    /// # Errors
    /// What the source says, [`EngineError::Thread`], or the failure of a warm-up.
    pub fn start_with(config: &EngineConfig, source: Arc<dyn ModelSource>) -> Result<Self, EngineError> {
        let repository = Arc::new(Repository::default());
        let inner = Inner {
            units: Units::start(config, &source, &repository)?,
            source,
            repository,
            deadline: config.deadline,
            max_faces_per_frame: config.max_faces_per_frame,
            max_batch_rows: config.max_batch_rows,
            warm_up: config.warm_up,
            changing: tokio::sync::Mutex::new(()),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// What each text says. Terms are a deadline alone or with a priority and a
    /// session; without a deadline the configured one counts, here and below.
    ///
    /// # Errors
    /// [`EngineError`]
    pub async fn analyze_texts(
        &self,
        texts: Vec<String>,
        terms: impl Into<Terms>,
    ) -> Result<Vec<TextPrediction>, EngineError> {
        let (lanes, terms) = self.settle(terms);
        Ok(lanes.text.submit(texts, terms).await?.1)
    }

    /// How each clip sounds, 16 kHz mono, against what its caller usually sounds like where that is known.
    ///
    /// # Errors
    /// [`EngineError`]
    pub async fn analyze_voice(
        &self,
        clips: Vec<impl Into<VoiceClip>>,
        terms: impl Into<Terms>,
    ) -> Result<Vec<VoicePrediction>, EngineError> {
        let clips = clips.into_iter().map(Into::into).collect();
        let (lanes, terms) = self.settle(terms);
        Ok(lanes.voice.submit(clips, terms).await?.1)
    }

    /// Which faces each frame shows, and what they express, the largest first; a frame without a face is empty.
    ///
    /// # Errors
    /// [`EngineError`]
    pub async fn analyze_frames(
        &self,
        frames: Vec<RgbImage>,
        terms: impl Into<Terms>,
    ) -> Result<Vec<Vec<SeenFace>>, EngineError> {
        let (lanes, terms) = self.settle(terms);
        let (frames, mut found) = lanes.detector.submit(frames, terms).await?;
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
            let lanes = self.inner.units.choose(terms.priority, terms.session);
            predictions.extend(lanes.face.submit(crops, terms).await?.1);
            crops = rest;
        }
        let mut predictions = predictions.into_iter();
        let seen = |(face, prediction)| SeenFace { face, prediction };
        Ok(found
            .into_iter()
            .map(|faces| faces.into_iter().zip(predictions.by_ref()).map(seen).collect())
            .collect())
    }

    /// Where each frame shows faces.
    ///
    /// # Errors
    /// [`EngineError`]
    pub async fn detect_faces(
        &self,
        frames: Vec<RgbImage>,
        terms: impl Into<Terms>,
    ) -> Result<Vec<Vec<FaceBox>>, EngineError> {
        Ok(self.locate_faces(frames, terms).await?.1)
    }

    /// Where each frame shows faces, with the frames handed back, for who goes on with them.
    ///
    /// # Errors
    /// [`EngineError`]
    pub async fn locate_faces(
        &self,
        frames: Vec<RgbImage>,
        terms: impl Into<Terms>,
    ) -> Result<(Vec<RgbImage>, Vec<Vec<FaceBox>>), EngineError> {
        let (lanes, terms) = self.settle(terms);
        lanes.detector.submit(frames, terms).await
    }

    /// What each crop of a face expresses, where no face has to be found.
    ///
    /// # Errors
    /// [`EngineError`]
    pub async fn analyze_crops(
        &self,
        crops: Vec<FaceCrop>,
        terms: impl Into<Terms>,
    ) -> Result<Vec<FacePrediction>, EngineError> {
        let (lanes, terms) = self.settle(terms);
        Ok(lanes.face.submit(crops, terms).await?.1)
    }

    /// Terms with a deadline, by when a step that begins now is to be answered, and the queues of the device for it.
    fn settle(&self, terms: impl Into<Terms>) -> (&Lanes, Settled) {
        let Terms { deadline, priority, session } = terms.into();
        let deadline = deadline.unwrap_or_else(|| Instant::now() + self.inner.deadline);
        (self.inner.units.choose(priority, session), Settled { deadline, priority, session })
    }

    /// Has every loaded model compute one row that it knows, on the devices side by side, until one has done so. Of
    /// devices that are just being brought back, nothing is asked.
    pub async fn health(&self) -> Health {
        let device_fault = self.inner.units.fault();
        let deadline = Instant::now() + self.inner.deadline;
        // Asking a device that has a fault would only wait until it is back.
        let healthy = self.inner.units.iter().filter(|unit| unit.is_healthy());
        let mut asked: FuturesUnordered<_> = healthy.map(|unit| unit.lanes.health(deadline)).collect();
        let mut health = Health { models: Vec::new(), device_fault };
        while let Some(models) = asked.next().await {
            health.models = models;
            // One device that answers is enough, whatever the others do.
            if health.is_ready() {
                break;
            }
        }
        health
    }

    /// Whether the engine can still recover by itself; where not, the program has to be started anew.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.inner.units.is_alive()
    }

    /// The models that are loaded.
    #[must_use]
    pub fn models(&self) -> Vec<ModelInfo> {
        self.inner.repository.loaded()
    }

    /// A model as readings name it, `name/version`; its name alone where it is not loaded.
    #[must_use]
    pub fn model_label(&self, name: &str) -> String {
        let models = self.models();
        let model = models.iter().find(|model| model.name == name);
        model.map_or_else(|| name.to_owned(), |model| format!("{}/{}", model.name, model.version))
    }

    /// The devices that they compute on, separated by commas.
    #[must_use]
    pub fn device(&self) -> String {
        self.inner.units.names()
    }

    /// What each model has done since the program started.
    #[must_use]
    pub fn statistics(&self) -> Vec<ModelStatistics> {
        self.inner.units.statistics()
    }

    /// Every version of every model there is, loaded or not. It reads folders, so it blocks for a moment.
    #[must_use]
    pub fn repository(&self) -> Vec<RepositoryEntry> {
        self.inner.repository.entries(self.inner.source.versions())
    }

    /// What the engine is doing at this moment. It reads folders, so it blocks for a moment.
    #[must_use]
    pub fn view(&self) -> EngineView {
        EngineView {
            devices: self.inner.units.views(),
            resident_bytes: resident_bytes(),
            models: self.statistics().into_iter().map(Into::into).collect(),
            repository: self.repository(),
        }
    }

    /// Loads a model, in its newest version where none is named, and has it take over from the one that serves. Its
    /// files are checked and it computes a row before it takes over; until then, and where it is refused, the other
    /// one serves on. No request is lost. Returns the version.
    ///
    /// # Errors
    /// [`EngineError::UnknownModel`], [`EngineError::UnknownVersion`], [`EngineError::NoWeights`],
    /// [`EngineError::Load`], or why it cannot compute.
    pub async fn load_model(&self, name: &str, version: Option<u32>) -> Result<u32, EngineError> {
        let name = known(name)?;
        let engine = self.clone();
        // A task of its own, so that a client that goes away does not leave half a swap behind.
        let loading = tokio::spawn(async move { engine.swap(name, version).await });
        loading.await.unwrap_or(Err(EngineError::Lost { model: name }))
    }

    async fn swap(&self, name: &'static str, version: Option<u32>) -> Result<u32, EngineError> {
        let _turn = self.inner.changing.lock().await;
        let taken_over = self.take_over(name, version).await;
        match taken_over {
            Ok(info) => {
                let version = info.version;
                tracing::info!(model = name, version, "the model takes over");
                record::model_change(name, "loaded");
                self.inner.repository.is_loaded(info, name);
                Ok(version)
            }
            Err(error) => {
                tracing::warn!(model = name, version, %error, "the model is refused");
                record::model_change(name, "refused");
                if let Some(version) = version {
                    self.inner.repository.failed(name, version, with_causes(&error));
                }
                Err(error)
            }
        }
    }

    /// Loads a model for every device and puts it behind their queues, where all of them can compute it. A device that is
    /// just being brought back loads it when it is.
    async fn take_over(&self, name: &'static str, version: Option<u32>) -> Result<ModelInfo, EngineError> {
        let _progress = self.inner.repository.begin_load(name, version.unwrap_or(0));
        let mut loaded: Vec<(&Unit, LoadedModel)> = Vec::new();
        let is_any_healthy = self.inner.units.iter().any(Unit::is_healthy);
        for (place, unit) in self.inner.units.iter().enumerate() {
            if is_any_healthy && !unit.is_healthy() {
                continue;
            }
            // The same version for all, though a newer one may just be arriving.
            let version = loaded.first().map_or(version, |(_, first)| Some(first.info.version));
            loaded.push((unit, self.load_aside(name, version, place).await?));
        }
        let Some((_, first)) = loaded.first() else { return Err(EngineError::Lost { model: name }) };
        let info = first.info.clone();
        let replaced = loaded.into_iter().map(|(unit, loaded)| {
            let done = unit.lanes.replace(loaded.model, info.version)?;
            Ok((unit, done))
        });
        settle_on_all(replaced.collect::<Result<Vec<_>, EngineError>>()?).await?;
        Ok(info)
    }

    /// Loads a model on a thread of its own and has it compute a row, while the other one serves on.
    async fn load_aside(
        &self,
        name: &'static str,
        version: Option<u32>,
        place: usize,
    ) -> Result<LoadedModel, EngineError> {
        let source = Arc::clone(&self.inner.source);
        let warm_up_rows = self.inner.warm_up.then_some(self.inner.max_batch_rows);
        let (sender, receiver) = oneshot::channel();
        let work = move || {
            let outcome = source.load(name, version, place).and_then(|mut loaded| {
                try_out(&mut loaded.model, name, warm_up_rows)?;
                Ok(loaded)
            });
            // Where nobody waits any more, the model is not wanted.
            drop(sender.send(outcome));
        };
        let builder = std::thread::Builder::new().name("loader".to_owned()).stack_size(STACK_BYTES);
        builder.spawn(work).map_err(EngineError::Thread)?;
        let panicked =
            |_| EngineError::Panicked { model: name, message: "it panicked while loading".to_owned() };
        receiver.await.map_err(panicked)?
    }

    /// Unloads a model: new requests for it are refused, and it goes when those that wait are answered. A model that
    /// is not loaded is no error.
    ///
    /// # Errors
    /// [`EngineError::UnknownModel`] or [`EngineError::Stopped`].
    pub async fn unload_model(&self, name: &str) -> Result<(), EngineError> {
        let name = known(name)?;
        let engine = self.clone();
        let unloading = tokio::spawn(async move {
            let _turn = engine.inner.changing.lock().await;
            let removed = engine.inner.units.iter().map(|unit| Ok((unit, unit.lanes.remove(name)?)));
            settle_on_all(removed.collect::<Result<Vec<_>, EngineError>>()?).await?;
            engine.inner.repository.is_unloaded(name);
            tracing::info!(model = name, "the model is unloaded");
            record::model_change(name, "unloaded");
            Ok(())
        });
        unloading.await.unwrap_or(Err(EngineError::Lost { model: name }))
    }

    /// Accepts nothing more from now on; what was accepted is still answered. The future completes when that is done
    /// and the devices' threads have ended.
    pub fn shutdown(&self) -> impl Future<Output = ()> + Send + 'static {
        self.inner.units.close();
        let endings = self.inner.units.endings();
        async move {
            for mut ended in endings {
                // An error says that the sender is gone, and with it the thread.
                while ended.changed().await.is_ok() {}
            }
        }
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Engine")
            .field("device", &self.device())
            .field("models", &self.models())
            .finish_non_exhaustive()
    }
}

/// Waits until devices have made a change. One that fails meanwhile makes it when it is back.
async fn settle_on_all(changes: Vec<(&Unit, oneshot::Receiver<()>)>) -> Result<(), EngineError> {
    for (unit, mut done) in changes {
        loop {
            match tokio::time::timeout(CHANGE_LOOK_INTERVAL, &mut done).await {
                Ok(made) => break made.map_err(|_| EngineError::Stopped)?,
                Err(_) if !unit.is_healthy() => break,
                Err(_) => {}
            }
        }
    }
    Ok(())
}

/// The name as the engine has it.
fn known(name: &str) -> Result<&'static str, EngineError> {
    let found = MODEL_NAMES.into_iter().find(|known| *known == name);
    found.ok_or_else(|| EngineError::UnknownModel { name: name.to_owned() })
}
