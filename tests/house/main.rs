//! The rules of the house that a program can check: which crate may depend on which, how files begin and how long
//! they get, where unsafe code lives, and that every shipped model has its card.

#![allow(clippy::unwrap_used, reason = "a test stops where something is missing")]

mod dependencies;
mod files;
mod models;

use std::path::{Path, PathBuf};

/// The project's root folder.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below some folders of the project with this extension, build output left out.
fn files(folders: &[&str], extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                if path.file_name().is_none_or(|name| name != "target") {
                    waiting.push(path);
                }
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "no .{extension} files below {folders:?}");
    found
}
