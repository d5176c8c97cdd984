//! The engine's front door with fake models of the real kinds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use heartline_models::detector::FaceBox;
use heartline_models::face::{FaceCrop, FacePrediction};
use heartline_models::text::TextPrediction;
use heartline_models::voice::{VoiceClip, VoicePrediction};
use heartline_models::{ModelError, RgbImage};

use super::tests::config;
use super::{
    AnyModel, Engine, EngineConfig, EngineError, FoundVersion, LoadedModel, Model, ModelInfo, ModelSource,
    ModelState,
};

/// Answers as if a text's length were its valence and its device's place its dominance; the text "slow" takes its
/// time, "bad" is refused, and a lost device answers nothing more.
struct Texts {
    place: usize,
    is_lost: Arc<AtomicBool>,
}

impl Model<String, TextPrediction> for Texts {
    fn compute(&mut self, rows: &[String]) -> Result<Vec<TextPrediction>, ModelError> {
        if self.place == 0 && self.is_lost.load(Ordering::Relaxed) {
            return Err(ModelError::DeviceLost("an illegal address".to_owned()));
        }
        if rows.iter().any(|row| row == "bad") {
            return Err(ModelError::Input("a bad text".to_owned()));
        }
        if rows.iter().any(|row| row == "slow") {
            std::thread::sleep(Duration::from_millis(300));
        }
        let predict = |row: &String| TextPrediction {
            categories: [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            valence: row.len() as f32 / 100.0,
            arousal: 0.0,
            dominance: self.place as f32,
            satisfaction: None,
            frustration: None,
            confusion: None,
            labels: Vec::new(),
            tokens: row.len(),
            truncated: false,
            unknown_share: 0.0,
            quality: 1.0,
            familiarity: 1.0,
            doubt: None,
        };
        Ok(rows.iter().map(predict).collect())
    }

    fn probe(&self) -> String {
        "probe".to_owned()
    }
}

/// Fails whatever it is given, or answers nothing in particular.
struct Voices {
    fails: bool,
}

impl Model<VoiceClip, VoicePrediction> for Voices {
    fn compute(&mut self, rows: &[VoiceClip]) -> Result<Vec<VoicePrediction>, ModelError> {
        assert!(!self.fails, "the voice model is broken");
        let predict = |row: &VoiceClip| VoicePrediction {
            categories: [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            valence: 0.0,
            arousal: row.samples.len() as f32,
            dominance: 0.0,
            labels: Vec::new(),
            quality: 1.0,
            familiarity: 1.0,
            doubt: None,
            features: Vec::new(),
        };
        Ok(rows.iter().map(predict).collect())
    }

    fn probe(&self) -> VoiceClip {
        VoiceClip::from(vec![0.0])
    }
}

/// Finds as many faces as the frame's first byte says, the smallest first.
struct Detector;

impl Model<RgbImage, Vec<FaceBox>> for Detector {
    fn compute(&mut self, rows: &[RgbImage]) -> Result<Vec<Vec<FaceBox>>, ModelError> {
        let face = |size: u8| {
            let side = f32::from(size) * 10.0;
            let landmarks = [(0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8)]
                .map(|(x, y)| (x * side, y * side));
            FaceBox { left: 0.0, top: 0.0, width: side, height: side, score: 0.9, landmarks }
        };
        Ok(rows.iter().map(|row| (1..=row.pixels[0]).map(face).collect()).collect())
    }

    fn probe(&self) -> RgbImage {
        frame(0)
    }
}

/// Numbers the faces in the order in which they come.
struct Faces(u16);

impl Model<FaceCrop, FacePrediction> for Faces {
    fn compute(&mut self, rows: &[FaceCrop]) -> Result<Vec<FacePrediction>, ModelError> {
        let mut predict = |row: &FaceCrop| {
            self.0 += 1;
            FacePrediction {
                categories: [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
                valence: f32::from(self.0),
                arousal: 0.0,
                labels: Vec::new(),
                quality: row.quality,
                familiarity: 1.0,
                doubt: None,
            }
        };
        Ok(rows.iter().map(&mut predict).collect())
    }

    fn probe(&self) -> FaceCrop {
        FaceCrop { pixels: vec![0; 48 * 48], quality: 1.0 }
    }
}

fn frame(faces: u8) -> RgbImage {
    RgbImage { width: 100, height: 100, pixels: vec![faces; 100 * 100 * 3] }
}

/// Loads fake models; version 9 of anything is damaged, and the first voice models may be broken.
#[derive(Default)]
pub(super) struct Fakes {
    pub(super) broken_voices: u32,
    /// How many devices there are; one where this is 0.
    pub(super) devices: usize,
    pub(super) loads: AtomicU32,
    /// Whether the first device has stopped to compute texts.
    pub(super) is_lost: Arc<AtomicBool>,
}

impl ModelSource for Fakes {
    fn open(&self) -> Result<Vec<String>, EngineError> {
        Ok((0..self.devices.max(1)).map(|index| format!("fake:{index}")).collect())
    }

    fn load(
        &self,
        name: &'static str,
        version: Option<u32>,
        place: usize,
    ) -> Result<LoadedModel, EngineError> {
        let version = version.unwrap_or(1);
        if version == 9 || (version == 8 && place > 0) {
            return Err(EngineError::Load {
                model: name,
                folder: "nowhere".into(),
                source: ModelError::Weights("damaged".to_owned()),
            });
        }
        let fails = name == "voice" && self.loads.fetch_add(1, Ordering::Relaxed) < self.broken_voices;
        let model = match name {
            "text" => AnyModel::Text(Box::new(Texts { place, is_lost: Arc::clone(&self.is_lost) })),
            "voice" => AnyModel::Voice(Box::new(Voices { fails })),
            "detector" => AnyModel::Detector(Box::new(Detector)),
            _ => AnyModel::Face(Box::new(Faces(0))),
        };
        let info = ModelInfo {
            name: name.to_owned(),
            version,
            folder: "nowhere".into(),
            licence: "none".to_owned(),
            source: "a test".to_owned(),
            device: "cpu".to_owned(),
        };
        Ok(LoadedModel { model, info })
    }

    fn reserved_bytes(&self, place: usize) -> Option<u64> {
        (place > 0).then_some(1 << 30)
    }

    fn versions(&self) -> Vec<FoundVersion> {
        let found = |version| FoundVersion { name: "text".to_owned(), version, fault: None };
        [1, 2, 9].map(found).to_vec()
    }
}

fn start(config: &EngineConfig, voice_fails: bool) -> Result<Engine, EngineError> {
    let broken_voices = if voice_fails { u32::MAX } else { 0 };
    Engine::start_with(config, Arc::new(Fakes { broken_voices, ..Fakes::default() }))
}

#[tokio::test]
async fn every_modality_answers_in_the_order_of_its_rows() {
    let engine = start(&config(), false).unwrap();
    let texts = ["a", "abc", ""].map(ToOwned::to_owned).to_vec();
    let (texts, clips) = tokio::join!(
        engine.analyze_texts(texts, None),
        engine.analyze_voice(vec![vec![0.0; 5], vec![0.0; 2]], None)
    );
    let tokens: Vec<usize> = texts.unwrap().iter().map(|text| text.tokens).collect();
    assert_eq!(tokens, [1, 3, 0]);
    let arousals: Vec<f32> = clips.unwrap().iter().map(|clip| clip.arousal).collect();
    assert_eq!(arousals, [5.0, 2.0]);
    assert_eq!(engine.models().len(), 4);
    assert_eq!(engine.device(), "fake:0");
}

#[tokio::test]
async fn faces_come_largest_first_and_stay_with_their_frames() {
    let config = EngineConfig { warm_up: false, max_faces_per_frame: 2, max_batch_rows: 2, ..config() };
    let engine = start(&config, false).unwrap();
    let found = engine.analyze_frames(vec![frame(1), frame(0), frame(3), frame(2)], None).await.unwrap();
    let widths: Vec<Vec<f32>> =
        found.iter().map(|faces| faces.iter().map(|seen| seen.face.width).collect()).collect();
    assert_eq!(widths, [vec![10.0], vec![], vec![30.0, 20.0], vec![20.0, 10.0]]);
    let order: Vec<f32> = found.iter().flatten().map(|seen| seen.prediction.valence).collect();
    assert_eq!(order, [1.0, 2.0, 3.0, 4.0, 5.0]);
    let none = engine.analyze_frames(vec![frame(0)], None).await.unwrap();
    assert!(none.len() == 1 && none[0].is_empty(), "a frame without a face is a normal result");
}

#[tokio::test]
async fn health_tells_which_model_is_broken() {
    let engine = start(&config(), false).unwrap();
    let health = engine.health().await;
    assert!(health.is_ready(), "{health:?}");
    let names: Vec<&str> = health.models.iter().map(|model| model.name).collect();
    assert_eq!(names, super::MODEL_NAMES);
    let engine = start(&EngineConfig { warm_up: false, ..config() }, true).unwrap();
    let health = engine.health().await;
    assert!(!health.is_ready());
    for model in health.models {
        assert_eq!(model.error.is_some(), model.name == "voice", "{model:?}");
    }
}

#[test]
fn a_model_that_cannot_compute_is_found_at_the_start() {
    let error = start(&config(), true).unwrap_err();
    assert!(matches!(error, EngineError::Panicked { model: "voice", .. }), "{error}");
    struct Nothing;
    impl ModelSource for Nothing {
        fn open(&self) -> Result<Vec<String>, EngineError> {
            Ok(vec!["fake:0".to_owned()])
        }
        fn load(&self, model: &'static str, _: Option<u32>, _: usize) -> Result<LoadedModel, EngineError> {
            assert!(model == "text", "a loader that panics");
            Err(EngineError::NoWeights { model, folder: "models/weights/text".into() })
        }
        fn versions(&self) -> Vec<FoundVersion> {
            Vec::new()
        }
    }
    let error = Engine::start_with(&config(), Arc::new(Nothing));
    assert!(matches!(error, Err(EngineError::NoWeights { .. })));
}

#[tokio::test]
async fn shutting_down_answers_what_was_accepted() {
    let engine = start(&config(), false).unwrap();
    let own = engine.clone();
    let slow = tokio::spawn(async move { own.analyze_texts(vec!["slow".to_owned()], None).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let ending = engine.shutdown();
    let refused = engine.analyze_texts(vec!["late".to_owned()], None).await;
    assert!(matches!(refused, Err(EngineError::Stopped)), "{refused:?}");
    ending.await;
    assert_eq!(slow.await.unwrap().unwrap().len(), 1);
    assert!(!engine.health().await.is_ready());
}

#[tokio::test]
async fn faults_and_deadlines_reach_the_caller() {
    let engine = start(&config(), false).unwrap();
    let bad = engine.analyze_texts(vec!["bad".to_owned()], None).await.unwrap_err();
    assert_eq!(bad.fault(), crate::telemetry::Fault::Client);
    let soon = Instant::now() + Duration::from_millis(30);
    let late = engine.analyze_texts(vec!["slow".to_owned()], Some(soon)).await.unwrap_err();
    assert!(matches!(late, EngineError::Deadline) && late.fault() == crate::telemetry::Fault::Model);
}

#[tokio::test]
async fn models_are_loaded_swapped_and_unloaded_while_requests_come() {
    let engine = start(&config(), false).unwrap();
    let own = engine.clone();
    let asking = tokio::spawn(async move {
        for row in 0..200 {
            let answer = own.analyze_texts(vec![format!("text {row}")], None).await;
            assert_eq!(answer.unwrap().len(), 1);
        }
    });
    for version in [2, 1, 2] {
        assert_eq!(engine.load_model("text", Some(version)).await.unwrap(), version);
    }
    asking.await.unwrap();
    let refused = engine.load_model("text", Some(9)).await;
    assert!(matches!(refused, Err(EngineError::Load { .. })), "{refused:?}");
    let states: Vec<_> = engine.repository().into_iter().filter(|entry| entry.name == "text").collect();
    assert_eq!(states[0].state, ModelState::Unavailable);
    assert_eq!((states[1].version, states[1].state), (2, ModelState::Ready), "the old one serves on");
    assert!(states[2].reason.contains("damaged"), "{states:?}");
    engine.unload_model("text").await.unwrap();
    engine.unload_model("text").await.unwrap();
    let gone = engine.analyze_texts(vec!["text".to_owned()], None).await;
    assert!(matches!(gone, Err(EngineError::NotLoaded { model: "text" })), "{gone:?}");
    assert!(engine.health().await.is_ready(), "what was unloaded on purpose is no fault");
    assert_eq!(engine.models().len(), 3);
    assert_eq!(engine.load_model("text", None).await.unwrap(), 1);
    assert!(engine.analyze_texts(vec!["text".to_owned()], None).await.is_ok());
    let unknown = engine.load_model("smell", None).await;
    assert!(matches!(unknown, Err(EngineError::UnknownModel { .. })));
    assert!(matches!(engine.unload_model("").await, Err(EngineError::UnknownModel { .. })));
}

#[tokio::test]
async fn a_lost_model_is_loaded_anew_and_the_rest_goes_on() {
    let source = Arc::new(Fakes { broken_voices: 1, ..Fakes::default() });
    let engine = Engine::start_with(&EngineConfig { warm_up: false, ..config() }, source).unwrap();
    let lost = engine.analyze_voice(vec![vec![0.0; 5]], None).await;
    assert!(matches!(lost, Err(EngineError::Panicked { model: "voice", .. })), "{lost:?}");
    // What comes while the models are loaded anew waits for them.
    let (texts, clips) = tokio::join!(
        engine.analyze_texts(vec!["text".to_owned()], None),
        engine.analyze_voice(vec![vec![0.0; 5]], None)
    );
    assert!(texts.is_ok() && clips.is_ok());
    let view = engine.view();
    assert_eq!((view.devices[0].restarts, view.models[1].version), (1, 1));
    assert!(engine.is_alive());
}

#[tokio::test]
async fn a_thread_that_hangs_is_replaced() {
    let config = EngineConfig { stall: Duration::from_millis(100), ..config() };
    let engine = start(&config, false).unwrap();
    let own = engine.clone();
    let slow = tokio::spawn(async move { own.analyze_texts(vec!["slow".to_owned()], None).await });
    let asked = Instant::now();
    while engine.view().devices[0].restarts == 0 {
        assert!(asked.elapsed() < Duration::from_secs(10), "the watchdog sleeps");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // The new thread serves although the old one still hangs, and the old answer arrives late and not never.
    assert!(engine.analyze_texts(vec!["quick".to_owned()], None).await.is_ok());
    assert!(slow.await.unwrap().is_ok());
    assert!(engine.health().await.is_ready());
}

#[tokio::test]
async fn the_view_tells_what_was_done() {
    let engine = start(&config(), false).unwrap();
    engine.analyze_texts(vec!["one".to_owned(), "two".to_owned()], None).await.unwrap();
    let view = engine.view();
    let device = &view.devices[0];
    assert!(device.is_healthy && device.fault.is_none() && device.device == "fake:0");
    assert_eq!(view.models[0].batches[&2], 1);
    assert_eq!((device.queues[0].live_rows, device.queues[0].limit_rows), (0, 64));
    let statistics = &engine.statistics()[0];
    assert_eq!((statistics.success.count, statistics.failure.count, statistics.version), (1, 0, 1));
    assert!(serde_json::to_value(&view).unwrap()["repository"][0]["state"].is_string());
}
