//! What runs is what was hashed; and one generation follows another while calls run.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use heartline_plugin_host::{Host, HostError, HostLimits, Outcome};

use crate::support::{self, candidates, fixture, host, request};

/// A copy of a fixture's library under a name of its own.
fn copy(path: &PathBuf, folder: &tempfile::TempDir) -> PathBuf {
    let copy = folder.path().join("library.so");
    // Written in place, so that the file stays the same while its content does not.
    std::fs::write(&copy, std::fs::read(path).unwrap()).unwrap();
    copy
}

#[test]
fn only_libraries_on_the_list_are_loaded() {
    let Some(path) = fixture("well_behaved", "allowed") else { return };
    let error = host().with_allowed(["ab".repeat(32)]).load(&path, "{}").unwrap_err();
    let HostError::NotAllowed { fingerprint, .. } = error else { panic!("{error}") };
    let matcher = host().with_allowed([fingerprint.clone()]).load(&path, "{}").unwrap();
    assert_eq!(matcher.current().fingerprint(), fingerprint);
    let other = fixture("moody", "allowed").unwrap();
    let error = matcher_error(&matcher, &other);
    assert!(matches!(error, HostError::NotAllowed { .. }), "{error}");
}

fn matcher_error(matcher: &heartline_plugin_host::Matcher, path: &std::path::Path) -> HostError {
    matcher.replace(path, "{}").unwrap_err()
}

#[test]
fn a_file_overwritten_in_place_is_a_new_library_and_the_old_runs_on() {
    let (Some(old), Some(new)) =
        (fixture("well_behaved", "overwritten"), fixture("nan_score", "overwritten"))
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = copy(&old, &folder);
    let first = support::load(&path, "{}").unwrap();
    copy(&new, &folder);
    let second = support::load(&path, "{}").unwrap();
    assert_ne!(first.current().fingerprint(), second.current().fingerprint());
    assert!(second.score(&request(), &candidates()).is_err(), "the new file is another matcher");
    std::fs::write(&path, b"no library at all").unwrap();
    assert!(first.score(&request(), &candidates()).is_ok(), "the old is mapped from a private copy");
}

#[test]
fn a_new_generation_takes_over_what_the_old_has_learned() {
    let (Some(old), Some(new)) = (fixture("moody", "takes_over"), fixture("moody_too", "takes_over")) else {
        return;
    };
    let matcher = support::load(&old, "{}").unwrap();
    let resolved = Outcome { is_resolved: Some(true), ..Outcome::default() };
    matcher.learn(&request(), &Arc::new(candidates().row(0)), &resolved).unwrap();
    assert_eq!(matcher.current().number(), 1);
    assert_eq!(matcher.replace(&new, r#"{"mode": "fail"}"#).unwrap(), 2);
    assert_eq!(matcher.score(&request(), &candidates()).unwrap().scores[0], 0.1);
    assert_eq!((matcher.current().number(), matcher.health().generation), (2, 2));
}

#[test]
fn what_cannot_be_loaded_changes_nothing() {
    let (Some(path), Some(stranger)) = (fixture("moody", "unchanged"), fixture("bad_id", "unchanged")) else {
        return;
    };
    let matcher = support::load(&path, "{}").unwrap();
    assert!(matches!(matcher.replace(&path, r#"{"level": 6}"#), Err(HostError::ConfigInvalid { .. })));
    assert!(matches!(matcher.replace(&stranger, "{}"), Err(HostError::InvalidDescriptor { .. })));
    let skill = support::built_library("heartline-skill");
    let error = matcher.replace(&skill, "{}").unwrap_err();
    assert!(matches!(&error, HostError::DifferentMatcher { found, .. } if found == "skill"), "{error}");
    assert_eq!(matcher.current().number(), 1);
    assert!(matcher.score(&request(), &candidates()).is_ok());
}

#[test]
fn generations_are_capped_but_the_same_library_comes_back_for_nothing() {
    let (Some(one), Some(two), Some(three)) =
        (fixture("moody", "capped"), fixture("moody_too", "capped"), fixture("well_behaved", "capped"))
    else {
        return;
    };
    let limited = Host::new(HostLimits { max_generations: 2, ..HostLimits::default() });
    let matcher = limited.load_with(&one, "{}", &support::patient()).unwrap();
    for generation in 2..10 {
        let path = if generation % 2 == 0 { &two } else { &one };
        assert_eq!(matcher.replace(path, "{}").unwrap(), generation);
    }
    let error = matcher.replace(&three, "{}").unwrap_err();
    assert!(matches!(error, HostError::TooManyGenerations { limit: 2, .. }), "{error}");
}

#[test]
fn what_was_learned_is_not_lost_to_a_generation_that_refuses_it() {
    let (Some(one), Some(two)) = (fixture("moody", "refusing"), fixture("moody_too", "refusing")) else {
        return;
    };
    let matcher = support::load(&one, "{}").unwrap();
    let resolved = Outcome { is_resolved: Some(true), ..Outcome::default() };
    // The fixture saves any number, and takes back none above 10.
    for _ in 0..11 {
        matcher.learn(&request(), &Arc::new(candidates().row(0)), &resolved).unwrap();
    }
    let error = matcher.replace(&two, "{}").unwrap_err();
    assert!(
        matches!(&error, HostError::State { reason, .. } if reason.contains("new generation")),
        "{error}"
    );
    assert_eq!((matcher.current().number(), matcher.save().unwrap()), (1, Some(vec![11])));
    assert_eq!(matcher.replace_afresh(&two, "{}").unwrap(), 2);
    assert_eq!(matcher.save().unwrap(), Some(vec![0]));
}

#[test]
fn no_call_fails_while_generations_change() {
    let (Some(one), Some(two)) = (fixture("moody", "traffic"), fixture("moody_too", "traffic")) else {
        return;
    };
    let matcher = Arc::new(support::load(&one, "{}").unwrap());
    let is_over = Arc::new(AtomicBool::new(false));
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let (matcher, is_over) = (Arc::clone(&matcher), Arc::clone(&is_over));
            std::thread::spawn(move || {
                let mut calls = 0;
                while !is_over.load(Ordering::Relaxed) {
                    assert_eq!(matcher.score(&request(), &candidates()).unwrap().len(), 3);
                    calls += 1;
                }
                calls
            })
        })
        .collect();
    for generation in 0..20 {
        matcher.replace(if generation % 2 == 0 { &two } else { &one }, "{}").unwrap();
    }
    is_over.store(true, Ordering::Relaxed);
    let calls: u64 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert!(calls > 0);
    assert_eq!(matcher.current().number(), 21);
}
