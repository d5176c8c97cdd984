//! The shipped samples are whole, within the default limits, listed with their checksums, and hold what a
//! demonstration needs.

use std::path::{Path, PathBuf};

use heartline::media::{MediaLimits, WindowConfig, read_audio, read_frames, read_transcript, speech_windows};
use sha2::{Digest, Sha256};

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")
}

#[test]
fn every_call_can_be_read() {
    let limits = MediaLimits::default();
    for call in ["call", "call-zh"] {
        let folder = samples().join(call);
        let frames = read_frames(&folder.join("frames"), &limits).unwrap();
        assert!(frames.len() >= 4, "{call}");
        assert!(frames.windows(2).all(|pair| pair[0].timestamp_ms < pair[1].timestamp_ms), "{call}");
        let audio = read_audio(&folder.join("speech.flac"), &limits).unwrap();
        assert!(audio.duration_ms() > 10_000, "{call}");
        assert!(speech_windows(&audio, &WindowConfig::default()).len() >= 2, "{call}");
        let lines = read_transcript(&folder.join("transcript.txt"), &limits).unwrap();
        let customer = lines.iter().filter(|line| line.is_customer()).count();
        assert!(customer >= 6 && customer < lines.len() && lines.len() <= 10, "{call}");
        assert!(lines.windows(2).all(|pair| pair[0].start_ms < pair[1].start_ms), "{call}");
    }
}

#[test]
fn the_agents_differ_and_some_are_out_of_reach() {
    let text = std::fs::read_to_string(samples().join("agents.json")).unwrap();
    let agents: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(agents.len(), 50);
    let count = |test: &dyn Fn(&serde_json::Value) -> bool| agents.iter().filter(|agent| test(agent)).count();
    assert!(count(&|agent| agent["activity"] == "offline") >= 2);
    assert!(count(&|agent| agent["active_tasks"].as_u64() >= agent["capacity"].as_u64()) >= 2);
    for language in ["en", "zh"] {
        assert!(count(&|agent| agent["languages"].get(language).is_some()) >= 10, "{language}");
    }
    for skill in ["refund", "billing", "technical"] {
        assert!(count(&|agent| agent["skills"].get(skill).is_some()) >= 10, "{skill}");
    }
    // The best of all by skill and attitude, but offline: a ranking must leave it out and say why.
    let best = &agents[6];
    assert_eq!((&best["id"], &best["activity"]), (&"agent-07".into(), &"offline".into()));
    assert!(agents.iter().all(|agent| agent.get("name").is_none()));
}

#[test]
fn every_file_is_listed_with_its_checksum() {
    let list = std::fs::read_to_string(samples().join("README.md")).unwrap();
    let mut folders = vec![samples()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(samples()).unwrap().to_str().unwrap();
            let checksum: String = Sha256::digest(std::fs::read(&path).unwrap())
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            assert!(
                name == "README.md" || list.contains(&format!("| `{name}` | `{checksum}` |")),
                "{name} {checksum}"
            );
        }
    }
}
