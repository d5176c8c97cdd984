//! The matcher as a host would use it.

use heartline_plugin_sdk::testing::{self, Agent, Agents};
use heartline_plugin_sdk::{Spoken, config_schema};
use serde_json::Value;

use super::*;

fn agent(languages: &[(&'static str, f32)]) -> Agent {
    Agent { languages: languages.to_vec(), ..Agent::default() }
}

fn score(request: &Request<'_>, agents: &[Agent]) -> Vec<Score> {
    score_by(&mut testing::create("{}").unwrap(), request, agents)
}

/// Scores agents, and holds each explanation to its score.
fn score_by(matcher: &mut Language, request: &Request<'_>, agents: &[Agent]) -> Vec<Score> {
    let agents = Agents::new(agents);
    let scores = testing::score(matcher, request, &agents).unwrap();
    for (row, score) in scores.iter().enumerate().filter(|(_, score)| score.eligible) {
        let factors = matcher.factors(request, &agents.candidates(), row);
        let sum: f32 = factors.iter().map(|factor| factor.contribution).sum();
        assert!((sum - score.score).abs() < 1e-5, "{factors:?} for {score:?}");
        for factor in factors {
            assert!(
                (0.0..=1.0).contains(&factor.value) && (0.0..=1.0).contains(&factor.weight),
                "{factor:?}"
            );
        }
    }
    scores
}

fn spoken(tag: &str, share: f32, level: Option<f32>) -> Spoken<'_> {
    Spoken { tag, share, level }
}

/// A customer who speaks one language.
fn speaks(tag: &str, level: Option<f32>) -> Request<'_> {
    Request { languages: vec![spoken(tag, 1.0, level)], ..Request::default() }
}

#[test]
fn the_numbers_in_the_documentation_are_right() {
    let agents = [
        agent(&[("zh-Hans", 7.0), ("en", 4.0)]),
        agent(&[("zh", 5.0)]),
        agent(&[("zh", 4.0)]),
        agent(&[("zh", 2.0), ("en", 7.0)]),
        agent(&[("en", 7.0)]),
        agent(&[]),
    ];
    let request = Request { complexity: 0.5, ..speaks("zh-Hant", Some(7.0)) };
    let expected = [
        (0.9, true, reason::OTHER_VARIETY),
        (0.9, true, reason::BELOW_LEVEL),
        (0.7, true, reason::BELOW_LEVEL),
        (0.0, false, reason::TOO_LOW),
        (0.0, false, reason::NO_COMMON),
        (0.0, false, reason::NO_COMMON),
    ];
    for (found, (score, eligible, reason)) in score(&request, &agents).iter().zip(expected) {
        assert!((found.score - score).abs() < 0.001, "{found:?} instead of {score}");
        assert_eq!((found.eligible, found.reason), (eligible, reason), "{found:?}");
        assert!((found.confidence - SURE).abs() < 1e-6);
    }
    let interpreted = score(&Request { interpreter: true, ..request }, &agents);
    for (found, reason) in interpreted.iter().zip([
        reason::OTHER_VARIETY,
        reason::BELOW_LEVEL,
        reason::BELOW_LEVEL,
        reason::INTERPRETER,
        reason::INTERPRETER,
        reason::INTERPRETER,
    ]) {
        assert_eq!((found.eligible, found.reason), (true, reason), "{found:?}");
        assert!(found.reason != reason::INTERPRETER || found.score == 0.25, "{found:?}");
    }
}

#[test]
fn the_numbers_in_the_documentation_of_a_customer_who_mixes_languages_are_right() {
    let agents = [
        agent(&[("es", 7.0), ("en", 5.0)]),
        agent(&[("es-MX", 4.0), ("en", 3.0)]),
        agent(&[("es", 7.0)]),
        agent(&[("en", 7.0)]),
        agent(&[("en", 7.0), ("pt", 7.0)]),
        agent(&[("de", 7.0)]),
    ];
    let languages = vec![spoken("es-MX", 0.6, Some(7.0)), spoken("en-US", 0.3, Some(4.0))];
    let request = Request { languages, ..Request::default() };
    let expected = [
        (1.0, true, reason::AT_LEVEL),
        (0.8, true, reason::BELOW_LEVEL),
        (0.667, true, reason::PART),
        (0.0, false, reason::TOO_LITTLE),
        (0.0, false, reason::TOO_LITTLE),
        (0.0, false, reason::NO_COMMON),
    ];
    for (found, (score, eligible, reason)) in score(&request, &agents).iter().zip(expected) {
        assert!((found.score - score).abs() < 0.001, "{found:?} instead of {score}");
        assert_eq!((found.eligible, found.reason), (eligible, reason), "{found:?}");
    }
    let mut matcher: Language = testing::create("{}").unwrap();
    let columns = Agents::new(&agents);
    let factors = matcher.factors(&request, &columns.candidates(), 2);
    assert_eq!(factors.iter().map(|factor| factor.subject).collect::<Vec<_>>(), ["es-MX", "en-US"]);
    // With a third of what was said to be enough, English alone will do.
    let mut matcher: Language = testing::create(r#"{"minimum_cover": 0.33}"#).unwrap();
    let english = score_by(&mut matcher, &request, &agents)[3];
    assert_eq!((english.eligible, english.reason), (true, reason::PART));
    assert!((english.score - 0.333).abs() < 0.001, "{english:?}");
}

#[test]
fn languages_that_cannot_be_read_are_left_out() {
    let agents = [agent(&[("en", 7.0)])];
    let languages = vec![spoken("und", 0.7, None), spoken("en", 0.2, Some(6.0)), spoken("x-a", 0.1, None)];
    let request = Request { languages, ..Request::default() };
    assert_eq!(score(&request, &agents), score(&speaks("en", Some(6.0)), &agents));
}

#[test]
fn an_interpreter_is_better_than_a_language_spoken_too_badly() {
    let mut matcher: Language = testing::create(r#"{"interpreter_score": 0.6}"#).unwrap();
    let request = Request { interpreter: true, ..speaks("da", Some(7.0)) };
    let scores = score_by(&mut matcher, &request, &[agent(&[("nb", 7.0)]), agent(&[("da", 7.0)])]);
    assert_eq!([scores[0].reason, scores[1].reason], [reason::INTERPRETER, reason::AT_LEVEL]);
    assert_eq!([scores[0].score, scores[1].score], [0.6, 1.0]);
}

#[test]
fn a_customer_with_little_of_the_language_asks_for_less() {
    let agents = [agent(&[("en", 3.0)])];
    let ask = |level| score(&speaks("en", level), &agents)[0];
    assert_eq!((ask(Some(2.0)).score, ask(Some(2.0)).reason), (1.0, reason::AT_LEVEL));
    assert!((ask(Some(6.0)).score - 0.6).abs() < 1e-6);
    assert!((ask(None).confidence - LEVEL_ASSUMED).abs() < 1e-6);
}

#[test]
fn an_unknown_language_excludes_nobody() {
    for language in [None, Some("und"), Some("x-private"), Some("not a tag at all"), Some("")] {
        let request = language.map_or(Request::default(), |tag| speaks(tag, None));
        let scores = score(&request, &[agent(&[]), agent(&[("en", 7.0)])]);
        let expected = Score { score: 0.5, eligible: true, confidence: 0.1, reason: reason::UNKNOWN };
        assert_eq!(scores, [expected; 2], "{language:?}");
    }
}

#[test]
fn the_best_of_several_languages_counts() {
    let request = speaks("da", Some(7.0));
    let scores = score(&request, &[agent(&[("nb", 7.0), ("da", 4.0)]), agent(&[("da", 1.0), ("nb", 7.0)])]);
    assert_eq!(scores[0].reason, reason::BELOW_LEVEL);
    assert!((scores[0].score - 0.8).abs() < 1e-6);
    assert_eq!((scores[1].eligible, scores[1].reason), (true, reason::RELATED));
}

#[test]
fn a_little_of_a_related_language_is_nothing_in_common() {
    let request = speaks("da", None);
    let scores = score(&request, &[agent(&[("nb", 1.0)]), agent(&[("nb", 1.0), ("da", 1.0)])]);
    assert_eq!((scores[0].eligible, scores[0].reason), (false, reason::NO_COMMON));
    assert_eq!((scores[1].eligible, scores[1].reason), (false, reason::TOO_LOW));
}

#[test]
fn an_agent_with_a_tag_that_cannot_be_read_has_no_language_of_it() {
    let request = speaks("en", None);
    let scores = score(&request, &[agent(&[("english!", 7.0)])]);
    assert_eq!(scores[0].reason, reason::NO_COMMON);
}

#[test]
fn bad_configurations_are_refused_by_key() {
    for (config, word) in [
        (r#"{"minimum_level": 0}"#, "minimum_level"),
        (r#"{"minimum_level": 5, "comfortable_level": 4}"#, "comfortable_level"),
        (r#"{"related": [["en-GB"]]}"#, "related"),
        (r#"{"relatives": []}"#, "relatives"),
        (r#"{"minimum_cover": 1.5}"#, "minimum_cover"),
    ] {
        let error = testing::create::<Language>(config).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}

/// The ranges of the numbers.
const RANGES: [(&str, f64, f64); 11] = [
    ("minimum_level", 1.0, 6.0),
    ("comfortable_level", 1.0, 6.0),
    ("assumed_level", 1.0, 7.0),
    ("complexity_levels", 0.0, 5.0),
    ("gap_cost", 0.0, 1.0),
    ("region_factor", 0.0, 1.0),
    ("script_factor", 0.0, 1.0),
    ("related_factor", 0.0, 1.0),
    ("minimum_cover", 0.0, 1.0),
    ("interpreter_score", 0.0, 1.0),
    ("unknown_confidence", 0.0, 1.0),
];

#[test]
fn the_schema_says_of_every_key_what_it_means_its_default_and_its_range() {
    let schema: Value = serde_json::from_str(config_schema::<Language>()).unwrap();
    let defaults = serde_json::to_value(Config::default()).unwrap();
    let properties = schema["properties"].as_object().unwrap();
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(properties.len(), RANGES.len() + 2);
    for (key, property) in properties {
        assert!(property["description"].as_str().is_some_and(|text| text.len() > 20), "{key}: {property}");
        assert_eq!(property["default"], defaults[key], "{key}");
    }
    for (key, low, high) in RANGES {
        let range = [&properties[key]["minimum"], &properties[key]["maximum"]].map(Value::as_f64);
        assert_eq!(range, [Some(low), Some(high)], "{key}");
    }
    for key in ["equivalent", "related"] {
        assert_eq!(properties[key]["maxItems"], 64, "{key}");
    }
}

#[test]
fn tags_are_read_anew_when_the_columns_are_others() {
    let mut matcher: Language = testing::create("{}").unwrap();
    let (english, danish) = (Agents::new(&[agent(&[("en", 7.0)])]), Agents::new(&[agent(&[("da", 7.0)])]));
    let request = speaks("en", Some(6.0));
    for (agents, snapshot, eligible) in [
        (&english, 1, true),
        (&english, 1, true),
        (&danish, 2, false),
        (&english, 0, true),
        (&danish, 0, false),
    ] {
        let candidates = agents.candidates().with_snapshot(snapshot);
        assert_eq!(answer(&mut matcher, &request, &candidates).eligible, eligible, "{snapshot}");
    }
}

/// The answer for a single candidate.
fn answer(matcher: &mut Language, request: &Request<'_>, candidates: &Candidates<'_>) -> Score {
    let (mut numbers, mut confidences, mut reasons, mut eligible) = ([9.0], [9.0], [9], [9]);
    let mut scores = Scores::from_columns(&mut numbers, &mut confidences, &mut reasons, &mut eligible);
    matcher.score(request, candidates, &mut scores).unwrap();
    Score { score: numbers[0], eligible: eligible[0] == 1, confidence: confidences[0], reason: reasons[0] }
}

mod properties;
