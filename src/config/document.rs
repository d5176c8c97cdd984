//! What all sources together say, as one tree, and where each value was set.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{ConfigFault, Origin};

/// One step down the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Into a table, by key.
    Key(String),
    /// Into an array, by position.
    Index(usize),
}

/// A path as a user reads it: `plugins.matchers[1].path`.
pub(super) fn written(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => text.extend([".", key]),
            Step::Index(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}

/// What the sources say. A null marks an array element or key that was taken out: no source can write one.
#[derive(Debug)]
pub(super) struct Document {
    root: Value,
    base: Origin,
    origins: BTreeMap<String, Origin>,
}

impl Document {
    /// A document that says nothing yet; what no later source sets has the origin `base`.
    pub(super) fn new(base: Origin) -> Self {
        Self { root: Value::Object(Map::new()), base, origins: BTreeMap::new() }
    }

    /// Puts a parsed file's table in place and reports the values that no key can have.
    pub(super) fn fill(&mut self, table: toml::Table) -> Vec<ConfigFault> {
        let mut infinite = Vec::new();
        self.root = convert(toml::Value::Table(table), &mut Vec::new(), &mut infinite);
        infinite
            .into_iter()
            .map(|key| ConfigFault {
                key,
                origin: self.base.clone(),
                problem: "the value is not a finite number".to_owned(),
                advice: "give an ordinary number".to_owned(),
            })
            .collect()
    }

    /// Sets one value over whatever was there.
    pub(super) fn set(&mut self, keys: &[String], value: Value, origin: Origin) {
        let mut place = &mut self.root;
        for key in keys {
            if !place.is_object() {
                *place = Value::Object(Map::new());
            }
            let Value::Object(table) = place else { return };
            place = table.entry(key.clone()).or_insert(Value::Null);
        }
        *place = value;
        self.origins.insert(keys.join("."), origin);
    }

    /// The tree.
    pub(super) const fn root(&self) -> &Value {
        &self.root
    }

    /// Where a key was set; the closest setting of the key, of a table around it or of a key below it counts.
    pub(super) fn origin(&self, key: &str) -> Origin {
        let below = |outer: &str, inner: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let around = self.origins.iter().filter(|(set, _)| below(set, key)).max_by_key(|(set, _)| set.len());
        let found = around.or_else(|| self.origins.iter().find(|(set, _)| below(key, set)));
        if let Some((_, origin)) = found {
            return origin.clone();
        }
        let mut place = Some(&self.root);
        for part in key.split(['.', '[']) {
            place = place.and_then(|value| match (value, part.trim_end_matches(']').parse::<usize>()) {
                (Value::Array(elements), Ok(index)) => elements.get(index),
                _ => value.get(part),
            });
        }
        if place.is_some() { self.base.clone() } else { Origin::Default }
    }

    /// The place of a path whose positions count only what has not been taken out.
    pub(super) fn locate(&self, path: &[Step]) -> Vec<Step> {
        let mut place = Some(&self.root);
        let mut located = Vec::with_capacity(path.len());
        for step in path {
            let step = match (step, place) {
                (Step::Index(index), Some(Value::Array(elements))) => {
                    let mut present = elements.iter().enumerate().filter(|(_, element)| !element.is_null());
                    Step::Index(present.nth(*index).map_or(*index, |(position, _)| position))
                }
                (step, _) => step.clone(),
            };
            place = place.and_then(|value| match &step {
                Step::Key(key) => value.get(key),
                Step::Index(index) => value.get(index),
            });
            located.push(step);
        }
        located
    }

    /// Takes out what a located path leads to, or else the closest thing around it; false where nothing is left.
    pub(super) fn take_out(&mut self, path: &[Step]) -> bool {
        (1..=path.len()).rev().any(|length| {
            let place = path[..length].iter().try_fold(&mut self.root, |value, step| match step {
                Step::Key(key) => value.get_mut(key),
                Step::Index(index) => value.get_mut(*index),
            });
            place.is_some_and(|value| !std::mem::take(value).is_null())
        })
    }

    /// The document over the defaults.
    pub(super) fn over(&self, defaults: &Value) -> Value {
        merge(Some(defaults), &self.root)
    }
}

/// What is given over what is the default; arrays are replaced as a whole.
fn merge(default: Option<&Value>, given: &Value) -> Value {
    match given {
        Value::Object(given) => {
            let mut table = default.and_then(Value::as_object).cloned().unwrap_or_default();
            for (key, value) in given.iter().filter(|(_, value)| !value.is_null()) {
                let value = merge(table.get(key), value);
                table.insert(key.clone(), value);
            }
            Value::Object(table)
        }
        Value::Array(given) => {
            given.iter().filter(|value| !value.is_null()).map(|value| merge(None, value)).collect()
        }
        value => value.clone(),
    }
}

/// TOML as JSON; the keys of infinite numbers are collected and their values left out.
pub(super) fn convert(value: toml::Value, path: &mut Vec<Step>, infinite: &mut Vec<String>) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Boolean(flag) => Value::Bool(flag),
        toml::Value::Datetime(moment) => Value::String(moment.to_string()),
        toml::Value::Float(number) => {
            if !number.is_finite() {
                infinite.push(written(path));
            }
            Value::from(number)
        }
        toml::Value::Array(elements) => {
            let mut converted = Vec::with_capacity(elements.len());
            for (index, element) in elements.into_iter().enumerate() {
                path.push(Step::Index(index));
                converted.push(convert(element, path, infinite));
                path.pop();
            }
            Value::Array(converted)
        }
        toml::Value::Table(table) => {
            let mut converted = Map::new();
            for (key, element) in table {
                path.push(Step::Key(key.clone()));
                converted.insert(key, convert(element, path, infinite));
                path.pop();
            }
            Value::Object(converted)
        }
    }
}
