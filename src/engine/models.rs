//! The shipped models as the engine uses them, and where their weights are.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use heartline_models::detector::{FaceBox, FaceDetector};
use heartline_models::face::{CROP_SIDE, FaceCrop, FaceModel, FacePrediction};
use heartline_models::text::{TextModel, TextPrediction};
use heartline_models::voice::{self, VoiceClip, VoiceModel, VoicePrediction};
use heartline_models::{
    Device, DeviceChoice, MANIFEST_FILE, Manifest, ModelError, PrecisionChoice, RgbImage, keep_kernels,
};

use super::{EngineConfig, EngineError, MODEL_NAMES, Model, ModelInfo};

/// The side of the square image that the detector is asked about when it has to prove itself, in pixels.
const PROBE_SIDE: usize = 64;
/// The most versions that a listing of a folder has.
const VERSIONS_LIMIT: usize = 1024;

/// A model of any kind.
pub enum AnyModel {
    /// What is said.
    Text(Box<dyn Model<String, TextPrediction>>),
    /// How it is said.
    Voice(Box<dyn Model<VoiceClip, VoicePrediction>>),
    /// Where faces are.
    Detector(Box<dyn Model<RgbImage, Vec<FaceBox>>>),
    /// What a face shows.
    Face(Box<dyn Model<FaceCrop, FacePrediction>>),
}

/// A model that was loaded, and what is to be said of it.
pub struct LoadedModel {
    /// The model.
    pub model: AnyModel,
    /// Where it comes from.
    pub info: ModelInfo,
}

/// A version of a model that a source has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundVersion {
    /// The model's name.
    pub name: String,
    /// The version.
    pub version: u32,
    /// Why it can certainly not be loaded, if so.
    pub fault: Option<String>,
}

/// Where an engine gets its models from; it may be asked at any time, from any thread.
pub trait ModelSource: Send + Sync {
    /// Opens the devices that the models are to compute on, and names them; there is one at least.
    ///
    /// # Errors
    /// [`EngineError::Device`]
    fn open(&self) -> Result<Vec<String>, EngineError>;

    /// Loads a model onto the device at this place of [`Self::open`]'s, in its newest version where none is named.
    ///
    /// # Errors
    /// [`EngineError::NoWeights`], [`EngineError::UnknownVersion`] or [`EngineError::Load`].
    fn load(
        &self,
        name: &'static str,
        version: Option<u32>,
        place: usize,
    ) -> Result<LoadedModel, EngineError>;

    /// Every version there is, of models known or not.
    fn versions(&self) -> Vec<FoundVersion>;

    /// What the device at this place has reserved of its own memory, in bytes; none where it has none of its own.
    fn reserved_bytes(&self, _place: usize) -> Option<u64> {
        None
    }
}

/// The models of a folder with the layout `<name>/<version>/`.
pub struct ModelFolders {
    root: PathBuf,
    choice: DeviceChoice,
    precision: PrecisionChoice,
    kernels: Option<PathBuf>,
    devices: OnceLock<Vec<Device>>,
}

impl ModelFolders {
    /// The models of the configured folder, for the configured device.
    #[must_use]
    pub fn new(config: &EngineConfig) -> Self {
        Self {
            root: config.models_folder.clone(),
            choice: config.device.clone(),
            precision: config.precision,
            kernels: config.kernels_folder.clone().or_else(usual_kernels_folder),
            devices: OnceLock::new(),
        }
    }

    fn devices(&self) -> Result<&[Device], EngineError> {
        if let Some(devices) = self.devices.get() {
            return Ok(devices);
        }
        // Another engine of this program may have said so already.
        let _ = keep_kernels(self.kernels.as_deref());
        let devices = Device::open_all(&self.choice, self.precision).map_err(EngineError::Device)?;
        Ok(self.devices.get_or_init(|| devices))
    }

    fn device_names(&self) -> Result<Vec<String>, EngineError> {
        Ok(self.devices()?.iter().map(|device| device.name().to_owned()).collect())
    }
}

impl ModelSource for ModelFolders {
    fn open(&self) -> Result<Vec<String>, EngineError> {
        for device in self.devices()? {
            let (no_gpu, precision) = (device.why_no_gpu(), device.precision());
            tracing::info!(
                device = device.name(),
                asked = %self.choice,
                %precision,
                no_gpu,
                "the models compute here"
            );
        }
        self.device_names()
    }

    fn load(
        &self,
        name: &'static str,
        version: Option<u32>,
        place: usize,
    ) -> Result<LoadedModel, EngineError> {
        let folder = match version {
            None => newest_version(&self.root, name)?,
            Some(version) => version_folder(&self.root, name, version)?,
        };
        let failed = |source| EngineError::Load { model: name, folder: folder.clone(), source };
        let Some(device) = self.devices()?.get(place) else { return Err(EngineError::Stopped) };
        let info = describe(&folder, &self.device_names()?.join(",")).map_err(failed)?;
        check_place(&folder, name, &info).map_err(failed)?;
        let model = match name {
            "text" => TextModel::load(&folder, device).map(|model| AnyModel::Text(Box::new(model))),
            "voice" => VoiceModel::load(&folder, device).map(|model| AnyModel::Voice(Box::new(model))),
            "detector" => {
                FaceDetector::load(&folder, device).map(|model| AnyModel::Detector(Box::new(model)))
            }
            "face" => FaceModel::load(&folder, device).map(|model| AnyModel::Face(Box::new(model))),
            _ => return Err(EngineError::UnknownModel { name: name.to_owned() }),
        };
        Ok(LoadedModel { model: model.map_err(failed)?, info })
    }

    fn reserved_bytes(&self, place: usize) -> Option<u64> {
        self.devices().ok()?.get(place)?.reserved_bytes()
    }

    fn versions(&self) -> Vec<FoundVersion> {
        let mut found = Vec::new();
        for folder in std::fs::read_dir(&self.root).into_iter().flatten().flatten() {
            let Some(name) = folder.file_name().to_str().map(ToOwned::to_owned) else { continue };
            for (version, path) in numbered(&folder.path()) {
                let fault = if !MODEL_NAMES.contains(&name.as_str()) {
                    Some("this program has no network of that name".to_owned())
                } else if !path.join(MANIFEST_FILE).is_file() {
                    Some(format!("the folder has no {MANIFEST_FILE}"))
                } else {
                    None
                };
                found.push(FoundVersion { name: name.clone(), version, fault });
                if found.len() >= VERSIONS_LIMIT {
                    return found;
                }
            }
        }
        found
    }
}

/// Where kernels are kept unless the configuration says otherwise: with the caches of the user, if there are such.
fn usual_kernels_folder() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let caches = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")))?;
    Some(caches.join("heartline/kernels"))
}

/// The folders of a model whose names are version numbers.
fn numbered(folder: &Path) -> impl Iterator<Item = (u32, PathBuf)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path())))
}

/// The folder of a model's highest version, which is the one that is loaded.
///
/// # Errors
/// [`EngineError::NoWeights`]
pub fn newest_version(root: &Path, model: &'static str) -> Result<PathBuf, EngineError> {
    let folder = root.join(model);
    let newest = numbered(&folder).filter(|(_, path)| path.join(MANIFEST_FILE).is_file()).max();
    newest.map(|(_, path)| path).ok_or(EngineError::NoWeights { model, folder })
}

fn version_folder(root: &Path, model: &'static str, version: u32) -> Result<PathBuf, EngineError> {
    let folder = root.join(model);
    let found =
        numbered(&folder).find(|(found, path)| *found == version && path.join(MANIFEST_FILE).is_file());
    found.map(|(_, path)| path).ok_or(EngineError::UnknownVersion { model, version, folder })
}

/// A folder must hold what its name promises, or a swap would bring something else than was asked for.
fn check_place(folder: &Path, name: &str, info: &ModelInfo) -> Result<(), ModelError> {
    let version = folder.file_name().and_then(|version| version.to_str()?.parse::<u32>().ok());
    if info.name == name && Some(info.version) == version {
        return Ok(());
    }
    let reason =
        format!("it is of {} version {}, which belongs into another folder", info.name, info.version);
    Err(ModelError::Manifest { path: folder.join(MANIFEST_FILE), reason })
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

    fn warm_up(&mut self, rows: usize) -> Result<(), ModelError> {
        TextModel::warm_up(self, rows)
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

    fn warm_up(&mut self, rows: usize) -> Result<(), ModelError> {
        VoiceModel::warm_up(self, rows)
    }
}

impl Model<RgbImage, Vec<FaceBox>> for FaceDetector {
    fn compute(&mut self, rows: &[RgbImage]) -> Result<Vec<Vec<FaceBox>>, ModelError> {
        self.detect(rows)
    }

    fn probe(&self) -> RgbImage {
        RgbImage { width: PROBE_SIDE, height: PROBE_SIDE, pixels: vec![128; PROBE_SIDE * PROBE_SIDE * 3] }
    }

    fn warm_up(&mut self, rows: usize) -> Result<(), ModelError> {
        FaceDetector::warm_up(self, rows)
    }
}

impl Model<FaceCrop, FacePrediction> for FaceModel {
    fn compute(&mut self, rows: &[FaceCrop]) -> Result<Vec<FacePrediction>, ModelError> {
        self.predict(rows)
    }

    fn probe(&self) -> FaceCrop {
        FaceCrop { pixels: vec![128; CROP_SIDE * CROP_SIDE], quality: 1.0 }
    }

    fn warm_up(&mut self, rows: usize) -> Result<(), ModelError> {
        FaceModel::warm_up(self, rows)
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

    /// A folder of models with one whose manifest is as given.
    fn with_manifest(folder: &str, manifest: &str) -> (tempfile::TempDir, ModelFolders) {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join(folder)).unwrap();
        std::fs::write(root.path().join(folder).join(MANIFEST_FILE), manifest).unwrap();
        let config = EngineConfig { models_folder: root.path().to_owned(), ..super::super::tests::config() };
        (root, ModelFolders::new(&config))
    }

    #[test]
    fn a_damaged_model_is_named_with_its_folder() {
        let (root, source) = with_manifest("text/1", "{}");
        match source.load("text", None, 0).err() {
            Some(EngineError::Load { model: "text", folder, .. }) => {
                assert_eq!(folder, root.path().join("text/1"));
            }
            other => panic!("expected a failed load, got {other:?}"),
        }
        let missing = source.load("text", Some(2), 0).err();
        assert!(matches!(missing, Some(EngineError::UnknownVersion { model: "text", version: 2, .. })));
    }

    #[test]
    fn a_folder_holds_what_its_name_says() {
        let manifest = r#"{"format": 1, "name": "voice", "version": 1, "licence": "", "source": "", "config": 0, "files": {}}"#;
        for folder in ["text/1", "voice/2"] {
            let (_root, source) = with_manifest(folder, manifest);
            let name = if folder.starts_with("text") { "text" } else { "voice" };
            let error = source.load(name, None, 0).err().map(|error| crate::telemetry::with_causes(&error));
            assert!(
                error.as_ref().is_some_and(|error| error.contains("belongs into another folder")),
                "{error:?}"
            );
        }
    }

    #[test]
    fn listings_name_what_cannot_be_loaded() {
        let (root, source) = with_manifest("text/1", "{}");
        std::fs::create_dir_all(root.path().join("text/2")).unwrap();
        std::fs::create_dir_all(root.path().join("text/draft")).unwrap();
        std::fs::create_dir_all(root.path().join("smell/1")).unwrap();
        let mut found = source.versions();
        found.sort_by(|one, other| (&one.name, one.version).cmp(&(&other.name, other.version)));
        let found: Vec<_> =
            found.iter().map(|entry| (entry.name.as_str(), entry.version, entry.fault.is_some())).collect();
        assert_eq!(found, [("smell", 1, true), ("text", 1, false), ("text", 2, true)]);
    }
}
