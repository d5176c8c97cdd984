//! The example in plain C: one compiler call, and it is a matcher like any other.

use std::path::{Path, PathBuf};

use heartline_plugin_host::HostError;

use crate::support::{self, candidates, compile, request};

fn example(test: &str) -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/c/idle.c");
    compile(&source, &format!("idle_{test}"))
}

#[test]
fn it_scores_by_idle_time_and_leaves_out_the_busy() {
    let Some(path) = example("scores") else { return };
    let matcher = support::load(&path, "{}").unwrap();
    assert_eq!(matcher.descriptor().id, "example.idle");
    let scored = matcher.score(&request(), &candidates()).unwrap();
    let found: Vec<_> =
        (0..scored.len()).map(|row| (scored.row(row).score, scored.row(row).eligible)).collect();
    assert_eq!(found, [(0.5, true), (0.0, false), (0.0, true)]);
    assert_eq!(scored.row(1).reason, "has no room for another task");
    assert_eq!(matcher.metrics(), [("busy_agents".to_owned(), 1.0)]);
}

#[test]
fn it_reads_its_configuration_and_refuses_another() {
    let Some(path) = example("configuration") else { return };
    let matcher = support::load(&path, r#" { "full_score_seconds" : 300 } "#).unwrap();
    assert_eq!(matcher.score(&request(), &candidates()).unwrap().scores[0], 1.0);
    for config in [r#"{"full_score_seconds": 0}"#, r#"{"seconds": 1}"#, r#"{"full_score_seconds": "1"}"#] {
        let error = support::load(&path, config).unwrap_err();
        assert!(
            matches!(&error, HostError::ConfigInvalid { reason, .. } if reason.contains("seconds")),
            "{error}"
        );
    }
}
