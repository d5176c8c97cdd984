//! What matchers have learned, kept on disk: read when the program begins, written from time to time and at its end.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use heartline_plugin_host::{HostError, Matcher};
use sha2::{Digest, Sha256};

use super::super::StartError;
use crate::config::PluginsConfig;
use crate::telemetry::with_causes;

/// The keeper of states. Clones are handles to the same one.
#[derive(Clone)]
pub(super) struct States {
    keeper: Option<Arc<Keeper>>,
}

struct Keeper {
    folder: PathBuf,
    signal: Arc<Signal>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Says that the program ends.
#[derive(Default)]
struct Signal {
    is_ending: Mutex<bool>,
    changed: Condvar,
}

/// A matcher and the name of its file.
type Named = (String, Arc<Matcher>);

impl States {
    /// Gives the matchers what they had learned, and begins to keep it; does neither where no folder is named.
    ///
    /// # Errors
    /// [`StartError::States`] where the folder cannot be used, [`StartError::State`] where a matcher fails with its state. A
    /// file that is none of its states is set aside, and said.
    pub(super) fn start(config: &PluginsConfig, matchers: Vec<Named>) -> Result<Self, StartError> {
        let Some(folder) = config.state_folder.clone() else { return Ok(Self { keeper: None }) };
        let failed = |source| StartError::States { folder: folder.clone(), source };
        std::fs::create_dir_all(&folder).map_err(failed)?;
        let mut written = HashMap::new();
        for (id, matcher) in &matchers {
            if let Some(hash) = restore(&folder, id, matcher)? {
                written.insert(id.clone(), hash);
            }
        }
        let signal = Arc::new(Signal::default());
        let interval = Duration::from_millis(config.state_interval_ms);
        let keeper = {
            let (signal, folder) = (Arc::clone(&signal), folder.clone());
            let thread = std::thread::Builder::new().name("matcher-states".to_owned());
            thread.spawn(move || keep(&folder, &matchers, written, (&signal, interval)))
        };
        let thread = Mutex::new(Some(keeper.map_err(|source| StartError::System {
            action: "start the thread that keeps what matchers learn",
            source,
        })?));
        Ok(Self { keeper: Some(Arc::new(Keeper { folder, signal, thread })) })
    }

    /// Keeps a copy of the file of a matcher that is to forget what it has learned.
    pub(super) fn set_aside(&self, id: &str) {
        let Some(keeper) = &self.keeper else { return };
        let path = file(&keeper.folder, id);
        let Some(aside) = aside(&path, "forgotten").filter(|_| path.exists()) else { return };
        match std::fs::copy(&path, &aside) {
            Ok(_) => {
                tracing::info!(matcher = id, aside = %aside.display(), "what the matcher forgets was set aside");
            }
            Err(error) => {
                tracing::warn!(matcher = id, %error, "what the matcher forgets could not be set aside");
            }
        }
    }

    /// Writes all states a last time.
    pub(super) fn stop(&self) {
        if let Some(keeper) = &self.keeper {
            keeper.stop();
        }
    }
}

impl Keeper {
    fn stop(&self) {
        *self.signal.is_ending.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.signal.changed.notify_all();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that keeps what matchers learn has panicked");
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop();
    }
}

fn keep(
    folder: &Path,
    matchers: &[Named],
    mut written: HashMap<String, [u8; 32]>,
    (signal, interval): (&Signal, Duration),
) {
    loop {
        let is_ending = signal.is_ending.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = signal.changed.wait_timeout_while(is_ending, interval, |is_ending| !*is_ending);
        let is_ending = *waited.unwrap_or_else(PoisonError::into_inner).0;
        for (id, matcher) in matchers {
            let bytes = match matcher.save() {
                Ok(Some(bytes)) => bytes,
                Ok(None) => continue,
                Err(error) => {
                    let error = with_causes(&error);
                    tracing::warn!(matcher = id, error, "what the matcher has learned cannot be saved now");
                    continue;
                }
            };
            let hash: [u8; 32] = Sha256::digest(&bytes).into();
            if written.get(id) == Some(&hash) {
                continue;
            }
            match write(&file(folder, id), &bytes) {
                Ok(()) => drop(written.insert(id.clone(), hash)),
                Err(error) => {
                    tracing::warn!(matcher = id, %error, "what the matcher has learned cannot be written");
                }
            }
        }
        if is_ending {
            return;
        }
    }
}

fn file(folder: &Path, id: &str) -> PathBuf {
    folder.join(format!("{id}.state"))
}

/// A name beside a state's file that nothing has yet; none where there are very many already.
fn aside(path: &Path, why: &str) -> Option<PathBuf> {
    let numbered = (2..10_000).map(|number| path.with_extension(format!("state.{why}-{number}")));
    std::iter::once(path.with_extension(format!("state.{why}"))).chain(numbered).find(|path| !path.exists())
}

/// Gives a matcher its state from disk; gives the hash of what it took.
fn restore(folder: &Path, id: &str, matcher: &Matcher) -> Result<Option<[u8; 32]>, StartError> {
    let path = file(folder, id);
    let failed = |source| StartError::States { folder: folder.to_owned(), source };
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    match matcher.load_state(&bytes) {
        Ok(true) => Ok(Some(Sha256::digest(&bytes).into())),
        Ok(false) => {
            tracing::warn!(matcher = id, path = %path.display(), "there is a state, but the matcher keeps none");
            Ok(None)
        }
        Err(error) if !matches!(error, HostError::State { .. }) => {
            Err(StartError::State { id: id.to_owned(), path, source: Box::new(error) })
        }
        Err(error) => {
            // The next save would write over it, and somebody may want to know what it was.
            let crowded = || failed(std::io::ErrorKind::AlreadyExists.into());
            let aside = aside(&path, "refused").ok_or_else(crowded)?;
            std::fs::rename(&path, &aside).map_err(failed)?;
            let error = with_causes(&error);
            tracing::error!(
                matcher = id,
                error,
                aside = %aside.display(),
                "the matcher does not take its state and begins afresh; the file was set aside"
            );
            Ok(None)
        }
    }
}

/// Writes a file so that there is either the old one or the new one, whatever happens.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let partial = path.with_extension("state.partial");
    let mut file = std::fs::File::create(&partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    std::fs::rename(&partial, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path(), "com.example.idle");
        assert!(path.ends_with("com.example.idle.state"));
        write(&path, b"first").unwrap();
        write(&path, b"second").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"second");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
