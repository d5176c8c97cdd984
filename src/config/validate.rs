//! From a configuration as typed to one that can be used: every bound is here.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use heartline_models::{DeviceChoice, Precision, PrecisionChoice};

use super::raw::{RawConfig, RawEngine, RawPrivacy, RawRouting, RawServer, RawTelemetry};
use super::{
    Config, InferenceConfig, PrivacyConfig, RoutingConfig, SamplesConfig, Section, ServerConfig, TlsFiles,
    VERSION,
};
use crate::engine::EngineConfig;
use crate::telemetry::{self, TelemetryConfig, TracesConfig};

/// A value out of bounds.
#[derive(Debug)]
pub(super) struct Invalid {
    pub(super) key: String,
    pub(super) problem: String,
    pub(super) advice: String,
}

/// Checks every value. The configuration is only of use where no fault is reported.
pub(super) fn validate(raw: RawConfig) -> (Config, Vec<Invalid>) {
    let mut bounds = Bounds::default();
    let config = Config {
        server: server(&raw.server, &mut bounds),
        access: bounds.section("access", raw.access),
        engine: engine(&raw.engine, &mut bounds),
        inference: InferenceConfig {
            management: raw.inference.management,
            max_streams: bounds.count("inference.max_streams", raw.inference.max_streams, 1..=10_000),
        },
        media: bounds.section("media", raw.media),
        live: bounds.section("live", raw.live),
        webhooks: bounds.section("webhooks", raw.webhooks),
        fusion: bounds.section("fusion", raw.fusion),
        routing: routing(raw.routing, &mut bounds),
        plugins: bounds.section("plugins", raw.plugins),
        privacy: privacy(raw.privacy, &mut bounds),
        telephony: bounds.section("telephony", raw.telephony),
        telemetry: logs(raw.telemetry, &mut bounds),
        webrtc: bounds.section("webrtc", raw.webrtc),
        samples: SamplesConfig { folder: raw.samples.folder },
    };
    if raw.version != VERSION {
        let problem = format!("version {} is not known to this program", raw.version);
        bounds.refuse("version", problem, &format!("write `version = {VERSION}`"));
    }
    bounds.not_above(
        ("engine.deadline_ms", raw.engine.deadline_ms),
        ("server.request_timeout_ms", raw.server.request_timeout_ms),
    );
    bounds.not_above(
        ("engine.max_batch_rows", raw.engine.max_batch_rows),
        ("engine.queue_rows", raw.engine.queue_rows),
    );
    (config, bounds.found)
}

fn server(raw: &RawServer, bounds: &mut Bounds) -> ServerConfig {
    let bind = raw.bind.parse().unwrap_or_else(|_| {
        bounds.refuse(
            "server.bind",
            format!("\"{}\" is not an address", raw.bind),
            "write IP:PORT, such as 127.0.0.1:8080 or [::]:8080",
        );
        SocketAddr::from(([127, 0, 0, 1], 0))
    });
    ServerConfig {
        bind,
        max_body_bytes: bounds.count("server.max_body_bytes", raw.max_body_bytes, 1 << 10..=1 << 30),
        max_connections: bounds.count("server.max_connections", raw.max_connections, 1..=100_000),
        header_timeout: bounds.time("server.header_timeout_ms", raw.header_timeout_ms, 100..=600_000),
        body_timeout: bounds.time("server.body_timeout_ms", raw.body_timeout_ms, 100..=600_000),
        min_body_bytes_per_second: bounds.count(
            "server.min_body_bytes_per_second",
            raw.min_body_bytes_per_second,
            1..=1 << 30,
        ),
        request_timeout: bounds.time("server.request_timeout_ms", raw.request_timeout_ms, 100..=600_000),
        max_concurrent_requests: bounds.count(
            "server.max_concurrent_requests",
            raw.max_concurrent_requests,
            1..=10_000,
        ),
        drain_timeout: bounds.time("server.drain_timeout_ms", raw.drain_timeout_ms, 0..=600_000),
        tls: tls(raw, bounds),
    }
}

/// The files of a certificate: both or none.
fn tls(raw: &RawServer, bounds: &mut Bounds) -> Option<TlsFiles> {
    let files = [("server.tls_certificate", &raw.tls_certificate), ("server.tls_key", &raw.tls_key)];
    for (key, path) in files {
        match path {
            Some(path) => bounds.path(key, path),
            None if raw.tls_certificate.is_some() || raw.tls_key.is_some() => {
                let problem = "the other file of the pair is named and this one is not".to_owned();
                bounds.refuse(key, problem, "name both the certificate and its key, or none");
            }
            None => {}
        }
    }
    let (certificate, key) = (raw.tls_certificate.clone()?, raw.tls_key.clone()?);
    Some(TlsFiles { certificate, key })
}

fn engine(raw: &RawEngine, bounds: &mut Bounds) -> EngineConfig {
    let is_full = matches!(raw.precision, PrecisionChoice::Auto | PrecisionChoice::Given(Precision::F32));
    if raw.device == DeviceChoice::Cpu && !is_full {
        let problem = format!("the CPU computes in f32, not in {}", raw.precision);
        bounds.refuse("engine.precision", problem, "leave it at auto, or name a GPU in engine.device");
    }
    bounds.path("engine.models_folder", &raw.models_folder);
    if let Some(folder) = &raw.kernels_folder {
        bounds.path("engine.kernels_folder", folder);
    }
    EngineConfig {
        device: raw.device.clone(),
        precision: raw.precision,
        kernels_folder: raw.kernels_folder.clone(),
        models_folder: raw.models_folder.clone(),
        queue_rows: bounds.count("engine.queue_rows", raw.queue_rows, 1..=100_000),
        max_batch_rows: bounds.count("engine.max_batch_rows", raw.max_batch_rows, 1..=1024),
        max_batch_tokens: bounds.count("engine.max_batch_tokens", raw.max_batch_tokens, 512..=1_000_000)
            as u64,
        batch_delay: bounds.time("engine.batch_delay_ms", raw.batch_delay_ms, 0..=1000),
        deadline: bounds.time("engine.deadline_ms", raw.deadline_ms, 10..=600_000),
        max_faces_per_frame: bounds.count("engine.max_faces_per_frame", raw.max_faces_per_frame, 1..=64),
        stall: bounds.time("engine.stall_ms", raw.stall_ms, 1000..=3_600_000),
        warm_up: raw.warm_up,
    }
}

fn routing(raw: RawRouting, bounds: &mut Bounds) -> RoutingConfig {
    if raw.policies.len() > 64 {
        let problem = format!("{} policies are more than 64", raw.policies.len());
        bounds.refuse("routing.policies", problem, "leave some out");
    }
    for (index, policy) in raw.policies.iter().enumerate() {
        for (key, problem) in policy.validate() {
            bounds.refuse(&format!("routing.policies[{index}].{key}"), problem, "");
        }
        if raw.policies[..index].iter().any(|earlier| earlier.name == policy.name) {
            let problem = format!("there are two policies {:?}", policy.name);
            bounds.refuse(&format!("routing.policies[{index}].name"), problem, "give each its own name");
        }
    }
    if !raw.policies.iter().any(|policy| policy.name == raw.policy) {
        let names: Vec<&str> = raw.policies.iter().map(|policy| policy.name.as_str()).collect();
        let advice = format!("the policies are: {}", names.join(", "));
        bounds.refuse("routing.policy", format!("there is no policy {:?}", raw.policy), &advice);
    }
    RoutingConfig {
        policy: raw.policy,
        policies: raw.policies,
        limits: bounds.section("routing.limits", raw.limits),
        records: bounds.section("routing.records", raw.records),
    }
}

fn privacy(raw: RawPrivacy, bounds: &mut Bounds) -> PrivacyConfig {
    if raw.agent_biometrics_basis.as_ref().is_some_and(|basis| basis.trim().is_empty()) {
        bounds.refuse(
            "privacy.agent_biometrics_basis",
            "the basis is empty".to_owned(),
            "name the lawful basis, or leave the key out",
        );
    }
    PrivacyConfig { agent_biometrics_basis: raw.agent_biometrics_basis }
}

fn logs(raw: RawTelemetry, bounds: &mut Bounds) -> TelemetryConfig {
    if let Err(error) = telemetry::check_filter(&raw.log_filter) {
        bounds.refuse(
            "telemetry.log_filter",
            error.to_string(),
            "write directives such as info or heartline=debug,info",
        );
    }
    bounds.decimal("telemetry.trace_sample_ratio", raw.trace_sample_ratio, 0.0..=1.0);
    let traces = raw.otlp_endpoint.map(|endpoint| {
        if let Err(problem) = telemetry::check_endpoint(&endpoint) {
            bounds.refuse(
                "telemetry.otlp_endpoint",
                problem,
                "write http://HOST:PORT, such as http://127.0.0.1:4317",
            );
        }
        TracesConfig { endpoint, sample_ratio: f64::from(raw.trace_sample_ratio) }
    });
    TelemetryConfig { log_format: raw.log_format, log_filter: raw.log_filter, traces }
}

/// Checks values and collects the faults.
#[derive(Debug, Default)]
struct Bounds {
    found: Vec<Invalid>,
}

impl Bounds {
    fn refuse(&mut self, key: &str, problem: String, advice: &str) {
        self.found.push(Invalid { key: key.to_owned(), problem, advice: advice.to_owned() });
    }

    fn number(&mut self, key: &str, value: u64, range: &RangeInclusive<u64>) -> u64 {
        if !range.contains(&value) {
            let advice = format!("give a number from {} to {}", range.start(), range.end());
            self.refuse(key, format!("{value} is out of bounds"), &advice);
        }
        value.clamp(*range.start(), *range.end())
    }

    fn count(&mut self, key: &str, value: u64, range: RangeInclusive<u64>) -> usize {
        usize::try_from(self.number(key, value, &range)).unwrap_or(usize::MAX)
    }

    fn time(&mut self, key: &str, value_ms: u64, range_ms: RangeInclusive<u64>) -> Duration {
        Duration::from_millis(self.number(key, value_ms, &range_ms))
    }

    /// Checks a value against another key's, where both are sound on their own.
    fn not_above(&mut self, lower: (&str, u64), upper: (&str, u64)) {
        let sound = self.found.iter().all(|fault| fault.key != lower.0 && fault.key != upper.0);
        if sound && lower.1 > upper.1 {
            let advice = format!("lower it or raise {}", upper.0);
            self.refuse(lower.0, format!("{} is more than {}, {}", lower.1, upper.0, upper.1), &advice);
        }
    }

    fn decimal(&mut self, key: &str, value: f32, range: RangeInclusive<f32>) {
        if !range.contains(&value) {
            let advice = format!("give a number from {} to {}", range.start(), range.end());
            self.refuse(key, format!("{value} is out of bounds"), &advice);
        }
    }

    fn path(&mut self, key: &str, value: &std::path::Path) {
        if value.as_os_str().is_empty() {
            self.refuse(key, "the path is empty".to_owned(), "name a file or folder");
        }
    }

    /// Takes over another room's section with its faults.
    fn section<S: Section>(&mut self, name: &str, section: S) -> S {
        for (key, problem) in Section::validate(&section) {
            self.refuse(&format!("{name}.{key}"), problem, "");
        }
        section
    }
}
