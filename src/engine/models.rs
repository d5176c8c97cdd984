//! The shipped models as the engine uses them, and where their weights are.

use std::path::{Path, PathBuf};

use heartline_models::detector::{FaceBox, FaceDetector};
use heartline_models::face::{CROP_SIDE, FaceCrop, FaceModel, FacePrediction};
use heartline_models::text::{TextModel, TextPrediction};
use heartline_models::voice::{self, VoiceClip, VoiceModel, VoicePrediction};
use heartline_models::{Device, MANIFEST_FILE, Manifest, ModelError, RgbImage};

use super::{EngineConfig, EngineError, Model, ModelInfo};

/// The side of the square image that the detector is asked about when it has to prove itself, in pixels.
const PROBE_SIDE: usize = 64;

/// The models of an engine.
pub struct Models {
    /// What is said.
    pub text: Box<dyn Model<String, TextPrediction>>,
    /// How it is said.
    pub voice: Box<dyn Model<VoiceClip, VoicePrediction>>,
    /// Where faces are.
    pub detector: Box<dyn Model<RgbImage, Vec<FaceBox>>>,
    /// What a face shows.
    pub face: Box<dyn Model<FaceCrop, FacePrediction>>,
    /// What the engine says of them.
    pub infos: Vec<ModelInfo>,
    /// The device's name.
    pub device: String,
}

impl Models {
    /// Loads the shipped models, or others from folders of the same layout: `<name>/<version>/`.
    ///
    /// # Errors
    /// [`EngineError::Device`], [`EngineError::NoWeights`] or [`EngineError::Load`].
    pub fn load(config: &EngineConfig) -> Result<Self, EngineError> {
        let device = Device::open(config.device).map_err(EngineError::Device)?;
        tracing::info!(device = device.name(), asked = %config.device, "the models compute here");
        let mut infos = Vec::new();
        let mut loader = Loader { root: &config.models_folder, device: &device, infos: &mut infos };
        Ok(Self {
            text: Box::new(loader.load("text", TextModel::load)?),
            voice: Box::new(loader.load("voice", VoiceModel::load)?),
            detector: Box::new(loader.load("detector", FaceDetector::load)?),
            face: Box::new(loader.load("face", FaceModel::load)?),
            infos,
            device: device.name().to_owned(),
        })
    }
}

struct Loader<'a> {
    root: &'a Path,
    device: &'a Device,
    infos: &'a mut Vec<ModelInfo>,
}

impl Loader<'_> {
    fn load<M>(
        &mut self,
        name: &'static str,
        load: impl FnOnce(&Path, &Device) -> Result<M, ModelError>,
    ) -> Result<M, EngineError> {
        let folder = newest_version(self.root, name)?;
        let failed = |source| EngineError::Load { model: name, folder: folder.clone(), source };
        let model = load(&folder, self.device).map_err(failed)?;
        self.infos.push(describe(&folder, self.device.name()).map_err(failed)?);
        Ok(model)
    }
}

/// The folder of a model's highest version, which is the one that is loaded.
///
/// # Errors
/// [`EngineError::NoWeights`]
pub fn newest_version(root: &Path, model: &'static str) -> Result<PathBuf, EngineError> {
    let folder = root.join(model);
    let versions = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path())))
        .filter(|(_, path)| path.join(MANIFEST_FILE).is_file())
        .max();
    newest.map(|(_, path)| path).ok_or(EngineError::NoWeights { model, folder })
}

/// What a model's manifest says of it.
fn describe(folder: &Path, device: &str) -> Result<ModelInfo, ModelError> {
    let path = folder.join(MANIFEST_FILE);
    let bytes =
        std::fs::read(&path).map_err(|source| ModelError::Unreadable { path: path.clone(), source })?;
    let manifest: Manifest<serde_json::Value> = serde_json::from_slice(&bytes)
        .map_err(|error| ModelError::Manifest { path, reason: error.to_string() })?;
    Ok(ModelInfo {
        name: manifest.name,
        version: manifest.version,
        folder: folder.to_owned(),
        licence: manifest.licence,
        source: manifest.source,
        device: device.to_owned(),
    })
}

impl Model<String, TextPrediction> for TextModel {
    fn compute(&mut self, rows: &[String]) -> Result<Vec<TextPrediction>, ModelError> {
        self.predict(rows)
    }

    fn probe(&self) -> String {
        "All is well.".to_owned()
    }
}

impl Model<VoiceClip, VoicePrediction> for VoiceModel {
    fn compute(&mut self, rows: &[VoiceClip]) -> Result<Vec<VoicePrediction>, ModelError> {
        self.predict_callers(rows)
    }

    /// One second of a steady hum.
    fn probe(&self) -> VoiceClip {
        let rate_hz = voice::SAMPLE_RATE_HZ as f32;
        let samples = 0..u16::try_from(voice::SAMPLE_RATE_HZ).unwrap_or(u16::MAX);
        let hum = samples.map(|at| 0.2 * (f32::from(at) / rate_hz * 200.0 * std::f32::consts::TAU).sin());
        VoiceClip::from(hum.collect::<Vec<f32>>())
    }
}

impl Model<RgbImage, Vec<FaceBox>> for FaceDetector {
    fn compute(&mut self, rows: &[RgbImage]) -> Result<Vec<Vec<FaceBox>>, ModelError> {
        self.detect(rows)
    }

    fn probe(&self) -> RgbImage {
        RgbImage { width: PROBE_SIDE, height: PROBE_SIDE, pixels: vec![128; PROBE_SIDE * PROBE_SIDE * 3] }
    }
}

impl Model<FaceCrop, FacePrediction> for FaceModel {
    fn compute(&mut self, rows: &[FaceCrop]) -> Result<Vec<FacePrediction>, ModelError> {
        self.predict(rows)
    }

    fn probe(&self) -> FaceCrop {
        FaceCrop { pixels: vec![128; CROP_SIDE * CROP_SIDE], quality: 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_version_with_a_manifest_is_taken() {
        let root = tempfile::tempdir().unwrap();
        for version in ["2", "10", "11", "draft"] {
            std::fs::create_dir_all(root.path().join("text").join(version)).unwrap();
        }
        for version in ["2", "10", "draft"] {
            std::fs::write(root.path().join("text").join(version).join(MANIFEST_FILE), "{}").unwrap();
        }
        assert_eq!(newest_version(root.path(), "text").unwrap(), root.path().join("text/10"));
    }

    #[test]
    fn a_missing_folder_is_named_with_what_to_do() {
        let root = tempfile::tempdir().unwrap();
        let error = newest_version(root.path(), "voice").unwrap_err().to_string();
        assert!(error.contains("/voice;") && error.contains("engine.models_folder"), "{error}");
    }

    #[test]
    fn a_damaged_model_is_named_with_its_folder() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("text/1");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(MANIFEST_FILE), "{}").unwrap();
        let config = EngineConfig { models_folder: root.path().to_owned(), ..super::super::tests::config() };
        match Models::load(&config).err() {
            Some(EngineError::Load { model: "text", folder: named, .. }) => assert_eq!(named, folder),
            other => panic!("expected a failed load, got {other:?}"),
        }
    }
}
