//! Brings the sources together: defaults, file, environment, command line.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::document::{Document, convert};
use super::raw::RawConfig;
use super::read::read;
use super::validate::validate;
use super::{Config, ConfigErrors, ConfigFault, Origin, VARIABLE_PREFIX, VARIABLE_SEPARATOR, VERSION};

/// The largest configuration file, in bytes.
const FILE_LIMIT_BYTES: u64 = 1 << 20;

/// Where a configuration comes from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file, if any.
    pub file: Option<PathBuf>,
    /// Environment variables; those that do not begin with `HEARTLINE_` or have no `__` are not ours.
    pub variables: Vec<(String, String)>,
    /// Settings of the command line, `section.key=value`.
    pub overrides: Vec<String>,
}

impl Config {
    /// Loads the configuration of this process: a file, if one is given, then the environment, then the overrides of
    /// the command line (`section.key=value`).
    ///
    /// # Errors
    /// [`ConfigErrors`] with every fault of every source.
    pub fn load(file: Option<&Path>, overrides: &[String]) -> Result<Self, ConfigErrors> {
        let variables = std::env::vars_os()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
            .collect();
        Self::from_sources(&Sources {
            file: file.map(Path::to_owned),
            variables,
            overrides: overrides.to_vec(),
        })
    }

    /// Loads a configuration from named sources only.
    ///
    /// # Errors
    /// [`ConfigErrors`] with every fault of every source.
    pub fn from_sources(sources: &Sources) -> Result<Self, ConfigErrors> {
        let base = sources.file.clone().map_or(Origin::Default, Origin::File);
        let mut document = Document::new(base.clone());
        let mut faults = Vec::new();
        if let Some(path) = &sources.file {
            let table = read_file(path, &base).map_err(|fault| ConfigErrors { faults: vec![fault] })?;
            faults.extend(document.fill(table));
            faults.extend(check_version(&document, base));
        }
        let defaults = serde_json::to_value(RawConfig::default()).unwrap_or_default();
        apply_variables(&mut document, &defaults, &sources.variables);
        faults.extend(apply_overrides(&mut document, &defaults, &sources.overrides));
        let (raw, found) = read::<RawConfig>(&mut document);
        faults.extend(found);
        let (config, found) = validate(raw);
        faults.extend(found.into_iter().map(|fault| ConfigFault {
            origin: document.origin(&fault.key),
            key: fault.key,
            problem: fault.problem,
            advice: fault.advice,
        }));
        if faults.is_empty() { Ok(config) } else { Err(ConfigErrors { faults }) }
    }
}

fn read_file(path: &Path, origin: &Origin) -> Result<toml::Table, ConfigFault> {
    let fault = |problem: String, advice: &str| ConfigFault {
        key: String::new(),
        origin: origin.clone(),
        problem,
        advice: advice.to_owned(),
    };
    let unreadable = |error: std::io::Error| {
        fault(format!("the file cannot be read: {error}"), "check the path and its permissions")
    };
    let length = std::fs::metadata(path).map_err(unreadable)?.len();
    if length > FILE_LIMIT_BYTES {
        let problem = format!("the file has {length} bytes, more than the limit of {FILE_LIMIT_BYTES}");
        return Err(fault(problem, "check that it is a configuration"));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    toml::from_str(&text).map_err(|error| {
        let problem = error.to_string().trim_end().replace('\n', "\n    ");
        fault(format!("the file is not TOML: {problem}"), "")
    })
}

/// Checks that a file names its layout's version; which one is checked with all other values.
fn check_version(document: &Document, origin: Origin) -> Option<ConfigFault> {
    if document.root().get("version").is_some() {
        return None;
    }
    let problem = "the file does not name its version".to_owned();
    let advice = format!("write `version = {VERSION}` before the first section");
    Some(ConfigFault { key: "version".to_owned(), origin, problem, advice })
}

/// Sets what the environment sets: `HEARTLINE_SECTION__KEY`.
///
/// A variable without the separator is not ours: container platforms make up `HEARTLINE_PORT` and the like from the
/// name of a service.
fn apply_variables(document: &mut Document, defaults: &Value, variables: &[(String, String)]) {
    for (name, text) in variables {
        let Some(path) = name.strip_prefix(VARIABLE_PREFIX).filter(|path| path.contains(VARIABLE_SEPARATOR))
        else {
            continue;
        };
        let keys: Vec<String> = path.split(VARIABLE_SEPARATOR).map(str::to_lowercase).collect();
        let value = typed(text, defaults, &keys);
        document.set(&keys, value, Origin::Variable(name.clone()));
    }
}

/// Sets what the command line sets, and reports what is no setting.
fn apply_overrides(document: &mut Document, defaults: &Value, overrides: &[String]) -> Vec<ConfigFault> {
    let mut faults = Vec::new();
    for setting in overrides {
        let parts = setting.split_once('=').map(|(path, text)| {
            let keys: Vec<String> = path.trim().split('.').map(ToOwned::to_owned).collect();
            (keys, text.trim())
        });
        match parts {
            Some((keys, text)) if keys.iter().all(|key| !key.is_empty()) => {
                let value = typed(text, defaults, &keys);
                document.set(&keys, value, Origin::Flag);
            }
            _ => faults.push(ConfigFault {
                key: String::new(),
                origin: Origin::Flag,
                problem: format!("\"{setting}\" is not a setting"),
                advice: "write section.key=value".to_owned(),
            }),
        }
    }
    faults
}

/// A text as the kind of value that its key has: as it is where words are expected, otherwise as TOML writes values.
fn typed(text: &str, defaults: &Value, keys: &[String]) -> Value {
    let default = keys.iter().try_fold(defaults, |value, key| value.get(key));
    if default.is_some_and(Value::is_string) {
        return Value::String(text.to_owned());
    }
    let parsed = toml::from_str::<toml::Table>(&format!("value = {text}")).ok();
    parsed
        .filter(|table| table.len() == 1)
        .and_then(|mut table| table.remove("value"))
        .map(|value| convert(value, &mut Vec::new(), &mut Vec::new()))
        .filter(|value| !value.is_null())
        .unwrap_or_else(|| Value::String(text.to_owned()))
}
