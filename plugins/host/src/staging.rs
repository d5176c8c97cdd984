//! A library's file on its way in: copied to a private place and hashed while it is copied, so that what was hashed is
//! what runs, whatever happens to the file afterwards.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tempfile::{NamedTempFile, TempPath};

use crate::{Host, HostError};

/// A private copy of a library, removed when dropped.
#[derive(Debug)]
pub(crate) struct Staged {
    source: PathBuf,
    copy: PathBuf,
    /// Removes the copy.
    _guard: Option<TempPath>,
    fingerprint: String,
}

impl Staged {
    /// A copy that another process made and removes.
    pub(crate) fn given(source: PathBuf, copy: PathBuf, fingerprint: String) -> Self {
        Self { source, copy, _guard: None, fingerprint }
    }

    /// Keeps the content and removes the copy.
    pub(crate) fn keep(self) -> std::io::Result<Kept> {
        let folder = self.copy.parent().unwrap_or(Path::new("/")).to_owned();
        let file = File::open(&self.copy)?;
        Ok(Kept { source: self.source, folder, file, fingerprint: self.fingerprint })
    }

    /// The file that was copied, with all links followed.
    pub(crate) fn source(&self) -> &Path {
        &self.source
    }

    /// The copy.
    pub(crate) fn copy(&self) -> &Path {
        &self.copy
    }

    /// The SHA-256 of the copy, in hexadecimal digits.
    pub(crate) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

/// A library's content without a name, to make copies of: nothing is left of it when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Kept {
    source: PathBuf,
    folder: PathBuf,
    file: File,
    fingerprint: String,
}

impl Kept {
    /// The file that was copied, with all links followed.
    pub(crate) fn source(&self) -> &Path {
        &self.source
    }

    /// The SHA-256 of the content, in hexadecimal digits.
    pub(crate) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Another copy.
    pub(crate) fn copy(&mut self) -> std::io::Result<Staged> {
        let mut copy = blank(&self.source, &self.folder)?;
        self.file.rewind()?;
        std::io::copy(&mut self.file, &mut copy)?;
        let guard = copy.into_temp_path();
        let (source, fingerprint) = (self.source.clone(), self.fingerprint.clone());
        Ok(Staged { source, copy: guard.to_path_buf(), _guard: Some(guard), fingerprint })
    }
}

/// An empty copy. Its name shows in lists of a process's mappings, so it says which library this is.
fn blank(source: &Path, folder: &Path) -> std::io::Result<NamedTempFile> {
    let name = source.file_name().unwrap_or_default();
    tempfile::Builder::new().prefix("heartline-").suffix(name).tempfile_in(folder)
}

/// Finds a library, copies it, and holds it to the list of those that may be loaded.
pub(crate) fn stage(path: &Path, host: &Host) -> Result<Staged, HostError> {
    let source = find(path)?;
    let unreadable = |error| HostError::Unreadable { path: path.to_owned(), source: error };
    let folder = host.staging().map_or_else(std::env::temp_dir, Path::to_owned);
    let staging = |source| HostError::Staging { path: path.to_owned(), folder: folder.clone(), source };
    let mut copy = blank(&source, &folder).map_err(staging)?;
    let mut file = File::open(&source).map_err(unreadable)?;
    let limit = host.limits().max_library_bytes;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    let mut total: u64 = 0;
    loop {
        let count = file.read(&mut buffer).map_err(unreadable)?;
        if count == 0 {
            break;
        }
        total += count as u64;
        if total > limit {
            let words = format!("it has more than {limit} bytes");
            return Err(unreadable(Error::new(ErrorKind::FileTooLarge, words)));
        }
        hash.update(&buffer[..count]);
        copy.write_all(&buffer[..count]).map_err(staging)?;
    }
    let fingerprint: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    if !host.allows(&fingerprint) {
        return Err(HostError::NotAllowed { path: path.to_owned(), fingerprint });
    }
    // The handle is closed, because some platforms map no file that is open for writing.
    let guard = copy.into_temp_path();
    Ok(Staged { source, copy: guard.to_path_buf(), _guard: Some(guard), fingerprint })
}

/// Follows the path to a file. A bare name would otherwise be searched for in the system's library folders.
fn find(path: &Path) -> Result<PathBuf, HostError> {
    let unreadable = |source| HostError::Unreadable { path: path.to_owned(), source };
    let found = match std::fs::canonicalize(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(HostError::NotFound { path: path.to_owned() });
        }
        Err(error) => return Err(unreadable(error)),
    };
    let metadata = std::fs::metadata(&found).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(unreadable(Error::new(ErrorKind::InvalidInput, "it is not a file")));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HostLimits;

    fn staged(content: &[u8], host: &Host) -> Result<Staged, HostError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("libany.so");
        std::fs::write(&path, content).unwrap();
        stage(&path, host)
    }

    #[test]
    fn the_copy_is_what_was_hashed_and_goes_away() {
        let staged = staged(b"abc", &Host::default()).unwrap();
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(staged.fingerprint(), known);
        let copy = staged.copy().to_owned();
        assert_eq!(std::fs::read(&copy).unwrap(), b"abc");
        drop(staged);
        assert!(!copy.exists());
    }

    #[test]
    #[cfg(unix)]
    fn what_is_kept_has_no_name_until_it_is_copied() {
        let first = staged(b"abc", &Host::default()).unwrap();
        let gone = first.copy().to_owned();
        let mut kept = first.keep().unwrap();
        assert!(!gone.exists());
        for _ in 0..2 {
            let copy = kept.copy().unwrap();
            assert_eq!(std::fs::read(copy.copy()).unwrap(), b"abc");
            assert_eq!(copy.fingerprint(), kept.fingerprint());
        }
    }

    #[test]
    fn only_what_is_on_the_list_is_let_in() {
        let error = staged(b"abc", &Host::default().with_allowed(["00".to_owned()])).unwrap_err();
        let HostError::NotAllowed { fingerprint, .. } = &error else { panic!("{error}") };
        assert!(error.to_string().contains(fingerprint), "the message names what to add");
        let list = [fingerprint.to_uppercase()];
        staged(b"abc", &Host::default().with_allowed(list)).unwrap();
        assert!(staged(b"abd", &Host::default().with_allowed([fingerprint.clone()])).is_err());
    }

    #[test]
    fn a_file_of_any_length_is_not_copied() {
        let host = Host::new(HostLimits { max_library_bytes: 2, ..HostLimits::default() });
        assert!(matches!(staged(b"abc", &host), Err(HostError::Unreadable { .. })));
        staged(b"ab", &host).unwrap();
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let host = Host::default().with_staging("/no/such/folder");
        let error = staged(b"abc", &host).unwrap_err();
        assert!(matches!(error, HostError::Staging { .. }), "{error}");
    }
}
