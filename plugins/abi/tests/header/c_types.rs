//! The C type of each Rust type, so that a C compiler can hold the header's fields and functions against them.

/// Fields that are text in C and bytes in Rust: a `char` may have a sign, and then it is another type than a byte.
const TEXT_FIELDS: [(&str, &str); 2] =
    [("heartline_text.data", "const char *{}"), ("heartline_message.data", "char *{}")];

/// A declaration of `name` with the C type of a field, such as `const float *name` or `float name[7]`.
pub(crate) fn declare(place: &str, rust_type: &str, name: &str) -> String {
    let text = TEXT_FIELDS.iter().find(|(field, _)| *field == place);
    text.map_or_else(|| pattern(rust_type), |(_, pattern)| (*pattern).to_owned()).replace("{}", name)
}

/// The C type of a Rust type, with `{}` where the name of what has it goes.
fn pattern(rust_type: &str) -> String {
    let rust_type = rust_type.trim();
    if let Some(inner) = between(rust_type, "core::option::Option<", ">") {
        return pattern(inner);
    }
    if let Some(signature) = rust_type.strip_prefix("unsafe extern \"C\" fn(") {
        return function(signature);
    }
    if let Some(inner) = between(rust_type, "[", "]") {
        let (element, count) = inner.split_once(';').unwrap();
        return pattern(element).replace("{}", &format!("{{}}[{}]", count.trim()));
    }
    if let Some(target) = rust_type.strip_prefix("*const ") {
        return format!("const {}", pattern(target).replace("{}", "*{}"));
    }
    if let Some(target) = rust_type.strip_prefix("*mut ") {
        return pattern(target).replace("{}", "*{}");
    }
    format!("{} {{}}", plain(rust_type))
}

/// The pattern of a pointer to a function, of what follows `fn(` in its Rust type.
fn function(signature: &str) -> String {
    let (parameters, answer) = match signature.rsplit_once(") -> ") {
        Some((parameters, answer)) => (parameters, pattern(answer).replace("{}", "")),
        None => (signature.strip_suffix(')').unwrap(), "void ".to_owned()),
    };
    // No parameter of the ABI is a function, so that every comma ends one.
    let parameters: Vec<String> = parameters
        .split(',')
        .filter(|parameter| !parameter.trim().is_empty())
        .map(|parameter| pattern(parameter).replace("{}", ""))
        .collect();
    let parameters = if parameters.is_empty() { "void".to_owned() } else { parameters.join(", ") };
    format!("{answer}(*{{}})({parameters})")
}

fn between<'text>(text: &'text str, start: &str, end: &str) -> Option<&'text str> {
    text.strip_prefix(start)?.strip_suffix(end)
}

/// The C name of a type without pointers.
fn plain(rust_type: &str) -> String {
    let known = match rust_type {
        "u8" => "uint8_t",
        "u32" => "uint32_t",
        "u64" => "uint64_t",
        "usize" => "size_t",
        "f32" => "float",
        "f64" => "double",
        "core::ffi::c_void" => "void",
        _ => match rust_type.rsplit("::").next().unwrap() {
            "Status" => "heartline_status",
            "LogLevel" | "AttributeKind" | "CallResult" => "uint32_t",
            "RawMatcher" => "heartline_matcher",
            name => return format!("heartline_{}", snake_case(name)),
        },
    };
    known.to_owned()
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

#[test]
fn types_become_declarations() {
    let declared = |rust_type| declare("heartline_other.field", rust_type, "it");
    assert_eq!(declared("*const heartline_plugin_abi::request::SkillNeed"), "const heartline_skill_need *it");
    assert_eq!(declared("[f32; 7]"), "float it[7]");
    assert_eq!(declared("core::option::Option<unsafe extern \"C\" fn()>"), "void (*it)(void)");
    assert_eq!(
        declared("unsafe extern \"C\" fn(*mut core::ffi::c_void, u32) -> *const core::ffi::c_void"),
        "const void *(*it)(void *, uint32_t )"
    );
    assert_eq!(declare("heartline_text.data", "*const u8", "it"), "const char *it");
}
