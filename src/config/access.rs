//! `[access]`: who may ask, from which pages, and how often.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Config, ConfigErrors, ConfigFault, Origin, Section};

/// The most keys of one server.
const KEY_LIMIT: usize = 1_000;
/// The most pages of other hosts.
const ORIGIN_LIMIT: usize = 100;
/// The longest name of a key, in bytes.
const NAME_LIMIT: usize = 64;
/// Hexadecimal digits of a SHA-256.
const HASH_DIGITS: usize = 64;
/// The highest rate, burst and count of sessions.
const HIGHEST: u32 = 1_000_000;

/// `[access]`: who may ask, from which pages, and how often.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccessConfig {
    /// Whether a server without keys may listen where other machines reach it.
    pub open: bool,
    /// Whether `/metrics` needs a key as well.
    pub protect_metrics: bool,
    /// Pages of other hosts that may ask from a browser, such as `https://desk.example.com`.
    pub allowed_origins: Vec<String>,
    /// The keys; none: whoever reaches the server may ask.
    pub keys: Vec<KeyConfig>,
}

/// One key: who has it, and how much they may do with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyConfig {
    /// Who has it; the name goes to the log and tells sessions apart.
    pub name: String,
    /// The SHA-256 of the key, in hexadecimal; the key itself is nowhere.
    pub sha256: String,
    /// Requests a second.
    #[serde(default = "default_rate")]
    pub requests_per_second: u32,
    /// Requests at once, after a rest.
    #[serde(default = "default_burst")]
    pub burst: u32,
    /// Sessions at the same time.
    #[serde(default = "default_sessions")]
    pub max_sessions: u32,
}

const fn default_rate() -> u32 {
    100
}

const fn default_burst() -> u32 {
    200
}

const fn default_sessions() -> u32 {
    1_000
}

impl KeyConfig {
    /// The hash as bytes; none where it is not one.
    #[must_use]
    pub fn hash(&self) -> Option<[u8; 32]> {
        if self.sha256.len() != HASH_DIGITS || !self.sha256.is_ascii() {
            return None;
        }
        let mut hash = [0; 32];
        for (byte, digits) in hash.iter_mut().zip(self.sha256.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        // A sign would pass for a digit above.
        self.sha256.bytes().all(|digit| digit.is_ascii_hexdigit()).then_some(hash)
    }
}

impl AccessConfig {
    /// The key of this name.
    #[must_use]
    pub fn key(&self, name: &str) -> Option<&KeyConfig> {
        self.keys.iter().find(|key| key.name == name)
    }
}

impl Section for AccessConfig {
    fn validate(&self) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        if self.keys.len() > KEY_LIMIT {
            faults.push(("keys".to_owned(), format!("{} keys are more than {KEY_LIMIT}", self.keys.len())));
        }
        let (mut names, mut hashes) = (BTreeSet::new(), BTreeSet::new());
        for (index, key) in self.keys.iter().enumerate() {
            let mut fault = |field: &str, problem: String| {
                faults.push((format!("keys[{index}].{field}"), problem));
            };
            if let Err(problem) = check_name(&key.name) {
                fault("name", problem);
            }
            if !names.insert(&key.name) {
                fault("name", format!("\"{}\" is there already", key.name));
            }
            match key.hash() {
                None => fault(
                    "sha256",
                    format!(
                        "not {HASH_DIGITS} hexadecimal digits; `heartline keys new NAME` prints the line"
                    ),
                ),
                Some(hash) if !hashes.insert(hash) => fault("sha256", "another key has it too".to_owned()),
                Some(_) => {}
            }
            for (field, value) in [
                ("requests_per_second", key.requests_per_second),
                ("burst", key.burst),
                ("max_sessions", key.max_sessions),
            ] {
                if !(1..=HIGHEST).contains(&value) {
                    fault(field, format!("{value} is not within 1 to {HIGHEST}"));
                }
            }
        }
        faults.extend(self.origin_faults());
        faults
    }
}

impl AccessConfig {
    fn origin_faults(&self) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        if self.allowed_origins.len() > ORIGIN_LIMIT {
            let count = self.allowed_origins.len();
            faults.push(("allowed_origins".to_owned(), format!("{count} are more than {ORIGIN_LIMIT}")));
        }
        for (index, origin) in self.allowed_origins.iter().enumerate() {
            let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            let is_exact = host.is_some_and(|host| {
                !host.is_empty()
                    && host.bytes().all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase())
                    && !host.contains(['/', '*', '?', '#', '@', '"', '\\'])
            });
            if !is_exact {
                let problem = format!(
                    "\"{origin}\" is not what a browser sends; write scheme, host and port in lower case without a \
                     path, such as https://desk.example.com"
                );
                faults.push((format!("allowed_origins[{index}]"), problem));
            }
        }
        faults
    }
}

/// Checks the name of a key.
///
/// # Errors
/// What is wrong with it.
pub fn check_name(name: &str) -> Result<(), String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if name.is_empty() || name.len() > NAME_LIMIT || !name.bytes().all(is_plain) {
        return Err(format!(
            "\"{name}\" is not 1 to {NAME_LIMIT} letters, digits, hyphens, dots and underscores"
        ));
    }
    Ok(())
}

impl Config {
    /// Checks that a server which other machines reach knows who may ask, or says plainly that everybody may.
    ///
    /// # Errors
    /// [`ConfigErrors`] where it is neither.
    pub fn check_exposure(&self) -> Result<(), ConfigErrors> {
        let address = self.server.bind;
        let is_private = address.ip().to_canonical().is_loopback();
        if is_private || self.access.open || !self.access.keys.is_empty() {
            return Ok(());
        }
        let problem = format!("there are no keys, and with server.bind {address} other machines may ask");
        let advice = "add one (`heartline keys new NAME` prints the line), bind to 127.0.0.1, or let everybody ask \
                      with access.open = true";
        let key = "access.keys".to_owned();
        Err(ConfigErrors {
            faults: vec![ConfigFault { key, origin: Origin::Default, problem, advice: advice.to_owned() }],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Sources;
    use super::*;

    const HASH: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn key(name: &str, sha256: &str) -> KeyConfig {
        KeyConfig {
            name: name.to_owned(),
            sha256: sha256.to_owned(),
            requests_per_second: 1,
            burst: 1,
            max_sessions: 1,
        }
    }

    fn fields(config: &AccessConfig) -> Vec<String> {
        Section::validate(config).into_iter().map(|(field, _)| field).collect()
    }

    #[test]
    fn hashes_are_read_whole_or_not_at_all() {
        assert_eq!(key("a", HASH).hash().unwrap()[..3], [0xba, 0x78, 0x16]);
        assert_eq!(key("a", &HASH.to_uppercase()).hash(), key("a", HASH).hash());
        let signed = format!("+a{}", &HASH[2..]);
        let wide = format!("é{}", &HASH[2..]);
        for wrong in ["", "ba78", &HASH[1..], &format!("{HASH}0"), &HASH.replace('b', "g"), &signed, &wide] {
            assert_eq!(key("a", wrong).hash(), None, "{wrong}");
        }
    }

    #[test]
    fn every_fault_of_the_keys_is_found() {
        let mut slow = key("slow", &HASH.replace('b', "c"));
        slow.requests_per_second = 0;
        slow.burst = HIGHEST + 1;
        slow.max_sessions = 0;
        let keys = vec![key("a", HASH), key("a", HASH), key("two words", "short"), slow];
        let found = fields(&AccessConfig { keys, ..AccessConfig::default() });
        assert_eq!(
            found,
            [
                "keys[1].name",
                "keys[1].sha256",
                "keys[2].name",
                "keys[2].sha256",
                "keys[3].requests_per_second",
                "keys[3].burst",
                "keys[3].max_sessions"
            ]
        );
        let many = (0..=KEY_LIMIT).map(|index| key(&format!("k{index}"), &format!("{index:064x}"))).collect();
        assert_eq!(fields(&AccessConfig { keys: many, ..AccessConfig::default() }), ["keys"]);
    }

    #[test]
    fn origins_are_exact() {
        for good in ["https://desk.example.com", "http://localhost:5173", "https://[::1]:8443"] {
            let config = AccessConfig { allowed_origins: vec![good.to_owned()], ..AccessConfig::default() };
            assert!(fields(&config).is_empty(), "{good}");
        }
        for wrong in [
            "*",
            "https://",
            "https://*.example.com",
            "https://a.example/",
            "desk.example.com",
            "https://Desk.example",
        ] {
            let config = AccessConfig { allowed_origins: vec![wrong.to_owned()], ..AccessConfig::default() };
            assert_eq!(fields(&config), ["allowed_origins[0]"], "{wrong}");
        }
    }

    #[test]
    fn a_server_that_others_reach_has_keys_or_says_that_it_is_open() {
        let check = |settings: &[String]| {
            let sources = Sources { overrides: settings.to_vec(), ..Sources::default() };
            Config::from_sources(&sources).unwrap().check_exposure()
        };
        let bind = |address: &str| format!("server.bind={address}");
        let keys = format!("access.keys=[{{ name = \"a\", sha256 = \"{HASH}\" }}]");
        for private in ["127.0.0.1:1", "[::1]:1", "127.9.9.9:1", "[::ffff:127.0.0.1]:1"] {
            check(&[bind(private)]).unwrap();
        }
        for public in ["0.0.0.0:1", "[::]:1", "192.168.0.2:1"] {
            let errors = check(&[bind(public)]).unwrap_err();
            assert!(errors.to_string().contains(public) && errors.to_string().contains("access.open"));
            check(&[bind(public), "access.open=true".to_owned()]).unwrap();
            check(&[bind(public), keys.clone()]).unwrap();
        }
    }
}
