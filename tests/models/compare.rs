//! Expected answers: their compact form, recording them, and comparing with a tolerance.
//!
//! Machines add in different orders (vector width, threads, fused multiplication), which moves a probability by about
//! one part in ten thousand. The tolerance is a hundred times that and still far below what a changed weight or
//! preprocessing step moves; `damage` shows that it is.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

/// Probabilities, scores, dimensions and qualities may differ by this much.
const TOLERANCE: f64 = 0.01;
/// Scores of labels below this are not recorded, and all count as this much: of a text's many labels few say anything.
const SMALL_SCORE: f64 = 0.05;
/// Familiarity is a steep function of a distance, so it may differ by more.
const FAMILIARITY_TOLERANCE: f64 = 0.02;
/// Boxes of faces may differ by this many pixels.
const BOX_TOLERANCE: f64 = 1.0;
/// Answers that stand near a limit of trust may fall to its other side; so many of a slice may.
const ABSTENTIONS_THAT_MAY_DIFFER: usize = 2;

/// What is recorded.
pub(crate) fn expected(name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(path(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Records answers where the environment says so.
pub(crate) fn record(name: &str, found: &[Value]) {
    if is_recording() {
        let lines: String = found.iter().map(|line| format!("{}\n", compact(line))).collect();
        write(&path(name), &lines);
    }
}

fn path(name: &str) -> PathBuf {
    crate::support::file(&format!("expected/{name}.jsonl"))
}

pub(crate) fn is_recording() -> bool {
    std::env::var_os("HEARTLINE_RECORD").is_some_and(|value| value == "1")
}

pub(crate) fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    eprintln!("recorded {}", path.display());
}

/// An answer with rounded numbers and without what follows from the rest.
fn compact(line: &Value) -> Value {
    let mut kept = Map::new();
    for (key, value) in line.as_object().unwrap() {
        let value = match key.as_str() {
            "predicted_label" | "language" => continue,
            "windows" | "faces" => Value::Array(value.as_array().unwrap().iter().map(compact).collect()),
            "abstain" => value["code"].clone(),
            "error" => json!({"code": value["code"]}),
            "categories" | "box" => rounded_fields(value),
            "labels" => without_small(rounded_fields(value)),
            _ => rounded(value),
        };
        kept.insert(key.clone(), value);
    }
    Value::Object(kept)
}

/// Scores without the small ones.
fn without_small(value: Value) -> Value {
    let Value::Object(fields) = value else { return value };
    let is_kept = |value: &Value| value.as_f64().is_none_or(|score| score >= SMALL_SCORE);
    Value::Object(fields.into_iter().filter(|(_, value)| is_kept(value)).collect())
}

fn rounded_fields(value: &Value) -> Value {
    let Value::Object(fields) = value else { return value.clone() };
    Value::Object(fields.iter().map(|(key, value)| (key.clone(), rounded(value))).collect())
}

fn rounded(value: &Value) -> Value {
    match value.as_f64() {
        Some(number) if value.is_f64() => json!((number * 1e3).round() / 1e3),
        _ => value.clone(),
    }
}

/// Every difference between what is expected and what was found that is more than rounding.
pub(crate) fn differences(expected: &[Value], found: &[Value]) -> Vec<String> {
    let mut differences = Vec::new();
    if expected.len() != found.len() {
        differences.push(format!("{} rows instead of {}", found.len(), expected.len()));
    }
    let mut abstentions = Vec::new();
    for (expected, found) in expected.iter().zip(found) {
        let found = compact(found);
        let id = expected["id"].as_str().unwrap_or("?");
        if expected["abstain"] != found["abstain"] {
            abstentions
                .push(format!("{id}: abstains with {} instead of {}", found["abstain"], expected["abstain"]));
        }
        compare(id, expected, &found, TOLERANCE, &mut differences);
    }
    if abstentions.len() > ABSTENTIONS_THAT_MAY_DIFFER {
        differences.extend(abstentions);
    }
    differences
}

fn compare(place: &str, expected: &Value, found: &Value, tolerance: f64, differences: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            if expected.keys().ne(found.keys()) {
                let keys = |object: &Map<String, Value>| object.keys().cloned().collect::<Vec<_>>().join(" ");
                differences.push(format!("{place}: fields {} instead of {}", keys(found), keys(expected)));
            }
            for (key, expected) in expected {
                let tolerance = match key.as_str() {
                    "labels" => {
                        compare_scores(
                            &format!("{place}/{key}"),
                            expected,
                            found.get(key).unwrap_or(&Value::Null),
                            differences,
                        );
                        continue;
                    }
                    // A near tie may turn; the probabilities are compared.
                    "abstain" | "predicted" => continue,
                    "familiarity" => FAMILIARITY_TOLERANCE,
                    "left" | "top" | "width" | "height" => BOX_TOLERANCE,
                    _ => tolerance,
                };
                let found = found.get(key).unwrap_or(&Value::Null);
                compare(&format!("{place}/{key}"), expected, found, tolerance, differences);
            }
        }
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            for (index, (expected, found)) in expected.iter().zip(found).enumerate() {
                compare(&format!("{place}[{index}]"), expected, found, tolerance, differences);
            }
        }
        (Value::Number(expected), Value::Number(found)) => {
            let difference = (expected.as_f64().unwrap() - found.as_f64().unwrap()).abs();
            if difference > tolerance {
                differences.push(format!("{place}: {found} instead of {expected}"));
            }
        }
        _ if expected == found => {}
        _ => differences.push(format!("{place}: {found} instead of {expected}")),
    }
}

fn compare_scores(place: &str, expected: &Value, found: &Value, differences: &mut Vec<String>) {
    let empty = Map::new();
    let (expected, found) = (expected.as_object().unwrap_or(&empty), found.as_object().unwrap_or(&empty));
    let names: std::collections::BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    for name in names {
        let score = |scores: &Map<String, Value>| {
            scores.get(name).and_then(Value::as_f64).map_or(SMALL_SCORE, |score| score.max(SMALL_SCORE))
        };
        let (expected, found) = (score(expected), score(found));
        if (expected - found).abs() > TOLERANCE {
            differences.push(format!("{place}/{name}: {found} instead of {expected}"));
        }
    }
}

#[test]
fn a_difference_is_seen_and_rounding_is_not() {
    let line = |anger: f64, code: Value| {
        let abstain = if code.is_null() { Value::Null } else { json!({"code": code, "reason": "x"}) };
        json!({"id": "a", "categories": {"anger": anger}, "abstain": abstain, "familiarity": anger, "tokens": 3})
    };
    let recorded = [compact(&line(0.5, Value::Null))];
    assert!(differences(&recorded, &[line(0.509, Value::Null)]).is_empty());
    assert_eq!(differences(&recorded, &[line(0.515, Value::Null)]).len(), 1);
    assert_eq!(differences(&recorded, &[line(0.55, Value::Null)]).len(), 2);
    assert!(differences(&recorded, &[line(0.5, "unsure".into())]).is_empty());
    let many = vec![recorded[0].clone(); 3];
    assert_eq!(differences(&many, &vec![line(0.5, "unsure".into()); 3]).len(), 3);
    assert_eq!(differences(&recorded, &[]).len(), 1);
    let labelled = |joy: f64, grief: f64| json!({"id": "a", "labels": {"joy": joy, "grief": grief}});
    let recorded = [compact(&labelled(0.051, 0.4))];
    assert!(differences(&recorded, &[labelled(0.049, 0.4)]).is_empty());
    assert!(differences(&recorded, &[labelled(0.0, 0.4)]).is_empty());
    assert_eq!(differences(&recorded, &[labelled(0.062, 0.38)]).len(), 2);
    assert_eq!(differences(&recorded, &[json!({"id": "a", "labels": {"sorrow": 0.4}})]).len(), 2);
    let fault = json!({"id": "a", "error": {"code": "model_failed", "message": "x"}});
    assert!(!differences(&recorded, &[fault]).is_empty());
}
