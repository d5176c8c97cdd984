//! Recorded calls, and the program that plays them.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use heartline::app::App;
use heartline::config::Config;
use heartline::live::{
    CloseReason, Input, Origin, Session, SessionOptions, SessionUpdate, TextPart, Transport,
};
use serde_json::{Value, json};

/// A word that only a customer says.
pub(crate) const SECRET_WORD: &str = "Rumpelstiltskin";

pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// The names of everything in it.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

/// An app that records into a folder.
pub(crate) fn build(folder: &Folder, settings: &[&str]) -> App {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = vec![
        format!("engine.models_folder={}", root.join("models/weights").display()),
        "engine.device=cpu".to_owned(),
        "engine.warm_up=false".to_owned(),
        format!("live.record_folder={}", folder.path().display()),
    ];
    all.extend(settings.iter().map(|&setting| setting.to_owned()));
    let config = Config::load(None, &all).unwrap_or_else(|errors| panic!("{errors}"));
    App::build(config).unwrap_or_else(|error| panic!("{error}: {:?}", std::error::Error::source(&error)))
}

pub(crate) fn open(app: &App) -> Session {
    let options: SessionOptions = serde_json::from_value(json!({
        "call_id": "call-7", "agents": agents(2), "tracks": [{"name": "words", "kind": "text"}]
    }))
    .unwrap();
    app.live().open(options, Origin::of(Transport::Http)).unwrap()
}

pub(crate) async fn say(session: &Session, second: u64, text: &str) {
    let (start_ms, end_ms) = (Some(second * 1_000), Some(second * 1_000 + 900));
    let part = TextPart { track: 0, start_ms, end_ms, text: text.to_owned(), is_final: true };
    session.send(Input::Text(part)).await.unwrap();
}

pub(crate) async fn update(session: &Session, update: Value) {
    let update: SessionUpdate = serde_json::from_value(update).unwrap();
    session.send(Input::Update(Box::new(update))).await.unwrap();
}

/// A call in which the customer comes back to one issue, recorded with these settings; gives its file.
pub(crate) async fn recorded(folder: &Folder, settings: &[&str]) -> PathBuf {
    let app = build(folder, settings);
    let session = open(&app);
    // Streams may be settled anew until the first words.
    let options =
        json!({"agents": agents(3), "tracks": [{"name": "words", "kind": "text"}], "waiting_ms": 5_000});
    session.configure(serde_json::from_value(options).unwrap()).await.unwrap();
    for second in 0..6 {
        let text = format!("My name is {SECRET_WORD}, where is my refund? I am angry about my refund.");
        say(&session, second * 4, &text).await;
        // The words are read before the next ones come, as in a call.
        tokio::time::sleep(std::time::Duration::from_millis(30)).await;
    }
    update(&session, json!({"complexity": 0.9, "language": "en"})).await;
    say(&session, 30, "Now I want to speak with a manager about my refund.").await;
    session.close(CloseReason::Requested).await.unwrap();
    app.live().drain().await;
    folder.path().join(format!("{}.heartline-replay", session.id()))
}

/// Agents of some number.
pub(crate) fn agents(count: usize) -> Value {
    let agent = |index: usize| {
        let share = (index * 7 % 10) as f32 / 10.0;
        json!({"id": format!("agent-{index}"), "skills": {"refund": 1.0 + share * 4.0}, "languages": {"en": "native"},
               "attitude": {"warmth": share, "calm": 1.0 - share, "patience": share, "clarity": 0.5, "energy": 0.5}})
    };
    (0..count).map(agent).collect()
}

/// The lines of a recording.
pub(crate) fn lines(path: &Path) -> Vec<String> {
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// A recording of these lines.
pub(crate) fn packed(lines: &[String]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    for line in lines {
        writeln!(encoder, "{line}").unwrap();
    }
    encoder.finish().unwrap()
}

/// What the program did.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) output: String,
    pub(crate) faults: String,
}

impl Run {
    pub(crate) fn assert(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{}{}", self.output, self.faults);
        let all = format!("{}{}", self.output, self.faults);
        for word in words {
            assert!(all.contains(word), "\"{word}\" is not in: {all}");
        }
    }
}

/// Plays a recording.
pub(crate) fn replay(path: &Path, arguments: &[&str]) -> Run {
    // Building the tests puts the matchers' libraries beside the test programs.
    let plugins = std::env::current_exe().unwrap().parent().unwrap().to_path_buf();
    let output = Command::new(env!("CARGO_BIN_EXE_heartline"))
        .arg("replay")
        .arg(path)
        .args(["--set", &format!("plugins.folder={}", plugins.display())])
        .args(arguments)
        .output()
        .unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        output: String::from_utf8_lossy(&output.stdout).into_owned(),
        faults: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
