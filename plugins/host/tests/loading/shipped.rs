//! The shipped matchers, loaded as the server loads them.

use std::sync::Arc;

use heartline_plugin_host::{
    ABI_MAJOR, ABI_MINOR, Candidates, Emotion, HostError, Matcher, ScoreRequest, Scored,
};

use crate::support::{built_library, candidates, host};

fn load(name: &str) -> Matcher {
    host().load(&built_library(&format!("heartline-{name}")), "{}").unwrap()
}

fn sad_and_waiting() -> ScoreRequest {
    let emotion = Emotion {
        categories: [0.2, 0.0, 0.0, 0.8, 0.0, 0.0, 0.0],
        confidence: 0.9,
        abstain: false,
        ..Emotion::default()
    };
    ScoreRequest {
        emotion,
        language: Some("en".to_owned()),
        language_level: Some(5.0),
        needed_skills: vec![("refunds".to_owned(), 3.0, true)],
        waiting_ms: 1_000,
        ..ScoreRequest::default()
    }
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
        assert!(descriptor.config_schema.contains("properties"));
    }
}

#[test]
fn skill_prefers_whoever_can_and_excludes_whoever_cannot() {
    let scored = score("skill");
    let eligible: Vec<_> = scored.scores.iter().map(|agent| agent.eligible).collect();
    assert_eq!(eligible, [true, false, false]);
    assert!((scored.scores[0].score - 0.96).abs() < 1e-5, "{:?}", scored.scores[0]);
    assert_eq!(scored.scores[2].reason, "lacks a skill the issue cannot do without");
}

#[test]
fn attitude_gives_the_sad_the_warm() {
    let scored = score("attitude");
    assert!(scored.scores[0].score > scored.scores[2].score);
    assert!(scored.scores[2].score > scored.scores[1].score);
    assert_eq!(scored.scores[0].reason, "has the warmth that the customer's state needs most");
    assert!(scored.scores[2].confidence < scored.scores[0].confidence);
    assert!(scored.scores.iter().all(|agent| agent.eligible));
}

#[test]
fn language_wants_one_in_common() {
    let scored = score("language");
    let eligible: Vec<_> = scored.scores.iter().map(|agent| agent.eligible).collect();
    assert_eq!(eligible, [true, false, false]);
    assert_eq!(scored.scores[0].score, 1.0);
}

#[test]
fn each_refuses_a_key_it_does_not_know_and_names_those_it_does() {
    for (name, known) in
        [("skill", "gap_cost"), ("attitude", "outcome_weight"), ("language", "region_factor")]
    {
        let path = built_library(&format!("heartline-{name}"));
        let error = host().load(&path, r#"{"wieght": 1}"#).unwrap_err();
        assert!(
            matches!(&error, HostError::ConfigRefused { reason, .. }
                if reason.contains("wieght") && reason.contains(known)),
            "{error}"
        );
    }
}

#[test]
fn nobody_to_score_is_no_error() {
    for name in ["skill", "attitude", "language"] {
        let none = Candidates::builder().build();
        assert!(load(name).score(&sad_and_waiting(), &none).unwrap().scores.is_empty());
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
