//! A crate that `heartline plugins new` has just written builds, passes its tests, and is a matcher.

use heartline_plugin_host::{HostError, ScoreRequest};

use crate::support::{candidates, empty_folder, has, load, prepare_crate, run, scores, shell};

#[test]
fn a_new_crate_builds_passes_its_tests_and_loads() {
    if !has("cargo") {
        return;
    }
    let folder = empty_folder("new_crate");
    let said = run(&folder, "heartline plugins new after-hours --sdk \"$HEARTLINE/plugins/sdk\"");
    assert!(said.contains("next: cd after-hours && cargo test"), "{said}");
    let folder = folder.join("after-hours");
    prepare_crate(&folder);
    let tested = run(&folder, "cargo test --release");
    assert!(tested.contains("it_keeps_the_contract ... ok"), "{tested}");
    let measured = run(&folder, "cargo bench");
    assert!(measured.contains(" 100000 agents: "), "{measured}");
    run(&folder, "cargo build --release");

    let library = folder.join("target/release").join(heartline_plugin_host::library_file_name("after-hours"));
    let mut matcher = load(&library, "{}");
    assert_eq!(matcher.descriptor().id, "com.example.after-hours");
    assert_eq!(matcher.descriptor().name, "After Hours");
    let request = ScoreRequest::default();
    assert_eq!(scores(&mut matcher, &request), [(1.0, true), (0.5, true), (0.0, false)]);
    let explanation = matcher.explain(&request, &candidates(), 1).unwrap().unwrap();
    let sum: f32 = explanation.factors.iter().map(|factor| factor.contribution).sum();
    assert_eq!((explanation.factors.len(), sum), (2, 0.5));

    let opened = heartline_plugin_host::Host::default().open(&library).unwrap();
    let schema = opened.config_schema().unwrap();
    assert_eq!(schema.json()["properties"]["room_weight"]["maximum"], 1.0);
    assert_eq!(schema.json()["properties"]["rested_after_ms"]["default"], 600_000);
    let error = opened.create(r#"{"room_weight": 2}"#).unwrap_err();
    assert!(matches!(error, HostError::ConfigInvalid { .. }), "{error}");
    assert!(run(&folder, "heartline plugins check target/release/libafter_hours.so").contains("conforms"));
}

#[test]
fn a_new_crate_is_formatted() {
    if !has("rustfmt") {
        return;
    }
    let folder = empty_folder("formatted");
    // A short and a long name, because names decide where lines break and in which order they stand.
    for name in ["zebra", "an-ordinary-name"] {
        run(&folder, &format!("heartline plugins new {name} --sdk \"$HEARTLINE/plugins/sdk\""));
        run(
            &folder,
            &format!("cd {name} && rustfmt --edition 2024 --check src/lib.rs tests/*.rs benches/*.rs"),
        );
    }
}

#[test]
fn what_is_there_already_stays() {
    let folder = empty_folder("refused");
    std::fs::write(folder.join("precious"), "mine").unwrap();
    for (script, words) in [
        ("heartline plugins new tenure --folder .", "not empty"),
        ("heartline plugins new Tenure", "lower-case words"),
        ("heartline plugins new tenure --sdk .", "no heartline-plugin-sdk"),
        ("cd / && heartline plugins new tenure --folder /nowhere/tenure", "--sdk"),
    ] {
        let output = shell(&folder, script).output().unwrap();
        let faults = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(64), "{script}: {faults}");
        assert!(faults.contains(words), "{script}: {faults}");
    }
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
}
