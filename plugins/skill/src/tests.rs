//! The matcher as a host would use it.

use heartline_plugin_sdk::config_schema;
use heartline_plugin_sdk::testing::{self, Agent, Agents};
use serde_json::Value;

use super::*;

const NAMES: [&str; 3] = ["refunds", "billing", "technical"];

fn agent(skills: &[(&'static str, f32)]) -> Agent {
    Agent { skills: skills.to_vec(), ..Agent::default() }
}

fn matcher() -> Skill {
    testing::create("{}").unwrap()
}

fn score(agents: &[Agent], request: Request<'static>, needs: &[(&'static str, f32, bool)]) -> Vec<Score> {
    let agents = Agents::new(agents);
    let request = agents.resolve(request, needs);
    testing::score(&mut matcher(), &request, &agents).unwrap()
}

#[test]
fn the_numbers_in_the_documentation_are_right() {
    let agents = [
        agent(&[("refunds", 4.0), ("billing", 3.0)]),
        agent(&[("refunds", 4.0)]),
        agent(&[("refunds", 3.0), ("billing", 2.0)]),
        agent(&[("refunds", 2.0), ("billing", 5.0)]),
        agent(&[("billing", 5.0)]),
    ];
    let needs = [("refunds", 3.0, true), ("billing", 2.0, false)];
    let request = Request { complexity: 0.5, ..Request::default() };
    let scores = score(&agents, request.clone(), &needs);
    let expected = [
        (0.990, true, reason::ALL_AT_LEVEL),
        (0.707, true, reason::HELPFUL_MISSING),
        (0.875, true, reason::BELOW_LEVEL),
        (0.0, false, reason::MUST_TOO_LOW),
        (0.0, false, reason::MUST_MISSING),
    ];
    for (found, (score, eligible, reason)) in scores.iter().zip(expected) {
        assert!((found.score - score).abs() < 0.001, "{found:?} instead of {score}");
        assert_eq!((found.eligible, found.reason), (eligible, reason), "{found:?}");
    }
    // After three minutes half of the two levels is taken off: 2.5 is asked instead of 3.5, and the fourth agent will do.
    let waited = score(&agents, Request { waiting_ms: 180_000, ..request }, &needs);
    assert_eq!((waited[3].eligible, waited[3].reason), (true, reason::RELAXED));
    assert!((waited[3].score - 0.896).abs() < 0.001, "{:?}", waited[3]);
    assert!(!waited[4].eligible, "no wait replaces a skill that is not there");
}

#[test]
fn nothing_asked_means_no_say() {
    let scores = score(&[Agent::default()], Request::default(), &[]);
    assert_eq!(
        scores,
        [Score { score: 1.0, eligible: true, confidence: 0.0, reason: reason::NOTHING_ASKED }]
    );
}

#[test]
fn a_skill_that_nobody_has_excludes_all_or_nobody() {
    let agents = [agent(&[("billing", 3.0)])];
    assert!(!score(&agents, Request::default(), &[("law", 1.0, true)])[0].eligible);
    let helpful = score(&agents, Request::default(), &[("law", 1.0, false)]);
    assert_eq!((helpful[0].eligible, helpful[0].score), (true, 0.0));
}

#[test]
fn helpful_skills_without_weight_exclude_nobody() {
    let agents = Agents::new(&[agent(&[("billing", 3.0)])]);
    let request = agents.resolve(Request::default(), &[("law", 1.0, false)]);
    let mut matcher: Skill = testing::create(r#"{"helpful_weight": 0}"#).unwrap();
    assert_eq!(testing::score(&mut matcher, &request, &agents).unwrap()[0].score, 1.0);
    let factors = matcher.factors(&request, &agents.candidates(), 0).unwrap();
    assert_eq!(factors.iter().map(|factor| factor.contribution).sum::<f32>(), 1.0);
}

#[test]
fn bad_configurations_are_refused_by_key() {
    for (config, word) in [
        (r#"{"gap_cost": -1}"#, "gap_cost"),
        (r#"{"relax_after_ms": 10, "relax_full_ms": 5}"#, "relax_full_ms"),
        (r#"{"gap_costs": 1}"#, "gap_costs"),
        (r#"{"relax_levels": "two"}"#, "string"),
        (r#"{"surplus_cost": 0.3}"#, "surplus_cost"),
        (r#"{"must_have_until_ms": 86400001}"#, "must_have_until_ms"),
    ] {
        let error = testing::create::<Skill>(config).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}

/// The ranges of the numbers; integers are at least 0.
const RANGES: [(&str, f64, f64); 10] = [
    ("complexity_levels", 0.0, 4.0),
    ("gap_cost", 0.0, 1.0),
    ("surplus_cost", 0.0, 0.25),
    ("max_gap_levels", 0.0, 4.0),
    ("helpful_weight", 0.0, 1.0),
    ("relax_after_ms", 0.0, 86_400_000.0),
    ("relax_full_ms", 0.0, 86_400_000.0),
    ("relax_levels", 0.0, 4.0),
    ("relax_step_levels", 0.0, 4.0),
    ("must_have_until_ms", 0.0, 86_400_000.0),
];

#[test]
fn the_schema_says_of_every_key_what_it_means_its_default_and_its_range() {
    let schema: Value = serde_json::from_str(config_schema::<Skill>()).unwrap();
    let defaults = serde_json::to_value(Config::default()).unwrap();
    let properties = schema["properties"].as_object().unwrap();
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(properties.len(), RANGES.len());
    for (key, low, high) in RANGES {
        let property = &properties[key];
        assert!(property["description"].as_str().is_some_and(|text| text.len() > 20), "{key}: {property}");
        assert_eq!(property["default"], defaults[key], "{key}");
        let range = [&property["minimum"], &property["maximum"]].map(Value::as_f64);
        assert_eq!(range, [Some(low), Some(high)], "{key}: {property}");
    }
}

#[test]
fn a_skill_asked_for_twice_counts_once_at_the_higher_level() {
    let agents = [agent(&[("refunds", 3.0)])];
    let twice = [("refunds", 2.0, false), ("refunds", 3.5, true)];
    assert_eq!(
        score(&agents, Request::default(), &twice),
        score(&agents, Request::default(), &[("refunds", 3.5, true)])
    );
}

#[test]
fn a_must_have_stops_excluding_after_the_time_that_the_configuration_gives() {
    let agents = Agents::new(&[agent(&[("billing", 3.0)]), agent(&[("refunds", 1.0), ("billing", 3.0)])]);
    let mut matcher: Skill = testing::create(r#"{"must_have_until_ms": 600000, "relax_levels": 0}"#).unwrap();
    for (waiting_ms, eligible, reason) in [
        (599_999, false, [reason::MUST_MISSING, reason::MUST_TOO_LOW]),
        (600_000, true, [reason::RELAXED; 2]),
    ] {
        let needs = [("refunds", 4.0, true), ("billing", 3.0, false)];
        let request = agents.resolve(Request { waiting_ms, ..Request::default() }, &needs);
        let scores = testing::score(&mut matcher, &request, &agents).unwrap();
        assert_eq!([scores[0].reason, scores[1].reason], reason);
        assert_eq!([scores[0].eligible, scores[1].eligible], [eligible; 2]);
    }
}

#[test]
fn more_needs_than_there_are_bits_are_an_error() {
    let agents = Agents::new(&[agent(&[("s0", 3.0)])]);
    let names: Vec<String> = (0..65).map(|index| format!("s{index}")).collect();
    let needs: Vec<_> = names.iter().map(|name| (name.as_str(), 1.0, false)).collect();
    let request = agents.resolve(Request::default(), &needs);
    assert!(testing::score(&mut matcher(), &request, &agents).is_err());
    let request = agents.resolve(Request::default(), &needs[..64]);
    assert!((testing::score(&mut matcher(), &request, &agents).unwrap()[0].score - 0.96 / 64.0).abs() < 1e-6);
}

#[test]
fn the_factors_are_named_by_the_skills_and_add_up() {
    let agents = Agents::new(&[agent(&[("refunds", 3.0), ("billing", 2.0)])]);
    let needs = [("billing", 2.0, false), ("refunds", 3.0, true), ("law", 3.0, false)];
    let request = agents.resolve(Request { complexity: 0.5, ..Request::default() }, &needs);
    let factors = matcher().factors(&request, &agents.candidates(), 0).unwrap();
    let names: Vec<_> = factors.iter().map(|factor| (factor.name, factor.subject)).collect();
    assert_eq!(
        names,
        [("must-have skill", "refunds"), ("helpful skill", "billing"), ("helpful skill", "law")]
    );
    assert_eq!(factors[2].contribution, 0.0);
    assert!((factors[0].value - 0.875).abs() < 1e-6 && (factors[0].weight - 1.0 / 1.8).abs() < 1e-6);
}

mod properties;
