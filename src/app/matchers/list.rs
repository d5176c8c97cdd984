//! Every library that could be loaded, and whether it loads.

use std::path::PathBuf;

use heartline_plugin_host::HostError;

use super::MatcherInfo;
use super::find::{folders, libraries, locate};
use super::registry::{host, load};
use crate::config::{Config, MatcherConfig};

/// A library that was looked at, and what came of it.
#[derive(Debug)]
pub struct PluginCheck {
    /// The library.
    pub path: PathBuf,
    /// The matcher in it, or why it cannot be used.
    pub outcome: Result<MatcherInfo, HostError>,
}

/// Looks at the libraries that the configuration names and at every further one in the plugin folders. Loading a library
/// runs its code with the rights of this program.
#[must_use]
pub fn check_plugins(config: &Config) -> Vec<PluginCheck> {
    let host = host(config);
    let folders = folders(config);
    let policy = config.routing.default_policy();
    let mut checks: Vec<PluginCheck> = Vec::new();
    for entry in &config.plugins.matchers {
        let path = locate(entry, &folders).unwrap_or_else(|_| entry.path.clone());
        let outcome = load(&host, &path, entry, config)
            .map(|matcher| MatcherInfo::new(&matcher.current(), entry, Some(policy)));
        checks.push(PluginCheck { path, outcome });
    }
    for path in folders.iter().flat_map(|folder| libraries(folder)) {
        let is_known = checks.iter().any(|check| check.path.file_name() == path.file_name());
        if !is_known {
            let entry = MatcherConfig::new(path.clone());
            let outcome = load(&host, &path, &entry, config)
                .map(|matcher| MatcherInfo::new(&matcher.current(), &entry, None));
            checks.push(PluginCheck { path, outcome });
        }
    }
    checks
}
