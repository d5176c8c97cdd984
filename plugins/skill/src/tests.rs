//! The matcher as a host would use it.

use heartline_plugin_sdk::testing::{self, Agent, Agents};
use proptest::prelude::*;

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
    testing::score(&matcher(), &request, &agents).unwrap()
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
    assert!((waited[3].score - 0.891).abs() < 0.001, "{:?}", waited[3]);
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
    let matcher: Skill = testing::create(r#"{"helpful_weight": 0}"#).unwrap();
    assert_eq!(testing::score(&matcher, &request, &agents).unwrap()[0].score, 1.0);
}

#[test]
fn bad_configurations_are_refused_by_key() {
    for (config, word) in [
        (r#"{"gap_cost": -1}"#, "gap_cost"),
        (r#"{"relax_after_ms": 10, "relax_full_ms": 5}"#, "relax_full_ms"),
        (r#"{"gap_costs": 1}"#, "gap_costs"),
        (r#"{"relax_levels": "two"}"#, "string"),
    ] {
        let error = testing::create::<Skill>(config).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn the_schema_names_every_key_with_its_default() {
    let schema: serde_json::Value = serde_json::from_str(Skill::CONFIG_SCHEMA).unwrap();
    let defaults: Config = serde_json::from_value(serde_json::Value::Object(
        schema["properties"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(key, property)| (key.clone(), property["default"].clone()))
            .collect(),
    ))
    .unwrap();
    assert_eq!(defaults, Config::default());
    let keys = serde_json::to_value(Config::default()).unwrap();
    assert_eq!(keys.as_object().unwrap().len(), schema["properties"].as_object().unwrap().len());
}

fn levels() -> impl Strategy<Value = [f32; 3]> {
    [1.0_f32..=5.0, 1.0_f32..=5.0, 1.0_f32..=5.0]
}

fn needs() -> impl Strategy<Value = Vec<(&'static str, f32, bool)>> {
    (levels(), any::<[bool; 3]>(), 1_usize..=3).prop_map(|(levels, must, count)| {
        (0..count).map(|index| (NAMES[index], levels[index], must[index])).collect()
    })
}

fn skilled(levels: [f32; 3]) -> Agent {
    agent(&[(NAMES[0], levels[0]), (NAMES[1], levels[1]), (NAMES[2], levels[2])])
}

proptest! {
    #[test]
    fn waiting_longer_never_excludes_anybody(
        needs in needs(), levels in levels(), complexity in 0.0_f32..=1.0, first in 0_u64..400_000, more in 0_u64..400_000,
    ) {
        let ask = |waiting_ms| {
            score(&[skilled(levels)], Request { complexity, waiting_ms, ..Request::default() }, &needs)[0]
        };
        prop_assert!(!ask(first).eligible || ask(first + more).eligible);
    }

    #[test]
    fn more_skill_never_excludes_and_never_scores_less_where_surplus_is_free(
        needs in needs(), levels in levels(), more in 0.0_f32..=4.0, complexity in 0.0_f32..=1.0,
    ) {
        let better = levels.map(|level| (level + more).min(5.0));
        let agents = Agents::new(&[skilled(levels), skilled(better)]);
        let request = agents.resolve(Request { complexity, ..Request::default() }, &needs);
        let matcher: Skill = testing::create(r#"{"surplus_cost": 0}"#).unwrap();
        let scores = testing::score(&matcher, &request, &agents).unwrap();
        prop_assert!(!scores[0].eligible || scores[1].eligible);
        prop_assert!(scores[1].score >= scores[0].score - 1e-6, "{:?}", scores);
    }

    #[test]
    fn complexity_never_admits_anybody(needs in needs(), levels in levels(), low in 0.0_f32..=0.5, more in 0.0_f32..=0.5) {
        let ask = |complexity| score(&[skilled(levels)], Request { complexity, ..Request::default() }, &needs)[0];
        prop_assert!(ask(low).eligible || !ask(low + more).eligible);
    }
}
