//! The matcher as a host would use it.

use heartline_plugin_sdk::testing::{self, Agent, Agents};
use heartline_plugin_sdk::{Category, Emotion, Outcomes, Trait};
use proptest::array::{uniform4, uniform5, uniform7};
use proptest::prelude::*;

use super::*;

const TRAITS: [Trait; 5] = [Trait::Warmth, Trait::Calm, Trait::Patience, Trait::Clarity, Trait::Energy];

fn agent(attitude: [f32; 5]) -> Agent {
    Agent { attitude, ..Agent::default() }
}

/// An agent who has one trait in full and little of the others.
fn strong_in(one: Trait) -> Agent {
    let mut attitude = [0.2; 5];
    attitude[one as usize] = 1.0;
    agent(attitude)
}

/// A trustworthy emotion with one category at 0.8.
fn mostly(category: Category) -> Emotion {
    let mut categories = [0.2 / 6.0; 7];
    categories[category as usize] = 0.8;
    Emotion { categories, confidence: 0.9, abstain: false, ..Emotion::default() }
}

fn score(emotion: Emotion, agents: &[Agent]) -> Vec<Score> {
    let matcher: Attitude = testing::create("{}").unwrap();
    testing::score(&matcher, &Request { emotion, ..Request::default() }, &Agents::new(agents)).unwrap()
}

/// The trait whose strongest bearer comes first.
fn best(emotion: Emotion) -> Trait {
    let scores = score(emotion, &TRAITS.map(strong_in));
    let row = (0..5).max_by(|a, b| scores[*a].score.total_cmp(&scores[*b].score)).unwrap();
    TRAITS[row]
}

#[test]
fn each_state_gets_the_trait_it_needs() {
    assert_eq!(best(mostly(Category::Sadness)), Trait::Warmth);
    assert_eq!(best(mostly(Category::Anger)), Trait::Calm);
    assert_eq!(best(mostly(Category::Happiness)), Trait::Energy);
    assert_eq!(best(Emotion { confusion: 0.9, ..mostly(Category::Neutral) }), Trait::Clarity);
    assert_eq!(best(Emotion { frustration: 0.9, ..mostly(Category::Neutral) }), Trait::Patience);
}

#[test]
fn the_numbers_in_the_documentation_are_right() {
    let mut categories = [0.0; 7];
    categories[Category::Neutral as usize] = 0.2;
    categories[Category::Sadness as usize] = 0.2;
    categories[Category::Anger as usize] = 0.6;
    let emotion =
        Emotion { categories, frustration: 0.5, confidence: 0.8, abstain: false, ..Emotion::default() };
    let calm = agent([0.5, 0.9, 0.8, 0.6, 0.3]);
    let lively = agent([0.9, 0.2, 0.3, 0.6, 1.0]);
    let unknown = agent([f32::NAN; 5]);
    let outcomes = Outcomes { resolved: 60, unresolved: 12, upset_resolved: 36, upset_unresolved: 4 };
    let proven = Agent { outcomes, ..lively.clone() };
    let scores = score(emotion, &[calm, lively, unknown, proven]);
    let expected = [
        (0.810, 0.8, REASON_TRAITS + 6),
        (0.320, 0.8, REASON_TRAITS + 8),
        (0.5, 0.0, REASON_UNKNOWN),
        (0.443, 0.8, REASON_TRAITS + 8),
    ];
    for (found, (score, confidence, reason)) in scores.iter().zip(expected) {
        assert!((found.score - score).abs() < 0.001, "{found:?} instead of {score}");
        assert!((found.confidence - confidence).abs() < 0.001, "{found:?} instead of {confidence}");
        assert_eq!((found.eligible, found.reason), (true, reason), "{found:?}");
    }
}

#[test]
fn an_abstaining_emotion_prefers_nobody() {
    let scores = score(Emotion { abstain: true, ..mostly(Category::Anger) }, &TRAITS.map(strong_in));
    for score in scores {
        assert_eq!(score, Score { score: 0.5, eligible: true, confidence: 0.05, reason: REASON_ABSTAIN });
    }
}

#[test]
fn a_table_that_asks_for_nothing_prefers_nobody() {
    let none = r#"{"needs": {"neutral": {}, "happiness": {}, "surprise": {}, "sadness": {}, "anger": {},
        "disgust": {}, "fear": {}, "frustration": {}, "confusion": {}, "concern": {}}}"#;
    let matcher: Attitude = testing::create(none).unwrap();
    let request = Request { emotion: mostly(Category::Anger), ..Request::default() };
    let scores = testing::score(&matcher, &request, &Agents::new(&[Agent::default()])).unwrap();
    assert_eq!(scores[0].reason, REASON_NO_NEED);
}

#[test]
fn a_calm_customer_gives_little_confidence() {
    let mut categories = [0.0; 7];
    categories[0] = 1.0;
    let calm = Emotion { categories, confidence: 1.0, abstain: false, ..Emotion::default() };
    let scores = score(calm, &[strong_in(Trait::Clarity)]);
    assert!((scores[0].confidence - 0.2).abs() < 1e-6, "{scores:?}");
}

#[test]
fn every_reason_fits_its_trait() {
    let names = ["warmth", "calm", "patience", "clarity", "energy"];
    for (index, name) in (0_u32..).zip(names) {
        for grade in 0..3 {
            let code = REASON_TRAITS + 3 * index + grade;
            let reason = Attitude::REASONS.iter().find(|reason| reason.code == code).unwrap();
            assert!(reason.text.contains(name), "{reason:?}");
        }
    }
}

#[test]
fn bad_configurations_are_refused_by_key() {
    for (config, word) in [
        (r#"{"outcome_weight": 1.5}"#, "outcome_weight"),
        (r#"{"prior_calls": 0}"#, "prior_calls"),
        (r#"{"needs": {"anger": {"calm": -1}}}"#, "needs"),
        (r#"{"needs": {"anger": {"calmness": 1}}}"#, "calmness"),
        (r#"{"need": {}}"#, "need"),
    ] {
        let error = testing::create::<Attitude>(config).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn the_schema_names_every_key_with_its_default() {
    fn defaults(properties: &serde_json::Value) -> serde_json::Value {
        let properties = properties.as_object().unwrap();
        let value = |property: &serde_json::Value| match property.get("default") {
            Some(default) => default.clone(),
            None => defaults(&property["properties"]),
        };
        properties.iter().map(|(key, property)| (key.clone(), value(property))).collect()
    }
    let schema: serde_json::Value = serde_json::from_str(Attitude::CONFIG_SCHEMA).unwrap();
    let config: Config = serde_json::from_value(defaults(&schema["properties"])).unwrap();
    assert_eq!(config, Config::default());
    let written = serde_json::to_value(Config::default()).unwrap();
    let names = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&written), names(&schema["properties"]));
    assert_eq!(names(&written["needs"]), names(&schema["properties"]["needs"]["properties"]));
}

fn emotion() -> impl Strategy<Value = Emotion> {
    let parts = (
        uniform7(0.0_f32..=1.0).prop_filter("some mass", |parts| parts.iter().sum::<f32>() > 0.1),
        uniform4(0.0_f32..=1.0),
    );
    parts.prop_map(|(parts, [frustration, confusion, concern, confidence])| {
        let sum: f32 = parts.iter().sum();
        let categories = parts.map(|part| part / sum);
        Emotion {
            categories,
            frustration,
            confusion,
            concern,
            confidence,
            abstain: false,
            ..Emotion::default()
        }
    })
}

fn traits() -> impl Strategy<Value = [f32; 5]> {
    uniform5(prop_oneof![4 => 0.0_f32..=1.0, 1 => Just(f32::NAN)])
}

proptest! {
    #[test]
    fn every_answer_is_valid_and_excludes_nobody(
        emotion in emotion(), traits in traits(), counts in any::<[u32; 4]>(),
    ) {
        let [resolved, unresolved, upset_resolved, upset_unresolved] = counts;
        let outcomes = Outcomes { resolved, unresolved, upset_resolved, upset_unresolved };
        // `testing::score` refuses what a host would refuse.
        let scores = score(emotion, &[Agent { outcomes, ..agent(traits) }]);
        prop_assert!(scores[0].eligible);
    }

    #[test]
    fn more_of_a_trait_never_scores_less(emotion in emotion(), traits in uniform5(0.0_f32..=1.0), index in 0_usize..5, more in 0.0_f32..=1.0) {
        let mut better = traits;
        better[index] = (better[index] + more).min(1.0);
        let scores = score(emotion, &[agent(traits), agent(better)]);
        prop_assert!(scores[1].score >= scores[0].score - 1e-6, "{:?}", scores);
    }

    #[test]
    fn what_is_not_known_makes_less_sure(emotion in emotion(), traits in uniform5(0.0_f32..=1.0), index in 0_usize..5) {
        let mut partly = traits;
        partly[index] = f32::NAN;
        let scores = score(emotion, &[agent(traits), agent(partly)]);
        prop_assert!(scores[1].confidence <= scores[0].confidence + 1e-6, "{:?}", scores);
    }
}
