//! What the tests share: where libraries are, how C is compiled, and a few candidates.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use heartline_plugin_host::{
    AgentColumns, Candidates, Host, HostError, HostLimits, Matcher, MatcherOptions, ScoreRequest,
    library_file_name,
};

pub(crate) fn host() -> Host {
    Host::new(HostLimits::default())
}

/// The guard of a matcher whose caller has time, so that a crowded machine fails no test.
pub(crate) fn patient() -> MatcherOptions {
    let deadline = Duration::from_secs(20);
    MatcherOptions { deadline, slow_deadline: deadline, ..MatcherOptions::default() }
}

/// Loads a matcher whose caller has time.
pub(crate) fn load(path: &Path, config: &str) -> Result<Matcher, HostError> {
    host().load_with(path, config, &patient())
}

/// The shared library that cargo built of a crate or an example of this package.
///
/// Cargo puts the libraries of dependencies beside the test's executable, those of packages that were asked for one
/// folder up, and those of examples in a folder of their own. The newest wins, where an older build left another.
pub(crate) fn built_library(name: &str) -> PathBuf {
    let executable = std::env::current_exe().unwrap();
    let deps = executable.parent().unwrap();
    let profile = deps.parent().unwrap();
    let file = library_file_name(name);
    let folders = [deps.to_owned(), profile.to_owned(), profile.join("examples")];
    let modified = |path: &PathBuf| path.metadata().and_then(|metadata| metadata.modified()).ok();
    let found = folders.iter().map(|folder| folder.join(&file)).filter(|path| path.is_file());
    found.max_by_key(modified).unwrap_or_else(|| {
        panic!("{file} is in none of {folders:?}: run all tests of this package, which builds it")
    })
}

/// The program that cargo built of an example of this package.
pub(crate) fn built_program(name: &str) -> PathBuf {
    let executable = std::env::current_exe().unwrap();
    let profile = executable.parent().and_then(Path::parent).unwrap();
    let found = profile.join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(found.is_file(), "{} is not there: run all tests of this package", found.display());
    found
}

/// The C compiler; `None` where the machine has none, and then the test that asks says that it is skipped.
fn compiler() -> Option<&'static str> {
    static COMPILER: OnceLock<Option<String>> = OnceLock::new();
    let find = || {
        let name = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
        let works = Command::new(&name).arg("--version").output().is_ok_and(|output| output.status.success());
        if !works {
            eprintln!("SKIPPED: no C compiler `{name}` on this machine, libraries in C are not tested");
        }
        works.then_some(name)
    };
    COMPILER.get_or_init(find).as_deref()
}

/// Compiles one C file into a shared library of its own; `None` where there is no compiler.
pub(crate) fn compile(source: &Path, library: &str) -> Option<PathBuf> {
    let compiler = compiler()?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(library_file_name(library));
    let build = Command::new(compiler)
        .args([
            "-std=c99",
            "-D_POSIX_C_SOURCE=200809L",
            "-O2",
            "-fPIC",
            "-shared",
            "-fvisibility=hidden",
            "-Wall",
            "-Wextra",
            "-Werror",
        ])
        .arg("-I")
        .arg(root.join("../abi/include"))
        .arg(source)
        .arg("-o")
        .arg(&output)
        .output()
        .unwrap();
    assert!(build.status.success(), "{}", String::from_utf8_lossy(&build.stderr));
    Some(output)
}

/// Compiles `tests/fixtures/<name>.c`, as a library that only the test named `test` uses.
pub(crate) fn fixture(name: &str, test: &str) -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(format!("{name}.c"));
    compile(&source, &format!("{test}_{name}"))
}

/// Three agents: an expert who is warm and speaks English, a beginner who speaks Chinese, and one of whom nothing is
/// known.
pub(crate) fn candidates() -> Arc<Candidates> {
    let mut builder = Candidates::builder();
    let expert = AgentColumns {
        skills: &[("refunds", 5.0), ("billing", 3.0)],
        languages: &[("en-GB", 7.0), ("zh", 2.0)],
        attitude: [Some(0.9), Some(0.8), Some(0.7), Some(0.6), Some(0.3)],
        active_tasks: 0,
        capacity: 2,
        idle_ms: 300_000,
        ..AgentColumns::default()
    };
    let beginner = AgentColumns {
        skills: &[("refunds", 1.0)],
        languages: &[("zh-Hans", 7.0)],
        attitude: [Some(0.2), Some(0.3), Some(0.3), Some(0.5), Some(1.0)],
        active_tasks: 1,
        capacity: 1,
        idle_ms: 900_000,
        ..AgentColumns::default()
    };
    for agent in [expert, beginner, AgentColumns { capacity: 1, ..AgentColumns::default() }] {
        builder.push(&agent).unwrap();
    }
    Arc::new(builder.build())
}

/// A customer of whom nothing is known.
pub(crate) fn request() -> Arc<ScoreRequest> {
    Arc::default()
}
