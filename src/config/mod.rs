//! The configuration: typed as written ([`raw`]), then validated ([`Config`]); every limit is here, with its default.
//!
//! A key's value comes from, in rising order: the default, the file, the environment (`HEARTLINE_SECTION__KEY`), the
//! command line (`section.key=value`). Nothing is guessed: an unknown key is refused together with the keys that were
//! expected, and every fault of all sources is reported at once.
//!
//! Sections that belong to other rooms plug in as serde types with a [`Section`] implementation; this room knows
//! their faults only as keys and words.

mod access;
mod document;
mod errors;
mod load;
mod plugins;
pub mod raw;
mod read;
mod section;
mod telephony;
mod validate;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::emotion::FusionConfig;
use crate::engine::EngineConfig;
use crate::live::LiveConfig;
use crate::live::webhooks::WebhooksConfig;
use crate::media::MediaLimits;
use crate::routing::{Policy, RecordsConfig, RoutingLimits};
use crate::telemetry::TelemetryConfig;
use crate::webrtc::WebRtcConfig;

pub use access::{AccessConfig, KeyConfig, check_name};
pub use errors::{ConfigErrors, ConfigFault, Origin};
pub use load::Sources;
pub use plugins::{IsolationChoice, MatcherConfig, PluginsConfig, ProcessConfig};
pub use raw::Management;
pub use section::Section;
pub use telephony::{Secret, TelephonyConfig};

/// The beginning of every environment variable that sets a key.
pub const VARIABLE_PREFIX: &str = "HEARTLINE_";
/// What stands between a section and a key in an environment variable.
pub const VARIABLE_SEPARATOR: &str = "__";
/// The version of the configuration's layout, which a file must name.
pub const VERSION: u32 = 1;

/// A valid configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the server listens and what a request may cost.
    pub server: ServerConfig,
    /// Who may ask, from which pages, and how often.
    pub access: AccessConfig,
    /// The models, their device and their queues.
    pub engine: EngineConfig,
    /// The Open Inference Protocol.
    pub inference: InferenceConfig,
    /// What media may be.
    pub media: MediaLimits,
    /// What live calls may cost and how they are read.
    pub live: LiveConfig,
    /// Where live calls' events are sent.
    pub webhooks: WebhooksConfig,
    /// How readings become one vector.
    pub fusion: FusionConfig,
    /// How agents are ranked.
    pub routing: RoutingConfig,
    /// Which matchers are loaded.
    pub plugins: PluginsConfig,
    /// Whose emotion may be read.
    pub privacy: PrivacyConfig,
    /// Streams of telephone companies.
    pub telephony: TelephonyConfig,
    /// Logs.
    pub telemetry: TelemetryConfig,
    /// Media from browsers.
    pub webrtc: WebRtcConfig,
    /// Where the shipped samples are.
    pub samples: SamplesConfig,
}

/// Where the server listens and what a request may cost.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// The address to listen on.
    pub bind: SocketAddr,
    /// The largest request body, in bytes.
    pub max_body_bytes: usize,
    /// How many connections may be open; more wait until one closes.
    pub max_connections: usize,
    /// How long a connection waits for its client: for the head of a request, or for taking the next piece of an answer.
    pub header_timeout: Duration,
    /// How long a request's body may keep the server waiting, besides the time that its bytes earn.
    pub body_timeout: Duration,
    /// How many bytes of a body earn it a second more.
    pub min_body_bytes_per_second: usize,
    /// How long a request may take in all.
    pub request_timeout: Duration,
    /// How many requests may be worked on at the same time; more are answered with "overloaded".
    pub max_concurrent_requests: usize,
    /// How long a stopping server waits for the requests that it has accepted.
    pub drain_timeout: Duration,
    /// The certificate and its key; without them the server speaks in the clear.
    pub tls: Option<TlsFiles>,
}

/// The files of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and those between it and a root, in PEM, the server's own first.
    pub certificate: PathBuf,
    /// The certificate's private key, in PEM.
    pub key: PathBuf,
}

/// The Open Inference Protocol.
#[derive(Debug, Clone)]
pub struct InferenceConfig {
    /// Who may load and unload models by request.
    pub management: Management,
    /// How many gRPC streams may be open at the same time.
    pub max_streams: usize,
}

/// How agents are ranked.
#[derive(Debug, Clone)]
pub struct RoutingConfig {
    /// The name of the policy that ranks where a request names none.
    pub policy: String,
    /// The policies.
    pub policies: Vec<Policy>,
    /// What a list of agents may be.
    pub limits: RoutingLimits,
    /// What is kept of rankings.
    pub records: RecordsConfig,
}

impl RoutingConfig {
    /// The policy that ranks where a request names none.
    #[must_use]
    pub fn default_policy(&self) -> &Policy {
        let named = self.policies.iter().find(|policy| policy.name == self.policy);
        // A configuration without the policy that it names is refused before anything uses it.
        named.unwrap_or(&self.policies[0])
    }
}

/// Whose emotion may be read.
#[derive(Debug, Clone)]
pub struct PrivacyConfig {
    /// The lawful basis for reading the emotions of agents from voice or face; none: that is refused.
    pub agent_biometrics_basis: Option<String>,
}

/// Where the shipped samples are.
#[derive(Debug, Clone)]
pub struct SamplesConfig {
    /// The folder of the call that the demo analyses.
    pub folder: PathBuf,
}
