//! How the program ends when something is wrong, and what it tells.

use std::net::TcpListener;

use crate::support::{Scratch, command, root, run};

#[test]
fn wrong_usage_ends_with_64() {
    run(&["analyse"]).assert_fault(64, &["analyse"]);
    run(&["analyze"]).assert_fault(64, &["--audio", "--text"]);
    run(&["analyze", "--text", "a.txt", "--skill", "refund=9"]).assert_fault(64, &["refund=9", "1 to 5"]);
    run(&["demo", "--language", "fr"]).assert_fault(64, &["fr", "zh"]);
}

#[test]
fn an_unknown_configuration_key_ends_with_64_and_the_expected_names() {
    let scratch = Scratch::new();
    let file = scratch
        .file("heartline.toml", "version = 1\n[server]\nbnid = \"127.0.0.1:1\"\n[engine]\nqueue_row = 1\n");
    let fault = run(&["serve", "--config", &file]);
    fault.assert_fault(64, &["server.bnid", "bind", "engine.queue_row", "queue_rows"]);
    run(&["demo", "--set", "server.prot=1"]).assert_fault(64, &["server.prot"]);
    run(&["demo", "--config", "/no/such/file.toml"]).assert_fault(64, &["/no/such/file.toml"]);
}

#[test]
fn a_taken_port_ends_with_69_and_says_what_to_do() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let setting = format!("server.bind={}", holder.local_addr().unwrap());
    run(&["serve", "--set", &setting])
        .assert_fault(69, &[&holder.local_addr().unwrap().to_string(), "server.bind"]);
}

#[test]
fn missing_weights_end_with_69_and_say_where_they_were_looked_for() {
    let scratch = Scratch::new();
    let empty = format!("engine.models_folder={}", scratch.path().display());
    let folder = scratch.path().display().to_string();
    run(&["demo", "--set", &empty]).assert_fault(69, &[&folder, "engine.models_folder"]);
    run(&["models", "--set", &empty]).assert_fault(69, &["missing", "engine.models_folder"]);
}

#[test]
fn one_damaged_weights_file_is_named() {
    let scratch = Scratch::new();
    let weights = root().join("models/weights");
    for model in std::fs::read_dir(&weights).unwrap().map(|entry| entry.unwrap()) {
        let from = model.path().join("1");
        if !from.is_dir() {
            continue;
        }
        let to = scratch.path().join(model.file_name()).join("1");
        std::fs::create_dir_all(&to).unwrap();
        for file in std::fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
            std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
    let setting = format!("engine.models_folder={}", scratch.path().display());
    let damaged = scratch.path().join("face/1/model.safetensors");
    std::fs::remove_file(&damaged).unwrap();
    run(&["demo", "--set", &setting]).assert_fault(69, &["face", "model.safetensors"]);
    std::fs::write(&damaged, b"damaged").unwrap();
    run(&["demo", "--set", &setting]).assert_fault(69, &["face", "sha256"]);
    let list = run(&["models", "--set", &setting]);
    list.assert_fault(69, &["1 models"]);
    assert!(list.output.contains("sha256 ok"), "the others are whole: {}", list.output);
}

#[test]
fn unreadable_media_end_with_1_and_name_what_is_wrong() {
    let scratch = Scratch::new();
    let noise = scratch.file("call.wav", b"no samples in here");
    run(&["analyze", "--audio", &noise]).assert_fault(1, &["audio"]);
    let picture = scratch.file("0ms.jpg", b"no picture in here");
    run(&["analyze", "--video", &picture]).assert_fault(1, &["0ms.jpg"]);
    run(&["analyze", "--audio", "/no/such/call.wav"]).assert_fault(1, &["/no/such/call.wav"]);
    let text = scratch.file("call.txt", [0xff, 0xfe]);
    run(&["analyze", "--text", &text]).assert_fault(1, &["call.txt", "UTF-8"]);
}

#[test]
fn agents_with_wrong_fields_end_with_1_and_are_all_named() {
    let scratch = Scratch::new();
    let text = scratch.file("call.txt", "customer: hello, where is my parcel?");
    let agents = scratch.file("agents.json", r#"[{"id": "a", "skils": {}}, {"id": "b", "capacity": -1}]"#);
    let fault = run(&["analyze", "--text", &text, "--agents", &agents]);
    fault.assert_fault(1, &["agents[0]", "skils", "agents[1]", "capacity"]);
}

#[test]
fn an_agents_voice_is_refused() {
    let audio = root().join("samples/call/speech.flac").display().to_string();
    let fault = run(&["analyze", "--audio", &audio, "--audio-role", "agent"]);
    fault.assert_fault(1, &["agent", "privacy.agent_biometrics_basis"]);
}

#[test]
fn a_missing_or_unusable_matcher_ends_with_69_and_is_named() {
    let scratch = Scratch::new();
    // The last setting of a key counts, and the runner's own comes last: so the path is absolute.
    let missing = r#"plugins.matchers=[{path = "/no/such/libmatcher.so"}]"#;
    run(&["demo", "--set", missing]).assert_fault(69, &["/no/such/libmatcher.so"]);
    let words = scratch.file("libwords.so", b"this is no library");
    let setting = format!("plugins.matchers=[{{path = \"{words}\"}}]");
    run(&["demo", "--set", &setting]).assert_fault(69, &["libwords.so"]);
    run(&["plugins", "--set", &setting]).assert_fault(69, &["do not load"]);
}

#[cfg(unix)]
#[test]
fn a_terminated_server_drains_and_ends_well() {
    use std::io::{BufRead, BufReader};
    let mut child = command(&["serve", "--set", "server.bind=127.0.0.1:0"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("http://127.0.0.1:"), "{line}");
    let told =
        std::process::Command::new("sh").args(["-c", &format!("kill {}", child.id())]).status().unwrap();
    assert!(told.success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// Compiles the fixture of a matcher for an interface of the future; none where the machine has no C compiler.
fn future_matcher(scratch: &Scratch) -> Option<String> {
    let library = scratch.path().join("libfuture.so");
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let compiled = std::process::Command::new(&compiler)
        .args(["-std=c99", "-fPIC", "-shared", "-fvisibility=hidden", "-I"])
        .arg(root().join("plugins/abi/include"))
        .arg(root().join("plugins/host/tests/fixtures/wrong_major.c"))
        .arg("-o")
        .arg(&library)
        .output();
    match compiled {
        Err(error) => {
            eprintln!("SKIPPED: no C compiler `{compiler}` on this machine ({error})");
            None
        }
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            Some(library.display().to_string())
        }
    }
}

#[test]
fn a_matcher_for_another_interface_ends_with_69_and_both_versions() {
    let scratch = Scratch::new();
    let Some(library) = future_matcher(&scratch) else { return };
    let setting = format!("plugins.matchers=[{{path = \"{library}\"}}]");
    run(&["demo", "--set", &setting]).assert_fault(69, &["libfuture.so", "ABI 2.0", "1.0"]);
    let list = run(&["plugins", "--set", &setting]);
    list.assert_fault(69, &["1 matchers do not load"]);
    assert!(list.output.contains("libfuture.so"), "{}", list.output);
}
