//! Folders, commands and candidates that the tests share.

use std::path::{Path, PathBuf};
use std::process::Command;

use heartline_plugin_host::{AgentColumns, AttributeValue, Candidates, Host, Instance};

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// An empty folder of this name, the same at every run, so that builds of earlier runs do not pile up.
pub(crate) fn empty_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("author").join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Whether a program is there; otherwise the test that asks says that it is skipped.
pub(crate) fn has(program: &str) -> bool {
    let works = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !works {
        eprintln!("SKIPPED: no `{program}` on this machine");
    }
    works
}

/// Prepares a folder with a Cargo.toml for a build without network: the versions of this workspace, and one target folder
/// for all such crates, in which their dependencies are built once.
pub(crate) fn prepare_crate(folder: &Path) {
    let lock = folder.join("Cargo.lock");
    if folder.join("Cargo.toml").is_file() && !lock.exists() {
        std::fs::copy(root().join("Cargo.lock"), lock).unwrap();
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("author/target");
        std::fs::create_dir_all(&target).unwrap();
        std::os::unix::fs::symlink(target, folder.join("target")).unwrap();
    }
}

/// A shell command as an author would type it: with this build's `heartline`, and without network.
pub(crate) fn shell(folder: &Path, script: &str) -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_heartline")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("sh");
    command.args(["-euc", script]).current_dir(folder).env("PATH", path).env("HEARTLINE", root());
    command.env("CARGO_NET_OFFLINE", "true").env_remove("CARGO_TARGET_DIR");
    // Crates of authors are built as authors build them, whatever this build was told.
    command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    command
}

/// Runs a shell command that must succeed; gives what it printed.
pub(crate) fn run(folder: &Path, script: &str) -> String {
    let output = shell(folder, script).output().unwrap();
    let printed =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "$ {script}\n{printed}");
    printed
}

pub(crate) fn load(library: &Path, config: &str) -> Instance {
    Host::default().open(library).unwrap().create(config).unwrap()
}

/// Three agents: one rested and free, one half rested and half busy in Leeds, one without room in Leeds.
pub(crate) fn candidates() -> Candidates {
    let leeds = [("site", AttributeValue::Text("Leeds"))];
    let veteran = [("tenure_months", AttributeValue::Number(48.0))];
    let mut builder = Candidates::builder();
    for agent in [
        AgentColumns { idle_ms: 900_000, capacity: 1, attributes: &veteran, ..AgentColumns::default() },
        AgentColumns {
            idle_ms: 300_000,
            active_tasks: 1,
            capacity: 2,
            attributes: &leeds,
            ..AgentColumns::default()
        },
        AgentColumns { active_tasks: 1, capacity: 1, attributes: &leeds, ..AgentColumns::default() },
    ] {
        builder.push(&agent).unwrap();
    }
    builder.build()
}

/// The scores of the three, and whether each is eligible.
pub(crate) fn scores(
    instance: &mut Instance,
    request: &heartline_plugin_host::ScoreRequest,
) -> Vec<(f32, bool)> {
    let scored = instance.score(request, &candidates()).unwrap();
    (0..scored.len()).map(|row| (scored.row(row).score, scored.row(row).eligible)).collect()
}
