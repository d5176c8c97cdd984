//! Copies of the shipped models in a folder of their own, to be changed and damaged.

use std::path::{Path, PathBuf};

use heartline::config::Config;
use heartline::engine::{Engine, EngineConfig, MODEL_NAMES};

/// A model repository that goes when it is dropped.
pub(crate) struct Repository {
    folder: tempfile::TempDir,
}

impl Repository {
    /// The shipped models, and further versions of one of them that differ in nothing but their number.
    pub(crate) fn with_copies(name: &str, versions: &[u32]) -> Self {
        let repository = Self { folder: tempfile::tempdir().unwrap() };
        for model in MODEL_NAMES {
            repository.copy(model, 1);
        }
        for version in versions {
            repository.copy(name, *version);
            repository.rewrite_manifest(name, *version, |manifest| manifest["version"] = (*version).into());
        }
        repository
    }

    fn copy(&self, name: &str, version: u32) {
        let source = shipped().join(name).join("1");
        let target = self.path().join(name).join(version.to_string());
        std::fs::create_dir_all(&target).unwrap();
        for file in std::fs::read_dir(source).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), target.join(file.file_name())).unwrap();
        }
    }

    /// Changes a version's manifest.
    pub(crate) fn rewrite_manifest(
        &self,
        name: &str,
        version: u32,
        change: impl FnOnce(&mut serde_json::Value),
    ) {
        let path = self.path().join(name).join(version.to_string()).join("model.json");
        let mut manifest = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        change(&mut manifest);
        std::fs::write(path, serde_json::to_vec(&manifest).unwrap()).unwrap();
    }

    /// Turns one byte of a file over.
    pub(crate) fn damage(&self, file: &str) {
        let path = self.path().join(file);
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0xff;
        std::fs::write(path, bytes).unwrap();
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// An engine that serves a version although a higher one is there.
    pub(crate) async fn start_version(&self, name: &str, version: u32) -> Engine {
        let model = self.path().join(name);
        let aside = self.path().join("aside");
        std::fs::rename(&model, &aside).unwrap();
        std::fs::create_dir_all(&model).unwrap();
        let own = version.to_string();
        std::fs::rename(aside.join(&own), model.join(&own)).unwrap();
        let engine = start(self);
        for entry in std::fs::read_dir(&aside).unwrap() {
            let entry = entry.unwrap();
            std::fs::rename(entry.path(), model.join(entry.file_name())).unwrap();
        }
        std::fs::remove_dir(aside).unwrap();
        engine
    }
}

/// An engine over a repository, with the default configuration otherwise.
pub(crate) fn start(repository: &Repository) -> Engine {
    let config = Config::load(None, &[]).unwrap().engine;
    let config = EngineConfig {
        models_folder: repository.path().to_owned(),
        device: "cpu".parse().unwrap(),
        ..config
    };
    Engine::start(&config).unwrap()
}

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/weights")
}
