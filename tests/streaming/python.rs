//! The Python example against the real server.
//!
//! `HEARTLINE_WEBSOCKETS_PYTHON` names a Python that has the package `websockets`; without it the test says that it was
//! skipped.

use std::path::Path;
use std::process::Command;

use heartline::media::{MediaLimits, read_audio};

use crate::support::{Server, root, sample};

const VARIABLE: &str = "HEARTLINE_WEBSOCKETS_PYTHON";

/// Writes the sample's sound as a WAV file.
fn write_wav(path: &Path) {
    let samples = read_audio(&sample("call/speech.flac"), &MediaLimits::default()).unwrap().samples;
    let data: Vec<u8> =
        samples.iter().flat_map(|sample| ((sample * 32_767.0) as i16).to_le_bytes()).collect();
    let length = u32::try_from(data.len()).unwrap();
    let mut file = Vec::new();
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(36 + length).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend_from_slice(&16_000_u32.to_le_bytes());
    file.extend_from_slice(&32_000_u32.to_le_bytes());
    file.extend_from_slice(b"\x02\0\x10\0data");
    file.extend_from_slice(&length.to_le_bytes());
    file.extend_from_slice(&data);
    std::fs::write(path, file).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_example_streams_the_sample() {
    let Some(python) = std::env::var_os(VARIABLE) else {
        eprintln!("SKIPPED: {VARIABLE} does not name a Python with websockets");
        return;
    };
    let server = Server::start(&["engine.warm_up=false"]).await;
    let folder = tempfile::tempdir().unwrap();
    let wav = folder.path().join("call.wav");
    write_wav(&wav);
    let mut command = Command::new(python);
    command
        .arg(root().join("clients/python/stream_call.py"))
        .args(["--server", &format!("ws://{}", server.address), "--speed", "4"])
        .arg("--wav")
        .arg(&wav)
        .arg("--frames")
        .arg(sample("call/frames"))
        .arg("--transcript")
        .arg(sample("call/transcript.txt"))
        .arg("--agents")
        .arg(sample("agents.json"));
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    for expected in ["session ", "valence", "ranking (first)", "ended (requested)", "11000 ms of audio heard"]
    {
        assert!(said.contains(expected), "{expected} is not in:\n{said}");
    }
    assert!(!said.contains("error:"), "{said}");
}
