//! The host: where libraries become matchers.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::{HostError, HostLimits, Library, Matcher, MatcherOptions, staging};

/// Loads matchers within limits.
#[derive(Debug, Clone, Default)]
pub struct Host {
    limits: HostLimits,
    allowed: Option<Arc<BTreeSet<String>>>,
    staging: Option<PathBuf>,
}

impl Host {
    /// Makes a host with these limits, which loads any library.
    #[must_use]
    pub fn new(limits: HostLimits) -> Self {
        Self { limits, allowed: None, staging: None }
    }

    /// Loads from now on only libraries with these fingerprints: the SHA-256 of the file, in hexadecimal digits.
    #[must_use]
    pub fn with_allowed(mut self, fingerprints: impl IntoIterator<Item = String>) -> Self {
        let lower = |fingerprint: String| fingerprint.to_ascii_lowercase();
        self.allowed = Some(Arc::new(fingerprints.into_iter().map(lower).collect()));
        self
    }

    /// Copies libraries to this folder before they are opened, instead of to the system's for temporary files; it must
    /// allow programs to run from it.
    #[must_use]
    pub fn with_staging(mut self, folder: impl Into<PathBuf>) -> Self {
        self.staging = Some(folder.into());
        self
    }

    /// The limits.
    #[must_use]
    pub fn limits(&self) -> &HostLimits {
        &self.limits
    }

    pub(crate) fn staging(&self) -> Option<&Path> {
        self.staging.as_deref()
    }

    pub(crate) fn allows(&self, fingerprint: &str) -> bool {
        self.allowed.as_ref().is_none_or(|allowed| allowed.contains(fingerprint))
    }

    /// Finds, opens and checks a library, without making an instance: enough to show what it is.
    ///
    /// # Errors
    /// The errors of the first three steps in the crate's documentation.
    pub fn open(&self, path: &Path) -> Result<Library, HostError> {
        Library::open(&staging::stage(path, self)?, self.limits)
    }

    /// Finds, opens, checks and initialises a library and makes a matcher of it, guarded as by default.
    ///
    /// # Errors
    /// As [`Self::load_with`].
    pub fn load(&self, path: &Path, config_json: &str) -> Result<Matcher, HostError> {
        self.load_with(path, config_json, &MatcherOptions::default())
    }

    /// Finds, opens, checks and initialises a library and makes a matcher of it.
    ///
    /// # Errors
    /// The errors of [`Self::open`] and of [`Library::create`], and [`HostError::StartOverrun`] where that took too long.
    pub fn load_with(
        &self,
        path: &Path,
        config_json: &str,
        options: &MatcherOptions,
    ) -> Result<Matcher, HostError> {
        Matcher::start(self, staging::stage(path, self)?, config_json, options)
    }
}

/// The file name of a crate's shared library on this platform: `libheartline_skill.so` for `heartline-skill`.
#[must_use]
pub fn library_file_name(crate_name: &str) -> String {
    format!(
        "{}{}{}",
        std::env::consts::DLL_PREFIX,
        crate_name.replace('-', "_"),
        std::env::consts::DLL_SUFFIX
    )
}
