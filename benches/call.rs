//! The whole call: the sample's audio, frames and transcript in, its emotion vector and ranking out.
#![allow(missing_docs, reason = "criterion's macros make items without documentation")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot set up ends")]

use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use heartline::app::{AgentList, App, CallMaterial, CallOptions, Frames};
use heartline::config::Config;
use heartline::media::{MediaLimits, TranscriptLine, read_transcript};

fn build(root: &Path) -> App {
    let weights = format!("engine.models_folder={}", root.join("models/weights").display());
    App::build(Config::load(None, &[weights]).unwrap()).unwrap()
}

/// The sample's files, as a client would send them.
struct Sample {
    audio: Vec<u8>,
    agents: Vec<u8>,
    frames: std::path::PathBuf,
    transcript: Vec<TranscriptLine>,
}

impl Sample {
    fn read(root: &Path) -> Self {
        let folder = root.join("samples/call");
        Self {
            audio: std::fs::read(folder.join("speech.flac")).unwrap(),
            agents: std::fs::read(root.join("samples/agents.json")).unwrap(),
            frames: folder.join("frames"),
            transcript: read_transcript(&folder.join("transcript.txt"), &MediaLimits::default()).unwrap(),
        }
    }

    fn material(&self, parts: [bool; 3]) -> CallMaterial {
        let [audio, frames, transcript] = parts;
        CallMaterial {
            audio: audio.then(|| self.audio.clone()),
            frames: if frames { Frames::Path(self.frames.clone()) } else { Frames::None },
            transcript: transcript.then(|| self.transcript.clone()),
            agents: Some(AgentList::Json(self.agents.clone())),
            options: CallOptions::default(),
        }
    }
}

fn call(criterion: &mut Criterion) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (app, sample) = (build(root), Sample::read(root));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut group = criterion.benchmark_group("call");
    group.sample_size(10).measurement_time(Duration::from_secs(20));
    for (name, parts) in [
        ("everything", [true, true, true]),
        ("voice", [true, false, false]),
        ("face", [false, true, false]),
        ("text", [false, false, true]),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| runtime.block_on(app.analyze_call(sample.material(parts))).unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, call);
criterion_main!(benches);
