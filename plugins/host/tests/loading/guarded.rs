//! The guard: deadlines, queues, quarantine, and matchers that are made anew.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use heartline_plugin_host::{
    BreakerOptions, BreakerState, HostError, Matcher, MatcherOptions, Outcome, ScoreRequest,
};

use crate::support::{candidates, fixture, host, request};

const DEADLINE: Duration = Duration::from_millis(40);

fn options(failures: u32, back_off_ms: u64) -> MatcherOptions {
    let breaker = BreakerOptions { failures, back_off_ms, ..BreakerOptions::default() };
    MatcherOptions { deadline: DEADLINE, breaker, ..MatcherOptions::default() }
}

fn load(path: &Path, mode: &str, options: &MatcherOptions) -> Matcher {
    host().load_with(path, &format!(r#"{{"mode":"{mode}"}}"#), options).unwrap()
}

/// What the fixture misbehaves at.
fn complex() -> Arc<ScoreRequest> {
    Arc::new(ScoreRequest { complexity: 1.0, ..ScoreRequest::default() })
}

#[test]
fn a_slow_call_costs_its_caller_the_deadline_and_others_nothing() {
    let Some(path) = fixture("moody", "slow") else { return };
    let matcher = load(&path, "sleep", &options(9, 1_000));
    let started = Instant::now();
    let error = matcher.score(&complex(), &candidates()).unwrap_err();
    let waited = started.elapsed();
    assert!(matches!(error, HostError::Overrun { limit: DEADLINE, .. }), "{error}");
    assert!(waited >= DEADLINE && waited < Duration::from_millis(200), "{waited:?}");
    // The call is still under way, and nobody waits for it.
    let started = Instant::now();
    for _ in 0..1_000 {
        let error = matcher.score(&request(), &candidates()).unwrap_err();
        assert!(matches!(error, HostError::Busy { .. }), "{error}");
    }
    assert!(started.elapsed() < Duration::from_millis(200), "{:?}", started.elapsed());
    let health = matcher.health();
    assert_eq!((health.overruns, health.refused, health.calls), (1, 1_000, 1));
    assert_eq!(health.state, BreakerState::Closed, "to be busy is no failure");
    // When it ends the matcher is well again, and its late answer is nobody's.
    std::thread::sleep(Duration::from_millis(350));
    assert_eq!(matcher.score(&request(), &candidates()).unwrap().len(), 3);
}

#[test]
fn whoever_waits_for_a_turn_waits_no_longer_than_the_deadline() {
    let Some(path) = fixture("moody", "turns") else { return };
    let matcher = Arc::new(load(&path, "sleep", &options(9, 1_000)));
    let started = Instant::now();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let matcher = Arc::clone(&matcher);
            std::thread::spawn(move || matcher.score(&complex(), &candidates()).unwrap_err())
        })
        .collect();
    let errors: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert!(started.elapsed() < Duration::from_millis(250), "{:?}", started.elapsed());
    let overruns = errors.iter().filter(|error| matches!(error, HostError::Overrun { .. })).count();
    assert_eq!(overruns, 1, "only one was called: {errors:?}");
}

#[test]
fn what_is_saved_after_a_lesson_holds_up_one_caller_for_the_deadline_and_others_not_at_all() {
    let Some(path) = fixture("moody", "saving") else { return };
    let matcher = load(&path, "slow save", &options(9, 1_000));
    // It is saved for the first time as soon as it is there.
    std::thread::sleep(Duration::from_millis(350));
    assert!(matcher.learn(&request(), &Arc::new(candidates().row(0)), &Outcome::default()).unwrap());
    let started = Instant::now();
    for _ in 0..1_000 {
        let error = matcher.score(&request(), &candidates()).unwrap_err();
        assert!(matches!(error, HostError::Busy { .. }), "{error}");
    }
    let waited = started.elapsed();
    assert!(waited >= DEADLINE && waited < Duration::from_millis(200), "{waited:?}");
    std::thread::sleep(Duration::from_millis(350));
    assert_eq!(matcher.score(&request(), &candidates()).unwrap().len(), 3);
    // What it knows was saved then, so that a ranking gets it without asking the matcher.
    let started = Instant::now();
    assert_eq!(matcher.state().unwrap(), Some(vec![0]));
    assert!(started.elapsed() < DEADLINE);
}

#[test]
fn a_matcher_that_hangs_for_ever_holds_nobody_up_and_can_be_replaced() {
    let Some(path) = fixture("moody", "hanging") else { return };
    let matcher = load(&path, "endless", &options(9, 1_000));
    assert!(matches!(matcher.score(&complex(), &candidates()), Err(HostError::Overrun { .. })));
    matcher.reset();
    assert!(matches!(matcher.score(&request(), &candidates()), Err(HostError::Busy { .. })));
    assert_eq!(matcher.replace(&path, "{}").unwrap(), 2);
    assert_eq!(matcher.score(&request(), &candidates()).unwrap().len(), 3);
}

#[test]
fn failures_in_a_row_lead_to_quarantine_and_a_good_trial_out_of_it() {
    let Some(path) = fixture("moody", "quarantine") else { return };
    let matcher = load(&path, "fail", &options(2, 60));
    for _ in 0..2 {
        assert!(matches!(matcher.score(&complex(), &candidates()), Err(HostError::Score { .. })));
    }
    let error = matcher.score(&request(), &candidates()).unwrap_err();
    assert!(matches!(error, HostError::Quarantined { .. }), "{error}");
    let health = matcher.health();
    assert_eq!((health.state, health.errors), (BreakerState::Open, 2));
    assert!(health.retry_in_ms.is_some_and(|left| left <= 60), "{health:?}");
    assert!(health.last_error.unwrap().contains("failed"));
    std::thread::sleep(Duration::from_millis(70));
    assert_eq!(matcher.health().state, BreakerState::HalfOpen);
    assert_eq!(matcher.score(&request(), &candidates()).unwrap().len(), 3);
    assert_eq!(matcher.health().state, BreakerState::Closed);
}

#[test]
fn a_matcher_that_starts_slower_than_its_deadline_still_comes_out_of_quarantine() {
    let Some(path) = fixture("moody", "slow_start") else { return };
    let matcher = load(&path, "slow panic", &options(1, 50));
    assert!(matches!(matcher.score(&complex(), &candidates()), Err(HostError::Panicked { .. })));
    std::thread::sleep(Duration::from_millis(60));
    // The trial finds no instance; making one takes longer than its caller waits, and is not for nothing.
    assert!(matches!(matcher.score(&request(), &candidates()), Err(HostError::Busy { .. })));
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(matcher.score(&request(), &candidates()).unwrap().len(), 3);
    let health = matcher.health();
    assert_eq!((health.state, health.restarts), (BreakerState::Closed, 1));
}

#[test]
fn a_reset_ends_the_quarantine_at_once() {
    let Some(path) = fixture("moody", "reset") else { return };
    let matcher = load(&path, "nan", &options(1, 60_000));
    assert!(matches!(matcher.score(&complex(), &candidates()), Err(HostError::InvalidAnswer { .. })));
    assert!(matches!(matcher.score(&request(), &candidates()), Err(HostError::Quarantined { .. })));
    assert_eq!(matcher.health().invalid_answers, 1);
    matcher.reset();
    assert!(matcher.score(&request(), &candidates()).is_ok());
}

#[test]
fn an_instance_that_panicked_is_made_anew_with_what_it_had_learned() {
    let Some(path) = fixture("moody", "anew") else { return };
    let matcher = load(&path, "panic", &options(3, 1_000));
    let resolved = Outcome { is_resolved: Some(true), ..Outcome::default() };
    for _ in 0..3 {
        assert!(matcher.learn(&request(), &Arc::new(candidates().row(0)), &resolved).unwrap());
    }
    assert!(matches!(matcher.score(&complex(), &candidates()), Err(HostError::Panicked { .. })));
    assert_eq!(matcher.score(&request(), &candidates()).unwrap().scores[0], 0.3);
    let health = matcher.health();
    assert_eq!((health.panics, health.restarts), (1, 1));
}

#[test]
fn outcomes_that_it_refuses_are_no_reason_to_leave_a_matcher_alone() {
    let Some(path) = fixture("moody", "picky") else { return };
    let matcher = load(&path, "picky", &options(2, 60_000));
    for _ in 0..5 {
        let refused = matcher.learn(&request(), &Arc::new(candidates().row(0)), &Outcome::default());
        assert!(matches!(refused, Err(HostError::Score { status: 1, .. })), "{refused:?}");
    }
    assert_eq!(matcher.score(&request(), &candidates()).unwrap().len(), 3);
    assert_eq!((matcher.health().state, matcher.health().errors), (BreakerState::Closed, 5));
}

#[test]
fn a_flood_of_log_lines_is_no_flood_of_work() {
    let Some(path) = fixture("moody", "chat") else { return };
    let matcher = load(&path, "chat", &options(3, 1_000));
    assert!(matcher.score(&complex(), &candidates()).is_ok());
}

#[test]
fn a_matcher_is_shared_by_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Matcher>();
}
