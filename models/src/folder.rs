//! A model's folder: a manifest, the weights and whatever else the model reads, each with its checksum.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{ModelError, TrustLimits, Weights};

/// The manifest's file name.
pub const MANIFEST_FILE: &str = "model.json";
/// The weights' file name.
pub const WEIGHTS_FILE: &str = "model.safetensors";

/// The largest file a model folder may hold, in bytes.
const FILE_LIMIT: u64 = 2 << 30;

/// What a model folder says of itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest<C> {
    /// The layout of this manifest; 1.
    pub format: u32,
    /// The model's name: `text`, `voice`, `detector` or `face`.
    pub name: String,
    /// The model's version.
    pub version: u32,
    /// The licence of the weights, in words that a user must read before shipping them on.
    pub licence: String,
    /// Where the weights come from.
    pub source: String,
    /// The network's configuration, labels and calibration.
    pub config: C,
    /// When the model abstains; without it, never.
    #[serde(default)]
    pub trust: TrustLimits,
    /// The sha256 of each file beside the manifest, in lower-case hexadecimal.
    pub files: BTreeMap<String, String>,
}

/// An opened model folder whose files agree with their checksums.
#[derive(Debug)]
pub struct ModelFolder<C> {
    /// The manifest.
    pub manifest: Manifest<C>,
    files: BTreeMap<String, Vec<u8>>,
}

impl<C> ModelFolder<C> {
    /// The content of a file that the manifest may name.
    #[must_use]
    pub fn optional_file(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(Vec::as_slice)
    }
}

impl<C: DeserializeOwned> ModelFolder<C> {
    /// Reads the manifest and every file it names.
    ///
    /// # Errors
    /// [`ModelError::Unreadable`], [`ModelError::Manifest`] or [`ModelError::Checksum`].
    pub fn open(folder: &Path) -> Result<Self, ModelError> {
        let path = folder.join(MANIFEST_FILE);
        let bytes = read(&path)?;
        let manifest: Manifest<C> = serde_json::from_slice(&bytes)
            .map_err(|error| ModelError::Manifest { path: path.clone(), reason: error.to_string() })?;
        if manifest.format != 1 {
            let reason =
                format!("format {} is not known to this version, which reads format 1", manifest.format);
            return Err(ModelError::Manifest { path, reason });
        }
        let mut files = BTreeMap::new();
        for (name, expected) in &manifest.files {
            if Path::new(name).components().count() != 1 || name.contains("..") {
                let reason = format!("\"{name}\" is not the name of a file in the folder");
                return Err(ModelError::Manifest { path, reason });
            }
            files.insert(name.clone(), read_verified(&folder.join(name), expected)?);
        }
        Ok(Self { manifest, files })
    }

    /// The content of a file that the manifest names.
    ///
    /// # Errors
    /// [`ModelError::Manifest`] where it does not name it.
    pub fn file(&self, name: &str) -> Result<&[u8], ModelError> {
        self.files.get(name).map(Vec::as_slice).ok_or_else(|| ModelError::Manifest {
            path: PathBuf::from(MANIFEST_FILE),
            reason: format!("it names no file {name}"),
        })
    }

    /// The weights.
    ///
    /// # Errors
    /// [`ModelError::Manifest`] or [`ModelError::Weights`].
    pub fn weights(&self) -> Result<Weights<'_>, ModelError> {
        Weights::parse(self.file(WEIGHTS_FILE)?)
    }
}

impl<C: Serialize> Manifest<C> {
    /// Writes the manifest into a folder, with the checksums of the files it lists.
    ///
    /// # Errors
    /// [`ModelError::Unreadable`] where a listed file is missing or the folder cannot be written.
    pub fn write(&mut self, folder: &Path, files: &[&str]) -> Result<(), ModelError> {
        self.files.clear();
        for name in files {
            let bytes = read(&folder.join(name))?;
            self.files.insert((*name).to_owned(), sha256_hex(&bytes));
        }
        let path = folder.join(MANIFEST_FILE);
        let mut text = serde_json::to_string_pretty(self)
            .map_err(|error| ModelError::Manifest { path: path.clone(), reason: error.to_string() })?;
        text.push('\n');
        std::fs::write(&path, text).map_err(|source| ModelError::Unreadable { path, source })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ModelError> {
    let unreadable = |source| ModelError::Unreadable { path: path.to_owned(), source };
    let length = std::fs::metadata(path).map_err(unreadable)?.len();
    if length > FILE_LIMIT {
        let source = std::io::Error::other(format!("{length} bytes are more than the limit of {FILE_LIMIT}"));
        return Err(unreadable(source));
    }
    std::fs::read(path).map_err(unreadable)
}

fn read_verified(path: &Path, expected: &str) -> Result<Vec<u8>, ModelError> {
    let bytes = read(path)?;
    let found = sha256_hex(&bytes);
    if found == expected {
        Ok(bytes)
    } else {
        Err(ModelError::Checksum { path: path.to_owned(), expected: expected.to_owned(), found })
    }
}

fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest<u32> {
        Manifest {
            format: 1,
            name: "text".to_owned(),
            version: 1,
            licence: "MIT".to_owned(),
            source: "a test".to_owned(),
            config: 7,
            trust: TrustLimits::default(),
            files: BTreeMap::new(),
        }
    }

    #[test]
    fn a_folder_round_trips() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.bin"), b"abc").unwrap();
        manifest().write(folder.path(), &["a.bin"]).unwrap();
        let opened = ModelFolder::<u32>::open(folder.path()).unwrap();
        assert_eq!(opened.manifest.config, 7);
        assert_eq!(opened.file("a.bin").unwrap(), b"abc");
        assert!(matches!(opened.file("b.bin"), Err(ModelError::Manifest { .. })));
    }

    #[test]
    fn a_changed_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.bin"), b"abc").unwrap();
        manifest().write(folder.path(), &["a.bin"]).unwrap();
        std::fs::write(folder.path().join("a.bin"), b"abd").unwrap();
        assert!(matches!(ModelFolder::<u32>::open(folder.path()), Err(ModelError::Checksum { .. })));
    }

    #[test]
    fn a_missing_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = ModelFolder::<u32>::open(&folder.path().join("nothing")).unwrap_err();
        assert!(error.to_string().contains("nothing/model.json"), "{error}");
    }

    #[test]
    fn a_name_cannot_leave_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let mut manifest = manifest();
        manifest.write(folder.path(), &[]).unwrap();
        let text = std::fs::read_to_string(folder.path().join(MANIFEST_FILE)).unwrap();
        let text = text.replace("\"files\": {}", "\"files\": {\"../x\": \"00\"}");
        std::fs::write(folder.path().join(MANIFEST_FILE), text).unwrap();
        assert!(matches!(ModelFolder::<u32>::open(folder.path()), Err(ModelError::Manifest { .. })));
    }
}
