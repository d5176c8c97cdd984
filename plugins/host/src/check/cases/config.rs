//! Configurations: the schema, its defaults, and what must be refused.

use serde_json::{Map, Value, json};

use crate::check::case::{Found, Verdict};
use crate::check::child::Bench;
use crate::check::random::Random;
use crate::check::subject::{Instance, Subject};
use crate::check::world::World;
use heartline_plugin_abi::Status;

/// How many warnings are named.
const SHOWN_WARNINGS: usize = 3;

pub(crate) fn schema(bench: &Bench) -> Found {
    // Opening has checked that it is a JSON schema.
    let subject = bench.subject()?;
    let schema = subject.schema();
    let mut warnings = Vec::new();
    if let Err(reason) = schema.check(&json!({})) {
        warnings.push(format!("its schema refuses {{}}, so it works only with a configuration: {reason}"));
    }
    let undescribed = undescribed(schema.json());
    if !undescribed.is_empty() {
        warnings.push(format!("the schema does not describe {}", undescribed.join(", ")));
    }
    let defaults = defaults(schema.json(), schema.json());
    let count = defaults.as_object().map_or(0, Map::len);
    if count > 0 {
        schema.check(&defaults).map_err(|reason| format!("the schema refuses its own defaults: {reason}"))?;
        bench.step("creating an instance from the schema's defaults");
        match subject.create(defaults.to_string().as_bytes()) {
            Ok(instance) => drop(instance),
            Err(told) => {
                return Err(format!("it does not accept its own schema's defaults {defaults}: {told}"));
            }
        }
    }
    let words =
        format!("a JSON schema with {} properties, {count} with defaults", properties(schema.json()).count());
    Ok(Verdict::unless(warnings, words))
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema["properties"].as_object().into_iter().flatten()
}

/// Follows a `$ref` into the same document, once.
fn resolved<'root>(root: &'root Value, schema: &'root Value) -> &'root Value {
    let target = schema["$ref"].as_str().and_then(|target| target.strip_prefix('#'));
    target.and_then(|target| root.pointer(target)).unwrap_or(schema)
}

fn undescribed(root: &Value) -> Vec<String> {
    let is_told = |schema: &Value| schema["description"].is_string() || schema["title"].is_string();
    let missing = properties(root).filter(|(_, schema)| !is_told(schema) && !is_told(resolved(root, schema)));
    missing.map(|(name, _)| name.clone()).collect()
}

/// The defaults of a schema's properties, as a configuration.
fn defaults(root: &Value, schema: &Value) -> Value {
    let found = properties(schema).filter_map(|(name, property)| {
        let property_default = property.get("default").or_else(|| resolved(root, property).get("default"));
        Some((name.clone(), property_default?.clone()))
    });
    Value::Object(found.collect())
}

pub(crate) fn garbage(bench: &Bench) -> Found {
    let subject = bench.subject()?;
    let mut random = bench.random();
    let mut tried = Tried {
        bench,
        subject: &subject,
        world: World::seeded(&mut random, 3),
        count: 0,
        is_silent: false,
        warnings: Vec::new(),
    };
    for (name, bytes) in no_objects(&mut random) {
        tried.refuses(&name, &bytes, "is no JSON object")?;
    }
    let schema = subject.schema();
    for config in broken_configs(schema.json(), &mut random, bench.order().rounds) {
        let text = config.to_string();
        let shown = beginning(&text);
        if text.len() > subject.limits().max_config_bytes {
            continue;
        }
        if schema.check(&config).is_err() {
            tried.refuses(&shown, text.as_bytes(), "breaks its schema")?;
        } else {
            tried.takes_or_refuses(&shown, text.as_bytes())?;
        }
    }
    let words = format!("{} configurations, each taken or refused with BAD_CONFIG", tried.count);
    Ok(Verdict::unless(tried.warnings, words))
}

/// The beginning of a configuration, which may be long.
fn beginning(text: &str) -> String {
    let mut beginning: String = text.chars().take(60).collect();
    if beginning.len() < text.len() {
        beginning.push_str(" ...");
    }
    beginning
}

/// How configurations were taken so far.
struct Tried<'bench> {
    bench: &'bench Bench,
    subject: &'bench Subject,
    world: World,
    count: usize,
    is_silent: bool,
    warnings: Vec<String>,
}

impl Tried<'_> {
    /// A configuration that ought to be refused. The host never lets one through, so nothing is scored with it.
    fn refuses(&mut self, name: &str, bytes: &[u8], why: &str) -> Result<(), String> {
        match self.create(name, bytes, |_| Ok(()))? {
            Status::BAD_CONFIG => {}
            // What is no JSON breaks the contract, which is the caller's fault.
            Status::BAD_ARGUMENT if why == "is no JSON object" => {}
            Status::OK => self.warn(format!("it accepts {name}, which {why}")),
            Status(status) => {
                self.warn(format!("it answers {name}, which {why}, with status {status} and not BAD_CONFIG"));
            }
        }
        Ok(())
    }

    /// A configuration that the schema allows: the matcher may still know better.
    fn takes_or_refuses(&mut self, name: &str, bytes: &[u8]) -> Result<(), String> {
        let world = self.world.clone();
        let bench = self.bench;
        let score = |mut instance: Instance<'_>| {
            bench.step(format!("scoring with the configuration {name}"));
            instance
                .score(&world)
                .map(drop)
                .map_err(|fault| format!("with the configuration {name}, {fault}"))
        };
        match self.create(name, bytes, score)? {
            Status::OK | Status::BAD_CONFIG => Ok(()),
            Status(status) => Err(format!(
                "it answers the configuration {name} with status {status}, neither OK nor BAD_CONFIG"
            )),
        }
    }

    /// Creates an instance and lets it be used.
    fn create(
        &mut self,
        name: &str,
        bytes: &[u8],
        using: impl FnOnce(Instance<'_>) -> Result<(), String>,
    ) -> Result<Status, String> {
        self.count += 1;
        self.bench.step(format!("creating an instance from the configuration {name}"));
        match self.subject.create(bytes) {
            Err(told) if told.status == Status::PANICKED => Err(format!("the configuration {name}: {told}")),
            // Success without an instance.
            Err(told) if told.status == Status::OK => Err(format!("the configuration {name}: {told}")),
            Err(told) => {
                if told.words.is_empty() && !self.is_silent {
                    self.is_silent = true;
                    self.warn(format!("it refuses the configuration {name} without a word about why"));
                }
                Ok(told.status)
            }
            Ok(instance) => using(instance).map(|()| Status::OK),
        }
    }

    /// The first few of one kind are enough.
    fn warn(&mut self, words: String) {
        if self.warnings.len() < SHOWN_WARNINGS && !self.warnings.contains(&words) {
            self.warnings.push(words);
        }
    }
}

/// Bytes that are no JSON object, with a name for each.
fn no_objects(random: &mut Random) -> Vec<(String, Vec<u8>)> {
    let mut bytes: Vec<(String, Vec<u8>)> = [
        "{",
        "}",
        "null",
        "[]",
        "7",
        "\"text\"",
        "{}{}",
        "{]",
        "{\"a\":}",
        "{'a': 1}",
        "{\"a\": NaN}",
        "\u{feff}{}",
    ]
    .iter()
    .map(|text| ((*text).to_owned(), text.as_bytes().to_vec()))
    .collect();
    bytes.push(("of bytes that are not UTF-8".to_owned(), b"{\"a\": \"\xff\xfe\"}".to_vec()));
    bytes.push(("with a NUL".to_owned(), b"{\0}".to_vec()));
    bytes.push(("of 100,000 opening brackets".to_owned(), vec![b'['; 100_000]));
    bytes.push(("of 100,000 opened objects".to_owned(), b"{\"a\":".repeat(100_000)));
    bytes.push(("of 1 MiB of spaces".to_owned(), vec![b' '; 1 << 20]));
    for round in 0..20 {
        let length = 1 + random.below(200);
        // What begins like this never becomes an object.
        let noise = std::iter::once(b'#').chain((0..length).map(|_| random.next() as u8)).collect();
        bytes.push((format!("of {length} random bytes (round {round})"), noise));
    }
    bytes
}

/// Objects that break a schema in most places where it can be broken, and random ones.
fn broken_configs(root: &Value, random: &mut Random, rounds: u32) -> Vec<Value> {
    let mut configs = vec![json!({"": 0}), json!({"no such key": true}), json!({"huge": "x".repeat(60_000)})];
    let names: Vec<&String> = properties(root).map(|(name, _)| name).collect();
    for (name, property) in properties(root) {
        let property = resolved(root, property);
        for value in strange_values(property) {
            configs.push(json!({ name.as_str(): value }));
        }
    }
    for _ in 0..if names.is_empty() { 0 } else { rounds.min(200) } {
        let count = 1 + random.below(names.len());
        let one = |random: &mut Random| {
            let name = (*random.pick(&names)).clone();
            let values = strange_values(resolved(root, &root["properties"][&name]));
            (name, random.pick(&values).clone())
        };
        configs.push(Value::Object((0..count).map(|_| one(random)).collect()));
    }
    configs
}

/// Values of every type, and those just inside and outside a property's range.
fn strange_values(property: &Value) -> Vec<Value> {
    let mut values = vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!(f64::MAX),
        json!(f64::MIN),
        json!(5e-324),
        json!(""),
        json!("text"),
        json!([]),
        json!([null]),
        json!({}),
        json!({"a": {"a": []}}),
    ];
    for key in ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"] {
        if let Some(bound) = property[key].as_f64() {
            values.extend([
                json!(bound),
                json!(bound - 0.001),
                json!(bound + 0.001),
                json!(bound - 1.0),
                json!(bound + 1.0),
            ]);
        }
    }
    values.extend(property["enum"].as_array().into_iter().flatten().cloned());
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Value {
        json!({
            "type": "object",
            "properties": {
                "plain": {"type": "number", "minimum": 1, "default": 2},
                "told": {"description": "x", "type": "string"},
                "named": {"$ref": "#/$defs/Named"},
            },
            "$defs": {"Named": {"description": "y", "default": {"a": 1}}},
        })
    }

    #[test]
    fn defaults_and_descriptions_are_found_through_references() {
        let schema = example();
        assert_eq!(defaults(&schema, &schema), json!({"plain": 2, "named": {"a": 1}}));
        assert_eq!(undescribed(&schema), ["plain"]);
    }

    #[test]
    fn ranges_are_broken_on_both_sides_of_a_bound() {
        let values = strange_values(&example()["properties"]["plain"]);
        assert!(values.contains(&json!(1.0 - 0.001)) && values.contains(&json!(1.001)));
    }

    #[test]
    fn garbage_never_is_an_object() {
        for (name, bytes) in no_objects(&mut Random::new(3)) {
            assert!(serde_json::from_slice::<Map<String, Value>>(&bytes).is_err(), "{name}");
        }
        let configs = broken_configs(&example(), &mut Random::new(3), 50);
        assert!(configs.len() > 60 && configs.iter().all(Value::is_object));
    }
}
