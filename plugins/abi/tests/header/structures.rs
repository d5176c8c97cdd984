//! Every structure and every number of the ABI, as Rust has them.

use std::mem::offset_of;

use heartline_plugin_abi as abi;

/// A field of a structure.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) offset: usize,
    pub(crate) size: usize,
    /// The name of its Rust type.
    pub(crate) rust_type: &'static str,
}

/// A structure, by its name in C.
pub(crate) struct Structure {
    pub(crate) name: &'static str,
    pub(crate) size: usize,
    pub(crate) fields: Vec<Field>,
}

/// The size and the name of the type that a field's accessor gives.
fn described<T, F>(_: impl Fn(&T) -> &F) -> (usize, &'static str) {
    (size_of::<F>(), std::any::type_name::<F>())
}

/// Describes a structure. The pattern names every field, so that one which is left out here does not compile.
macro_rules! structure {
    ($rust:path, $c:literal, [$($field:ident),* $(,)?]) => {{
        let _ = |value: &$rust| {
            let $rust { $($field: _),* } = value;
        };
        Structure {
            name: $c,
            size: size_of::<$rust>(),
            fields: vec![$({
                let (size, rust_type) = described(|value: &$rust| &value.$field);
                Field { name: stringify!($field), offset: offset_of!($rust, $field), size, rust_type }
            }),*],
        }
    }};
}

/// All structures of the ABI.
#[rustfmt::skip]
pub(crate) fn structures() -> Vec<Structure> {
    vec![
        structure!(abi::Text, "heartline_text", [data, length]),
        structure!(abi::Message, "heartline_message", [size, capacity, data, length, reserved]),
        structure!(abi::Host, "heartline_host", [
            size, abi_major, abi_minor, reserved, name, version, context, log, metric, get_extension,
        ]),
        structure!(abi::Modality, "heartline_modality", [age_ms, weight, quality, readings, reserved]),
        structure!(abi::Emotion, "heartline_emotion", [
            size, abstain, categories, valence, arousal, dominance, satisfaction, frustration, confusion, concern,
            confidence, valence_per_minute, arousal_per_minute, worst_valence, worst_category, reserved, worst_at_ms,
            at_ms, text, voice, face,
        ]),
        structure!(abi::SkillNeed, "heartline_skill_need", [name, skill, level, must_have, reserved]),
        structure!(abi::Spoken, "heartline_spoken", [tag, share, level]),
        structure!(abi::Request, "heartline_request", [
            size, need_count, emotion, needs, languages, language_count, interpreter, complexity, reserved, waiting_ms,
            time_limit_us,
        ]),
        structure!(abi::Outcomes, "heartline_outcomes", [resolved, unresolved, upset_resolved, upset_unresolved]),
        structure!(abi::Attribute, "heartline_attribute", [
            name, kind, text_count, numbers, flags, text_ids, texts,
        ]),
        structure!(abi::Candidates, "heartline_candidates", [
            size, count, skill_name_count, language_tag_count, attribute_count, reserved, snapshot, skill_names,
            language_tags, skill_offsets, skill_ids, skill_levels, language_offsets, language_ids, language_levels,
            attitudes, active_tasks, capacities, idle_ms, outcomes, attributes,
        ]),
        structure!(abi::Scores, "heartline_scores", [
            size, capacity, count, reserved, scores, confidences, reason_codes, eligible,
        ]),
        structure!(abi::Entry, "heartline_entry", [
            size, abi_major, abi_minor, reserved, id, name, version, description, init, config_schema, create, score,
            destroy, describe_reason, get_extension,
        ]),
        structure!(abi::Factor, "heartline_factor", [name, subject, value, weight, contribution, reserved]),
        structure!(abi::Factors, "heartline_factors", [size, capacity, count, reserved, factors]),
        structure!(abi::Explain, "heartline_explain", [size, reserved, explain]),
        structure!(abi::Outcome, "heartline_outcome", [
            size, result, transferred, rating, valence_change, reserved, handling_ms,
        ]),
        structure!(abi::Learn, "heartline_learn", [size, reserved, learn]),
        structure!(abi::Writer, "heartline_writer", [size, reserved, context, write]),
        structure!(abi::State, "heartline_state", [size, reserved, save, load]),
    ]
}

/// All numbers that the header names, as Rust has them.
pub(crate) fn numbers() -> Vec<(&'static str, i64)> {
    vec![
        ("HEARTLINE_ABI_MAJOR", abi::ABI_MAJOR.into()),
        ("HEARTLINE_ABI_MINOR", abi::ABI_MINOR.into()),
        ("HEARTLINE_CATEGORY_COUNT", i64::try_from(abi::CATEGORY_COUNT).unwrap()),
        ("HEARTLINE_TRAIT_COUNT", i64::try_from(abi::TRAIT_COUNT).unwrap()),
        ("HEARTLINE_NONE", abi::NONE.into()),
        // C compares whole numbers here, and this one is whole.
        ("HEARTLINE_LEVEL_NATIVE", abi::LEVEL_NATIVE as i64),
        ("HEARTLINE_NEUTRAL", 0),
        ("HEARTLINE_HAPPINESS", 1),
        ("HEARTLINE_SURPRISE", 2),
        ("HEARTLINE_SADNESS", 3),
        ("HEARTLINE_ANGER", 4),
        ("HEARTLINE_DISGUST", 5),
        ("HEARTLINE_FEAR", 6),
        ("HEARTLINE_WARMTH", 0),
        ("HEARTLINE_CALM", 1),
        ("HEARTLINE_PATIENCE", 2),
        ("HEARTLINE_CLARITY", 3),
        ("HEARTLINE_ENERGY", 4),
        ("HEARTLINE_OK", abi::Status::OK.0.into()),
        ("HEARTLINE_FAILED", abi::Status::FAILED.0.into()),
        ("HEARTLINE_BAD_CONFIG", abi::Status::BAD_CONFIG.0.into()),
        ("HEARTLINE_BAD_ARGUMENT", abi::Status::BAD_ARGUMENT.0.into()),
        ("HEARTLINE_PANICKED", abi::Status::PANICKED.0.into()),
        ("HEARTLINE_OUT_OF_TIME", abi::Status::OUT_OF_TIME.0.into()),
        ("HEARTLINE_BAD_STATE", abi::Status::BAD_STATE.0.into()),
        ("HEARTLINE_LOG_ERROR", abi::LogLevel::ERROR.0.into()),
        ("HEARTLINE_LOG_WARN", abi::LogLevel::WARN.0.into()),
        ("HEARTLINE_LOG_INFO", abi::LogLevel::INFO.0.into()),
        ("HEARTLINE_LOG_DEBUG", abi::LogLevel::DEBUG.0.into()),
        ("HEARTLINE_ATTRIBUTE_NUMBER", abi::AttributeKind::NUMBER.0.into()),
        ("HEARTLINE_ATTRIBUTE_FLAG", abi::AttributeKind::FLAG.0.into()),
        ("HEARTLINE_ATTRIBUTE_TEXT", abi::AttributeKind::TEXT.0.into()),
        ("HEARTLINE_RESULT_UNKNOWN", abi::CallResult::UNKNOWN.0.into()),
        ("HEARTLINE_RESULT_RESOLVED", abi::CallResult::RESOLVED.0.into()),
        ("HEARTLINE_RESULT_UNRESOLVED", abi::CallResult::UNRESOLVED.0.into()),
    ]
}

/// All texts that the header names.
pub(crate) fn words() -> [(&'static str, &'static str); 3] {
    [("HEARTLINE_EXPLAIN", abi::EXPLAIN), ("HEARTLINE_LEARN", abi::LEARN), ("HEARTLINE_STATE", abi::STATE)]
}

#[test]
fn no_structure_has_a_hole() {
    // Padding would be bytes that nobody sets, and a later version could not tell whether they count.
    for structure in structures() {
        let mut end = 0;
        for field in &structure.fields {
            assert_eq!(field.offset, end, "there is a hole before {}.{}", structure.name, field.name);
            end += field.size;
        }
        assert_eq!(end, structure.size, "there is a hole at the end of {}", structure.name);
    }
}

#[test]
fn what_begins_with_a_size_says_so_first() {
    for structure in structures() {
        let size = structure.fields.iter().position(|field| field.name == "size");
        assert!(size.is_none_or(|position| position == 0), "the size of {} is not first", structure.name);
    }
}
