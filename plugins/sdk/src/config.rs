//! From configuration text to an instance, with unknown keys refused by name.

use serde_json::{Map, Value};

use crate::{Matcher, MatcherError};

/// Parses a configuration and makes an instance of it.
pub(crate) fn create<M: Matcher>(text: &str) -> Result<M, MatcherError> {
    let keys: Map<String, Value> = serde_json::from_str(text)
        .map_err(|error| MatcherError::Config(format!("it is not a JSON object: {error}")))?;
    refuse_unknown_keys(&keys, M::CONFIG_SCHEMA)?;
    let config = serde_json::from_value(Value::Object(keys))
        .map_err(|error| MatcherError::Config(error.to_string()))?;
    M::create(config)
}

/// The schema is the public promise, so a key that it does not name is refused even where the author's type would
/// ignore it.
fn refuse_unknown_keys(keys: &Map<String, Value>, schema: &str) -> Result<(), MatcherError> {
    if schema.is_empty() {
        return Ok(());
    }
    let schema: Value = serde_json::from_str(schema)
        .map_err(|error| MatcherError::Failed(format!("the matcher's own schema is no JSON: {error}")))?;
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return Ok(()) };
    let unknown: Vec<&str> =
        keys.keys().filter(|key| !properties.contains_key(*key)).map(String::as_str).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let expected: Vec<&str> = properties.keys().map(String::as_str).collect();
    Err(MatcherError::Config(format!(
        "unknown key {}; expected are {}",
        unknown.join(", "),
        expected.join(", ")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = r#"{"properties": {"weight": {}, "scale": {}}}"#;

    fn keys(text: &str) -> Map<String, Value> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn keys_outside_the_schema_are_refused_with_the_expected_names() {
        refuse_unknown_keys(&keys(r#"{"weight": 1}"#), SCHEMA).unwrap();
        let error = refuse_unknown_keys(&keys(r#"{"wieght": 1}"#), SCHEMA).unwrap_err();
        assert_eq!(error, MatcherError::Config("unknown key wieght; expected are scale, weight".to_owned()));
    }

    #[test]
    fn a_schema_without_properties_refuses_nothing() {
        refuse_unknown_keys(&keys(r#"{"any": 1}"#), "").unwrap();
        refuse_unknown_keys(&keys(r#"{"any": 1}"#), r#"{"type": "object"}"#).unwrap();
        assert!(matches!(refuse_unknown_keys(&keys("{}"), "{"), Err(MatcherError::Failed(_))));
    }
}
