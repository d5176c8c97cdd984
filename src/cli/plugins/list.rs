//! `heartline plugins list`: the matchers, and whether they load.

use std::io::Write;

use serde::Serialize;

use crate::app::{MatcherInfo, PluginCheck, check_plugins};
use crate::cli::CliError;
use crate::cli::arguments::OutputArguments;
use crate::cli::tables::{self, table};
use crate::config::Config;
use crate::telemetry::with_causes;

/// One line of the list.
#[derive(Serialize)]
struct Entry {
    path: String,
    is_ok: bool,
    matcher: Option<MatcherInfo>,
    error: Option<String>,
}

impl From<PluginCheck> for Entry {
    fn from(check: PluginCheck) -> Self {
        let path = check.path.display().to_string();
        match check.outcome {
            Ok(matcher) => Self { path, is_ok: true, matcher: Some(matcher), error: None },
            Err(error) => Self { path, is_ok: false, matcher: None, error: Some(with_causes(&error)) },
        }
    }
}

/// Checks and prints. A matcher that the configuration names and that does not load is a failure; others are only shown.
pub(super) fn run(
    config: &Config,
    arguments: &OutputArguments,
    output: &mut dyn Write,
) -> Result<(), CliError> {
    let checks = check_plugins(config);
    let used = config.plugins.matchers.len();
    let entries: Vec<Entry> = checks.into_iter().map(Entry::from).collect();
    if arguments.json {
        writeln!(output, "{}", serde_json::to_string_pretty(&entries)?)?;
    } else {
        write_table(&entries, output)?;
    }
    // Those of the configuration come first in the list.
    let broken = entries.iter().take(used).filter(|entry| !entry.is_ok).count();
    if broken > 0 {
        let message = format!(
            "{broken} matchers do not load; build them with `cargo build --release`, name their folder \
             with --set plugins.folder=FOLDER, or take them out of plugins.matchers"
        );
        return Err(CliError::Unusable(message));
    }
    Ok(())
}

fn write_table(entries: &[Entry], output: &mut dyn Write) -> Result<(), CliError> {
    let mut table = table(["Matcher", "Version", "Interface", "Mode", "Weight", "Check", "Library"]);
    for entry in entries {
        let (name, version, abi, mode, weight) = match &entry.matcher {
            Some(matcher) => (
                matcher.id.clone(),
                matcher.version.clone(),
                matcher.abi.clone(),
                matcher.mode.map_or_else(|| "unused".to_owned(), |mode| tables::word(&mode)),
                matcher.weight.map_or_else(String::new, |weight| format!("{weight:.2}")),
            ),
            None => ("?".to_owned(), String::new(), String::new(), String::new(), String::new()),
        };
        let check = entry.error.clone().unwrap_or_else(|| "ok".to_owned());
        table.add_row([name, version, abi, mode, weight, check, entry.path.clone()]);
    }
    writeln!(output, "{table}")?;
    Ok(())
}
