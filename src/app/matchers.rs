//! Finds the matchers' libraries and loads them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use heartline_plugin_host::{Host, HostError, HostLimits, Matcher};
use serde::Serialize;
use utoipa::ToSchema;

use super::{StartError, paths};
use crate::config::{Config, MatcherConfig};
use crate::routing::{Mode, PluginScorer, Policy, PolicyBook, Router, Scorer};

/// How the libraries that come with the program are named, between the platform's prefix and suffix.
const SHIPPED_PREFIX: &str = "heartline_";

/// What is known of a matcher.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MatcherInfo {
    /// Its identifier.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The version of the plugin interface it was built for, `major.minor`.
    pub abi: String,
    /// What it does.
    pub description: String,
    /// Its mode in the policy; none where the policy does not name it.
    pub mode: Option<Mode>,
    /// Its weight in the policy; none where the policy does not name it.
    pub weight: Option<f32>,
}

impl MatcherInfo {
    fn new(matcher: &Matcher, entry: &MatcherConfig, policy: &Policy) -> Self {
        let descriptor = matcher.descriptor();
        let id = entry.id.as_ref().unwrap_or(&descriptor.id);
        let used = policy.matchers.iter().find(|used| used.id == *id);
        Self {
            id: id.clone(),
            name: descriptor.name.clone(),
            version: descriptor.version.clone(),
            abi: format!("{}.{}", descriptor.abi_major, descriptor.abi_minor),
            description: descriptor.description.clone(),
            mode: used.map(|used| used.mode),
            weight: used.map(|used| used.weight),
        }
    }
}

/// A library that was looked at, and what came of it.
#[derive(Debug)]
pub struct PluginCheck {
    /// The library.
    pub path: PathBuf,
    /// The matcher in it, or why it cannot be used.
    pub outcome: Result<MatcherInfo, HostError>,
}

/// Loads every matcher that the configuration names.
///
/// # Errors
/// [`StartError::MatcherMissing`], [`StartError::Matcher`] or [`StartError::Routing`].
pub(crate) fn load_router(config: &Config) -> Result<(Router, Vec<MatcherInfo>), StartError> {
    let host = host(config);
    let folders = folders(config);
    let policy = config.routing.default_policy();
    let mut pool: BTreeMap<String, Arc<dyn Scorer>> = BTreeMap::new();
    let mut catalogue = Vec::new();
    for entry in &config.plugins.matchers {
        let path = locate(entry, &folders)?;
        let matcher = load(&host, &path, entry)
            .map_err(|source| StartError::Matcher { path, source: Box::new(source) })?;
        let info = MatcherInfo::new(&matcher, entry, policy);
        let settings = serde_json::Value::Object(entry.config.clone());
        let scorer = PluginScorer::new(Arc::new(matcher), settings, String::new());
        pool.insert(info.id.clone(), Arc::new(scorer));
        catalogue.push(info);
    }
    let book = PolicyBook::new(&config.routing.policy, config.routing.policies.clone());
    let router = book.and_then(|book| Router::new(pool, book)).map_err(StartError::Routing)?;
    Ok((router, catalogue))
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
        let outcome = load(&host, &path, entry).map(|matcher| MatcherInfo::new(&matcher, entry, policy));
        checks.push(PluginCheck { path, outcome });
    }
    for path in folders.iter().flat_map(|folder| libraries(folder)) {
        let is_known = checks.iter().any(|check| check.path.file_name() == path.file_name());
        if !is_known {
            let entry = MatcherConfig::new(path.clone());
            let unused = Policy { matchers: Vec::new(), ..Policy::default() };
            let outcome =
                load(&host, &path, &entry).map(|matcher| MatcherInfo::new(&matcher, &entry, &unused));
            checks.push(PluginCheck { path, outcome });
        }
    }
    checks
}

/// A host that takes whatever the configuration lets a request have.
fn host(config: &Config) -> Host {
    let limits = &config.routing.limits;
    Host::new(HostLimits {
        max_candidates: limits.max_agents,
        max_needed_skills: limits.max_skills,
        ..HostLimits::default()
    })
}

/// The folders where libraries with relative paths lie.
fn folders(config: &Config) -> Vec<PathBuf> {
    match &config.plugins.folder {
        Some(folder) => vec![paths::find(folder)],
        None => paths::program_folders(),
    }
}

fn load(host: &Host, path: &Path, entry: &MatcherConfig) -> Result<Matcher, HostError> {
    let settings = serde_json::Value::Object(entry.config.clone()).to_string();
    host.load(path, &settings)
}

fn locate(entry: &MatcherConfig, folders: &[PathBuf]) -> Result<PathBuf, StartError> {
    let file = platform_path(&entry.path);
    if file.is_absolute() {
        return Ok(file);
    }
    let found = folders.iter().map(|folder| folder.join(&file)).find(|candidate| candidate.is_file());
    found.ok_or_else(|| StartError::MatcherMissing {
        file: file.display().to_string(),
        searched: folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(" or "),
    })
}

/// A library's path with the prefix and the suffix that this platform gives to shared libraries, so that one
/// configuration serves all platforms.
fn platform_path(path: &Path) -> PathBuf {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return path.to_path_buf() };
    let stem = name
        .strip_suffix(".so")
        .or_else(|| name.strip_suffix(".dylib"))
        .or_else(|| name.strip_suffix(".dll"));
    let stem = stem.unwrap_or(name);
    let stem = stem.strip_prefix("lib").unwrap_or(stem);
    if path.is_absolute() || !stem.starts_with(SHIPPED_PREFIX) {
        return path.to_path_buf();
    }
    path.with_file_name(std::env::consts::DLL_PREFIX.to_owned() + stem + std::env::consts::DLL_SUFFIX)
}

/// The shipped-style libraries of a folder, sorted by name.
fn libraries(folder: &Path) -> Vec<PathBuf> {
    let prefix = std::env::consts::DLL_PREFIX.to_owned() + SHIPPED_PREFIX;
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == std::env::consts::DLL_EXTENSION))
        .filter(|path| {
            path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(&prefix))
        })
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str) -> MatcherConfig {
        MatcherConfig::new(PathBuf::from(path))
    }

    #[test]
    fn shipped_names_follow_the_platform() {
        let expected =
            format!("{}heartline_skill{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
        for name in
            ["libheartline_skill.so", "heartline_skill", "heartline_skill.dll", "libheartline_skill.dylib"]
        {
            assert_eq!(platform_path(Path::new(name)), Path::new(&expected));
        }
    }

    #[test]
    fn other_names_and_absolute_paths_stay() {
        assert_eq!(platform_path(Path::new("mine.so")), Path::new("mine.so"));
        assert_eq!(platform_path(Path::new("/x/libheartline_a.so")), Path::new("/x/libheartline_a.so"));
    }

    #[test]
    fn a_missing_library_says_where_it_was_looked_for() {
        let folder = tempfile::tempdir().unwrap();
        let error = locate(&entry("mine.so"), &[folder.path().to_path_buf()]).unwrap_err().to_string();
        assert!(error.contains("mine.so") && error.contains(&folder.path().display().to_string()), "{error}");
    }

    #[test]
    fn only_shipped_style_libraries_are_listed() {
        let folder = tempfile::tempdir().unwrap();
        let name = format!("{}heartline_b{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
        for file in [name.as_str(), "libother.so", "heartline_c.txt"] {
            std::fs::write(folder.path().join(file), b"").unwrap();
        }
        assert_eq!(libraries(folder.path()), [folder.path().join(name)]);
        assert!(libraries(&folder.path().join("missing")).is_empty());
    }
}
