//! Hostile plugins: each fails, in the case and with the words that tell what is wrong.

use super::support::{check, found, hostile};

/// Checks one hostile plugin in one case, and that it fails with a sentence that contains these words.
fn assert_fails(name: &str, case: &str, words: &str) {
    assert_outcome(name, case, ("fail", 1, words), &[]);
}

fn assert_outcome(name: &str, case: &str, (outcome, code, words): (&str, i32, &str), more: &[&str]) {
    let Some(file) = hostile(name, &format!("hostile_{case}")) else { return };
    let limits =
        ["--json", "--time-limit-ms", "1000", "--memory-mib", "128", "--rounds", "60", "--case", case];
    let run = check(&file, &[&limits[..], more].concat());
    let report = run.json();
    let (found_outcome, found_words) = found(&report, case);
    assert_eq!((found_outcome, run.code), (outcome, code), "{name}: {found_words}{}", run.faults);
    assert!(found_words.contains(words), "{name}: \"{words}\" is not in \"{found_words}\"");
    // A failure is told on standard error too, where a person sees it who asked for JSON.
    assert_eq!(run.faults.contains("does not conform"), code == 1, "{}", run.faults);
}

#[test]
fn a_wrong_version() {
    assert_fails("wrong_version", "load", "was built for matcher ABI 2.0, this host serves 1.0");
}

#[test]
fn a_null_entry() {
    assert_fails("null_entry", "load", "has no function score");
}

#[test]
fn a_panic_behind_a_fence() {
    assert_fails("panicking", "one-agent", "it answered status 4 (PANICKED): no mood");
}

#[test]
fn a_slow_one() {
    assert_fails("slow", "deadline", "it is too slow: 1000 agents take 8");
    assert_outcome("slow", "threads", ("pass", 0, "threads at once"), &[]);
}

#[test]
fn a_hanging_one() {
    assert_fails("hanging", "one-agent", "it did not answer within 1 s while scoring 1 agent");
}

#[test]
fn a_lie_about_lengths() {
    assert_fails("lying", "one-agent", "the answer is not valid: it has 6 rows for 1 candidates");
}

#[test]
fn scores_that_are_no_numbers() {
    assert_fails("nan", "one-agent", "the score of candidate 0 is NaN, it must be between 0 and 1");
}

#[test]
fn an_abort() {
    assert_fails("aborting", "one-agent", "it crashed (signal 6, abort) while scoring 1 agent");
}

#[test]
fn a_leak() {
    assert_fails(
        "leaking",
        "leaks",
        "it leaks memory: an instance that is created, used and destroyed leaves about 4",
    );
}

#[test]
fn writing_out_of_range() {
    assert_fails("out_of_range", "one-agent", "it wrote out of range: 1 behind the last element of eligible");
}

#[test]
fn a_memory_hog() {
    assert_fails("hogging", "one-agent", "it took more than 128 MiB of memory while scoring 1 agent");
}

#[test]
fn ending_the_process() {
    assert_fails("exiting", "one-agent", "it ended the process while scoring 1 agent");
    assert_fails("late_crash", "create", "it crashed (signal 6, abort) when its process ended");
}

#[test]
fn writing_to_what_is_lent() {
    assert_fails("scribbling", "answers", "it changed the columns, which are read-only");
}

#[test]
fn reading_a_column_that_is_missing() {
    assert_fails("null_column", "missing-columns", "while scoring without active_tasks");
}

#[test]
fn answers_that_change() {
    assert_fails("moody", "determinism", "the same input gives another answer the second time");
    assert_fails("remembering", "determinism", "it remembers columns that have changed since");
    let words = "the order of the agents changes their scores";
    assert_outcome("by_row", "permutation", ("warning", 0, words), &[]);
}

#[test]
fn factors_that_do_not_add_up() {
    assert_fails("wrong_sums", "explain", "the contributions sum to -1, more than 0.01 away");
}

#[test]
fn states_that_are_not_kept() {
    assert_fails("forgetful", "state", "it saves other bytes the second time although nothing has changed");
    assert_fails("gullible", "state", "was refused, and yet it has changed something");
    assert_fails("sly", "state", "an outcome that it refused has changed its state");
}

#[test]
fn texts_for_what_means_nothing() {
    assert_fails("endless_reasons", "unknown-ids", "random reason codes, which mean nothing");
    assert_fails("bad_text", "one-agent", "the message is not UTF-8");
}

#[test]
fn texts_that_change() {
    let words = "the text of the reason code 1 was overwritten since it was handed out";
    assert_fails("one_buffer", "texts", words);
    assert_fails("counting", "texts", "the schema is \"{\\\"type\\\"");
}

#[test]
fn insisting_on_exact_sizes() {
    let words = "with structures of a later minor version, ";
    for name in ["exact_scores", "exact_message", "exact_factors", "exact_outcome", "exact_writer"] {
        assert_fails(name, "growth", words);
    }
}

#[test]
fn a_careless_one_is_warned_and_fails_where_warnings_do() {
    let words = "it accepts {, which is no JSON object";
    assert_outcome("careless", "config", ("warning", 0, words), &[]);
    assert_outcome("careless", "config", ("warning", 1, words), &["--strict"]);
    // No host scores with a configuration that the schema forbids.
    assert_outcome("trusting", "config", ("warning", 0, words), &[]);
}

#[test]
fn a_chatty_one_is_warned() {
    let words = "it wrote 20 bytes to standard output in the case create: \"here I am here I am\"";
    assert_outcome("chatty", "output", ("warning", 0, words), &["--case", "create"]);
}

#[test]
fn what_cannot_score_one_agent_is_not_tried_further() {
    let Some(file) = hostile("aborting", "whole") else { return };
    let run = check(&file, &["--json"]);
    let report = run.json();
    assert_eq!((run.code, report["conforms"].as_bool()), (1, Some(false)));
    assert_eq!(found(&report, "create").0, "pass");
    assert_eq!(found(&report, "leaks"), ("skipped", "because one-agent failed"));
    assert!(
        run.faults.contains("one-agent: it crashed (signal 6, abort) while scoring 1 agent"),
        "{}",
        run.faults
    );
}

#[test]
fn a_crash_in_random_rankings_is_shown_again_by_its_seed() {
    let Some(file) = hostile("null_column", "seed") else { return };
    let report = check(&file, &["--json", "--case", "fuzz"]).json();
    let (outcome, words) = found(&report, "fuzz");
    assert_eq!(outcome, "fail", "{words}");
    let seed = words.split("--seed ").nth(1).unwrap().split(' ').next().unwrap();
    let again = check(&file, &["--json", "--case", "fuzz", "--seed", seed, "--rounds", "1"]).json();
    assert_eq!(found(&again, "fuzz"), (outcome, words));
}
