//! Matchers in processes of their own: the same answers, and nothing that they do reaches this process.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use heartline_plugin_host::{
    BreakerOptions, BreakerState, Candidates, HostError, Isolation, Matcher, MatcherOptions, Outcome,
    ProcessOptions, ScoreRequest,
};

use crate::support::{self, built_library, built_program, candidates, fixture, host, request};

/// Long enough that a crowded machine answers in time.
const DEADLINE: Duration = Duration::from_millis(500);

fn options() -> MatcherOptions {
    let process = ProcessOptions {
        memory_bytes: 256 << 20,
        ..ProcessOptions::new(built_program("matcher_process"), [])
    };
    MatcherOptions { deadline: DEADLINE, isolation: Isolation::Process(process), ..MatcherOptions::default() }
}

fn load(path: &Path, mode: &str) -> Matcher {
    host().load_with(path, &format!(r#"{{"mode":"{mode}"}}"#), &options()).unwrap()
}

fn complex() -> Arc<ScoreRequest> {
    Arc::new(ScoreRequest { complexity: 1.0, ..ScoreRequest::default() })
}

/// Scores when the matcher has started again.
fn score_again(matcher: &Matcher) -> Vec<f32> {
    let until = Instant::now() + Duration::from_secs(5);
    loop {
        match matcher.score(&request(), &candidates()) {
            Ok(scored) => return scored.scores,
            Err(HostError::Busy { .. }) if Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn the_answers_are_the_same_as_in_the_process() {
    for name in ["skill", "attitude", "language"] {
        let path = built_library(&format!("heartline-{name}"));
        let near = support::load(&path, "{}").unwrap();
        let far = host().load_with(&path, "{}", &options()).unwrap();
        assert_eq!(far.descriptor(), near.descriptor());
        assert_eq!(far.current().schema().json(), near.current().schema().json());
        assert_eq!(far.current().fingerprint(), near.current().fingerprint());
        let everybody = candidates();
        for candidates in [&everybody, &Arc::new(everybody.row(1)), &everybody] {
            let (one, other) =
                (near.score(&request(), candidates).unwrap(), far.score(&request(), candidates).unwrap());
            assert_eq!((one.scores, one.confidences), (other.scores, other.confidences), "{name}");
            assert_eq!((one.eligible, one.reason_codes), (other.eligible, other.reason_codes), "{name}");
            assert_eq!(one.reasons, other.reasons, "{name}");
        }
        assert_eq!(
            near.explain(&request(), &everybody, &[0, 1, 2]).unwrap(),
            far.explain(&request(), &everybody, &[0, 1, 2]).unwrap()
        );
        let none = Arc::new(Candidates::builder().build());
        assert!(far.score(&request(), &none).unwrap().is_empty());
        assert_eq!(far.health().isolation, "process");
    }
}

#[test]
fn columns_and_attributes_arrive() {
    let Some(path) = fixture("columns", "isolated") else { return };
    let near = support::load(&path, "{}").unwrap();
    let far = host().load_with(&path, "{}", &options()).unwrap();
    for _ in 0..3 {
        let (one, other) = (near.score(&request(), &candidates()), far.score(&request(), &candidates()));
        assert_eq!(one.unwrap().reason_codes, other.unwrap().reason_codes);
    }
}

/// Makes a test in which the fixture misbehaves once, and holds the error to a pattern.
macro_rules! survived {
    ($mode:ident, $pattern:pat $(if $guard:expr)?) => {
        #[test]
        fn $mode() {
            let Some(path) = fixture("moody", concat!("isolated_", stringify!($mode))) else { return };
            let matcher = load(&path, stringify!($mode));
            let resolved = Outcome { is_resolved: Some(true), ..Outcome::default() };
            let one = Arc::new(candidates().row(0));
            assert!(matcher.learn(&request(), &one, &resolved).unwrap());
            let started = Instant::now();
            let error = matcher.score(&complex(), &candidates()).unwrap_err();
            assert!(started.elapsed() < 2 * DEADLINE, "{:?}", started.elapsed());
            assert!(matches!(&error, $pattern $(if $guard)?), "{error:?}");
            assert!(error.is_matcher_fault());
            // The next call finds another process, which knows what the first had learned.
            assert_eq!(score_again(&matcher), [0.1; 3]);
            let health = matcher.health();
            assert_eq!((health.state, health.restarts), (BreakerState::Closed, 1), "{health:?}");
        }
    };
}

survived!(abort, HostError::Crashed { reason, .. } if reason.contains("aborted"));
survived!(exit, HostError::Crashed { reason, .. } if reason.contains("code 0"));
survived!(write, HostError::Crashed { reason, .. } if reason.contains("read-only"));
survived!(hog, HostError::Crashed { reason, .. } if reason.contains("aborted"));
survived!(endless, HostError::Overrun { limit: DEADLINE, .. });
survived!(panic, HostError::Panicked { .. });

#[test]
fn bad_answers_are_found_here_too() {
    let Some(path) = fixture("moody", "isolated_answers") else { return };
    for mode in ["nan", "count", "fail"] {
        let matcher = load(&path, mode);
        let error = matcher.score(&complex(), &candidates()).unwrap_err();
        let is_right = match mode {
            "fail" => matches!(error, HostError::Score { status: 1, .. }),
            _ => matches!(error, HostError::InvalidAnswer { .. }),
        };
        assert!(is_right, "{mode}: {error}");
        assert_eq!(matcher.score(&request(), &candidates()).unwrap().len(), 3);
        assert_eq!(matcher.health().restarts, 0, "the process is well");
        let error = matcher.explain(&complex(), &candidates(), &[0]).unwrap_err();
        assert!(matches!(error, HostError::InvalidAnswer { .. }), "{error}");
    }
}

#[test]
fn what_it_prints_and_logs_is_not_taken_for_an_answer() {
    let Some(path) = fixture("moody", "isolated_print") else { return };
    for mode in ["print", "chat"] {
        let matcher = load(&path, mode);
        for _ in 0..3 {
            assert_eq!(matcher.score(&complex(), &candidates()).unwrap().len(), 3);
        }
        assert_eq!(matcher.metrics()[0], ("learned".to_owned(), 0.0));
    }
}

#[test]
fn a_process_that_ends_in_every_call_is_left_alone() {
    let Some(path) = fixture("moody", "isolated_breaker") else { return };
    let breaker = BreakerOptions { failures: 2, back_off_ms: 60_000, ..BreakerOptions::default() };
    let options = MatcherOptions { breaker, ..options() };
    let matcher = host().load_with(&path, r#"{"mode":"abort"}"#, &options).unwrap();
    let mut crashes = 0;
    let until = Instant::now() + Duration::from_secs(5);
    while matcher.health().state == BreakerState::Closed && Instant::now() < until {
        crashes +=
            usize::from(matches!(matcher.score(&complex(), &candidates()), Err(HostError::Crashed { .. })));
    }
    assert_eq!(crashes, 2);
    let error = matcher.score(&request(), &candidates()).unwrap_err();
    assert!(matches!(error, HostError::Quarantined { .. }), "{error}");
    matcher.reset();
    assert_eq!(score_again(&matcher).len(), 3);
}

#[test]
fn errors_of_loading_are_the_same() {
    let load = |name: &str, config: &str| {
        Some(host().load_with(&fixture(name, "isolated_load")?, config, &options()).unwrap_err())
    };
    let Some(error) = load("wrong_major", "{}") else { return };
    assert!(matches!(error, HostError::IncompatibleAbi { major: 2, .. }), "{error}");
    let error = load("null_score", "{}").unwrap();
    assert!(matches!(error, HostError::MissingFunction { function: "score", .. }), "{error}");
    let error = load("bad_id", "{}").unwrap();
    assert!(matches!(error, HostError::InvalidDescriptor { field: "id", .. }), "{error}");
    let error = load("missing_symbol", "{}").unwrap();
    assert!(matches!(&error, HostError::Refused { .. }), "{error}");
    let error = load("moody", r#"{"level": 9, "mode": 1}"#).unwrap();
    assert!(
        matches!(&error, HostError::ConfigInvalid { reason, .. } if reason.contains("/level")),
        "{error}"
    );
}

#[test]
fn a_program_that_is_no_matchers_process_is_an_error() {
    let Some(path) = fixture("moody", "isolated_program") else { return };
    let with = |program: &str, arguments: &[&str]| {
        let process = ProcessOptions::new(program, arguments.iter().map(Into::into));
        let slow_deadline = Duration::from_millis(500);
        let options = MatcherOptions {
            isolation: Isolation::Process(process),
            slow_deadline,
            ..MatcherOptions::default()
        };
        host().load_with(&path, "{}", &options).unwrap_err()
    };
    assert!(matches!(with("/no/such/program", &[]), HostError::Process { .. }));
    assert!(
        matches!(with("/bin/sh", &["-c", "exit 3"]), HostError::Crashed { reason, .. } if reason.contains('3'))
    );
    let nonsense = with("/bin/sh", &["-c", "echo this is no message of any kind; sleep 9"]);
    assert!(matches!(nonsense, HostError::Protocol { .. }), "{nonsense}");
    for lie in [
        // An answer to a question that nobody asked, and to another question than was asked.
        r#"{"Answer":{"number":7,"metrics":[],"result":{"Ok":"Created"}}}"#,
        r#"{"Answer":{"number":1,"metrics":[],"result":{"Ok":"Created"}}}"#,
        r#"{"Answer":{"number":1,"metrics":[],"result":{"Ok":{"Saved":18446744073709551615}}}}"#,
        r#"{"Answer":{"number":1,"metrics":[],"result":{"Ok":"Nonsense"}}}"#,
    ] {
        let script = format!("printf '\\{:03o}\\000\\000\\000%s' '{lie}'; sleep 9", lie.len());
        let error = with("/bin/sh", &["-c", &script]);
        assert!(matches!(error, HostError::Protocol { .. }), "{lie}: {error}");
    }
    let flood = with("/bin/sh", &["-c", "cat /dev/zero"]);
    assert!(matches!(flood, HostError::Protocol { .. }), "{flood}");
    let silent = with("/bin/sh", &["-c", "sleep 9"]);
    assert!(matches!(silent, HostError::Overrun { .. } | HostError::StartOverrun { .. }), "{silent}");
}

#[test]
fn generations_change_here_too_and_processes_end() {
    let (Some(one), Some(two)) = (fixture("moody", "isolated_next"), fixture("moody_too", "isolated_next"))
    else {
        return;
    };
    let matcher = load(&one, "");
    matcher.load_state(&[4]).unwrap();
    let process = || {
        assert_eq!(matcher.score(&request(), &candidates()).unwrap().scores[0], 0.4);
        let metrics = matcher.metrics();
        metrics.iter().find(|(name, _)| name == "process").unwrap().1 as u32
    };
    let old = process();
    assert_ne!(old, std::process::id());
    assert_eq!(matcher.replace(&two, "{}").unwrap(), 2);
    assert_ne!(process(), old);
    assert_eq!(matcher.save().unwrap(), Some(vec![4]));
    let until = Instant::now() + Duration::from_secs(5);
    let old = Path::new("/proc").join(old.to_string());
    while cfg!(target_os = "linux") && old.exists() {
        assert!(Instant::now() < until, "the old process does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_state_that_ends_the_process_when_it_is_saved_leaves_the_one_before() {
    let Some(path) = fixture("moody", "isolated_save") else { return };
    let matcher = load(&path, "save once");
    let lesson = || {
        let resolved = Outcome { is_resolved: Some(true), ..Outcome::default() };
        matcher.learn(&request(), &Arc::new(candidates().row(0)), &resolved)
    };
    assert!(lesson().unwrap() && lesson().unwrap());
    // The process that saved the second lesson has ended, the next one has the first.
    assert_eq!(score_again(&matcher)[0], 0.1);
    assert!(matches!(matcher.state(), Err(HostError::State { .. }) | Ok(Some(_))));
    assert_eq!(matcher.save().unwrap(), Some(vec![1]));
    assert_eq!(matcher.health().restarts, 1);
}
