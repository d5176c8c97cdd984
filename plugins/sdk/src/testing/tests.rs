//! The bench and the conformance test, with a matcher that keeps the contract and with some that do not.

use std::collections::BTreeMap;

use garde::Validate;
use heartline_plugin_abi::{LogLevel, Status};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::*;
use crate::{
    AttributeValue, Candidates, Explain, Extensions, Factor, Factors, Learn, Outcome, Outcomes, Reason, State,
};

/// Likes agents of the preferred site and those whose calls ended well; breaks the contract where it is told to.
struct Local {
    config: Config,
    resolved: u32,
    calls: u32,
}

/// The configuration.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
struct Config {
    /// The preferred site.
    #[garde(length(min = 1))]
    site: String,
    /// How to break the contract.
    #[garde(skip)]
    vice: Vice,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Vice {
    None,
    Moves,
    LooksAtTheRow,
    NeedsOutcomes,
    LeavesRowsOut,
    ExplainsAnother,
    ForgetsState,
    HasStrangeMetrics,
}

impl Default for Config {
    fn default() -> Self {
        Self { site: "Leeds".to_owned(), vice: Vice::None }
    }
}

impl Local {
    fn parts(&self, candidates: &Candidates<'_>, row: usize) -> (f32, f32) {
        let site = candidates.attribute("site").and_then(|site| site.text(row));
        let is_local = site.is_some_and(|site| site == self.config.site);
        (f32::from(is_local) * 0.75, 0.25 * (self.resolved as f32 + 1.0) / (self.calls as f32 + 2.0))
    }
}

impl Matcher for Local {
    type Config = Config;
    const ID: &'static str = "local";
    const NAME: &'static str = "Local";
    const VERSION: &'static str = "1";
    const DESCRIPTION: &'static str = "Likes agents of a site.";
    const REASONS: &'static [Reason] = &[Reason { code: 1, text: "by site" }];
    const EXTENSIONS: Extensions<Self> = Extensions::none().explain().learn().state();

    fn create(config: Config) -> Result<Self, MatcherError> {
        crate::log(LogLevel::INFO, "made");
        Ok(Self { config, resolved: 0, calls: 0 })
    }

    fn score(
        &mut self,
        _: &Request<'_>,
        candidates: &Candidates<'_>,
        scores: &mut Scores<'_>,
    ) -> Result<(), MatcherError> {
        let vice = self.config.vice;
        if vice == Vice::Moves {
            self.calls += 1;
        }
        if vice == Vice::NeedsOutcomes && candidates.len() > candidates.outcome_rows().len() {
            return Err(MatcherError::Failed("no outcomes".to_owned()));
        }
        for row in 0..candidates.len() {
            let (site, record) = self.parts(candidates, row);
            let score = if vice == Vice::LooksAtTheRow { 1.0 / (row + 1) as f32 } else { site + record };
            if vice != Vice::LeavesRowsOut || row % 2 == 0 {
                scores.set(row, Score { score, eligible: true, confidence: 1.0, reason: 1 });
            }
        }
        let name = if vice == Vice::HasStrangeMetrics { "Local Agents" } else { "local_agents" };
        crate::metric(name, candidates.len() as f64);
        Ok(())
    }
}

impl Explain for Local {
    fn explain<'call>(
        &mut self,
        _: &Request<'call>,
        candidates: &Candidates<'call>,
        row: usize,
        factors: &mut Factors<'_, 'call>,
    ) -> Result<(), MatcherError> {
        let (site, record) = self.parts(candidates, row);
        let subject = candidates.attribute("site").and_then(|site| site.text(row)).unwrap_or_default();
        factors.push(Factor { name: "site", subject, value: site / 0.75, weight: 0.75, contribution: site });
        if self.config.vice != Vice::ExplainsAnother {
            let value = record / 0.25;
            factors.push(Factor { name: "record", subject: "", value, weight: 0.25, contribution: record });
        }
        Ok(())
    }
}

impl Learn for Local {
    fn learn(&mut self, _: &Request<'_>, _: &Candidates<'_>, outcome: &Outcome) -> Result<(), MatcherError> {
        self.calls += 1;
        self.resolved += u32::from(outcome.is_resolved == Some(true));
        Ok(())
    }
}

impl State for Local {
    fn save(&self) -> Result<Vec<u8>, MatcherError> {
        Ok([self.resolved, self.calls].map(u32::to_le_bytes).concat())
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), MatcherError> {
        let Some((resolved, calls)) = bytes.split_first_chunk::<4>().filter(|(_, rest)| rest.len() == 4) else {
            return Err(MatcherError::State(format!("{} bytes instead of 8", bytes.len())));
        };
        self.resolved = u32::from_le_bytes(*resolved);
        if self.config.vice != Vice::ForgetsState {
            self.calls = u32::from_le_bytes([calls[0], calls[1], calls[2], calls[3]]);
        }
        Ok(())
    }
}

fn agents() -> Agents {
    Agents::new(&[
        Agent::default().attribute("site", "Leeds").attribute("tenure_months", 30.0),
        Agent::default().attribute("site", "重庆").attribute("night_shift", true),
        Agent::default(),
    ])
}

fn scores(bench: &mut Bench, agents: &Agents) -> Vec<f32> {
    let scores = bench.score(&Request::default(), agents).unwrap();
    scores.into_iter().map(|score| score.score).collect()
}

#[test]
fn a_bench_takes_the_whole_road() {
    let mut bench = Bench::new::<Local>("{}").unwrap();
    assert_eq!(bench.log_lines(), [(LogLevel::INFO, "made".to_owned())]);
    assert_eq!(scores(&mut bench, &agents()), [0.875, 0.125, 0.125]);
    assert_eq!(bench.metrics(), BTreeMap::from([("local_agents".to_owned(), 3.0)]));
    assert_eq!((bench.reason(1), bench.reason(2)), (Some("by site"), None));

    let factors = bench.explain(&Request::default(), &agents(), 1).unwrap().unwrap();
    let seen: Vec<_> = factors.iter().map(|factor| (factor.name.as_str(), factor.subject.as_str())).collect();
    assert_eq!(seen, [("site", "重庆"), ("record", "")]);
    let status = bench.explain(&Request::default(), &agents(), 3).unwrap_err().status();
    assert_eq!(status, Some(Status::BAD_ARGUMENT));

    let resolved = Outcome { is_resolved: Some(true), ..Outcome::default() };
    assert!(bench.learn(&Request::default(), &Agents::new(&[Agent::default()]), &resolved).unwrap());
    let state = bench.save().unwrap().unwrap();
    assert_eq!(state, [1, 0, 0, 0, 1, 0, 0, 0]);
    let mut heir = Bench::new::<Local>("{}").unwrap();
    assert!(heir.load(&state).unwrap());
    assert_eq!(scores(&mut heir, &agents()), scores(&mut bench, &agents()));
    assert_eq!(heir.load(&state[1..]).unwrap_err().status(), Some(Status::BAD_STATE));
}

#[test]
fn a_bench_refuses_configurations_as_a_host_does() {
    for config in ["[]", r#"{"sight": "Leeds"}"#] {
        assert!(matches!(Bench::new::<Local>(config).unwrap_err(), BenchError::Refused(_)), "{config}");
    }
    let error = Bench::new::<Local>(r#"{"site": ""}"#).unwrap_err();
    assert_eq!(error.status(), Some(Status::BAD_CONFIG), "{error}");
}

#[test]
fn every_column_and_attribute_arrives_through_the_c_functions() {
    let outcomes = Outcomes { resolved: 4, unresolved: 3, upset_resolved: 2, upset_unresolved: 1 };
    let agent = Agent { attitude: [0.1, 0.2, 0.3, 0.4, f32::NAN], active_tasks: 2, idle_ms: 9, outcomes, ..Agent::default() };
    let agent = agent.skill("refunds", 4.5).language("yue", 7.0).attribute("night_shift", false);
    let agents = Agents::new(&[Agent::default().attribute("tenure_months", 12.5), agent]);
    let raw = raw::RawAgents::new(&agents);
    let shape = raw.to_abi();
    // SAFETY: the shape leads to columns that live until the end of this test.
    let read = unsafe { Candidates::from_abi(&raw const shape) }.unwrap();
    assert_eq!((read.len(), read.snapshot()), (2, Some(agents.snapshot)));
    assert_eq!(read.skills(0).count() + read.languages(0).count(), 0);
    assert_eq!(read.skills(1).collect::<Vec<_>>(), [(0, 4.5)]);
    assert_eq!((read.skill_names(), read.language_tags()), (["refunds"].as_slice(), ["yue"].as_slice()));
    assert_eq!(read.attitude(1)[..4], [0.1, 0.2, 0.3, 0.4]);
    assert!(read.attitude(0)[0].is_nan() && read.attitude(1)[4].is_nan());
    assert_eq!((read.active_tasks(1), read.capacity(1), read.idle_ms(1)), (2, 1, 9));
    assert_eq!((read.outcomes(0), read.outcomes(1)), (Outcomes::default(), outcomes));
    let names: Vec<&str> = read.attributes().iter().map(|attribute| attribute.name).collect();
    assert_eq!(names, ["night_shift", "tenure_months"]);
    let (night, tenure) = (read.attribute("night_shift").unwrap(), read.attribute("tenure_months").unwrap());
    assert_eq!((night.flag(0), night.flag(1), night.text(1)), (None, Some(false), None));
    assert_eq!((tenure.number(0), tenure.number(1)), (Some(12.5), None));
    assert_eq!(tenure.value(0), Some(AttributeValue::Number(12.5)));
    assert!(read.attribute("site").is_none());
}

#[test]
fn null_columns_read_as_nothing_known() {
    let agents = Agents::new(&[Agent { active_tasks: 3, capacity: 9, idle_ms: 5, ..Agent::default().skill("refunds", 2.0) }]);
    let bare = Column::ALL.into_iter().fold(agents, Agents::without);
    let raw = raw::RawAgents::new(&bare);
    let shape = raw.to_abi();
    assert!(shape.skill_offsets.is_null() && shape.attitudes.is_null() && shape.outcomes.is_null());
    // SAFETY: the shape leads to columns that live until the end of this test.
    let read = unsafe { Candidates::from_abi(&raw const shape) }.unwrap();
    assert_eq!((read.len(), read.skills(0).count(), read.languages(0).count()), (1, 0, 0));
    assert_eq!((read.active_tasks(0), read.capacity(0), read.idle_ms(0)), (0, 1, 0));
    assert!(read.attitude(0).iter().all(|value| value.is_nan()));
    assert_eq!(read.outcomes(0), Outcomes::default());
    assert!(read.attributes().is_empty() && read.attitudes().is_empty() && read.outcome_rows().is_empty());
}

#[test]
fn the_request_arrives_through_the_c_functions() {
    let agents = Agents::new(&[Agent::default().skill("billing", 1.0).skill("refunds", 2.0)]);
    let request = Request {
        emotion: Emotion { valence: -0.5, ..feeling(Category::Sadness, 0.7, 0.9) },
        needs: vec![must("refunds", 3.0), helps("nobody has this", 1.0)],
        languages: vec![speaks("zh-Hans", 0.75), Spoken { level: Some(2.0), ..speaks("en", 0.25) }],
        interpreter: true,
        complexity: 0.25,
        waiting_ms: 4,
        time_limit: Some(std::time::Duration::from_micros(5)),
    };
    let raw = raw::RawRequest::new(&request, &agents);
    let shape = raw.to_abi();
    // SAFETY: the shape leads to values that live until the end of this test.
    let read = unsafe { Request::from_abi(&raw const shape) }.unwrap();
    let mut expected = request.clone();
    expected.needs[0].skill = Some(1);
    assert_eq!(read, expected);
}

fn faults(vice: &str) -> String {
    conforms::<Local>(&format!(r#"{{"vice": "{vice}"}}"#)).unwrap_err().to_string()
}

#[test]
fn a_matcher_that_keeps_the_contract_conforms() {
    conforms::<Local>("{}").unwrap();
    let night = Agent::default().attribute("night_shift", true);
    conforms_with::<Local>("{}", &[night], &[Request { waiting_ms: 3, ..Request::default() }]).unwrap();
}

#[test]
fn a_matcher_that_does_not_is_told_how() {
    for (vice, words) in [
        ("moves", "asked again: another answer"),
        ("looks_at_the_row", "depends on the row"),
        ("needs_outcomes", "without Outcomes"),
        ("leaves_rows_out", "was not set"),
        ("explains_another", "the contributions sum to"),
        ("forgets_state", "loaded and saved, the state has other bytes"),
        ("has_strange_metrics", "a host drops the metric \"Local Agents\""),
    ] {
        let faults = faults(vice);
        assert!(faults.contains(words), "{vice}: {faults}");
    }
}

#[test]
fn the_rust_type_alone_is_held_to_the_same_answer() {
    let mut matcher: Local = create("{}").unwrap();
    assert_eq!(score(&mut matcher, &Request::default(), &agents()).unwrap()[0].score, 0.875);
    let mut matcher: Local = create(r#"{"vice": "leaves_rows_out"}"#).unwrap();
    let error = score(&mut matcher, &Request::default(), &agents()).unwrap_err();
    assert!(error.to_string().contains("row 1 was not set"), "{error}");
}
