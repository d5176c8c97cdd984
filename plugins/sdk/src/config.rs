//! The configuration of a matcher: its schema, and the way from text to an instance with every fault named.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use garde::Validate;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{Matcher, MatcherError};

/// What can be a matcher's configuration: a type that derives `serde::Deserialize`, `schemars::JsonSchema` and
/// `garde::Validate`.
///
/// Give it `#[serde(default, deny_unknown_fields)]` and a `Default`, so that `{}` is a configuration and a misspelt key at
/// any depth is none. The comments of its fields become the schema's descriptions, the values of its `Default` the schema's
/// defaults, and `#[garde(range(min = .., max = ..))]` both the schema's bounds and the check before
/// [`Matcher::create`].
pub trait MatcherConfig: DeserializeOwned + JsonSchema + Validate<Context = ()> {}

impl<T: DeserializeOwned + JsonSchema + Validate<Context = ()>> MatcherConfig for T {}

/// The schema of a matcher's configuration, as JSON.
#[must_use]
pub fn config_schema<M: Matcher>() -> &'static str {
    // A static of a generic function is one for all its instances, so the texts are told apart by type.
    static SCHEMAS: LazyLock<Mutex<HashMap<TypeId, &'static str>>> = LazyLock::new(Mutex::default);
    let mut schemas = SCHEMAS.lock().unwrap_or_else(PoisonError::into_inner);
    schemas.entry(TypeId::of::<M>()).or_insert_with(|| {
        let schema = schemars::schema_for!(M::Config);
        Box::leak(serde_json::to_string(&schema).unwrap_or_default().into_boxed_str())
    })
}

/// Parses a configuration and makes an instance of it.
pub(crate) fn create<M: Matcher>(text: &str) -> Result<M, MatcherError> {
    let keys: Map<String, Value> = serde_json::from_str(text)
        .map_err(|error| MatcherError::Config(format!("it is not a JSON object: {error}")))?;
    let config: M::Config = serde_json::from_value(Value::Object(keys))
        .map_err(|error| MatcherError::Config(error.to_string()))?;
    config
        .validate()
        .map_err(|report| MatcherError::Config(report.to_string().trim_end().replace('\n', "; ")))?;
    M::create(config)
}
