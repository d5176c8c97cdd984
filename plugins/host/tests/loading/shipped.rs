//! The shipped matchers, loaded as the server loads them.

use std::sync::Arc;

use heartline_plugin_host::{
    ABI_MAJOR, ABI_MINOR, Candidates, Emotion, HostError, Matcher, ScoreRequest, Scored, SpokenLanguage,
};

use crate::support::{self, built_library, candidates, host};

fn load(name: &str) -> Matcher {
    support::load(&built_library(&format!("heartline-{name}")), "{}").unwrap()
}

fn sad_and_waiting() -> Arc<ScoreRequest> {
    let emotion = Emotion {
        categories: [0.2, 0.0, 0.0, 0.8, 0.0, 0.0, 0.0],
        confidence: 0.9,
        abstain: false,
        ..Emotion::default()
    };
    let english = SpokenLanguage { tag: "en".to_owned(), share: 1.0, level: Some(5.0) };
    Arc::new(ScoreRequest {
        emotion,
        languages: vec![english],
        needed_skills: vec![("refunds".to_owned(), 3.0, true)],
        waiting_ms: 1_000,
        ..ScoreRequest::default()
    })
}

fn score(name: &str) -> Scored {
    load(name).score(&sad_and_waiting(), &candidates()).unwrap()
}

#[test]
fn each_says_what_it_is() {
    for name in ["skill", "attitude", "language"] {
        let library = host().open(&built_library(&format!("heartline-{name}"))).unwrap();
        let descriptor = library.descriptor();
        assert_eq!(descriptor.id, name);
        assert_eq!((descriptor.abi_major, descriptor.abi_minor), (ABI_MAJOR, ABI_MINOR));
        assert_eq!(descriptor.version, env!("CARGO_PKG_VERSION"));
        let schema = library.config_schema().unwrap();
        assert!(schema.json()["properties"].is_object(), "{}", schema.json());
    }
}

#[test]
fn skill_prefers_whoever_can_and_excludes_whoever_cannot() {
    let scored = score("skill");
    assert_eq!(scored.eligible, [true, false, false]);
    assert!(scored.scores[0] > 0.9, "{:?}", scored.row(0));
    assert!(!scored.row(2).reason.is_empty());
}

#[test]
fn attitude_gives_the_sad_the_warm() {
    let scored = score("attitude");
    assert!(scored.scores[0] > scored.scores[2]);
    assert!(scored.scores[2] > scored.scores[1]);
    assert!(scored.confidences[2] < scored.confidences[0]);
    assert!(scored.eligible.iter().all(|eligible| *eligible));
}

#[test]
fn language_wants_one_in_common() {
    let scored = score("language");
    assert_eq!(scored.eligible, [true, false, false]);
    assert_eq!(scored.scores[0], 1.0);
}

#[test]
fn each_refuses_a_key_it_does_not_know() {
    for name in ["skill", "attitude", "language"] {
        let path = built_library(&format!("heartline-{name}"));
        let error = support::load(&path, r#"{"wieght": 1}"#).unwrap_err();
        assert!(
            matches!(&error, HostError::ConfigInvalid { reason, .. } if reason.contains("wieght")),
            "{error}"
        );
    }
}

#[test]
fn nobody_to_score_is_no_error() {
    for name in ["skill", "attitude", "language"] {
        let none = Arc::new(Candidates::builder().build());
        assert!(load(name).score(&sad_and_waiting(), &none).unwrap().is_empty());
    }
}

#[test]
fn threads_take_turns_and_get_the_same_answer() {
    let matcher = Arc::new(load("skill"));
    let alone = matcher.score(&sad_and_waiting(), &candidates()).unwrap().scores;
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let matcher = Arc::clone(&matcher);
            std::thread::spawn(move || {
                (0..50)
                    .map(|_| matcher.score(&sad_and_waiting(), &candidates()).unwrap().scores)
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    for thread in threads {
        assert!(thread.join().unwrap().iter().all(|scores| *scores == alone));
    }
}
