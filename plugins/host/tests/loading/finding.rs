//! The first step: paths that lead to no library.

use std::path::Path;

use heartline_plugin_host::{HostError, library_file_name};

use crate::support::host;

#[test]
fn a_path_without_a_file_is_not_found() {
    let error = host().open(Path::new("no/such/library.so")).unwrap_err();
    assert!(matches!(error, HostError::NotFound { .. }), "{error}");
    assert!(!error.is_matcher_fault());
}

#[test]
fn a_bare_name_is_not_looked_for_among_the_systems_libraries() {
    let error = host().open(Path::new("libc.so.6")).unwrap_err();
    assert!(matches!(error, HostError::NotFound { .. }), "{error}");
}

#[test]
fn a_folder_is_no_library() {
    let folder = tempfile::tempdir().unwrap();
    let error = host().open(folder.path()).unwrap_err();
    assert!(matches!(error, HostError::Unreadable { .. }), "{error}");
}

#[test]
fn a_file_of_another_kind_cannot_be_opened() {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in [("empty", &b""[..]), ("text", b"#!/bin/sh\n"), ("cut", b"\x7fELF\x02\x01\x01")] {
        let path = folder.path().join(library_file_name(name));
        std::fs::write(&path, content).unwrap();
        let error = host().open(&path).unwrap_err();
        assert!(matches!(error, HostError::Open { .. }), "{name}: {error}");
    }
}
