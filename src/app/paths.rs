//! Where shipped files are found: beside the current directory, or beside the program.

use std::path::{Path, PathBuf};

/// How far above the program's folder shipped files are looked for: `target/release` lies two below the root.
const ANCESTOR_LIMIT: usize = 4;

/// Finds a configured path: an absolute one is taken as it is, a relative one is looked for in the current directory
/// and then in the folders above the program. Where it is nowhere, the path comes back unchanged, so that the error
/// that follows names what was configured.
#[must_use]
pub fn find(configured: &Path) -> PathBuf {
    let program = std::env::current_exe().ok();
    find_from(configured, program.as_deref())
}

/// [`find`] for a program at a given place.
fn find_from(configured: &Path, program: Option<&Path>) -> PathBuf {
    if configured.is_absolute() || configured.exists() {
        return configured.to_path_buf();
    }
    program
        .into_iter()
        .flat_map(Path::ancestors)
        .skip(1)
        .take(ANCESTOR_LIMIT)
        .map(|folder| folder.join(configured))
        .find(|candidate| candidate.exists())
        .unwrap_or_else(|| configured.to_path_buf())
}

/// The folders where plugins lie when the configuration names none: the program's own, and the one above it, where
/// test and bench programs find what was built with them.
#[must_use]
pub fn program_folders() -> Vec<PathBuf> {
    let program = std::env::current_exe().ok();
    program.iter().flat_map(|path| path.ancestors().skip(1).take(2)).map(Path::to_path_buf).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_paths_stay() {
        let path = Path::new("/nowhere/at/all");
        assert_eq!(find(path), path);
    }

    #[test]
    fn relative_paths_are_found_above_the_program() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("shipped/things")).unwrap();
        let program = root.path().join("target/release/heartline");
        let found = find_from(Path::new("shipped/things"), Some(&program));
        assert_eq!(found, root.path().join("shipped/things"));
    }

    #[test]
    fn what_is_nowhere_comes_back_unchanged() {
        let root = tempfile::tempdir().unwrap();
        let program = root.path().join("target/release/heartline");
        assert_eq!(find_from(Path::new("not/there"), Some(&program)), Path::new("not/there"));
        assert_eq!(find_from(Path::new("not/there"), None), Path::new("not/there"));
    }

    #[test]
    fn the_programs_folder_comes_first() {
        let folders = program_folders();
        assert_eq!(folders.len(), 2);
        assert!(folders[0].starts_with(&folders[1]));
    }
}
