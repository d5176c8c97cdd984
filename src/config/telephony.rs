//! `[telephony]`: what a telephone company's stream may cost, and how it shows that it is the telephone company.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Section;

/// A text that appears in no log and in no answer.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("(secret)")
    }
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("(secret)")
    }
}

/// `[telephony]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelephonyConfig {
    /// The account's token, with which every stream must be signed; none: signatures are not looked at.
    pub auth_token: Option<Secret>,
    /// The URL that the telephone company calls, as it stands in the stream's instructions; it is what is signed.
    pub public_url: Option<String>,
    /// The largest message, in bytes.
    pub max_message_bytes: usize,
    /// How many pieces of sound may wait for those before them.
    pub reorder_chunks: usize,
    /// How many faulty messages a call may bring before it is ended.
    pub max_faults: u64,
    /// The most custom parameters of a call.
    pub max_parameters: usize,
    /// The longest custom parameter, name and value together, in bytes.
    pub max_parameter_bytes: usize,
    /// How long a connection may take to say that its stream begins, in milliseconds.
    pub start_timeout_ms: u64,
}

impl Default for TelephonyConfig {
    fn default() -> Self {
        Self {
            auth_token: None,
            public_url: None,
            max_message_bytes: 256 << 10,
            reorder_chunks: 8,
            max_faults: 50,
            max_parameters: 32,
            max_parameter_bytes: 1_024,
            start_timeout_ms: 10_000,
        }
    }
}

impl TelephonyConfig {
    /// How long a connection may take to say that its stream begins.
    #[must_use]
    pub const fn start_timeout(&self) -> Duration {
        Duration::from_millis(self.start_timeout_ms)
    }
}

impl Section for TelephonyConfig {
    fn validate(&self) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        let mut fault = |key: &str, problem: String| faults.push((key.to_owned(), problem));
        for (key, value, least, most) in [
            ("max_message_bytes", self.max_message_bytes as u64, 1_024, 16 << 20),
            ("reorder_chunks", self.reorder_chunks as u64, 0, 64),
            ("max_faults", self.max_faults, 0, 1_000_000),
            ("max_parameters", self.max_parameters as u64, 0, 1_000),
            ("max_parameter_bytes", self.max_parameter_bytes as u64, 1, 65_536),
            ("start_timeout_ms", self.start_timeout_ms, 100, 600_000),
        ] {
            if !(least..=most).contains(&value) {
                fault(key, format!("{value} is not within {least} to {most}"));
            }
        }
        if self.auth_token.as_ref().is_some_and(|token| token.reveal().trim().is_empty()) {
            fault(
                "auth_token",
                "the token is empty; leave the key out where streams are not signed".to_owned(),
            );
        }
        match &self.public_url {
            Some(url) if !["wss://", "https://"].iter().any(|scheme| url.starts_with(scheme)) => {
                fault("public_url", format!("\"{url}\" does not begin with wss:// or https://"));
            }
            None if self.auth_token.is_some() => {
                let problem = "it is missing, and it is what auth_token signs; write wss://HOST/v1/twilio";
                fault("public_url", problem.to_owned());
            }
            _ => {}
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(config: &TelephonyConfig) -> Vec<String> {
        config.validate().into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn the_defaults_have_no_fault() {
        assert_eq!(faults(&TelephonyConfig::default()), Vec::<String>::new());
    }

    #[test]
    fn a_token_needs_the_url_that_it_signs() {
        let token = TelephonyConfig { auth_token: Some(Secret::from("token")), ..TelephonyConfig::default() };
        assert_eq!(faults(&token), ["public_url"]);
        let wrong = TelephonyConfig {
            public_url: Some("ws://calls.example.com/v1/twilio".to_owned()),
            ..token.clone()
        };
        assert_eq!(faults(&wrong), ["public_url"]);
        let right =
            TelephonyConfig { public_url: Some("wss://calls.example.com/v1/twilio".to_owned()), ..token };
        assert_eq!(faults(&right), Vec::<String>::new());
    }

    #[test]
    fn every_bound_is_checked() {
        let config = TelephonyConfig {
            auth_token: Some(Secret::from(" ")),
            public_url: Some("https://calls.example.com".to_owned()),
            max_message_bytes: 1,
            reorder_chunks: 65,
            max_faults: 1_000_001,
            max_parameters: 1_001,
            max_parameter_bytes: 0,
            start_timeout_ms: 0,
        };
        assert_eq!(faults(&config).len(), 7);
    }

    #[test]
    fn the_token_shows_up_nowhere() {
        let config =
            TelephonyConfig { auth_token: Some(Secret::from("hidden-words")), ..TelephonyConfig::default() };
        let shown = format!("{config:?} {}", serde_json::to_string(&config).unwrap());
        assert!(!shown.contains("hidden-words"), "{shown}");
    }
}
