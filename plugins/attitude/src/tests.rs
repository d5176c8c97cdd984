//! The matcher as a host would use it.

use heartline_plugin_sdk::testing::{self, Agent, Agents};
use heartline_plugin_sdk::{Category, Emotion, Outcomes, Trait, config_schema};
use serde_json::Value;

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
    score_by(&mut testing::create("{}").unwrap(), emotion, agents)
}

/// Scores agents, and holds each explanation to its score.
fn score_by(matcher: &mut Attitude, emotion: Emotion, agents: &[Agent]) -> Vec<Score> {
    let (agents, request) = (Agents::new(agents), Request { emotion, ..Request::default() });
    let scores = testing::score(matcher, &request, &agents).unwrap();
    for (row, score) in scores.iter().enumerate() {
        let factors = matcher.factors(&request, &agents.candidates(), row);
        let sum: f32 = factors.iter().map(|factor| factor.contribution).sum();
        assert!((sum - score.score).abs() < 1e-5, "{factors:?} for {score:?}");
        assert!(factors.is_sorted_by(|left, right| left.weight >= right.weight), "{factors:?}");
        for factor in factors {
            assert!(
                (0.0..=1.0).contains(&factor.value) && (0.0..=1.0).contains(&factor.weight),
                "{factor:?}"
            );
        }
    }
    scores
}

/// Tells the matcher how a call ended.
fn learn(matcher: &mut Attitude, emotion: Emotion, agent: &Agent, outcome: Outcome) {
    let agents = Agents::new(std::slice::from_ref(agent));
    matcher.learn(&Request { emotion, ..Request::default() }, &agents.candidates(), &outcome).unwrap();
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
    let scores = score(emotion.clone(), &[calm, lively, unknown, proven.clone()]);
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
    let (agents, request) = (Agents::new(&[proven]), Request { emotion, ..Request::default() });
    let factors = testing::create::<Attitude>("{}").unwrap().factors(&request, &agents.candidates(), 0);
    let expected = [
        ("patience", 0.3, 0.348, 0.105),
        ("calm", 0.2, 0.327, 0.065),
        ("past outcomes", 0.839, 0.238, 0.200),
        ("warmth", 0.9, 0.073, 0.065),
        ("clarity", 0.6, 0.015, 0.009),
    ];
    assert_eq!(factors.len(), expected.len());
    for (factor, (name, value, weight, contribution)) in factors.iter().zip(expected) {
        assert_eq!(factor.name, name);
        for (found, expected) in
            [(factor.value, value), (factor.weight, weight), (factor.contribution, contribution)]
        {
            assert!((found - expected).abs() < 0.001, "{factor:?}");
        }
    }
}

#[test]
fn the_learning_step_in_the_documentation_is_right() {
    let mut matcher: Attitude = testing::create("{}").unwrap();
    let mut categories = [0.0; 7];
    categories[Category::Anger as usize] = 1.0;
    let angry = Emotion { categories, confidence: 1.0, abstain: false, ..Emotion::default() };
    let unresolved = Outcome { is_resolved: Some(false), ..Outcome::default() };
    let calm = agent([0.5, 1.0, 0.5, 0.5, 0.5]);
    learn(&mut matcher, angry.clone(), &calm, unresolved);
    let anger = matcher.needs()[Category::Anger as usize];
    assert!((anger[Trait::Calm as usize] - 0.966).abs() < 0.0005, "{anger:?}");
    assert_eq!(anger[Trait::Patience as usize], 0.8);
    // The second of the same calls takes less, because the angry are by now known to be hard to please.
    learn(&mut matcher, angry, &calm, unresolved);
    let anger = matcher.needs()[Category::Anger as usize];
    assert!((anger[Trait::Calm as usize] - 0.945).abs() < 0.0005, "{anger:?}");
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
    let mut matcher: Attitude = testing::create(none).unwrap();
    let scores = score_by(&mut matcher, mostly(Category::Anger), &[Agent::default()]);
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
        (r#"{"learning": {"remembered_calls": 1}}"#, "remembered_calls"),
    ] {
        let error = testing::create::<Attitude>(config).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn nothing_is_learned_where_nothing_is_known_or_learning_is_off() {
    let resolved = Outcome { is_resolved: Some(true), ..Outcome::default() };
    let angry = mostly(Category::Anger);
    let warm = strong_in(Trait::Warmth);
    let before = testing::create::<Attitude>("{}").unwrap().save().unwrap();
    for (config, emotion, outcome) in [
        ("{}", angry.clone(), Outcome { handling_ms: Some(60_000), ..Outcome::default() }),
        ("{}", Emotion { abstain: true, ..angry.clone() }, resolved),
        (r#"{"learning": {"enabled": false}}"#, angry.clone(), resolved),
    ] {
        let mut matcher: Attitude = testing::create(config).unwrap();
        learn(&mut matcher, emotion, &warm, outcome);
        assert_eq!(matcher.save().unwrap(), before, "{config}");
    }
    let mut matcher: Attitude = testing::create("{}").unwrap();
    learn(&mut matcher, angry, &warm, resolved);
    assert_ne!(matcher.save().unwrap(), before);
}

#[test]
fn what_was_learned_outlives_the_instance_with_the_same_bytes_and_scores() {
    let mut taught: Attitude = testing::create("{}").unwrap();
    for round in 0..300_u16 {
        let outcome = Outcome { is_resolved: Some(round % 3 > 0), rating: Some(0.5), ..Outcome::default() };
        learn(&mut taught, mostly(Category::Fear), &strong_in(TRAITS[usize::from(round % 5)]), outcome);
    }
    let bytes = taught.save().unwrap();
    let mut other: Attitude = testing::create("{}").unwrap();
    other.load(&bytes).unwrap();
    assert_eq!(other.save().unwrap(), bytes);
    let agents = TRAITS.map(strong_in);
    let fear = || mostly(Category::Fear);
    assert_eq!(score_by(&mut other, fear(), &agents), score_by(&mut taught, fear(), &agents));
    assert_ne!(score_by(&mut other, fear(), &agents), score(fear(), &agents));
    // Damaged bytes change nothing.
    assert!(other.load(&bytes[1..]).is_err());
    assert_eq!(other.save().unwrap(), bytes);
}

#[test]
fn learned_bytes_are_the_same_on_every_machine() {
    let mut matcher: Attitude = testing::create("{}").unwrap();
    for round in 0..100_u16 {
        let outcome = Outcome { rating: Some(f32::from(round % 5) / 4.0), ..Outcome::default() };
        learn(&mut matcher, mostly(Category::Anger), &strong_in(TRAITS[usize::from(round % 5)]), outcome);
    }
    let bytes = matcher.save().unwrap();
    let checksum = u64::from_le_bytes(bytes[bytes.len() - 8..].try_into().unwrap());
    assert_eq!(checksum, CHECKSUM_OF_A_HUNDRED, "{checksum:#x}");
}

/// What the checksum of the state is after the outcomes of the test above.
const CHECKSUM_OF_A_HUNDRED: u64 = 0x428b_bd98_f0fa_233e;

#[test]
fn the_schema_says_of_every_key_what_it_means_its_default_and_its_range() {
    let schema: Value = serde_json::from_str(config_schema::<Attitude>()).unwrap();
    let resolve = |property: &Value| match property["$ref"].as_str() {
        Some(path) => schema.pointer(path.trim_start_matches('#')).unwrap().clone(),
        None => property.clone(),
    };
    let hold = |at: &str, object: &Value, ranges: &[(&str, f64, f64)], defaults: &Value| {
        assert_eq!(object["additionalProperties"], false, "{at}");
        for (key, low, high) in ranges {
            let property = &object["properties"][key];
            assert!(
                property["description"].as_str().is_some_and(|text| text.len() > 5),
                "{at}.{key}: {property}"
            );
            assert_eq!(property["default"], defaults[key], "{at}.{key}");
            let range = [&property["minimum"], &property["maximum"]].map(Value::as_f64);
            assert_eq!(range, [Some(*low), Some(*high)], "{at}.{key}: {property}");
        }
    };
    let defaults = serde_json::to_value(Config::default()).unwrap();
    let top = [
        ("outcome_weight", 0.0, 1.0),
        ("prior_calls", 1.0, 10_000.0),
        ("prior_success", 0.0, 1.0),
        ("abstain_confidence", 0.0, 1.0),
    ];
    hold("", &schema, &top, &defaults);
    assert_eq!(schema["properties"].as_object().unwrap().len(), top.len() + 2);
    let learning = resolve(&schema["properties"]["learning"]);
    let ranges =
        [("prior_calls", 1.0, 100_000.0), ("remembered_calls", 10.0, 10_000_000.0), ("max_step", 0.0, 1.0)];
    hold("learning", &learning, &ranges, &defaults["learning"]);
    assert_eq!(learning["properties"]["enabled"]["default"], true);
    let needs = resolve(&schema["properties"]["needs"]);
    assert_eq!(needs["additionalProperties"], false);
    let parts = needs["properties"].as_object().unwrap();
    assert_eq!(parts.len(), 10);
    for (name, part) in parts {
        assert_eq!(part["default"], defaults["needs"][name], "{name}");
        let ranges = ["warmth", "calm", "patience", "clarity", "energy"].map(|name| (name, 0.0, 10.0));
        hold(name, &resolve(part), &ranges, &serde_json::to_value(TraitWeights::default()).unwrap());
    }
}

mod properties;
