//! A C program made of the Rust types: it compiles only where the header's types are the same, and prints the layout.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::c_types::declare;
use crate::structures::{numbers, structures, words};
use crate::text;

/// Sizes by `name`, offsets by `name.field`, numbers by name.
type Layout = BTreeMap<String, i64>;

/// How the program is compiled: the standards that the header promises to be good for.
const STANDARDS: [(&str, &str, &str); 3] =
    [("CC", "cc", "-std=c99"), ("CC", "cc", "-std=c11"), ("CXX", "c++", "-std=c++17")];

fn rust_layout() -> Layout {
    let mut layout = Layout::new();
    for structure in structures() {
        layout.insert(structure.name.to_owned(), i64::try_from(structure.size).unwrap());
        for field in structure.fields {
            layout
                .insert(format!("{}.{}", structure.name, field.name), i64::try_from(field.offset).unwrap());
        }
    }
    layout.extend(numbers().into_iter().map(|(name, number)| (name.to_owned(), number)));
    layout
}

/// The program. A pointer to each field must be a pointer to the C type of the Rust field: compilers refuse another.
fn program() -> String {
    let mut text = "#include <stdio.h>\n#include <stddef.h>\n#include <string.h>\n#include \"heartline_matcher.h\"\n\
                    static const heartline_text literal = HEARTLINE_TEXT(\"literal\");\n"
        .to_owned();
    let mut prints = String::new();
    for structure in structures() {
        let name = structure.name;
        writeln!(text, "static void check_{name}({name} *it) {{").unwrap();
        writeln!(prints, "check_{name}(NULL);\nprintf(\"{name} %ld\\n\", (long)sizeof({name}));").unwrap();
        for field in structure.fields {
            let place = format!("{name}.{}", field.name);
            // Only an array binds closer to its name than the star does.
            let is_array = field.rust_type.starts_with('[');
            let name_at = if is_array { format!("(*{}_at)", field.name) } else { format!("*{}_at", field.name) };
            let pointer = declare(&place, field.rust_type, &name_at);
            writeln!(text, "    {pointer} = it == NULL ? NULL : &it->{0};\n    (void){0}_at;", field.name).unwrap();
            writeln!(prints, "printf(\"{place} %ld\\n\", (long)offsetof({name}, {}));", field.name).unwrap();
        }
        writeln!(text, "}}").unwrap();
    }
    for (name, _) in numbers() {
        writeln!(prints, "printf(\"{name} %lld\\n\", (long long)({name}));").unwrap();
    }
    for (name, word) in words() {
        writeln!(prints, "if (strcmp({name}, \"{word}\") != 0) {{ return 2; }}").unwrap();
    }
    writeln!(text, "int main(void) {{\n{prints}return literal.length == 7 ? 0 : 3;\n}}").unwrap();
    text
}

/// The compiler of a variable or of a name; where this machine has none, the test says so and checks nothing.
fn compiler(variable: &str, usual: &str) -> Option<String> {
    let name = std::env::var(variable).unwrap_or_else(|_| usual.to_owned());
    if Command::new(&name).arg("--version").output().is_ok_and(|output| output.status.success()) {
        return Some(name);
    }
    eprintln!("SKIPPED: no compiler `{name}` on this machine, the header is not checked with it");
    None
}

fn c_layout(compiler: &str, standard: &str) -> Layout {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let name = format!("layout{standard}").replace('+', "p");
    let (source, program_file) = (folder.join(format!("{name}.c")), folder.join(&name));
    std::fs::write(&source, program()).unwrap();
    let language = if standard.contains("++") { "c++" } else { "c" };
    let build = Command::new(compiler)
        .args([standard, "-x", language, "-Wall", "-Wextra", "-Wno-long-long", "-Werror", "-pedantic", "-I"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("include"))
        .arg(&source)
        .arg("-o")
        .arg(&program_file)
        .output()
        .unwrap();
    assert!(build.status.success(), "{standard}: {}", String::from_utf8_lossy(&build.stderr));
    let output = Command::new(&program_file).output().unwrap();
    assert!(output.status.success(), "{standard}: a text of the header is another than in Rust");
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines = lines.lines().map(|line| line.split_once(' ').unwrap());
    lines.map(|(name, number)| (name.to_owned(), number.parse().unwrap())).collect()
}

#[test]
fn the_header_and_the_rust_types_agree() {
    for (variable, usual, standard) in STANDARDS {
        let Some(compiler) = compiler(variable, usual) else { continue };
        assert_eq!(rust_layout(), c_layout(&compiler, standard), "{standard}");
    }
}

#[test]
fn the_comparison_covers_every_name_of_the_header() {
    let declarations = text::declarations();
    let known: Vec<&str> = structures().iter().map(|structure| structure.name).collect();
    let mut found = 0;
    for (_, rest) in declarations.match_indices("typedef struct ").map(|(at, words)| declarations[at..].split_at(words.len())) {
        let name = rest.split([' ', ';', '{']).next().unwrap();
        assert!(name == "heartline_matcher" || known.contains(&name), "{name} is compared with nothing");
        found += 1;
    }
    assert_eq!(found, known.len() + 1, "a structure of Rust is not in the header");

    let numbers: Vec<&str> = numbers().into_iter().map(|(name, _)| name).collect();
    let words: Vec<&str> = words().into_iter().map(|(name, _)| name).collect();
    let other = ["HEARTLINE_MATCHER_H", "HEARTLINE_EXPORT", "HEARTLINE_TEXT"];
    for name in declarations.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_') {
        let is_compared = numbers.contains(&name) || words.contains(&name) || other.contains(&name);
        assert!(!name.starts_with("HEARTLINE_") || is_compared, "{name} is compared with nothing");
    }
}

#[test]
fn a_field_of_another_type_does_not_compile() {
    let Some(compiler) = compiler("CC", "cc") else { return };
    let source = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("other_type.c");
    let program = program();
    let other = program.replacen("float *level_at", "uint32_t *level_at", 1);
    assert_ne!(program, other, "the program checks no level");
    std::fs::write(&source, other).unwrap();
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("include");
    let mut build = Command::new(compiler);
    build.args(["-std=c99", "-fsyntax-only", "-Werror", "-I"]).arg(include).arg(&source);
    assert!(!build.output().unwrap().status.success(), "a pointer to another type passes for the same");
}
