//! Fields of a JSON object, whatever the dialect calls them and however it writes numbers.

use serde_json::{Map, Value};

/// A JSON object.
pub(super) type Object = Map<String, Value>;

/// Whether a written name is the wanted one, which is in lower case and without separators: `streamSid`, `stream_sid`
/// and `StreamSID` are the same.
fn is_called(written: &str, wanted: &str) -> bool {
    let letters = written.bytes().filter(|byte| !matches!(byte, b'_' | b'-'));
    letters.map(|byte| byte.to_ascii_lowercase()).eq(wanted.bytes())
}

/// The first field with one of these names, the earlier names first; a null counts as absent.
pub(super) fn field<'a>(object: &'a Object, names: &[&str]) -> Option<&'a Value> {
    names.iter().find_map(|name| {
        object
            .iter()
            .find(|(written, value)| is_called(written, name) && !value.is_null())
            .map(|(_, value)| value)
    })
}

/// An object in a field.
pub(super) fn object<'a>(parent: &'a Object, names: &[&str]) -> Option<&'a Object> {
    field(parent, names)?.as_object()
}

/// A text in a field; numbers and flags count as the text that they are.
pub(super) fn text(parent: &Object, names: &[&str]) -> Option<String> {
    plain(field(parent, names)?)
}

/// A value as text, where it is a single value.
pub(super) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A whole number in a field, written as a number or as text; none where the field is absent.
///
/// # Errors
/// The value, where it is neither.
pub(super) fn number(parent: &Object, names: &[&str]) -> Result<Option<u64>, String> {
    let Some(value) = field(parent, names) else { return Ok(None) };
    whole(value).map(Some).ok_or_else(|| value.to_string())
}

/// A whole number, from a number or from text; parts of a unit are cut off.
fn whole(value: &Value) -> Option<u64> {
    /// Up to here a floating-point number holds every whole number.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let of_float = |number: f64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was checked")]
        (0.0..=EXACT).contains(&number).then_some(number as u64)
    };
    match value {
        Value::Number(number) => number.as_u64().or_else(|| number.as_f64().and_then(of_float)),
        Value::String(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| text.parse().ok().and_then(of_float))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "the macro json! makes values")]
    fn parsed(value: Value) -> Object {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn names_are_the_same_in_every_style() {
        for written in ["streamSid", "stream_sid", "StreamSID", "stream-sid", "STREAM_SID"] {
            assert!(is_called(written, "streamsid"), "{written}");
        }
        assert!(!is_called("streamSids", "streamsid"));
        assert!(!is_called("", "streamsid"));
    }

    #[test]
    fn earlier_names_win_and_nulls_are_absent() {
        let object = parsed(json!({"stream_id": "second", "streamSid": "first", "call": null}));
        assert_eq!(text(&object, &["streamsid", "streamid"]).unwrap(), "first");
        assert_eq!(field(&object, &["call"]), None);
    }

    #[test]
    fn numbers_are_read_as_they_come() {
        let object =
            parsed(json!({"a": 5, "b": "5", "c": " 5 ", "d": 5.9, "e": "5.0", "f": -1, "g": "x", "h": [5]}));
        for name in ["a", "b", "c", "d", "e"] {
            assert_eq!(number(&object, &[name]), Ok(Some(5)), "{name}");
        }
        for name in ["f", "g", "h"] {
            assert!(number(&object, &[name]).is_err(), "{name}");
        }
        assert_eq!(number(&object, &["absent"]), Ok(None));
        assert!(number(&parsed(json!({"a": 1e300})), &["a"]).is_err());
        assert!(number(&parsed(json!({"a": "NaN"})), &["a"]).is_err());
        assert_eq!(number(&parsed(json!({"a": "18446744073709551615"})), &["a"]), Ok(Some(u64::MAX)));
    }
}
