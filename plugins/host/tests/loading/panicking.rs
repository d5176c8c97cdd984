//! A matcher in Rust that panics: the fence inside its library turns that into an error.

use heartline_plugin_host::{HostError, Matcher};

use crate::support::{self, built_library, candidates, request};

fn load(config: &str) -> Result<Matcher, HostError> {
    support::load(&built_library("panicking"), config)
}

#[test]
fn a_panic_in_create_is_an_error() {
    let error = load(r#"{"create": true}"#).unwrap_err();
    assert!(matches!(&error, HostError::Panicked { reason, .. } if reason == "asked to panic in create"));
}

#[test]
fn a_panic_in_score_is_an_error_and_poisons_only_that_instance() {
    let poisoned = load(r#"{"score": true}"#).unwrap();
    let healthy = load("{}").unwrap();
    let error = poisoned.score(&request(), &candidates()).unwrap_err();
    assert!(matches!(&error, HostError::Panicked { reason, .. } if reason == "asked to panic in score"));
    // The instance that panicked is of no more use, so another was made, which panics itself.
    let error = poisoned.score(&request(), &candidates()).unwrap_err();
    assert!(matches!(&error, HostError::Panicked { reason, .. } if reason == "asked to panic in score"));
    let health = poisoned.health();
    assert_eq!((health.panics, health.restarts >= 1), (2, true), "{health:?}");
    assert!(healthy.score(&request(), &candidates()).is_ok());
}

#[test]
fn a_panic_in_destroy_reaches_nobody() {
    drop(load(r#"{"destroy": true}"#).unwrap());
}
