//! Runs the program.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder where building the tests puts the matchers' libraries: that of the test programs.
pub(crate) fn plugin_folder() -> PathBuf {
    std::env::current_exe().unwrap().parent().unwrap().to_path_buf()
}

/// What the program did.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) output: String,
    pub(crate) faults: String,
}

impl Run {
    pub(crate) fn assert_success(&self) -> &str {
        assert_eq!(self.code, 0, "{}{}", self.output, self.faults);
        &self.output
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(self.assert_success()).unwrap_or_else(|error| panic!("{error}: {}", self.output))
    }

    /// Checks the exit code, and that the fault names all of these.
    pub(crate) fn assert_fault(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{}{}", self.output, self.faults);
        for word in words {
            assert!(self.faults.contains(word), "\"{word}\" is not in: {}", self.faults);
        }
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            output: String::from_utf8_lossy(&output.stdout).into_owned(),
            faults: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// The program, with the matchers of this build, on the CPU.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heartline"));
    let plugins = format!("plugins.folder={}", plugin_folder().display());
    command.args(arguments).args(["--set", &plugins, "--set", "engine.device=cpu"]).current_dir(root());
    command
}

pub(crate) fn run(arguments: &[&str]) -> Run {
    command(arguments).output().unwrap().into()
}

/// A file with this content, in a folder that lives as long as the guard.
pub(crate) struct Scratch(tempfile::TempDir);

impl Scratch {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}
