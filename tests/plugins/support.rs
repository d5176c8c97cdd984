//! Compiles plugins in C and runs the program on them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The library of a shipped matcher: building the tests puts it beside the test programs.
pub(crate) fn shipped(name: &str) -> PathBuf {
    let file = format!("{}heartline_{name}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    std::env::current_exe().unwrap().with_file_name(file)
}

/// The C compiler; `None` where the machine has none, and then the test that asks says that it is skipped.
fn compiler() -> Option<&'static str> {
    static COMPILER: OnceLock<Option<String>> = OnceLock::new();
    let find = || {
        let name = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
        let works = Command::new(&name).arg("--version").output().is_ok_and(|output| output.status.success());
        if !works {
            eprintln!("SKIPPED: no C compiler `{name}` on this machine, plugins in C are not tested");
        }
        works.then_some(name)
    };
    COMPILER.get_or_init(find).as_deref()
}

/// Compiles one C file by one call, into a library that only the test of this name uses; `None` without a compiler.
pub(crate) fn compile(source: &str, test: &str) -> Option<PathBuf> {
    let compiler = compiler()?;
    let file = format!("{}{test}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let output = Path::new(env!("CARGO_TARGET_TMPDIR")).join(file);
    let build = Command::new(compiler)
        .args(["-std=c99", "-O2", "-fPIC", "-shared", "-fvisibility=hidden", "-Wall", "-Wextra", "-Werror"])
        .arg("-I")
        .arg(root().join("plugins/abi/include"))
        .arg(root().join(source))
        .arg("-o")
        .arg(&output)
        .output()
        .unwrap();
    assert!(build.status.success(), "{}", String::from_utf8_lossy(&build.stderr));
    Some(output)
}

/// Compiles `tests/plugins/hostile/<name>.c` for the test of this name.
pub(crate) fn hostile(name: &str, test: &str) -> Option<PathBuf> {
    compile(&format!("tests/plugins/hostile/{name}.c"), &format!("{test}_{name}"))
}

/// What the program did.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) output: String,
    pub(crate) faults: String,
}

/// Runs `heartline plugins check FILE`.
pub(crate) fn check(file: &Path, arguments: &[&str]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heartline"));
    let output = command.args(["plugins", "check"]).arg(file).args(arguments).output().unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        output: String::from_utf8_lossy(&output.stdout).into_owned(),
        faults: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Run {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.output)
            .unwrap_or_else(|error| panic!("{error}: {}{}", self.output, self.faults))
    }
}

/// The outcome and the words of a case in a report.
pub(crate) fn found<'report>(report: &'report Value, case: &str) -> (&'report str, &'report str) {
    let cases = report["cases"].as_array().unwrap();
    let found = cases.iter().find(|found| found["name"] == case).unwrap_or_else(|| panic!("no case {case}"));
    (found["outcome"].as_str().unwrap(), found["words"].as_str().unwrap())
}
