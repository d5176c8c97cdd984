//! `[webhooks]`: where events are sent, and how hard it is tried.

use std::time::Duration;

use axum::http::Uri;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

use super::super::Event;
use super::WebhookError;

/// What every secret begins with.
const SECRET_PREFIX: &str = "whsec_";
/// How many bytes a secret may have.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// The most endpoints.
const ENDPOINT_LIMIT: usize = 32;

/// `[webhooks]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhooksConfig {
    /// How long an endpoint may take to answer, in milliseconds.
    pub timeout_ms: u64,
    /// How often a message is tried in all.
    pub max_attempts: u32,
    /// How long the second attempt waits after the first; each further one waits twice as long, in milliseconds.
    pub retry_ms: u64,
    /// Messages that may wait for one endpoint; then the oldest is dropped that does not end a session.
    pub max_backlog: usize,
    /// Where events are sent.
    pub endpoints: Vec<EndpointConfig>,
}

impl Default for WebhooksConfig {
    fn default() -> Self {
        Self {
            timeout_ms: 10_000,
            max_attempts: 8,
            retry_ms: 1_000,
            max_backlog: 1_000,
            endpoints: Vec::new(),
        }
    }
}

/// One endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointConfig {
    /// Where messages are posted to.
    pub url: String,
    /// The secret that signs them: `whsec_` and 24 to 64 bytes in base64.
    #[serde(default)]
    pub secret: Option<WebhookSecret>,
    /// An environment variable that holds the secret.
    #[serde(default)]
    pub secret_env: Option<String>,
    /// The kinds of events.
    #[serde(default = "endings")]
    pub events: Vec<String>,
    /// The names of the keys whose sessions are told; none: those of all.
    #[serde(default)]
    pub keys: Vec<String>,
}

fn endings() -> Vec<String> {
    vec!["session.closed".to_owned()]
}

/// A secret that appears in no log and in no answer.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct WebhookSecret(String);

impl std::fmt::Debug for WebhookSecret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("(secret)")
    }
}

impl Serialize for WebhookSecret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("(secret)")
    }
}

impl EndpointConfig {
    /// The key that signs this endpoint's messages.
    pub(super) fn signing_key(&self, index: usize) -> Result<Vec<u8>, WebhookError> {
        let secret = match (&self.secret, &self.secret_env) {
            (Some(secret), _) => secret.0.clone(),
            (None, Some(variable)) => std::env::var(variable)
                .map_err(|_| WebhookError::SecretMissing { index, variable: variable.clone() })?,
            (None, None) => String::new(),
        };
        let bytes =
            secret.trim().strip_prefix(SECRET_PREFIX).and_then(|text| BASE64_STANDARD.decode(text).ok());
        bytes
            .filter(|bytes| SECRET_BYTES.contains(&bytes.len()))
            .ok_or(WebhookError::SecretUnusable { index })
    }

    fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        let uri: Option<Uri> = self.url.parse().ok();
        let is_usable = uri.is_some_and(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.host().is_some_and(|host| !host.is_empty())
        });
        if !is_usable {
            faults.push(("url", format!("\"{}\" is not https://HOST/PATH", self.url)));
        }
        if self.secret.is_some() == self.secret_env.is_some() {
            let problem = "exactly one of secret and secret_env is needed; it signs what is sent";
            faults.push(("secret", problem.to_owned()));
        }
        if self.events.is_empty() {
            faults.push(("events", "no kind of event is named".to_owned()));
        }
        for kind in self.events.iter().filter(|kind| !Event::KINDS.contains(&kind.as_str())) {
            let problem = format!("\"{kind}\" is no kind of event; there are {}", Event::KINDS.join(", "));
            faults.push(("events", problem));
        }
        faults
    }
}

impl WebhooksConfig {
    /// What is wrong with these values, as pairs of key and problem.
    #[must_use]
    pub fn validate(&self) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        for (key, value, range) in [
            ("timeout_ms", self.timeout_ms, 100..=600_000),
            ("max_attempts", u64::from(self.max_attempts), 1..=100),
            ("retry_ms", self.retry_ms, 10..=600_000),
            ("max_backlog", self.max_backlog as u64, 1..=1_000_000),
        ] {
            if !range.contains(&value) {
                let problem = format!("{value} is not within {} to {}", range.start(), range.end());
                faults.push((key.to_owned(), problem));
            }
        }
        if self.endpoints.len() > ENDPOINT_LIMIT {
            let problem = format!("{} are more than {ENDPOINT_LIMIT}", self.endpoints.len());
            faults.push(("endpoints".to_owned(), problem));
        }
        for (index, endpoint) in self.endpoints.iter().enumerate() {
            let found = endpoint.faults().into_iter();
            faults.extend(found.map(|(key, problem)| (format!("endpoints[{index}].{key}"), problem)));
        }
        faults
    }

    /// How long an endpoint may take to answer.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str, secret: Option<&str>) -> EndpointConfig {
        EndpointConfig {
            url: url.to_owned(),
            secret: secret.map(|text| WebhookSecret(text.to_owned())),
            secret_env: None,
            events: endings(),
            keys: Vec::new(),
        }
    }

    #[test]
    fn secrets_have_their_form_and_are_shown_to_nobody() {
        let bytes = |count: usize| format!("whsec_{}", BASE64_STANDARD.encode(vec![7; count]));
        for (secret, is_usable) in [
            (bytes(24), true),
            (bytes(64), true),
            (bytes(23), false),
            (bytes(65), false),
            (bytes(32)[6..].to_owned(), false),
            ("whsec_***".to_owned(), false),
        ] {
            let endpoint = endpoint("https://a.example", Some(&secret));
            assert_eq!(endpoint.signing_key(3).is_ok(), is_usable, "{secret}");
            let shown = format!("{endpoint:?}{}", serde_json::to_string(&endpoint).unwrap());
            assert!(!shown.contains(&secret[6..]), "{shown}");
        }
        let named = EndpointConfig {
            secret_env: Some("NO_SUCH_VARIABLE_HERE".to_owned()),
            ..endpoint("https://a.example", None)
        };
        let error = named.signing_key(3).unwrap_err();
        assert!(error.to_string().contains("NO_SUCH_VARIABLE_HERE") && error.to_string().contains("[3]"));
    }

    #[test]
    fn faults_are_named() {
        let keys = |config: &WebhooksConfig| -> Vec<String> {
            config.validate().into_iter().map(|(key, _)| key).collect()
        };
        assert!(keys(&WebhooksConfig::default()).is_empty());
        let mut wrong = endpoint("ftp://a.example", None);
        wrong.events = vec!["emotion".to_owned(), "emotions".to_owned()];
        let config = WebhooksConfig {
            max_attempts: 0,
            endpoints: vec![endpoint("http://a.example:8080/hooks?a=1", Some("x")), wrong],
            ..WebhooksConfig::default()
        };
        let expected = ["max_attempts", "endpoints[1].url", "endpoints[1].secret", "endpoints[1].events"];
        assert_eq!(keys(&config), expected);
    }
}
