//! A change of the header's declarations is a step of its version: `versions.toml` holds what each version was.

use heartline_plugin_abi::{ABI_MAJOR, ABI_MINOR};
use sha2::{Digest, Sha256};

use crate::text;

/// The versions and the digests of their declarations.
const VERSIONS: &str = include_str!("../../versions.toml");

/// The lines of the file, such as `"1.0" = "…"`, oldest first.
fn versions() -> Vec<((u32, u32), String)> {
    let lines = VERSIONS.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|line| {
            let (version, digest) = line.split_once('=').unwrap_or_else(|| panic!("not a version: {line}"));
            let version = version.trim().trim_matches('"');
            let (major, minor) = version.split_once('.').unwrap_or_else(|| panic!("not a version: {line}"));
            ((major.parse().unwrap(), minor.parse().unwrap()), digest.trim().trim_matches('"').to_owned())
        })
        .collect()
}

#[test]
fn a_change_of_the_header_is_a_step_of_its_version() {
    let digest = format!("{:x}", Sha256::digest(text::declarations()));
    let versions = versions();
    let recorded = versions.iter().find(|(version, _)| *version == (ABI_MAJOR, ABI_MINOR));
    let Some((_, recorded)) = recorded else {
        panic!(
            "the header says {ABI_MAJOR}.{ABI_MINOR}, which is not in plugins/abi/versions.toml: add the line\n\
             \"{ABI_MAJOR}.{ABI_MINOR}\" = \"{digest}\""
        );
    };
    assert_eq!(
        *recorded, digest,
        "the declarations of heartline_matcher.h are not those of version {ABI_MAJOR}.{ABI_MINOR}. Matchers were built \
         against that version, so take a step: HEARTLINE_ABI_MINOR and ABI_MINOR where a structure with a `size` has \
         grown at its end or an extension or a constant was added, otherwise HEARTLINE_ABI_MAJOR and ABI_MAJOR; then \
         add a line to plugins/abi/versions.toml. Only of a version that was never released may the line be replaced: \
         \"{ABI_MAJOR}.{ABI_MINOR}\" = \"{digest}\". Comments may change at any time"
    );
}

#[test]
fn versions_only_go_up_by_single_steps() {
    let versions: Vec<(u32, u32)> = versions().into_iter().map(|(version, _)| version).collect();
    assert_eq!(versions.last(), Some(&(ABI_MAJOR, ABI_MINOR)), "the newest version is not the header's");
    for pair in versions.windows(2) {
        let ((major, minor), next) = (pair[0], pair[1]);
        assert!(next == (major, minor + 1) || next == (major + 1, 0), "{next:?} does not follow {:?}", pair[0]);
    }
}
