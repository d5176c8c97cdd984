//! docs/plugins.md, done: its files are written and its commands are run, in the order in which a reader does.

use std::path::{Path, PathBuf};
use std::time::Instant;

use heartline::config::Config;

use crate::support::{empty_folder, has, load, prepare_crate, root, scores, shell};

/// What the page tells its reader to do.
#[derive(Debug, PartialEq)]
enum Step {
    /// Begin in an empty folder of this name: `<!-- folder: name -->`.
    Folder(String),
    /// Write a file: `<!-- file: path -->` before a code block.
    Write { path: String, text: String },
    /// Add to a file: `<!-- append: path -->` before a code block.
    Append { path: String, text: String },
    /// Type commands: a block of the language `sh`.
    Run(String),
}

/// Reads the steps of a page. Blocks of code that nothing says how to use are for the eye only, so only of languages that
/// need no test.
fn steps(page: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut mark: Option<(String, String)> = None;
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(words) = line.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->")) {
            let (kind, value) = words.split_once(": ").unwrap_or_else(|| panic!("not a mark: {line}"));
            match kind {
                "folder" => steps.push(Step::Folder(value.to_owned())),
                _ => mark = Some((kind.to_owned(), value.to_owned())),
            }
        } else if let Some(language) = line.strip_prefix("```") {
            let text: String =
                lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
            match mark.take() {
                Some((kind, path)) if kind == "file" => steps.push(Step::Write { path, text }),
                Some((kind, path)) if kind == "append" => steps.push(Step::Append { path, text }),
                Some((kind, _)) => panic!("nobody knows what {kind} is"),
                None if language == "sh" => steps.push(Step::Run(text)),
                None => assert!(language == "text", "a block of {language} is not tested"),
            }
        }
    }
    steps
}

fn take(step: Step, folder: &mut PathBuf, name: &str) {
    match step {
        Step::Folder(part) => *folder = empty_folder(&format!("{name}_{part}")),
        Step::Write { path, text } => {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Step::Append { path, text } => {
            let path = folder.join(path);
            let before = std::fs::read_to_string(&path).unwrap();
            std::fs::write(path, format!("{before}\n{text}")).unwrap();
        }
        Step::Run(script) => {
            let started = Instant::now();
            let place = folder.join("..").join(format!("{name}.place"));
            let output = shell(folder, &format!("{script}\npwd > '{}'", place.display())).output().unwrap();
            let printed = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{script}{printed}{}", String::from_utf8_lossy(&output.stderr));
            eprintln!("{:>5} ms  {}", started.elapsed().as_millis(), script.trim().replace('\n', "; "));
            *folder = PathBuf::from(std::fs::read_to_string(place).unwrap().trim());
            prepare_crate(folder);
        }
    }
}

#[test]
fn the_tutorial_works_as_it_stands() {
    if !has("cargo") || !has("cc") {
        return;
    }
    let page = std::fs::read_to_string(root().join("docs/plugins.md")).unwrap();
    let steps = steps(&page);
    for language in ["```rust", "```c\n", "```toml", "```sh"] {
        assert!(page.contains(language), "the tutorial has no block of {language}");
    }
    let mut folder = empty_folder("tutorial");
    for step in steps {
        take(step, &mut folder, "tutorial");
    }

    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("author");
    let config = Config::load(Some(&folder.join("tutorial_c/heartline.toml")), &[]).unwrap();
    assert_eq!(config.plugins.matchers[3].config["full_months"], 36);
    let request = heartline_plugin_host::ScoreRequest { complexity: 1.0, ..Default::default() };
    let mut tenure = load(&folder.join("tutorial_rust/tenure/target/release/libtenure.so"), "{}");
    let found: Vec<f32> = scores(&mut tenure, &request).into_iter().map(|(score, _)| score).collect();
    assert_eq!(found, [1.0, 0.5, 0.5]);
    let mut room = load(&folder.join("tutorial_c/libroom.so"), "{}");
    assert_eq!(scores(&mut room, &request), [(1.0, true), (0.5, true), (0.0, false)]);
}

#[test]
fn a_page_becomes_steps() {
    let page = "<!-- folder: here -->\nwords\n<!-- file: a.rs -->\n```rust\nfn a() {}\n```\n```sh\nls\n```\n```text\nx\n```\n\
                <!-- append: a.rs -->\n```rust\nfn b() {}\n```\n";
    let path = || "a.rs".to_owned();
    let expected = [
        Step::Folder("here".to_owned()),
        Step::Write { path: path(), text: "fn a() {}\n".to_owned() },
        Step::Run("ls\n".to_owned()),
        Step::Append { path: path(), text: "fn b() {}\n".to_owned() },
    ];
    assert_eq!(steps(page), expected);
}

#[test]
fn every_link_of_the_page_leads_somewhere() {
    let page = std::fs::read_to_string(root().join("docs/plugins.md")).unwrap();
    for target in page.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
        let (file, heading) = target.split_once('#').unwrap_or((target, ""));
        assert!(file.is_empty() || root().join("docs").join(file).exists(), "{target} leads nowhere");
        let is_heading = |line: &str| {
            let words = line.trim_start_matches('#').trim().to_lowercase();
            line.starts_with('#')
                && words.replace(' ', "-").replace([',', '\'', '?', '.', '`', ':'], "") == heading
        };
        assert!(!file.is_empty() || page.lines().any(is_heading), "{target} leads nowhere");
    }
}
