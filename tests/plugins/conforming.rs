//! Plugins that conform: the shipped matchers, the example in C, and a test plugin with every extension.

use std::path::Path;

use super::support::{check, compile, found, hostile, shipped};

/// Checks a whole plugin with few random rankings, and that it conforms without a failed case.
fn assert_conforms(file: &Path, id: &str) -> serde_json::Value {
    let run = check(file, &["--json", "--rounds", "100"]);
    let report = run.json();
    assert_eq!(run.code, 0, "{}{}", run.output, run.faults);
    assert_eq!((report["conforms"].as_bool(), report["matcher"]["id"].as_str()), (Some(true), Some(id)));
    assert_eq!(report["counts"]["fail"], 0, "{}", run.output);
    assert_eq!(report["matcher"]["abi"], "1.0");
    report
}

#[test]
fn the_skill_matcher_conforms() {
    assert_conforms(&shipped("skill"), "skill");
}

#[test]
fn the_attitude_matcher_conforms() {
    assert_conforms(&shipped("attitude"), "attitude");
}

#[test]
fn the_language_matcher_conforms() {
    assert_conforms(&shipped("language"), "language");
}

#[test]
fn the_example_in_c_conforms() {
    let Some(file) = compile("plugins/examples/c/idle.c", "example") else { return };
    assert_conforms(&file, "example.idle");
}

#[test]
fn a_plugin_with_every_extension_passes_every_case() {
    let Some(file) = hostile("good", "every_extension") else { return };
    let report = assert_conforms(&file, "test.hostile");
    let cases = report["cases"].as_array().unwrap();
    assert!(cases.iter().all(|case| case["outcome"] == "pass"), "{report:#}");
    assert!(found(&report, "learn").1.contains("changed the scores"), "{report:#}");
    assert!(found(&report, "state").1.starts_with("8 bytes there and back"), "{report:#}");
}

#[test]
fn outcomes_may_be_refused_and_a_state_may_be_no_bytes() {
    let Some(file) = hostile("choosy", "every_liberty") else { return };
    let report = assert_conforms(&file, "test.hostile");
    assert!(found(&report, "learn").1.contains("of them refused, changed the scores"), "{report:#}");
    let (outcome, words) = found(&report, "state");
    assert!(outcome == "pass" && words.starts_with("8 bytes there and back"), "{report:#}");
}

#[test]
fn the_numbers_of_snapshots_can_be_trusted() {
    let Some(file) = hostile("trusting_numbers", "snapshots") else { return };
    let report = assert_conforms(&file, "test.hostile");
    assert_eq!(found(&report, "learn").0, "pass", "{report:#}");
}
