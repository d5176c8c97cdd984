//! The header's declarations as text, without what does not count: comments, and how they are laid out.

/// The header.
const HEADER: &str = include_str!("../../include/heartline_matcher.h");

/// The declarations of the header.
pub(crate) fn declarations() -> String {
    normalised(HEADER)
}

/// Leaves out comments, empty lines and spaces that separate nothing. Lines stay where the preprocessor reads lines.
fn normalised(header: &str) -> String {
    let mut code = String::new();
    let mut rest = header;
    while let Some((before, after)) = rest.split_once("/*") {
        code.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, behind)| behind);
    }
    code.push_str(rest);
    let mut text = String::new();
    for line in code.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if words.is_empty() {
            continue;
        }
        let is_directive = words[0].starts_with('#');
        if is_directive && !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&words.join(" "));
        text.push(if is_directive { '\n' } else { ' ' });
    }
    // Where a line was broken before or after a sign, there may be a space or none.
    for sign in ["(", ")", "{", "}", ",", ";", "*"] {
        text = text.replace(&format!(" {sign}"), sign).replace(&format!("{sign} "), sign);
    }
    text
}

#[test]
fn comments_and_layout_do_not_count() {
    let one = "/* words */\nint  f(int a, /* which */\n      int b);\n#define X 1 /* why */\n";
    let other = "int f(int a, int b);\n\n/* other words\n * in lines */\n#define X 1\n";
    assert_eq!(normalised(one), normalised(other));
    assert_ne!(normalised(one), normalised(&one.replace("int b", "long b")));
    assert_ne!(normalised(one), normalised(&one.replace("X 1", "X 2")));
}
