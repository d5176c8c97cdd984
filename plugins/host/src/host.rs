//! The host: where libraries become matchers.

use std::path::Path;

use crate::{HostError, HostLimits, Library, Matcher};

/// Loads matchers within limits.
#[derive(Debug, Clone, Default)]
pub struct Host {
    limits: HostLimits,
}

impl Host {
    /// Makes a host with these limits.
    #[must_use]
    pub fn new(limits: HostLimits) -> Self {
        Self { limits }
    }

    /// The limits.
    #[must_use]
    pub fn limits(&self) -> &HostLimits {
        &self.limits
    }

    /// Finds, opens and checks a library, without making an instance: enough to show what it is.
    ///
    /// # Errors
    /// The errors of the first three steps in the crate's documentation.
    pub fn open(&self, path: &Path) -> Result<Library, HostError> {
        Library::open(path, self.limits)
    }

    /// Finds, opens, checks and initialises a library and makes an instance of its matcher.
    ///
    /// # Errors
    /// The errors of [`Self::open`] and of [`Library::create`].
    pub fn load(&self, path: &Path, config_json: &str) -> Result<Matcher, HostError> {
        self.open(path)?.create(config_json).map(Matcher::new)
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
