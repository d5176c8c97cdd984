//! Explaining, learning and keeping a state, with a matcher in plain C; and its schema.

use std::sync::Arc;

use heartline_plugin_host::{AnswerFault, HostError, Matcher, Outcome, ScoreRequest};

use crate::support::{self, candidates, fixture, request};

fn load(test: &str) -> Option<Matcher> {
    Some(support::load(&fixture("moody", test)?, "{}").unwrap())
}

fn resolved() -> Outcome {
    Outcome { is_resolved: Some(true), ..Outcome::default() }
}

#[test]
fn what_is_learned_changes_scores_and_explanations() {
    let Some(matcher) = load("learning") else { return };
    let (everybody, one) = (candidates(), Arc::new(candidates().row(0)));
    assert_eq!(matcher.score(&request(), &everybody).unwrap().scores[0], 0.0);
    assert!(matcher.learn(&request(), &one, &resolved()).unwrap());
    assert_eq!(matcher.score(&request(), &everybody).unwrap().scores[0], 0.1);
    let explanations = matcher.explain(&request(), &everybody, &[0, 2]).unwrap();
    assert_eq!(explanations.len(), 2);
    let factor = &explanations[1].factors[0];
    assert_eq!((factor.name.as_str(), factor.subject.as_str()), ("lessons", "refunds"));
    assert_eq!(factor.contribution, 0.1);
    assert_eq!(matcher.metrics()[0], ("learned".to_owned(), 1.0));
}

#[test]
fn a_state_goes_around_and_a_foreign_one_is_refused() {
    let Some(matcher) = load("state") else { return };
    assert_eq!(matcher.save().unwrap(), Some(vec![0]));
    assert!(matcher.load_state(&[7]).unwrap());
    assert_eq!(matcher.save().unwrap(), Some(vec![7]));
    for foreign in [&[][..], &[11], &[1, 2]] {
        let error = matcher.load_state(foreign).unwrap_err();
        assert!(matches!(error, HostError::State { .. }), "{error}");
    }
    assert_eq!(matcher.save().unwrap(), Some(vec![7]), "a refused state changes nothing");
}

#[test]
fn a_matcher_without_extensions_says_so() {
    let Some(path) = fixture("well_behaved", "extensions") else { return };
    let matcher = support::load(&path, "{}").unwrap();
    let one = Arc::new(candidates().row(0));
    assert!(matcher.explain(&request(), &one, &[0]).unwrap().is_empty());
    assert!(!matcher.learn(&request(), &one, &resolved()).unwrap());
    assert_eq!(matcher.save().unwrap(), None);
    assert!(!matcher.load_state(&[1]).unwrap());
}

#[test]
fn the_callers_faults_are_named_and_the_matchers_too() {
    let Some(matcher) = load("faults") else { return };
    let error = matcher.explain(&request(), &candidates(), &[3]).unwrap_err();
    assert!(matches!(error, HostError::InvalidRequest { field: "row", .. }), "{error}");
    let error = matcher.learn(&request(), &candidates(), &resolved()).unwrap_err();
    assert!(matches!(error, HostError::InvalidRequest { field: "candidates", .. }), "{error}");
    let outcome = Outcome { rating: Some(f32::NAN), ..Outcome::default() };
    let error = matcher.learn(&request(), &Arc::new(candidates().row(0)), &outcome).unwrap_err();
    assert!(matches!(error, HostError::InvalidRequest { field: "outcome.rating", .. }), "{error}");
    let complex = Arc::new(ScoreRequest { complexity: 1.0, ..ScoreRequest::default() });
    let error = matcher.explain(&complex, &candidates(), &[0]).unwrap_err();
    let HostError::InvalidAnswer { fault, .. } = error else { panic!("{error}") };
    assert_eq!(fault, AnswerFault::TooManyFactors { capacity: 64, found: 65 });
}

#[test]
fn every_fault_of_a_configuration_is_named_before_an_instance_is_made() {
    let Some(path) = fixture("moody", "schema") else { return };
    let config = r#"{"mode": 3, "level": 9, "moode": ""}"#;
    let error = support::load(&path, config).unwrap_err();
    let HostError::ConfigInvalid { reason, .. } = &error else { panic!("{error}") };
    for part in ["/mode", "/level", "moode"] {
        assert!(reason.contains(part), "{reason}");
    }
    assert!(!error.is_matcher_fault());
}
