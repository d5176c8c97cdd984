//! Matchers as they were when a ranking was recorded: the libraries of the configuration, with the settings and the
//! lessons of the record. A record never says which code runs.

use std::sync::Arc;

use serde_json::Value;

use super::super::StartError;
use super::Matchers;
use crate::config::{Config, MatcherConfig};
use crate::routing::record::replay::{Found, MatcherSource, Wanted};
use crate::routing::{Identity, PluginScorer, Scorer};
use crate::telemetry::with_causes;

/// How long a matcher may take for one ranking that is made again: nobody waits for it, and a slow machine should give
/// the same answer.
const DEADLINE_MS: u64 = 10_000;

/// Makes matchers for replays.
pub(crate) struct RecordedMatchers {
    config: Config,
    present: Matchers,
}

impl RecordedMatchers {
    /// Loads the matchers of a configuration, with nothing that they have learned since.
    ///
    /// # Errors
    /// As [`Matchers::load`].
    pub(crate) fn load(config: &Config) -> Result<Self, StartError> {
        let mut config = config.clone();
        // What the server's matchers have learned is neither read nor written here.
        config.plugins.state_folder = None;
        let present = Matchers::load(&config)?;
        Ok(Self { config, present })
    }
}

impl MatcherSource for RecordedMatchers {
    fn matcher(&mut self, wanted: &Wanted<'_>) -> Result<Found, String> {
        let id = wanted.id;
        let (path, entry) =
            self.present.library(id).ok_or_else(|| "plugins.matchers does not name it".to_owned())?;
        let mut notes = Vec::new();
        let mut entry = MatcherConfig { deadline_ms: DEADLINE_MS, ..entry.clone() };
        if let Some(Value::Object(config)) = wanted.identity.map(|identity| &identity.config) {
            entry.config.clone_from(config);
        }
        let matcher = super::registry::load(&super::registry::host(&self.config), path, &entry, &self.config);
        let matcher = matcher.map_err(|error| with_causes(&error))?;
        if let Some(bytes) = &wanted.state {
            match matcher.load_state(bytes) {
                Ok(true) => {}
                Ok(false) => notes.push(format!("matcher {id} keeps nothing now, and had learned something")),
                Err(error) => notes.push(format!(
                    "matcher {id} cannot read what it had learned, and begins anew: {}",
                    with_causes(&error)
                )),
            }
        }
        let scorer = PluginScorer::new(Arc::new(matcher));
        notes.extend(wanted.identity.and_then(|recorded| other_library(id, recorded, &scorer.identity())));
        Ok(Found { scorer: Arc::new(scorer), notes })
    }
}

/// Says that a library is not the recorded one.
fn other_library(id: &str, recorded: &Identity, now: &Identity) -> Option<String> {
    let short = |fingerprint: &str| fingerprint.get(..12).unwrap_or(fingerprint).to_owned();
    (recorded.fingerprint != now.fingerprint).then(|| {
        format!(
            "matcher {id} is another library: recorded {} ({}), now {} ({})",
            recorded.version,
            short(&recorded.fingerprint),
            now.version,
            short(&now.fingerprint)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_library_is_said_with_both_versions() {
        let identity = |version: &str, fingerprint: &str| Identity {
            version: version.to_owned(),
            fingerprint: fingerprint.to_owned(),
            ..Identity::default()
        };
        assert_eq!(other_library("a", &identity("1.0.0", "ff"), &identity("1.0.0", "ff")), None);
        let words =
            other_library("a", &identity("1.0.0", &"f".repeat(64)), &identity("1.1.0", "aa")).unwrap();
        assert!(words.contains("1.0.0 (ffffffffffff)") && words.contains("1.1.0 (aa)"), "{words}");
    }
}
