//! Checkpoints that a run can resume from: the module, the optimizer and the run's own state, replaced as one.

use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::store::ModuleRecord;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::TrainError;

/// A folder that holds the newest checkpoint of a run.
#[derive(Debug, Clone)]
pub(crate) struct CheckpointFolder {
    path: PathBuf,
}

impl CheckpointFolder {
    /// Uses a folder, which is made if it is not there.
    pub(crate) fn new(path: &Path) -> Result<Self, TrainError> {
        std::fs::create_dir_all(path).map_err(TrainError::file(path))?;
        Ok(Self { path: path.to_owned() })
    }

    /// A file in the folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a checkpoint. `state.json` is renamed into place last and names the files it belongs to by its step,
    /// so a run that is cut off while writing resumes from the checkpoint before.
    pub(crate) fn save<M: Module, S: Serialize>(
        &self,
        step: usize,
        module: M,
        optimizer: &[u8],
        state: &S,
    ) -> Result<(), TrainError> {
        let before = self.step()?;
        let failed = |error: &dyn std::fmt::Display| TrainError::Checkpoint(error.to_string());
        module
            .into_record()
            .save(self.file(&format!("module-{step}.bpk")))
            .map_err(|error| failed(&error))?;
        let path = self.file(&format!("optimizer-{step}.bpk"));
        std::fs::write(&path, optimizer).map_err(TrainError::file(&path))?;
        let stored = serde_json::json!({ "step": step, "state": state });
        let (partial, path) = (self.file("state.json.partial"), self.file("state.json"));
        std::fs::write(&partial, stored.to_string()).map_err(TrainError::file(&partial))?;
        std::fs::rename(&partial, &path).map_err(TrainError::file(&path))?;
        if let Some(before) = before.filter(|before| *before != step) {
            for name in [format!("module-{before}.bpk"), format!("optimizer-{before}.bpk")] {
                let path = self.file(&name);
                std::fs::remove_file(&path).map_err(TrainError::file(&path))?;
            }
        }
        Ok(())
    }

    /// The newest checkpoint's module, optimizer bytes and state; none where the folder has none.
    pub(crate) fn load<S: DeserializeOwned>(&self) -> Result<Option<(ModuleRecord, Vec<u8>, S)>, TrainError> {
        let Some(stored) = self.stored()? else { return Ok(None) };
        let Some(step) = self.step()? else { return Ok(None) };
        let module = ModuleRecord::load(self.file(&format!("module-{step}.bpk")))
            .map_err(|error| TrainError::Checkpoint(error.to_string()))?;
        let path = self.file(&format!("optimizer-{step}.bpk"));
        let optimizer = std::fs::read(&path).map_err(TrainError::file(&path))?;
        let state = serde_json::from_value(stored["state"].clone())
            .map_err(|error| TrainError::Checkpoint(error.to_string()))?;
        Ok(Some((module, optimizer, state)))
    }

    fn step(&self) -> Result<Option<usize>, TrainError> {
        Ok(self.stored()?.and_then(|stored| usize::try_from(stored["step"].as_u64()?).ok()))
    }

    fn stored(&self) -> Result<Option<serde_json::Value>, TrainError> {
        let path = self.file("state.json");
        if !path.exists() {
            return Ok(None);
        }
        let text = std::fs::read_to_string(&path).map_err(TrainError::file(&path))?;
        serde_json::from_str(&text).map(Some).map_err(|error| TrainError::Checkpoint(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::nn::LinearConfig;

    #[test]
    fn the_newest_checkpoint_comes_back_and_older_files_go() {
        let folder = tempfile::tempdir().unwrap();
        let checkpoints = CheckpointFolder::new(folder.path()).unwrap();
        assert!(checkpoints.load::<u32>().unwrap().is_none());
        let device = heartline_models::Device::cpu();
        let linear = LinearConfig::new(2, 3).init(device.as_burn());
        checkpoints.save(1, linear.clone(), b"one", &11_u32).unwrap();
        checkpoints.save(2, linear.clone(), b"two", &22_u32).unwrap();
        let (record, optimizer, state) = checkpoints.load::<u32>().unwrap().unwrap();
        assert_eq!((optimizer.as_slice(), state), (b"two".as_slice(), 22));
        let restored = linear.clone().try_load_record(record).unwrap();
        let values = |module: &burn::nn::Linear| module.weight.val().into_data().try_to_vec::<f32>().unwrap();
        assert_eq!(values(&restored), values(&linear));
        assert!(!checkpoints.file("module-1.bpk").exists());
    }
}
