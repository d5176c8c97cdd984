//! The program: keys that it makes, and starts that it refuses.

use std::process::{Command, Output};

use serde_json::Value;

use crate::support::{root, sha256};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_heartline")).args(arguments).current_dir(root()).output().unwrap()
}

fn assert_refused(arguments: &[&str], code: i32, words: &[&str]) {
    let output = run(arguments);
    let faults = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{faults}");
    for word in words {
        assert!(faults.contains(word), "\"{word}\" is not in: {faults}");
    }
}

#[test]
fn a_new_key_is_printed_once_with_the_line_that_knows_it() {
    let output = run(&["keys", "new", "contact-centre"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let key = text.lines().find_map(|line| line.trim().strip_prefix("hlk_")).unwrap();
    let line = text.lines().find(|line| line.contains("sha256")).unwrap().trim();
    assert_eq!(
        line,
        format!("{{ name = \"contact-centre\", sha256 = \"{}\" }}", sha256(&format!("hlk_{key}")))
    );
    let json: Value = serde_json::from_slice(&run(&["keys", "new", "desk", "--json"]).stdout).unwrap();
    assert_eq!(json["sha256"].as_str().unwrap(), sha256(json["key"].as_str().unwrap()));
    assert_refused(&["keys", "new", "two words"], 64, &["two words"]);
}

#[test]
fn a_server_that_others_reach_does_not_start_without_keys() {
    for bind in ["0.0.0.0:0", "[::]:0"] {
        let setting = format!("server.bind={bind}");
        assert_refused(&["serve", "--set", &setting], 64, &["access.keys", bind, "access.open"]);
    }
    let faulty = ["serve", "--set", "access.keys=[{ name = \"a\", sha256 = \"short\" }]"];
    assert_refused(&faulty, 64, &["access.keys[0].sha256", "heartline keys new"]);
}

#[test]
fn a_certificate_that_cannot_be_used_keeps_the_server_from_starting() {
    let half = ["serve", "--set", "server.tls_certificate=/no/such/certificate.pem"];
    assert_refused(&half, 64, &["server.tls_key"]);
    let missing = [&half[..], &["--set", "server.tls_key=/no/such/key.pem"]].concat();
    assert_refused(&missing, 69, &["/no/such/certificate.pem", "server.tls_certificate"]);
}
