//! The schema of a matcher's configuration, and configurations held to it before the matcher sees them.

use heartline_plugin_abi::Text;
use jsonschema::Validator;
use serde_json::{Map, Value};

use crate::HostError;

/// How many faults of a configuration are named.
const SHOWN_FAULTS: usize = 10;

/// A configuration's schema; matchers with nothing to configure have an empty one, which allows no key.
#[derive(Debug, Clone)]
pub struct ConfigSchema {
    json: Value,
    validator: Validator,
}

impl ConfigSchema {
    /// Reads what a matcher's `config_schema` gave.
    ///
    /// # Safety
    /// A non-null text must point at as many bytes as its length says, for as long as the call.
    pub(crate) unsafe fn read(text: Text, limit: usize) -> Result<Self, String> {
        if text.length > limit {
            return Err(format!("{} bytes are more than {limit}", text.length));
        }
        // SAFETY: the caller promises that the text is as long as it says.
        let text = unsafe { text.as_str() }.ok_or("it is null or not UTF-8")?;
        Self::parse(text)
    }

    /// Parses a schema; the empty text allows no key.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text =
            if text.is_empty() { r#"{"type": "object", "additionalProperties": false}"# } else { text };
        let keys: Map<String, Value> =
            serde_json::from_str(text).map_err(|error| format!("it is not a JSON object: {error}"))?;
        let json = Value::Object(keys);
        let validator =
            jsonschema::validator_for(&json).map_err(|error| format!("it is no schema: {error}"))?;
        Ok(Self { json, validator })
    }

    /// The schema itself.
    #[must_use]
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// Holds a configuration to the schema; every fault is named, up to a limit.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn check(&self, config: &Value) -> Result<(), String> {
        let mut faults = self.validator.iter_errors(config);
        let mut words: Vec<String> = faults
            .by_ref()
            .take(SHOWN_FAULTS)
            .map(|fault| match fault.instance_path().to_string().as_str() {
                "" => fault.to_string(),
                path => format!("{path}: {fault}"),
            })
            .collect();
        if words.is_empty() {
            return Ok(());
        }
        let more = faults.count();
        if more > 0 {
            words.push(format!("and {more} more"));
        }
        Err(words.join("; "))
    }
}

/// Parses a configuration, which must be a JSON object; the empty text stands for the empty object.
pub(crate) fn parse_config(id: &str, text: &str, limit: usize) -> Result<Value, HostError> {
    if text.len() > limit {
        return Err(HostError::ConfigTooLarge { id: id.to_owned(), limit, found: text.len() });
    }
    let text = if text.trim().is_empty() { "{}" } else { text };
    let keys: Map<String, Value> = serde_json::from_str(text)
        .map_err(|source| HostError::ConfigNotJson { id: id.to_owned(), source })?;
    Ok(Value::Object(keys))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = r#"{"type": "object", "additionalProperties": false,
        "properties": {"weight": {"type": "number", "minimum": 0}, "name": {"type": "string"}}}"#;

    #[test]
    fn every_fault_is_named() {
        let schema = ConfigSchema::parse(SCHEMA).unwrap();
        schema.check(&serde_json::json!({"weight": 1})).unwrap();
        let words = schema.check(&serde_json::json!({"weight": -1, "name": 3, "wieght": 0})).unwrap_err();
        for part in ["/weight", "/name", "wieght"] {
            assert!(words.contains(part), "{words}");
        }
    }

    #[test]
    fn no_schema_allows_no_key() {
        let schema = ConfigSchema::parse("").unwrap();
        schema.check(&serde_json::json!({})).unwrap();
        assert!(schema.check(&serde_json::json!({"any": 1})).is_err());
    }

    #[test]
    fn what_is_no_schema_is_refused() {
        assert!(ConfigSchema::parse("[1]").is_err());
        assert!(ConfigSchema::parse(r#"{"type": "nonsense"}"#).is_err());
    }
}
