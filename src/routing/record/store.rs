//! The folder of records: which files lie where, and which of them go when there are too many.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

/// How the names of files of rankings end.
pub(super) const LINES_SUFFIX: &str = "rankings.jsonl";
/// Where rosters lie.
const ROSTERS: &str = "rosters";
/// Where what matchers had learned lies.
const STATES: &str = "states";
/// The largest roster or state that is read back, in bytes.
const CONTENT_LIMIT: u64 = 4 << 30;
/// After how long a file that is used again is marked as new.
const FRESH: Duration = Duration::from_secs(60);

/// What lies in files named by their content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Agents as JSON.
    Roster,
    /// What a matcher had learned.
    State,
}

impl Content {
    const fn folder(self) -> &'static str {
        match self {
            Self::Roster => ROSTERS,
            Self::State => STATES,
        }
    }
}

/// A folder of records.
#[derive(Debug, Clone)]
pub(super) struct Store {
    folder: PathBuf,
}

impl Store {
    /// The folder, made where it is not there; only whoever runs the server may look into a new one.
    pub(super) fn create(folder: &Path) -> io::Result<Self> {
        for part in [folder.to_path_buf(), folder.join(ROSTERS), folder.join(STATES)] {
            create_private(&part)?;
        }
        // A folder that is there need not be ours to write to.
        let trial = folder.join(".trial");
        File::create(&trial)?;
        fs::remove_file(trial)?;
        Ok(Self::at(folder))
    }

    /// A folder that is only read.
    pub(super) fn at(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf() }
    }

    pub(super) fn lines_path(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.{LINES_SUFFIX}"))
    }

    fn content_path(&self, content: Content, sha256: &str) -> PathBuf {
        self.folder.join(content.folder()).join(format!("{sha256}.gz"))
    }

    /// Writes content where it is not there yet, and gives the bytes that it takes on disk beyond what was there.
    pub(super) fn put(
        &self,
        content: Content,
        sha256: &str,
        bytes: impl FnOnce() -> Vec<u8>,
    ) -> io::Result<u64> {
        let path = self.content_path(content, sha256);
        if let Ok(file) = File::open(&path) {
            let is_fresh = file.metadata()?.modified()?.elapsed().is_ok_and(|age| age < FRESH);
            if !is_fresh {
                // The oldest files go first, and this one is in use.
                File::options().write(true).open(&path)?.set_modified(SystemTime::now())?;
            }
            return Ok(0);
        }
        let temporary = path.with_extension("partial");
        let mut encoder = GzEncoder::new(File::create(&temporary)?, Compression::fast());
        encoder.write_all(&bytes())?;
        let file = encoder.finish()?;
        let length = file.metadata()?.len();
        fs::rename(temporary, path)?;
        Ok(length)
    }

    /// Reads content back.
    pub(super) fn get(&self, content: Content, sha256: &str) -> io::Result<Vec<u8>> {
        // The hash comes from a file, and becomes part of a path.
        if sha256.len() != 64 || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a SHA-256"));
        }
        let file = File::open(self.content_path(content, sha256))?;
        let mut bytes = Vec::new();
        GzDecoder::new(file).take(CONTENT_LIMIT).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// The files of rankings, the oldest first.
    pub(super) fn lines_files(&self) -> io::Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.ends_with(LINES_SUFFIX) {
                found.push(path);
            }
        }
        // Their names begin with identifiers that sort by time.
        found.sort();
        Ok(found)
    }

    /// Removes what is too old, and then the oldest files until the rest fits; gives the bytes of the rest. `current` is
    /// being written and stays.
    pub(super) fn prune(
        &self,
        most_bytes: u64,
        most_age: Duration,
        current: Option<&Path>,
    ) -> io::Result<u64> {
        let mut files = Vec::new();
        for folder in [self.folder.clone(), self.folder.join(ROSTERS), self.folder.join(STATES)] {
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                let metadata = entry.metadata()?;
                if metadata.is_file() && is_ours(&entry.path()) {
                    files.push((metadata.modified()?, metadata.len(), entry.path()));
                }
            }
        }
        files.sort();
        let mut total: u64 = files.iter().map(|(_, length, _)| length).sum();
        for (modified, length, path) in files {
            let is_old = modified.elapsed().is_ok_and(|age| age > most_age);
            if (is_old || total > most_bytes) && Some(path.as_path()) != current {
                fs::remove_file(&path)?;
                total -= length;
            }
        }
        Ok(total)
    }
}

/// Whether a file is one of those that this module writes: whatever else lies in the folder is left alone.
fn is_ours(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let stem = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".partial"));
    let is_content =
        stem.is_some_and(|stem| stem.len() == 64 && stem.bytes().all(|byte| byte.is_ascii_hexdigit()));
    is_content || name.ends_with(LINES_SUFFIX)
}

fn create_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "11aa11aa11aa11aa11aa11aa11aa11aa11aa11aa11aa11aa11aa11aa11aa11aa";
    const OTHER: &str = "22bb22bb22bb22bb22bb22bb22bb22bb22bb22bb22bb22bb22bb22bb22bb22bb";

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(&folder.path().join("records")).unwrap();
        (folder, store)
    }

    fn age(path: &Path, by: Duration) {
        File::options().write(true).open(path).unwrap().set_modified(SystemTime::now() - by).unwrap();
    }

    #[test]
    fn content_is_written_once_and_read_back() {
        let (_folder, store) = store();
        assert!(store.put(Content::Roster, ONE, || b"agents".to_vec()).unwrap() > 0);
        assert_eq!(store.put(Content::Roster, ONE, || panic!("it is there")).unwrap(), 0);
        assert_eq!(store.get(Content::Roster, ONE).unwrap(), b"agents");
        assert!(store.get(Content::State, ONE).is_err());
        assert!(store.get(Content::Roster, "../../etc/passwd").is_err());
    }

    #[test]
    fn the_oldest_go_first_and_strangers_stay() {
        let (_folder, store) = store();
        store.put(Content::Roster, ONE, || vec![1; 100]).unwrap();
        store.put(Content::State, OTHER, || vec![2; 100]).unwrap();
        let lines = store.lines_path("0190");
        fs::write(&lines, vec![b'x'; 1_000]).unwrap();
        let stranger = store.folder.join("notes.txt");
        fs::write(&stranger, vec![b'x'; 10_000]).unwrap();
        age(&store.content_path(Content::Roster, ONE), Duration::from_secs(500));
        age(&lines, Duration::from_secs(400));
        age(&stranger, Duration::from_secs(900));
        let hour = Duration::from_secs(3_600);
        let all = store.prune(1 << 20, hour, None).unwrap();
        assert!(all > 1_000);
        assert!(store.prune(all - 1, hour, None).unwrap() < all);
        assert!(store.get(Content::Roster, ONE).is_err() && lines.exists());
        store.prune(10, hour, Some(&lines)).unwrap();
        assert!(lines.exists(), "the file under way stays");
        assert!(store.get(Content::State, OTHER).is_err());
        assert_eq!(store.prune(1 << 20, Duration::from_secs(300), None).unwrap(), 0);
        assert!(!lines.exists() && stranger.exists());
    }

    #[test]
    fn what_is_used_again_is_new_again() {
        let (_folder, store) = store();
        store.put(Content::State, ONE, || vec![1]).unwrap();
        age(&store.content_path(Content::State, ONE), Duration::from_secs(500));
        store.put(Content::State, ONE, Vec::new).unwrap();
        store.prune(1 << 20, Duration::from_secs(300), None).unwrap();
        assert_eq!(store.get(Content::State, ONE).unwrap(), [1]);
    }

    #[cfg(unix)]
    #[test]
    fn a_new_folder_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let (_folder, store) = store();
        assert_eq!(fs::metadata(&store.folder).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
