//! `heartline models`: the models' folders, and whether their files are whole.

use std::io::Write;
use std::path::{Path, PathBuf};

use heartline_models::{Device, ModelFolder};
use serde::Serialize;

use super::CliError;
use super::arguments::OutputArguments;
use super::tables::table;
use crate::app::paths;
use crate::config::Config;
use crate::telemetry::with_causes;

/// The models that the engine loads.
const MODEL_NAMES: [&str; 4] = ["text", "voice", "detector", "face"];

/// One line of the list.
#[derive(Serialize)]
struct Entry {
    name: String,
    version: Option<u32>,
    licence: Option<String>,
    source: Option<String>,
    device: String,
    size_bytes: u64,
    folder: String,
    is_ok: bool,
    error: Option<String>,
}

/// Checks every file against its checksum and prints.
pub(super) fn run(
    config: &Config,
    arguments: &OutputArguments,
    output: &mut dyn Write,
) -> Result<(), CliError> {
    let root = paths::find(&config.engine.models_folder);
    let device = match Device::open_all(&config.engine.device, config.engine.precision) {
        Ok(devices) => devices.iter().map(Device::name).collect::<Vec<_>>().join(","),
        Err(error) => format!("{} ({error})", config.engine.device),
    };
    let entries: Vec<Entry> = MODEL_NAMES.iter().map(|name| check(&root, name, &device)).collect();
    if arguments.json {
        writeln!(output, "{}", serde_json::to_string_pretty(&entries)?)?;
    } else {
        write_table(&entries, output)?;
    }
    let broken = entries.iter().filter(|entry| !entry.is_ok).count();
    if broken > 0 {
        let message = format!(
            "{broken} models are missing or damaged; fetch models/weights again, or name another folder with \
             --set engine.models_folder=FOLDER"
        );
        return Err(CliError::Unusable(message));
    }
    Ok(())
}

fn check(root: &Path, name: &str, device: &str) -> Entry {
    let folder = newest_version(&root.join(name)).unwrap_or_else(|| root.join(name).join("1"));
    let opened = ModelFolder::<serde_json::Value>::open(&folder);
    let error = opened.as_ref().err().map(|error| with_causes(error));
    let manifest = opened.ok().map(|opened| opened.manifest);
    Entry {
        name: name.to_owned(),
        version: manifest.as_ref().map(|manifest| manifest.version),
        licence: manifest.as_ref().map(|manifest| manifest.licence.clone()),
        source: manifest.as_ref().map(|manifest| manifest.source.clone()),
        device: device.to_owned(),
        size_bytes: size_bytes(&folder),
        folder: folder.display().to_string(),
        is_ok: error.is_none(),
        error,
    }
}

/// The folder of the highest version, which is the one that the engine loads.
fn newest_version(folder: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    let versions = entries.filter_map(|entry| {
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        Some((version, entry.path()))
    });
    versions.max().map(|(_, path)| path)
}

fn size_bytes(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.metadata().ok())
        .filter(std::fs::Metadata::is_file)
        .map(|file| file.len())
        .sum()
}

fn write_table(entries: &[Entry], output: &mut dyn Write) -> Result<(), CliError> {
    let mut table = table(["Model", "Version", "Device", "Size", "Files", "Licence of the weights"]);
    for entry in entries {
        table.add_row([
            entry.name.clone(),
            entry.version.map_or_else(|| "?".to_owned(), |version| version.to_string()),
            entry.device.clone(),
            format!("{:.1} MB", entry.size_bytes as f64 / 1e6),
            entry.error.clone().unwrap_or_else(|| "sha256 ok".to_owned()),
            entry.licence.clone().unwrap_or_default(),
        ]);
    }
    writeln!(output, "{table}")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_version_is_taken_by_number() {
        let root = tempfile::tempdir().unwrap();
        for name in ["2", "10", "old"] {
            std::fs::create_dir(root.path().join(name)).unwrap();
        }
        assert_eq!(newest_version(root.path()), Some(root.path().join("10")));
        assert_eq!(newest_version(&root.path().join("none")), None);
    }

    #[test]
    fn a_missing_model_is_an_entry_with_an_error() {
        let root = tempfile::tempdir().unwrap();
        let entry = check(root.path(), "text", "cpu");
        assert!(!entry.is_ok && entry.size_bytes == 0);
        assert!(entry.error.unwrap().contains("model.json"));
    }
}
