//! How source files begin, how long they get, and what they may not contain.

use std::path::Path;

use super::{files, root};

const SOURCE_FOLDERS: [&str; 6] = ["src", "clients", "models", "plugins", "benches", "tests"];
const LINE_LIMIT: usize = 500;

fn sources() -> Vec<(String, String)> {
    let read = |path: &Path| {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        (name, std::fs::read_to_string(path).unwrap())
    };
    files(&SOURCE_FOLDERS, "rs").iter().map(|path| read(path)).collect()
}

#[test]
fn every_file_says_what_lives_in_it() {
    for (name, text) in sources() {
        assert!(text.starts_with("//!"), "{name} does not open with //!");
    }
}

#[test]
fn files_stay_readable() {
    for (name, text) in sources() {
        let lines = text.lines().count();
        assert!(lines <= LINE_LIMIT, "{name} has {lines} lines; split it by purpose");
    }
}

#[test]
fn unsafe_code_lives_in_three_crates() {
    let allowed = ["plugins/abi/", "plugins/sdk/", "plugins/host/"];
    for (name, text) in sources() {
        let unsafe_lines = text.lines().filter(|line| {
            let code = line.trim_start();
            !code.starts_with("//") && (code.contains("unsafe {") || code.contains("unsafe fn "))
        });
        let count = unsafe_lines.count();
        // This file names the words it looks for.
        let exempt = name == "tests/house/files.rs" || allowed.iter().any(|room| name.starts_with(room));
        assert!(count == 0 || exempt, "{name} has {count} lines of unsafe code");
    }
}

#[test]
fn no_unfinished_business() {
    let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX")];
    for (name, text) in sources() {
        for word in words {
            assert!(!text.contains(word), "{name} contains {word}");
        }
    }
}

#[test]
fn the_server_hands_out_status_codes_in_one_place() {
    for (name, text) in sources() {
        if name.starts_with("src/") && !name.starts_with("src/http/") {
            assert!(!text.contains("StatusCode"), "{name} chooses a status code");
        }
    }
}
