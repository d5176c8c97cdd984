//! The examples in plain C: one compiler call each, and they are matchers like any other.

use std::path::PathBuf;

use heartline_plugin_host::{Host, HostError, ScoreRequest};

use crate::support::{candidates, empty_folder, has, load, root, run, scores};

/// Runs the command that stands in the file's own first comment; gives the library, or nothing without a compiler.
fn build(name: &str) -> Option<PathBuf> {
    if !has("cc") {
        return None;
    }
    let source = std::fs::read_to_string(root().join(format!("plugins/examples/c/{name}.c"))).unwrap();
    let command = source.lines().find_map(|line| line.trim_start_matches(" *").trim().strip_prefix("cc "));
    let library = empty_folder(&format!("c_{name}")).join(format!("lib{name}.so"));
    let output = format!("-o {}", library.display());
    let command = command.unwrap().replace(&format!("-o lib{name}.so"), &output);
    assert!(command.ends_with(&output), "{command}");
    run(root(), &format!("cc -Wall -Wextra -Werror -pedantic {command}"));
    Some(library)
}

#[test]
fn the_idle_matcher_scores_and_reads_its_configuration() {
    let Some(library) = build("idle") else { return };
    let mut idle = load(&library, r#" { "full_score_seconds" : 600 } "#);
    let request = ScoreRequest::default();
    assert_eq!(scores(&mut idle, &request), [(1.0, true), (0.5, true), (0.0, false)]);
    assert_eq!(scores(&mut load(&library, "{}"), &request)[1], (0.5, true));
    assert_eq!(scores(&mut load(&library, r#"{"full_score_seconds": 300}"#), &request)[1], (1.0, true));
    for config in [r#"{"full_score_seconds": 0}"#, r#"{"seconds": 1}"#, r#"{"full_score_seconds": "1"}"#] {
        let error = Host::default().open(&library).unwrap().create(config).unwrap_err();
        assert!(matches!(error, HostError::ConfigInvalid { .. }), "{config}: {error}");
    }
    assert!(!idle.explains());
}

#[test]
fn the_site_matcher_reads_an_attribute_and_explains() {
    let Some(library) = build("site") else { return };
    let mut site = load(&library, "{}");
    let request = ScoreRequest::default();
    let found: Vec<f32> = scores(&mut site, &request).into_iter().map(|(score, _)| score).collect();
    assert_eq!(found, [0.5, 2.0 / 3.0, 2.0 / 3.0]);
    assert!(site.explains());
    for (row, subject) in [(0, ""), (1, "Leeds")] {
        let explanation = site.explain(&request, &candidates(), row).unwrap().unwrap();
        let factor = &explanation.factors[0];
        assert_eq!((factor.name.as_str(), factor.subject.as_str()), ("site", subject));
        assert_eq!(factor.contribution, found[row]);
    }
    let error = Host::default().open(&library).unwrap().create(r#"{"site": "Leeds"}"#).unwrap_err();
    assert!(matches!(error, HostError::ConfigInvalid { .. }), "{error}");
}
