//! Reads a typed value out of a document and reports every fault, not just the first.
//!
//! serde stops at the first fault. So a faulty key is noted and taken out, which leaves its default, and what remains
//! is read again until it is sound.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;

use super::ConfigFault;
use super::document::{Document, Step, written};

/// How alike two keys must be, from 0 to 1, for one to be suggested instead of the other.
const LIKENESS: f64 = 0.75;

/// Reads a document over the defaults of a type.
pub(super) fn read<T>(document: &mut Document) -> (T, Vec<ConfigFault>)
where
    T: Default + Serialize + DeserializeOwned,
{
    let defaults = serde_json::to_value(T::default()).unwrap_or_default();
    let mut faults = Vec::new();
    let mut taken_out: Vec<Vec<Step>> = Vec::new();
    loop {
        let error = match serde_path_to_error::deserialize::<_, T>(document.over(&defaults)) {
            Ok(value) => {
                let known = serde_json::to_value(&value).unwrap_or_default();
                ignored(document.root(), &known, &mut Vec::new(), &mut |path, siblings| {
                    faults.push(unknown(document, path, &siblings));
                });
                return (value, faults);
            }
            Err(error) => error,
        };
        let path: Vec<Step> = error.path().iter().filter_map(step).collect();
        let path = document.locate(&path);
        let message = error.inner().to_string();
        // What is missing only because it was faulty has been reported already.
        let own_doing = message.starts_with("missing field")
            && taken_out.iter().any(|taken| taken.len() > path.len() && taken.starts_with(&path));
        if !own_doing {
            faults.push(explain(document, &defaults, &path, &message));
        }
        if !document.take_out(&path) {
            return (T::default(), faults);
        }
        taken_out.push(path);
    }
}

fn step(segment: &Segment) -> Option<Step> {
    match segment {
        Segment::Map { key } => Some(Step::Key(key.clone())),
        Segment::Seq { index } => Some(Step::Index(*index)),
        Segment::Enum { .. } | Segment::Unknown => None,
    }
}

/// Calls `found` for every key that the type read past without a word, with the keys that it knows there.
fn ignored(given: &Value, known: &Value, path: &mut Vec<Step>, found: &mut dyn FnMut(&[Step], Vec<String>)) {
    match (given, known) {
        (Value::Object(given), Value::Object(known)) => {
            for (key, value) in given.iter().filter(|(_, value)| !value.is_null()) {
                path.push(Step::Key(key.clone()));
                match known.get(key) {
                    Some(known) => ignored(value, known, path, found),
                    None => found(path, known.keys().cloned().collect()),
                }
                path.pop();
            }
        }
        (Value::Array(given), Value::Array(known)) => {
            let given = given.iter().enumerate().filter(|(_, value)| !value.is_null());
            for ((index, value), known) in given.zip(known) {
                path.push(Step::Index(index));
                ignored(value, known, path, found);
                path.pop();
            }
        }
        _ => {}
    }
}

/// Turns serde's message into a fault.
fn explain(document: &Document, defaults: &Value, path: &[Step], message: &str) -> ConfigFault {
    let default = path.iter().try_fold(defaults, |value, step| match step {
        Step::Key(key) => value.get(key),
        Step::Index(_) => None,
    });
    if message.starts_with("unknown field") {
        return unknown(document, path, &expected_names(message));
    }
    let key = written(path);
    let (problem, advice) = match default {
        Some(Value::Object(keys)) => {
            let names = keys.keys().cloned().collect::<Vec<_>>().join(", ");
            ("expected a section with keys, not a single value".to_owned(), format!("its keys are {names}"))
        }
        Some(Value::Array(_) | Value::Null) | None => (message.to_owned(), String::new()),
        Some(default) => (message.to_owned(), format!("the default is {}", plain(default))),
    };
    ConfigFault { origin: document.origin(&key), key, problem, advice }
}

/// A value as a person writes it: what was kept in single precision has no more digits than that.
pub(super) fn plain(value: &Value) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "it is compared with what it came from")]
    let single = value.as_f64().map(|number| number as f32);
    match (value, single) {
        (Value::Number(number), Some(single))
            if number.is_f64() && Some(f64::from(single)) == number.as_f64() =>
        {
            format!("{single:?}")
        }
        _ => value.to_string(),
    }
}

/// The fault of an unknown key, with the keys that were expected and the most similar one.
fn unknown(document: &Document, path: &[Step], siblings: &[String]) -> ConfigFault {
    let key = written(path);
    let name = match path.last() {
        Some(Step::Key(name)) => name.as_str(),
        _ => "",
    };
    let closest = siblings
        .iter()
        .map(|sibling| (strsim::jaro_winkler(name, sibling), sibling))
        .filter(|(likeness, _)| *likeness >= LIKENESS)
        .max_by(|left, right| left.0.total_cmp(&right.0));
    let expected = siblings.join(", ");
    let advice = match closest {
        Some((_, closest)) => format!("did you mean \"{closest}\"? Expected one of: {expected}"),
        None => format!("expected one of: {expected}"),
    };
    ConfigFault { origin: document.origin(&key), key, problem: format!("unknown key \"{name}\""), advice }
}

/// The names that serde lists between backquotes after the word "expected".
fn expected_names(message: &str) -> Vec<String> {
    let (_, list) = message.split_once("expected").unwrap_or(("", ""));
    list.split('`').skip(1).step_by(2).map(ToOwned::to_owned).collect()
}
