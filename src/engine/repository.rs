//! Which models there are, which of them are loaded, and why the others are not.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use utoipa::ToSchema;

use super::models::FoundVersion;
use super::{MODEL_NAMES, ModelInfo};

/// How many failed loads are remembered with their reasons.
const REMEMBERED_FAILURES: usize = 256;

/// The reason of a version that nobody has asked to be loaded.
pub const NOT_LOADED: &str = "not loaded";

/// Whether a version of a model serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ModelState {
    /// It serves.
    Ready,
    /// It is being loaded.
    Loading,
    /// It does not serve; the reason says why.
    Unavailable,
}

impl ModelState {
    /// The name on the wire.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Ready => "READY",
            Self::Loading => "LOADING",
            Self::Unavailable => "UNAVAILABLE",
        }
    }
}

/// A version of a model in the repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RepositoryEntry {
    /// The model.
    pub name: String,
    /// The version, which is the name of its folder.
    pub version: u32,
    /// Whether it serves.
    pub state: ModelState,
    /// Why it does not serve; empty where it does.
    pub reason: String,
}

#[derive(Debug, Default)]
struct State {
    loaded: BTreeMap<&'static str, ModelInfo>,
    loading: BTreeMap<&'static str, u32>,
    failures: BTreeMap<(&'static str, u32), String>,
}

/// What is loaded, being loaded, and could not be loaded.
#[derive(Debug, Default)]
pub(super) struct Repository {
    state: Mutex<State>,
}

impl Repository {
    /// A version is being loaded until the guard is dropped.
    pub(super) fn begin_load(&self, name: &'static str, version: u32) -> LoadInProgress<'_> {
        self.lock().loading.insert(name, version);
        LoadInProgress { repository: self, name }
    }

    pub(super) fn is_loaded(&self, info: ModelInfo, name: &'static str) {
        let mut state = self.lock();
        state.failures.remove(&(name, info.version));
        state.loaded.insert(name, info);
    }

    pub(super) fn is_unloaded(&self, name: &'static str) {
        self.lock().loaded.remove(name);
    }

    pub(super) fn failed(&self, name: &'static str, version: u32, reason: String) {
        let mut state = self.lock();
        if state.failures.len() >= REMEMBERED_FAILURES {
            state.failures.pop_first();
        }
        state.failures.insert((name, version), reason);
    }

    /// The version of a loaded model.
    pub(super) fn version(&self, name: &'static str) -> Option<u32> {
        self.lock().loaded.get(name).map(|info| info.version)
    }

    /// The loaded models, in the order of [`MODEL_NAMES`].
    pub(super) fn loaded(&self) -> Vec<ModelInfo> {
        let state = self.lock();
        MODEL_NAMES.iter().filter_map(|name| state.loaded.get(name).cloned()).collect()
    }

    /// Every version that was found, with what became of it. A loaded version whose folder has gone still serves.
    pub(super) fn entries(&self, found: Vec<FoundVersion>) -> Vec<RepositoryEntry> {
        let state = self.lock();
        let mut versions: BTreeMap<(String, u32), Option<String>> =
            found.into_iter().map(|found| ((found.name, found.version), found.fault)).collect();
        for (name, info) in &state.loaded {
            versions.entry(((*name).to_owned(), info.version)).or_default();
        }
        let entry = |((name, version), fault): ((String, u32), Option<String>)| {
            let is = |of: Option<u32>| of == Some(version);
            let failure =
                state.failures.iter().find(|((model, failed), _)| *model == name && *failed == version);
            let (state, reason) = if is(state.loading.get(name.as_str()).copied()) {
                (ModelState::Loading, String::new())
            } else if is(state.loaded.get(name.as_str()).map(|info| info.version)) {
                (ModelState::Ready, String::new())
            } else if let Some(reason) = fault.or_else(|| failure.map(|(_, reason)| reason.clone())) {
                (ModelState::Unavailable, reason)
            } else {
                (ModelState::Unavailable, NOT_LOADED.to_owned())
            };
            RepositoryEntry { name, version, state, reason }
        };
        versions.into_iter().map(entry).collect()
    }

    /// A panic cannot happen while the lock is held, so a poisoned state is as good as any.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A load that goes on.
pub(super) struct LoadInProgress<'a> {
    repository: &'a Repository,
    name: &'static str,
}

impl Drop for LoadInProgress<'_> {
    fn drop(&mut self) {
        self.repository.lock().loading.remove(self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(name: &str, version: u32) -> ModelInfo {
        ModelInfo {
            name: name.to_owned(),
            version,
            folder: "nowhere".into(),
            licence: String::new(),
            source: String::new(),
            device: "cpu".to_owned(),
        }
    }

    fn states(
        repository: &Repository,
        found: &[(&str, u32, Option<&str>)],
    ) -> Vec<(u32, ModelState, String)> {
        let found = found.iter().map(|(name, version, fault)| FoundVersion {
            name: (*name).to_owned(),
            version: *version,
            fault: fault.map(ToOwned::to_owned),
        });
        let entries = repository.entries(found.collect());
        entries.into_iter().map(|entry| (entry.version, entry.state, entry.reason)).collect()
    }

    #[test]
    fn every_version_has_a_state_and_a_reason() {
        let repository = Repository::default();
        repository.is_loaded(info("text", 1), "text");
        repository.failed("text", 3, "a checksum is wrong".to_owned());
        let loading = repository.begin_load("text", 2);
        let found =
            [("text", 2, None), ("text", 3, None), ("text", 4, None), ("text", 5, Some("no model.json"))];
        let unavailable = |reason: &str| (ModelState::Unavailable, reason.to_owned());
        let expected = [
            (1, (ModelState::Ready, String::new())),
            (2, (ModelState::Loading, String::new())),
            (3, unavailable("a checksum is wrong")),
            (4, unavailable("not loaded")),
            (5, unavailable("no model.json")),
        ];
        let expected = expected.map(|(version, (state, reason))| (version, state, reason));
        assert_eq!(states(&repository, &found), expected);
        drop(loading);
        repository.is_loaded(info("text", 3), "text");
        assert_eq!(states(&repository, &found)[1].1, ModelState::Ready);
        assert_eq!(states(&repository, &found)[0].1, ModelState::Unavailable);
        repository.is_unloaded("text");
        assert!(repository.loaded().is_empty());
        assert!(states(&repository, &found).iter().all(|(_, state, _)| *state == ModelState::Unavailable));
    }

    #[test]
    fn failures_do_not_pile_up() {
        let repository = Repository::default();
        for version in 0..1000 {
            repository.failed("face", version, "broken".to_owned());
        }
        assert_eq!(repository.lock().failures.len(), REMEMBERED_FAILURES);
    }
}
