//! `heartline plugins new`: writes a complete crate of a matcher, from files that lie in `template/`.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::CliError;

/// What a new matcher is called and where it goes.
#[derive(Debug, Args)]
pub struct NewArguments {
    /// The crate's name, in lower-case words with hyphens: after-hours.
    #[arg(value_name = "NAME", value_parser = crate_name)]
    pub name: String,
    /// The folder that is made for it; it may be there already if it is empty. Without it, NAME in this folder.
    #[arg(long, value_name = "FOLDER")]
    pub folder: Option<PathBuf>,
    /// Where the SDK is: the folder plugins/sdk of Heartline's source. Without it, the source that this folder is in.
    #[arg(long, value_name = "FOLDER")]
    pub sdk: Option<PathBuf>,
}

/// The files of a crate: where they go, and their text.
const FILES: [(&str, &str); 6] = [
    ("Cargo.toml", include_str!("template/Cargo.toml.in")),
    ("README.md", include_str!("template/README.md.in")),
    (".gitignore", include_str!("template/gitignore.in")),
    ("src/lib.rs", include_str!("template/lib.rs.in")),
    ("tests/matcher.rs", include_str!("template/tests.rs.in")),
    ("benches/score.rs", include_str!("template/bench.rs.in")),
];

/// The crates that every new one depends on, which its own name would hide.
const TAKEN_NAMES: [&str; 9] =
    ["alloc", "core", "garde", "heartline-plugin-sdk", "proc-macro", "schemars", "serde", "std", "test"];

/// Words of Rust, which no crate can be called.
const KEYWORDS: [&str; 50] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static",
    "struct", "super", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual",
    "where", "while",
];

/// A name that cargo, Rust and a matcher's id all take.
fn crate_name(name: &str) -> Result<String, String> {
    let is_word = |word: &str| {
        !word.is_empty() && word.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
    };
    if !name.starts_with(|letter: char| letter.is_ascii_lowercase()) || !name.split('-').all(is_word) {
        return Err("not lower-case words with hyphens, such as after-hours".to_owned());
    }
    if name.len() > 64 {
        return Err("longer than 64 letters".to_owned());
    }
    if TAKEN_NAMES.contains(&name) || KEYWORDS.contains(&name) {
        return Err("it means something else in Rust".to_owned());
    }
    Ok(name.to_owned())
}

/// Writes the crate and says what comes next.
pub(super) fn run(arguments: &NewArguments, output: &mut dyn Write) -> Result<(), CliError> {
    let folder = arguments.folder.clone().unwrap_or_else(|| PathBuf::from(&arguments.name));
    check_empty(&folder)?;
    let sdk = match &arguments.sdk {
        Some(path) => sdk_at(path)?,
        None => sdk_around().ok_or_else(|| {
            let words =
                "name the folder of heartline-plugin-sdk with --sdk: it is plugins/sdk of Heartline's source";
            CliError::Usage(words.to_owned())
        })?,
    };
    let words = Words::new(&arguments.name, &sdk);
    for (path, text) in FILES {
        write(&folder.join(path), &words.fill(text))?;
    }
    writeln!(output, "wrote {}: a matcher that works, with tests and a bench", folder.display())?;
    writeln!(output, "next: cd {} && cargo test", folder.display())?;
    Ok(())
}

/// Nothing that is there already is overwritten.
fn check_empty(folder: &Path) -> Result<(), CliError> {
    let refuse = |problem: &str| {
        Err(CliError::Usage(format!("{} {problem}; choose another with --folder", folder.display())))
    };
    match std::fs::read_dir(folder).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => refuse("is not empty"),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => refuse(&format!("cannot be used: {error}")),
    }
}

/// The absolute path of a folder that has the SDK.
fn sdk_at(path: &Path) -> Result<PathBuf, CliError> {
    let refuse = || {
        let path = path.display();
        CliError::Usage(format!(
            "there is no heartline-plugin-sdk in {path}; it is plugins/sdk of the source"
        ))
    };
    find_sdk(path).ok_or_else(refuse)
}

/// The SDK of the source that the current folder is in.
fn sdk_around() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    here.ancestors().find_map(|folder| find_sdk(&folder.join("plugins/sdk")))
}

fn find_sdk(path: &Path) -> Option<PathBuf> {
    let manifest = std::fs::read_to_string(path.join("Cargo.toml")).ok()?;
    let is_sdk = manifest.lines().any(|line| line.trim() == "name = \"heartline-plugin-sdk\"");
    is_sdk.then(|| path.canonicalize().ok()).flatten()
}

fn write(path: &Path, text: &str) -> Result<(), CliError> {
    let failed =
        |error: std::io::Error| CliError::Unusable(format!("cannot write {}: {error}", path.display()));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    std::fs::write(path, text).map_err(failed)
}

/// What stands for the words between two @ in the files.
struct Words([(&'static str, String); 6]);

impl Words {
    fn new(name: &str, sdk: &Path) -> Self {
        let words: Vec<String> = name.split('-').map(capitalised).collect();
        let path = |path: &Path| toml::Value::String(path.display().to_string()).to_string();
        Self([
            ("@name@", name.to_owned()),
            ("@library@", name.replace('-', "_")),
            ("@type@", format!("{}Matcher", words.concat())),
            ("@title@", words.join(" ")),
            ("@file@", heartline_plugin_host::library_file_name(name)),
            ("@sdk@", format!("{{ path = {} }}", path(sdk))),
        ])
    }

    fn fill(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (place, words)| text.replace(place, words))
    }
}

fn capitalised(word: &str) -> String {
    let (first, rest) = word.split_at(1.min(word.len()));
    format!("{}{rest}", first.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_with_hyphens() {
        for name in ["a", "tenure", "after-hours", "shift-2", "r2-d2"] {
            assert_eq!(crate_name(name).as_deref(), Ok(name));
        }
        let long = "a".repeat(65);
        for name in [
            "",
            "Tenure",
            "after_hours",
            "-a",
            "a-",
            "a--b",
            "2nd",
            "über",
            "a/b",
            "..",
            "fn",
            "serde",
            &long,
        ] {
            assert!(crate_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn every_place_in_the_files_is_filled() {
        let words = Words::new("after-hours", Path::new("/source/with \"quotes\"/plugins/sdk"));
        for (path, text) in FILES {
            let text = words.fill(text);
            for word in ["name", "library", "type", "title", "file", "sdk"] {
                assert!(!text.contains(&format!("@{word}@")), "{path} still has @{word}@");
            }
        }
        let manifest: toml::Table = toml::from_str(&words.fill(FILES[0].1)).unwrap();
        assert_eq!(manifest["package"]["name"].as_str(), Some("after-hours"));
        let sdk = &manifest["dependencies"]["heartline-plugin-sdk"]["path"];
        assert_eq!(sdk.as_str(), Some("/source/with \"quotes\"/plugins/sdk"));
        assert!(words.fill(FILES[3].1).contains("pub struct AfterHoursMatcher"));
    }

    #[test]
    fn what_is_there_is_not_overwritten() {
        let scratch = tempfile::tempdir().unwrap();
        let arguments = |folder: &Path| NewArguments {
            name: "tenure".to_owned(),
            folder: Some(folder.to_owned()),
            sdk: Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins/sdk")),
        };
        run(&arguments(scratch.path()), &mut Vec::new()).unwrap();
        assert!(scratch.path().join("tests/matcher.rs").is_file());
        let error = run(&arguments(scratch.path()), &mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("not empty"), "{error}");
        let mut other = arguments(&scratch.path().join("other"));
        other.sdk = Some(scratch.path().to_owned());
        let error = run(&other, &mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("no heartline-plugin-sdk"), "{error}");
        assert!(!scratch.path().join("other").exists(), "nothing is written where the SDK is missing");
    }
}
