//! `[plugins]`: which matchers are loaded, from where, and what they may cost.

use std::path::PathBuf;
use std::time::Duration;

use heartline_plugin_host::BreakerOptions;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Section;

/// The most matchers.
const MATCHER_LIMIT: usize = 32;
/// The most hashes of libraries that may be loaded.
const ALLOWED_LIMIT: usize = 1_000;
/// The longest name of a matcher, in bytes.
const ID_BYTES: usize = 64;

/// `[plugins]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PluginsConfig {
    /// The folder that relative paths start from; unset stands for the folder of the running program.
    pub folder: Option<PathBuf>,
    /// The matchers that are loaded; policies say how they count.
    pub matchers: Vec<MatcherConfig>,
    /// The folder for the copies that libraries are loaded from, from which programs may run; unset stands for the
    /// system's folder of temporary files.
    pub staging_folder: Option<PathBuf>,
    /// The SHA-256 of every library that may be loaded; none: every library that is named.
    pub allowed_sha256: Vec<String>,
    /// How many versions of one matcher may be loaded one after the other before the program must be started anew.
    pub max_generations: usize,
    /// How long it may take to start a matcher, and to save or load what it has learned, in milliseconds.
    pub slow_deadline_ms: u64,
    /// The folder where matchers keep what they have learned; unset, they forget it when the program ends.
    pub state_folder: Option<PathBuf>,
    /// How often it is written, in milliseconds.
    pub state_interval_ms: u64,
    /// `[plugins.breaker]`: when a matcher that fails is no longer asked.
    pub breaker: BreakerOptions,
    /// `[plugins.process]`
    pub process: ProcessConfig,
}

impl Default for PluginsConfig {
    fn default() -> Self {
        Self {
            folder: None,
            matchers: ["skill", "attitude", "language"].map(MatcherConfig::shipped).to_vec(),
            staging_folder: None,
            allowed_sha256: Vec::new(),
            max_generations: 16,
            slow_deadline_ms: 5_000,
            state_folder: None,
            state_interval_ms: 60_000,
            breaker: BreakerOptions::default(),
            process: ProcessConfig::default(),
        }
    }
}

/// One matcher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MatcherConfig {
    /// The shared library; a relative path starts from `plugins.folder`.
    pub path: PathBuf,
    /// The name that policies call it by; unset, the matcher's own. One library may be loaded under several names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Where its code runs.
    #[serde(default)]
    pub isolation: IsolationChoice,
    /// How long a ranking waits for it, in milliseconds.
    #[serde(default = "default_deadline_ms")]
    pub deadline_ms: u64,
    /// The matcher's own settings, given to it as JSON.
    #[serde(default)]
    pub config: Map<String, Value>,
}

const fn default_deadline_ms() -> u64 {
    250
}

impl MatcherConfig {
    /// One of the matchers that come with the program, as it is without a word in the configuration.
    fn shipped(name: &str) -> Self {
        Self::new(PathBuf::from(format!("libheartline_{name}.so")))
    }

    /// A library with the default of everything else.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            id: None,
            isolation: IsolationChoice::None,
            deadline_ms: default_deadline_ms(),
            config: Map::new(),
        }
    }

    /// How long a ranking waits for it.
    #[must_use]
    pub const fn deadline(&self) -> Duration {
        Duration::from_millis(self.deadline_ms)
    }
}

/// Where a matcher's code runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IsolationChoice {
    /// In the server's own process: the fastest, and with all of the server's rights.
    #[default]
    None,
    /// In a process of its own, which may crash, hang and fill its memory without harm to the server.
    Process,
}

/// `[plugins.process]`: what a matcher in a process of its own may cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProcessConfig {
    /// The program that becomes the process; unset stands for the running one.
    pub program: Option<PathBuf>,
    /// How much memory the matcher may take, on top of what its process has when it starts, in bytes.
    pub memory_bytes: u64,
}

impl Default for ProcessConfig {
    fn default() -> Self {
        Self { program: None, memory_bytes: 1 << 30 }
    }
}

impl Section for PluginsConfig {
    fn validate(&self) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        let mut refuse = |key: &str, problem: String| faults.push((key.to_owned(), problem));
        for (key, value, lowest, highest) in [
            ("max_generations", self.max_generations as u64, 1, 1_000),
            ("state_interval_ms", self.state_interval_ms, 100, 86_400_000),
            ("breaker.failures", u64::from(self.breaker.failures), 1, 1_000),
            ("breaker.back_off_ms", self.breaker.back_off_ms, 1, 86_400_000),
            ("breaker.max_back_off_ms", self.breaker.max_back_off_ms, 1, 86_400_000),
            ("process.memory_bytes", self.process.memory_bytes, 64 << 20, 1 << 40),
            ("slow_deadline_ms", self.slow_deadline_ms, 100, 600_000),
        ] {
            if !(lowest..=highest).contains(&value) {
                refuse(key, format!("{value} is not within {lowest} to {highest}"));
            }
        }
        if self.breaker.max_back_off_ms < self.breaker.back_off_ms {
            let (most, first) = (self.breaker.max_back_off_ms, self.breaker.back_off_ms);
            refuse("breaker.max_back_off_ms", format!("{most} is less than back_off_ms, {first}"));
        }
        if self.matchers.len() > MATCHER_LIMIT {
            let found = self.matchers.len();
            refuse("matchers", format!("{found} matchers are more than {MATCHER_LIMIT}"));
        }
        for (index, matcher) in self.matchers.iter().enumerate() {
            let key = |field: &str| format!("matchers[{index}].{field}");
            if matcher.path.as_os_str().is_empty() {
                refuse(&key("path"), "the path is empty".to_owned());
            }
            if !(1..=60_000).contains(&matcher.deadline_ms) {
                refuse(&key("deadline_ms"), format!("{} is not within 1 to 60000", matcher.deadline_ms));
            }
            let Some(id) = &matcher.id else { continue };
            if !is_id(id) {
                let rule = "lower-case letters, digits, '.', '-' and '_'";
                refuse(&key("id"), format!("{id:?} is not made of 1 to {ID_BYTES} {rule}"));
            }
            if self.matchers[..index].iter().any(|earlier| earlier.id.as_ref() == Some(id)) {
                refuse(&key("id"), format!("{id:?} is there twice"));
            }
        }
        if self.allowed_sha256.len() > ALLOWED_LIMIT {
            let found = self.allowed_sha256.len();
            refuse("allowed_sha256", format!("{found} hashes are more than {ALLOWED_LIMIT}"));
        }
        for (index, hash) in self.allowed_sha256.iter().enumerate() {
            if hash.len() != 64 || !hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
                let problem = format!("{hash:?} is not a SHA-256 in 64 lower-case hexadecimal digits");
                refuse(&format!("allowed_sha256[{index}]"), problem);
            }
        }
        faults
    }
}

/// Whether a text can name a matcher.
fn is_id(text: &str) -> bool {
    let allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_');
    (1..=ID_BYTES).contains(&text.len()) && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(config: &PluginsConfig) -> Vec<String> {
        config.validate().into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn the_default_is_valid_and_loads_the_shipped_matchers() {
        let config = PluginsConfig::default();
        assert_eq!(keys(&config), Vec::<String>::new());
        assert_eq!(config.matchers[2].path.to_str(), Some("libheartline_language.so"));
    }

    #[test]
    fn faults_are_named_by_their_place() {
        let matcher = |id: &str, deadline_ms| MatcherConfig {
            id: Some(id.to_owned()),
            deadline_ms,
            ..MatcherConfig::new(PathBuf::from("a.so"))
        };
        let config = PluginsConfig {
            matchers: vec![matcher("a", 1), matcher("a", 0), matcher("Has Spaces", 60_001)],
            allowed_sha256: vec!["0".repeat(64), "F".repeat(64), "12".to_owned()],
            max_generations: 0,
            breaker: BreakerOptions { failures: 0, back_off_ms: 10, max_back_off_ms: 9 },
            slow_deadline_ms: 600_001,
            process: ProcessConfig { program: None, memory_bytes: 1 },
            ..PluginsConfig::default()
        };
        let expected = [
            "max_generations",
            "breaker.failures",
            "process.memory_bytes",
            "slow_deadline_ms",
            "breaker.max_back_off_ms",
            "matchers[1].deadline_ms",
            "matchers[1].id",
            "matchers[2].deadline_ms",
            "matchers[2].id",
            "allowed_sha256[1]",
            "allowed_sha256[2]",
        ];
        assert_eq!(keys(&config), expected);
    }

    #[test]
    fn lists_have_an_end() {
        let config = PluginsConfig {
            matchers: vec![MatcherConfig::new(PathBuf::from("a.so")); MATCHER_LIMIT + 1],
            allowed_sha256: vec!["0".repeat(64); ALLOWED_LIMIT + 1],
            ..PluginsConfig::default()
        };
        assert_eq!(keys(&config), ["matchers", "allowed_sha256"]);
    }
}
