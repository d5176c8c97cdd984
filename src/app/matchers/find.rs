//! Where matchers' libraries lie, and how they are named on this platform.

use std::path::{Path, PathBuf};

use super::super::{StartError, paths};
use crate::config::{Config, MatcherConfig};

/// How the libraries that come with the program are named, between the platform's prefix and suffix.
const SHIPPED_PREFIX: &str = "heartline_";

/// The folders where libraries with relative paths lie.
pub(super) fn folders(config: &Config) -> Vec<PathBuf> {
    match &config.plugins.folder {
        Some(folder) => vec![paths::find(folder)],
        None => paths::program_folders(),
    }
}

/// Finds the library of a matcher.
///
/// # Errors
/// [`StartError::MatcherMissing`] with the folders that were searched.
pub(super) fn locate(entry: &MatcherConfig, folders: &[PathBuf]) -> Result<PathBuf, StartError> {
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
pub(super) fn libraries(folder: &Path) -> Vec<PathBuf> {
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
