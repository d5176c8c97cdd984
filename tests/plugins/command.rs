//! The command itself: its arguments, its exit codes, its table and its list of cases.

use std::path::Path;

use super::support::{check, found, hostile, shipped};

#[test]
fn the_table_is_for_people() {
    let run = check(&shipped("skill"), &["--case", "load", "--case", "one-agent"]);
    assert_eq!(run.code, 0, "{}", run.faults);
    assert!(run.output.starts_with("skill "), "{}", run.output);
    assert!(run.output.contains("one-agent") && run.output.contains("a score of"), "{}", run.output);
    assert!(run.output.contains("conforms: 2 passed, 0 with a warning, 0 failed"), "{}", run.output);
}

#[test]
fn wrong_usage_is_64_and_a_missing_file_is_69() {
    let skill = shipped("skill");
    for arguments in [
        ["--case", "nothing"],
        ["--case", "output"],
        ["--matcher-config", "{"],
        ["--rounds", "0"],
        // These are the server's, and would say nothing here.
        ["--config", "heartline.toml"],
        ["--set", "plugins.max_generations=3"],
    ] {
        let run = check(&skill, &arguments);
        assert_eq!(run.code, 64, "{arguments:?} {}", run.faults);
    }
    let run = check(&skill, &["--case", "nothing"]);
    assert!(run.faults.contains("one-agent"), "the names of the cases are told: {}", run.faults);
    let run = check(&skill, &["--matcher-config", "nowhere.json"]);
    assert_eq!((run.code, run.faults.contains("nowhere.json")), (69, true), "{}", run.faults);
    let run = check(Path::new("nowhere.so"), &[]);
    assert_eq!((run.code, run.faults.contains("there is no file nowhere.so")), (69, true), "{}", run.faults);
}

#[test]
fn a_file_that_is_no_library_does_not_conform() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let run = check(&file, &["--json"]);
    let report = run.json();
    assert_eq!(run.code, 1);
    let (outcome, words) = found(&report, "load");
    assert!(outcome == "fail" && words.contains("as a shared library"), "{words}");
    assert!(report["matcher"].is_null());
}

#[test]
fn instances_get_the_configuration_that_was_given() {
    let Some(file) = hostile("good", "configuration") else { return };
    let run = check(&file, &["--json", "--case", "one-agent", "--matcher-config", r#"{"a": 1}"#]);
    let report = run.json();
    assert_eq!(run.code, 1);
    let (_, words) = found(&report, "one-agent");
    assert!(words.contains(r#"{"a": 1}: it answered status 2 (BAD_CONFIG): expected {}"#), "{words}");
    assert_eq!(report["config"], r#"{"a": 1}"#);
}
