//! The models under test, and running rows through them.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use heartline::config::Config;
use heartline::engine::Engine;
use heartline::predict::{Limits, Manifest, Predictor, Task, predict};
use serde_json::Value;

/// The shipped models; every test asks the same ones, because loading takes longer than asking.
static SHIPPED: LazyLock<(Engine, Config)> = LazyLock::new(|| start(&weights()));

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn weights() -> PathBuf {
    root().join("models/weights")
}

/// A file of this harness.
pub(crate) fn file(name: &str) -> PathBuf {
    root().join("tests/models").join(name)
}

/// Loads the models of a folder.
pub(crate) fn start(folder: &Path) -> (Engine, Config) {
    let settings = [format!("engine.models_folder={}", folder.display()), "engine.device=cpu".to_owned()];
    let config = Config::load(None, &settings).unwrap();
    let engine = Engine::start(&config.engine).unwrap();
    (engine, config)
}

/// What the shipped models say of the rows of a table or folder.
pub(crate) async fn ask_shipped(task: Task, input: &Path) -> Vec<Value> {
    let (engine, config) = &*SHIPPED;
    ask(engine, config, task, input).await
}

/// What an engine's models say, as the lines of an output.
pub(crate) async fn ask(engine: &Engine, config: &Config, task: Task, input: &Path) -> Vec<Value> {
    let manifest = Manifest::open(input, &task, Limits::default()).unwrap();
    let predictor = Predictor::new(engine.clone(), &config.engine, config.media.clone(), task);
    let mut lines = Vec::new();
    let write = |line: &heartline::predict::Line| {
        lines.push(serde_json::to_value(line).unwrap());
        Ok(())
    };
    predict(&predictor, manifest.rows().unwrap(), write).await.unwrap();
    lines
}
