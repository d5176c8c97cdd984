//! The C header and the Rust types describe the same bytes: a C program prints its layout, this test compares.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skips"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::mem::offset_of;
use std::path::{Path, PathBuf};
use std::process::Command;

use heartline_plugin_abi as abi;

/// Sizes by `c_name` and offsets by `c_name.field`.
type Layout = BTreeMap<String, usize>;

/// Adds one structure with its fields to a layout and to the C program that prints the same.
macro_rules! structure {
    ($layout:ident, $program:ident, $rust:ty, $c:literal, [$($field:ident),* $(,)?]) => {
        $layout.insert($c.to_owned(), size_of::<$rust>());
        writeln!($program, "printf(\"{0} %zu\\n\", sizeof({0}));", $c).unwrap();
        $(
            $layout.insert(concat!($c, ".", stringify!($field)).to_owned(), offset_of!($rust, $field));
            writeln!($program, "printf(\"{0}.{1} %zu\\n\", offsetof({0}, {1}));", $c, stringify!($field)).unwrap();
        )*
    };
}

/// The layout as Rust has it, and the body of a C program that prints the layout as C has it.
fn rust_layout() -> (Layout, String) {
    let mut layout = Layout::new();
    let mut program = String::new();
    structure!(layout, program, abi::Text, "heartline_text", [data, length]);
    structure!(layout, program, abi::Message, "heartline_message", [size, capacity, data, length, reserved]);
    structure!(
        layout,
        program,
        abi::Host,
        "heartline_host",
        [size, abi_major, abi_minor, reserved, name, version, context, log, metric, get_extension]
    );
    structure!(
        layout,
        program,
        abi::Modality,
        "heartline_modality",
        [age_ms, weight, quality, readings, reserved]
    );
    #[rustfmt::skip]
    structure!(layout, program, abi::Emotion, "heartline_emotion", [
        size, abstain, categories, valence, arousal, dominance, satisfaction, frustration, confusion, concern,
        confidence, valence_per_minute, arousal_per_minute, worst_valence, worst_category, reserved, worst_at_ms,
        at_ms, text, voice, face,
    ]);
    structure!(
        layout,
        program,
        abi::SkillNeed,
        "heartline_skill_need",
        [name, skill, level, must_have, reserved]
    );
    #[rustfmt::skip]
    structure!(layout, program, abi::Request, "heartline_request", [
        size, need_count, emotion, needs, language, language_level, complexity, waiting_ms, time_limit_us,
    ]);
    structure!(
        layout,
        program,
        abi::Outcomes,
        "heartline_outcomes",
        [resolved, unresolved, upset_resolved, upset_unresolved]
    );
    #[rustfmt::skip]
    structure!(layout, program, abi::Candidates, "heartline_candidates", [
        size, count, skill_name_count, language_tag_count, skill_names, language_tags, skill_offsets, skill_ids,
        skill_levels, language_offsets, language_ids, language_levels, attitudes, active_tasks, capacities, idle_ms,
        outcomes,
    ]);
    #[rustfmt::skip]
    structure!(layout, program, abi::Scores, "heartline_scores", [
        size, capacity, count, reserved, scores, confidences, reason_codes, eligible,
    ]);
    #[rustfmt::skip]
    structure!(layout, program, abi::Entry, "heartline_entry", [
        size, abi_major, abi_minor, reserved, id, name, version, description, config_schema, init, create, score,
        destroy, describe_reason, get_extension,
    ]);
    constants(&mut layout, &mut program);
    (layout, program)
}

/// Adds the numbers that both sides name.
fn constants(layout: &mut Layout, program: &mut String) {
    let numbers = [
        ("HEARTLINE_ABI_MAJOR", abi::ABI_MAJOR as usize),
        ("HEARTLINE_ABI_MINOR", abi::ABI_MINOR as usize),
        ("HEARTLINE_CATEGORY_COUNT", abi::CATEGORY_COUNT),
        ("HEARTLINE_TRAIT_COUNT", abi::TRAIT_COUNT),
        ("HEARTLINE_NONE", abi::NONE as usize),
        ("HEARTLINE_LEVEL_NATIVE", 7),
        ("HEARTLINE_OK", status(abi::Status::OK)),
        ("HEARTLINE_FAILED", status(abi::Status::FAILED)),
        ("HEARTLINE_BAD_CONFIG", status(abi::Status::BAD_CONFIG)),
        ("HEARTLINE_BAD_ARGUMENT", status(abi::Status::BAD_ARGUMENT)),
        ("HEARTLINE_PANICKED", status(abi::Status::PANICKED)),
        ("HEARTLINE_OUT_OF_TIME", status(abi::Status::OUT_OF_TIME)),
        ("HEARTLINE_LOG_ERROR", abi::LogLevel::ERROR.0 as usize),
        ("HEARTLINE_LOG_WARN", abi::LogLevel::WARN.0 as usize),
        ("HEARTLINE_LOG_INFO", abi::LogLevel::INFO.0 as usize),
        ("HEARTLINE_LOG_DEBUG", abi::LogLevel::DEBUG.0 as usize),
    ];
    for (name, value) in numbers {
        layout.insert(name.to_owned(), value);
        writeln!(program, "printf(\"{name} %zu\\n\", (size_t)({name}));").unwrap();
    }
}

fn status(status: abi::Status) -> usize {
    usize::try_from(status.0).unwrap()
}

/// The C compiler, unless this machine has none: then the test says so and checks nothing.
fn compiler() -> Option<String> {
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    if Command::new(&compiler).arg("--version").output().is_ok_and(|output| output.status.success()) {
        return Some(compiler);
    }
    eprintln!("SKIPPED: no C compiler `{compiler}` on this machine, the C header is not checked");
    None
}

fn c_layout(compiler: &str, body: &str) -> Layout {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let source = folder.join("layout.c");
    let program = folder.join("layout");
    let text = format!(
        "#include <stdio.h>\n#include <stddef.h>\n#include \"heartline_matcher.h\"\nint main(void) {{\n{body}return 0;\n}}\n"
    );
    std::fs::write(&source, text).unwrap();
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("include");
    let build = Command::new(compiler)
        .args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-I"])
        .arg(&include)
        .arg(&source)
        .arg("-o")
        .arg(&program)
        .output()
        .unwrap();
    assert!(build.status.success(), "{}", String::from_utf8_lossy(&build.stderr));
    let output = Command::new(&program).output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| line.split_once(' ').unwrap())
        .map(|(name, number)| (name.to_owned(), number.parse().unwrap()))
        .collect()
}

#[test]
fn the_c_header_and_the_rust_types_agree() {
    let Some(compiler) = compiler() else { return };
    let (rust, body) = rust_layout();
    let c = c_layout(&compiler, &body);
    assert_eq!(rust, c);
    assert!(rust.len() > 100, "the comparison covers only {} names", rust.len());
}

#[test]
fn no_structure_has_a_hole_at_its_end() {
    // A tail of padding would be bytes that nobody sets, and a later version could not tell whether they count.
    assert_eq!(offset_of!(abi::Emotion, face) + size_of::<abi::Modality>(), size_of::<abi::Emotion>());
    assert_eq!(offset_of!(abi::Request, time_limit_us) + 8, size_of::<abi::Request>());
    assert_eq!(offset_of!(abi::Scores, eligible) + size_of::<usize>(), size_of::<abi::Scores>());
    assert_eq!(offset_of!(abi::Message, reserved) + 4, size_of::<abi::Message>());
    assert_eq!(offset_of!(abi::SkillNeed, reserved) + 4, size_of::<abi::SkillNeed>());
}
