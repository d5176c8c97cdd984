//! The configuration as it is typed: plain numbers and words, with the default of every key.

use std::path::PathBuf;

use heartline_models::{DeviceChoice, PrecisionChoice};
use serde::{Deserialize, Serialize};

use super::{AccessConfig, PluginsConfig, TelephonyConfig};
use crate::emotion::FusionConfig;
use crate::live::LiveConfig;
use crate::live::webhooks::WebhooksConfig;
use crate::media::MediaLimits;
use crate::routing::{Policy, RecordsConfig, RoutingLimits};
use crate::telemetry::LogFormat;
use crate::webrtc::WebRtcConfig;

/// The whole file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawConfig {
    /// The layout's version; a file must name it.
    pub version: u32,
    /// `[server]`
    pub server: RawServer,
    /// `[access]`
    pub access: AccessConfig,
    /// `[engine]`
    pub engine: RawEngine,
    /// `[inference]`
    pub inference: RawInference,
    /// `[media]`, which belongs to the media room.
    pub media: MediaLimits,
    /// `[live]`, which belongs to the live room.
    pub live: LiveConfig,
    /// `[webhooks]`, which belongs to the live room.
    pub webhooks: WebhooksConfig,
    /// `[fusion]`, which belongs to the emotion room.
    pub fusion: FusionConfig,
    /// `[routing]`
    pub routing: RawRouting,
    /// `[plugins]`, which checks itself.
    pub plugins: PluginsConfig,
    /// `[privacy]`
    pub privacy: RawPrivacy,
    /// `[telephony]`, which checks itself.
    pub telephony: TelephonyConfig,
    /// `[telemetry]`
    pub telemetry: RawTelemetry,
    /// `[webrtc]`, which belongs to the WebRTC room.
    pub webrtc: WebRtcConfig,
    /// `[samples]`
    pub samples: RawSamples,
}

impl Default for RawConfig {
    fn default() -> Self {
        Self {
            version: super::VERSION,
            server: RawServer::default(),
            access: AccessConfig::default(),
            engine: RawEngine::default(),
            inference: RawInference::default(),
            media: MediaLimits::default(),
            live: LiveConfig::default(),
            webhooks: WebhooksConfig::default(),
            fusion: FusionConfig::default(),
            routing: RawRouting::default(),
            plugins: PluginsConfig::default(),
            privacy: RawPrivacy::default(),
            telephony: TelephonyConfig::default(),
            telemetry: RawTelemetry::default(),
            webrtc: WebRtcConfig::default(),
            samples: RawSamples::default(),
        }
    }
}

/// `[server]`: where the server listens and what a request may cost.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawServer {
    /// The address to listen on, `IP:PORT`.
    pub bind: String,
    /// The largest request body.
    pub max_body_bytes: u64,
    /// How many connections may be open.
    pub max_connections: u64,
    /// How long a connection waits for its client.
    pub header_timeout_ms: u64,
    /// How long a request's body may keep the server waiting.
    pub body_timeout_ms: u64,
    /// How many bytes of a body earn it a second more.
    pub min_body_bytes_per_second: u64,
    /// How long a request may take in all.
    pub request_timeout_ms: u64,
    /// How many requests may be worked on at the same time.
    pub max_concurrent_requests: u64,
    /// How long a stopping server waits for accepted requests.
    pub drain_timeout_ms: u64,
    /// The certificate, in PEM; with it the server speaks TLS.
    pub tls_certificate: Option<PathBuf>,
    /// The certificate's private key, in PEM.
    pub tls_key: Option<PathBuf>,
}

impl Default for RawServer {
    fn default() -> Self {
        Self {
            bind: "127.0.0.1:8080".to_owned(),
            max_body_bytes: 64 << 20,
            max_connections: 1_000,
            header_timeout_ms: 20_000,
            body_timeout_ms: 10_000,
            min_body_bytes_per_second: 16 << 10,
            request_timeout_ms: 60_000,
            max_concurrent_requests: 64,
            drain_timeout_ms: 30_000,
            tls_certificate: None,
            tls_key: None,
        }
    }
}

/// `[engine]`: the models, their device and their queues.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawEngine {
    /// Where the models compute: `auto`, `cpu`, `cuda`, `cuda:N` or `cuda:N,M`.
    pub device: DeviceChoice,
    /// The floating-point format on a GPU.
    pub precision: PrecisionChoice,
    /// Where kernels that were compiled for a GPU are kept between starts.
    pub kernels_folder: Option<PathBuf>,
    /// The folder with one folder a model.
    pub models_folder: PathBuf,
    /// How many rows may wait or compute, for each model.
    pub queue_rows: u64,
    /// The most rows of one execution.
    pub max_batch_rows: u64,
    /// The most tokens of one execution of the text model.
    pub max_batch_tokens: u64,
    /// How long the first row of a batch waits for others.
    pub batch_delay_ms: u64,
    /// How long one step of a request may wait for its answer, where the request sets nothing tighter.
    pub deadline_ms: u64,
    /// The most faces read in one frame, the largest first.
    pub max_faces_per_frame: u64,
    /// How long one execution may take before the device's thread is replaced.
    pub stall_ms: u64,
    /// Whether each model computes once before the server is ready.
    pub warm_up: bool,
}

impl Default for RawEngine {
    fn default() -> Self {
        Self {
            device: DeviceChoice::Auto,
            precision: PrecisionChoice::Auto,
            kernels_folder: None,
            models_folder: PathBuf::from("models/weights"),
            queue_rows: 256,
            max_batch_rows: 32,
            max_batch_tokens: 4096,
            batch_delay_ms: 0,
            deadline_ms: 30_000,
            max_faces_per_frame: 4,
            stall_ms: 60_000,
            warm_up: true,
        }
    }
}

/// `[inference]`: the Open Inference Protocol, over HTTP and gRPC.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawInference {
    /// Who may load and unload models: `loopback`, `anyone` or `off`.
    pub management: Management,
    /// How many gRPC streams may be open.
    pub max_streams: u64,
}

impl Default for RawInference {
    fn default() -> Self {
        Self { management: Management::Loopback, max_streams: 64 }
    }
}

/// Who may load and unload models by request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Management {
    /// Programs on the same machine.
    Loopback,
    /// Everybody who reaches the server: only behind something that checks who asks.
    Anyone,
    /// Nobody.
    Off,
}

/// `[routing]`: how agents are ranked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawRouting {
    /// The name of the policy that ranks where a request names none.
    pub policy: String,
    /// The policies.
    pub policies: Vec<Policy>,
    /// `[routing.limits]`, which belongs to the routing room.
    pub limits: RoutingLimits,
    /// `[routing.records]`, which belongs to the routing room.
    pub records: RecordsConfig,
}

impl Default for RawRouting {
    fn default() -> Self {
        let policy = Policy::default();
        Self {
            policy: policy.name.clone(),
            policies: vec![policy],
            limits: RoutingLimits::default(),
            records: RecordsConfig::default(),
        }
    }
}

/// `[privacy]`: whose emotion may be read.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawPrivacy {
    /// The lawful basis for reading the emotions of agents from voice or face; unset, that is refused.
    pub agent_biometrics_basis: Option<String>,
}

/// `[telemetry]`: logs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawTelemetry {
    /// How a log line looks: `text` or `json`.
    pub log_format: LogFormat,
    /// Which log lines are written, in the directives of the `tracing` libraries.
    pub log_filter: String,
    /// The collector that traces are sent to, by OTLP over gRPC; none without it.
    pub otlp_endpoint: Option<String>,
    /// The share of traces that begin here and are sent.
    pub trace_sample_ratio: f32,
}

impl Default for RawTelemetry {
    fn default() -> Self {
        Self {
            log_format: LogFormat::Text,
            log_filter: "info".to_owned(),
            otlp_endpoint: None,
            trace_sample_ratio: 1.0,
        }
    }
}

/// `[samples]`: where the shipped samples are.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawSamples {
    /// The folder of the call that the demo analyses.
    pub folder: PathBuf,
}

impl Default for RawSamples {
    fn default() -> Self {
        Self { folder: PathBuf::from("samples/call") }
    }
}
