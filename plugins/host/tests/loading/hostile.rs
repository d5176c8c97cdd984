//! Libraries that get one thing wrong each: every one is refused, by the right error, and nothing else happens.

use std::sync::Arc;

use heartline_plugin_host::{AnswerFault, Host, HostError, HostLimits, ScoreRequest};

use crate::support::{self, candidates, fixture, request};

/// Makes a test that loads a fixture and holds the error to a pattern.
macro_rules! refused {
    ($fixture:ident, $pattern:pat $(if $guard:expr)?) => {
        #[test]
        fn $fixture() {
            let Some(path) = fixture(stringify!($fixture), "load") else { return };
            let error = support::load(&path, "{}").unwrap_err();
            assert!(matches!(error, $pattern $(if $guard)?), "{error:?}");
            assert!(!error.to_string().is_empty());
        }
    };
}

refused!(wrong_major, HostError::IncompatibleAbi { major: 2, minor: 0, .. });
refused!(newer_minor, HostError::IncompatibleAbi { major: 1, minor: 7, .. });
refused!(short_entry, HostError::InvalidEntry { .. });
refused!(long_entry, HostError::InvalidEntry { .. });
refused!(null_score, HostError::MissingFunction { function: "score", .. });
refused!(null_describe, HostError::MissingFunction { function: "describe_reason", .. });
refused!(missing_symbol, HostError::MissingSymbol { .. });
refused!(undefined_symbol, HostError::Open { .. });
refused!(bad_id, HostError::InvalidDescriptor { field: "id", .. });
refused!(null_id, HostError::InvalidDescriptor { field: "id", .. });
refused!(init_fails, HostError::Init { status: 1, .. });
refused!(null_schema, HostError::MissingFunction { function: "config_schema", .. });
refused!(bad_schema, HostError::InvalidSchema { ref reason, .. } if reason.contains("JSON object"));
refused!(long_schema, HostError::InvalidSchema { ref reason, .. } if reason.contains("more than"));
refused!(no_instance, HostError::InvalidAnswer { fault: AnswerFault::NoInstance, .. });
refused!(long_message, HostError::ConfigRefused { ref reason, .. } if reason.trim().is_empty() && reason.len() == 1024);

/// Makes a test that scores with a fixture and holds the fault in its answer to a pattern.
macro_rules! answer_refused {
    ($fixture:ident, $pattern:pat) => {
        #[test]
        fn $fixture() {
            let Some(path) = fixture(stringify!($fixture), "score") else { return };
            let matcher = support::load(&path, "{}").unwrap();
            for _ in 0..2 {
                let error = matcher.score(&request(), &candidates()).unwrap_err();
                assert!(error.is_matcher_fault());
                let HostError::InvalidAnswer { fault, id } = error else { panic!("{error}") };
                assert_eq!(id, "hostile");
                assert!(matches!(fault, $pattern), "{fault:?}");
            }
        }
    };
}

answer_refused!(nan_score, AnswerFault::OutOfRange { column: "score", row: 1, .. });
answer_refused!(score_out_of_range, AnswerFault::OutOfRange { column: "score", row: 1, .. });
answer_refused!(confidence_out_of_range, AnswerFault::OutOfRange { column: "confidence", row: 0, .. });
answer_refused!(too_few_rows, AnswerFault::WrongLength { expected: 3, found: 2 });
answer_refused!(too_many_rows, AnswerFault::WrongLength { expected: 3, .. });
answer_refused!(row_left_out, AnswerFault::OutOfRange { column: "score", row: 0, .. });
answer_refused!(eligible_mark, AnswerFault::EligibleMark { row: 1, value: 2 });
answer_refused!(unknown_reason, AnswerFault::UnknownReason { row: 0, code: 99 });

#[test]
fn well_behaved() {
    let Some(path) = fixture("well_behaved", "score") else { return };
    let matcher = support::load(&path, "").unwrap();
    let scored = matcher.score(&request(), &candidates()).unwrap();
    assert_eq!(scored.len(), 3);
    assert_eq!(scored.row(2).reason, "because");
}

#[test]
fn score_fails() {
    let Some(path) = fixture("score_fails", "score") else { return };
    let matcher = support::load(&path, "{}").unwrap();
    let error = matcher.score(&request(), &candidates()).unwrap_err();
    assert!(matches!(&error, HostError::Score { status: -77, reason, .. } if reason == "it gives no reason"));
}

#[test]
fn endless_reasons() {
    let Some(path) = fixture("endless_reasons", "score") else { return };
    let limited = Host::new(HostLimits { max_reason_codes: 2, ..HostLimits::default() });
    let error = limited
        .load_with(&path, "{}", &support::patient())
        .unwrap()
        .score(&request(), &candidates())
        .unwrap_err();
    assert!(matches!(
        error,
        HostError::InvalidAnswer { fault: AnswerFault::TooManyReasons { limit: 2 }, .. }
    ));
}

#[test]
fn init_once() {
    let Some(path) = fixture("init_once", "load") else { return };
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let path = path.clone();
            std::thread::spawn(move || support::load(&path, "{}").map(drop))
        })
        .collect();
    for thread in threads {
        thread.join().unwrap().unwrap();
    }
}

#[test]
fn limits_are_held_before_the_matcher_is_called() {
    // This one would fail with another error, if it were ever called.
    let Some(path) = fixture("score_fails", "limits") else { return };
    let limited = Host::new(HostLimits { max_candidates: 2, max_config_bytes: 8, ..HostLimits::default() });
    let error = limited.load_with(&path, r#"{"a": "long"}"#, &support::patient()).unwrap_err();
    assert!(matches!(error, HostError::ConfigTooLarge { limit: 8, found: 13, .. }), "{error}");
    let error = limited.load_with(&path, "[1]", &support::patient()).unwrap_err();
    assert!(matches!(error, HostError::ConfigNotJson { .. }), "{error}");
    let matcher = limited.load_with(&path, "{}", &support::patient()).unwrap();
    let error = matcher.score(&request(), &candidates()).unwrap_err();
    assert!(matches!(error, HostError::TooManyCandidates { limit: 2, found: 3 }), "{error}");
    let request = ScoreRequest { complexity: 2.0, ..ScoreRequest::default() };
    let error = matcher.score(&Arc::new(request), &candidates()).unwrap_err();
    assert!(matches!(error, HostError::InvalidRequest { field: "complexity", .. }), "{error}");
    assert_eq!(matcher.health().errors, 0, "the caller's faults are not the matcher's");
}
