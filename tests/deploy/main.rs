//! The files for containers, held to the program: what they name is there, what they set is taken, and a server has
//! the time to stop.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where something is missing")]

mod files;
mod image;

use std::path::Path;

use clap::Parser;
use heartline::cli::Arguments;
use heartline::config::{Config, Sources};
use serde_json::Value;

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The documents of a YAML file.
fn documents(name: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(&read(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A list of words.
fn words(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect()
}

/// The configuration of a server that is started with this text as its file, these words and these variables.
fn started(text: &str, words: &[&str], variables: &[(&str, &str)]) -> Config {
    let arguments = Arguments::try_parse_from(std::iter::once("heartline").chain(words.iter().copied()));
    let arguments = arguments.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(words[0], "serve");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("heartline.toml");
    std::fs::write(&file, text).unwrap();
    let sources = Sources {
        file: Some(file),
        variables: variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        overrides: arguments.set,
    };
    Config::from_sources(&sources).unwrap_or_else(|errors| panic!("{errors}"))
}
