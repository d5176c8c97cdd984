//! The matcher as a host would use it.

use heartline_plugin_sdk::testing::{self, Agent, Agents};
use proptest::prelude::*;

use super::*;

fn agent(languages: &[(&'static str, f32)]) -> Agent {
    Agent { languages: languages.to_vec(), ..Agent::default() }
}

fn score(request: &Request<'_>, agents: &[Agent]) -> Vec<Score> {
    let matcher: Language = testing::create("{}").unwrap();
    testing::score(&matcher, request, &Agents::new(agents)).unwrap()
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
    let request = Request {
        language: Some("zh-Hant"),
        language_level: Some(7.0),
        complexity: 0.5,
        ..Request::default()
    };
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
}

#[test]
fn a_customer_with_little_of_the_language_asks_for_less() {
    let agents = [agent(&[("en", 3.0)])];
    let ask = |level| {
        score(&Request { language: Some("en"), language_level: level, ..Request::default() }, &agents)[0]
    };
    assert_eq!((ask(Some(2.0)).score, ask(Some(2.0)).reason), (1.0, reason::AT_LEVEL));
    assert!((ask(Some(6.0)).score - 0.6).abs() < 1e-6);
    assert!((ask(None).confidence - LEVEL_ASSUMED).abs() < 1e-6);
}

#[test]
fn an_unknown_language_excludes_nobody() {
    for language in [None, Some("und"), Some("x-private"), Some("not a tag at all"), Some("")] {
        let scores = score(&Request { language, ..Request::default() }, &[agent(&[]), agent(&[("en", 7.0)])]);
        let expected = Score { score: 0.5, eligible: true, confidence: 0.1, reason: reason::UNKNOWN };
        assert_eq!(scores, [expected; 2], "{language:?}");
    }
}

#[test]
fn the_best_of_several_languages_counts() {
    let request = Request { language: Some("da"), language_level: Some(7.0), ..Request::default() };
    let scores = score(&request, &[agent(&[("nb", 7.0), ("da", 4.0)]), agent(&[("da", 1.0), ("nb", 7.0)])]);
    assert_eq!(scores[0].reason, reason::BELOW_LEVEL);
    assert!((scores[0].score - 0.8).abs() < 1e-6);
    assert_eq!((scores[1].eligible, scores[1].reason), (true, reason::RELATED));
}

#[test]
fn a_little_of_a_related_language_is_nothing_in_common() {
    let request = Request { language: Some("da"), ..Request::default() };
    let scores = score(&request, &[agent(&[("nb", 1.0)]), agent(&[("nb", 1.0), ("da", 1.0)])]);
    assert_eq!((scores[0].eligible, scores[0].reason), (false, reason::NO_COMMON));
    assert_eq!((scores[1].eligible, scores[1].reason), (false, reason::TOO_LOW));
}

#[test]
fn an_agent_with_a_tag_that_cannot_be_read_has_no_language_of_it() {
    let request = Request { language: Some("en"), ..Request::default() };
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
    ] {
        let error = testing::create::<Language>(config).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn the_schema_names_every_key_with_its_default() {
    let schema: serde_json::Value = serde_json::from_str(Language::CONFIG_SCHEMA).unwrap();
    let properties = schema["properties"].as_object().unwrap();
    let defaults: serde_json::Value =
        properties.iter().map(|(key, property)| (key.clone(), property["default"].clone())).collect();
    assert_eq!(serde_json::from_value::<Config>(defaults).unwrap(), Config::default());
    assert_eq!(serde_json::to_value(Config::default()).unwrap().as_object().unwrap().len(), properties.len());
}

fn tags() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "en", "en-GB", "en-US", "zh", "zh-Hant", "zh-Hans", "cmn", "yue", "da", "nb", "no", "de", "pt-BR",
    ])
}

proptest! {
    #[test]
    fn whoever_speaks_the_very_language_natively_is_as_good_as_can_be(tag in tags(), level in 1.0_f32..=7.0, complexity in 0.0_f32..=1.0) {
        let request = Request { language: Some(tag), language_level: Some(level), complexity, ..Request::default() };
        let scores = score(&request, &[agent(&[(tag, 7.0)])]);
        prop_assert_eq!((scores[0].score, scores[0].reason), (1.0, reason::AT_LEVEL));
    }

    #[test]
    fn more_language_never_scores_less(
        wanted in tags(), first in tags(), second in tags(), levels in [1.0_f32..=7.0, 1.0_f32..=7.0], more in 0.0_f32..=3.0,
    ) {
        let request = Request { language: Some(wanted), language_level: Some(6.0), ..Request::default() };
        let poor = agent(&[(first, levels[0])]);
        let better = agent(&[(first, (levels[0] + more).min(7.0)), (second, levels[1])]);
        let scores = score(&request, &[poor, better]);
        prop_assert!(!scores[0].eligible || scores[1].eligible);
        prop_assert!(scores[1].score >= scores[0].score - 1e-6, "{:?}", scores);
    }

    #[test]
    fn no_text_as_a_tag_breaks_anything(wanted in ".{0,20}", level in 1.0_f32..=7.0) {
        let request = Request { language: Some(&wanted), language_level: Some(level), ..Request::default() };
        // `testing::score` refuses what a host would refuse.
        score(&request, &[agent(&[("en", 5.0)])]);
    }
}
