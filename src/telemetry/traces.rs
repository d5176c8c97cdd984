//! Traces: spans exported by OTLP over gRPC where an endpoint is configured, and the W3C trace context of requests.

use std::time::Duration;

use axum::http::{HeaderMap, Uri};
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};
use tracing::Span;
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt};
use tracing_subscriber::registry::LookupSpan;

use super::TelemetryError;

/// The name of this program among others in a trace.
const SERVICE: &str = "heartline";
/// How long one export may take.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);

/// Where traces are sent.
#[derive(Debug, Clone, PartialEq)]
pub struct TracesConfig {
    /// A collector that takes OTLP over gRPC, such as `http://127.0.0.1:4317`.
    pub endpoint: String,
    /// The share of traces that begin here and are sent, 0 to 1; a trace that began elsewhere is sent as its origin
    /// decided.
    pub sample_ratio: f64,
}

/// Checks a collector's address.
///
/// # Errors
/// What is wrong with it.
pub fn check_endpoint(endpoint: &str) -> Result<(), String> {
    let address: Uri = endpoint.parse().map_err(|error| format!("\"{endpoint}\" is no address: {error}"))?;
    match address.scheme_str() {
        Some("http") if address.authority().is_some() => Ok(()),
        Some("https") => {
            Err("traces are sent without encryption, so to a collector on this machine".to_owned())
        }
        _ => Err(format!("\"{endpoint}\" does not begin with http://")),
    }
}

/// Sends what was recorded, and the rest when it is dropped.
#[derive(Debug)]
pub(super) struct Export {
    provider: SdkTracerProvider,
    /// The connection to the collector lives here, apart from the server's own threads.
    _runtime: tokio::runtime::Runtime,
}

impl Export {
    /// Connects to the collector, lazily: one that is away costs spans and nothing else.
    pub(super) fn start(config: &TracesConfig) -> Result<Self, TelemetryError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("traces")
            .enable_all()
            .build()
            .map_err(|error| TelemetryError::Traces(error.to_string()))?;
        let _inside = runtime.enter();
        let exporter = SpanExporter::builder()
            .with_tonic()
            .with_endpoint(&config.endpoint)
            .with_timeout(EXPORT_TIMEOUT)
            .build()
            .map_err(|error| TelemetryError::Traces(error.to_string()))?;
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.sample_ratio)));
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(sampler)
            .with_resource(Resource::builder().with_service_name(SERVICE).build())
            .build();
        drop(_inside);
        Ok(Self { provider, _runtime: runtime })
    }

    /// The part of the log that makes spans of it.
    pub(super) fn layer<S>(&self) -> OpenTelemetryLayer<S, SdkTracer>
    where
        S: tracing::Subscriber + for<'span> LookupSpan<'span>,
    {
        tracing_opentelemetry::layer().with_tracer(self.provider.tracer(SERVICE))
    }
}

impl Drop for Export {
    fn drop(&mut self) {
        if let Err(error) = self.provider.shutdown() {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// Makes a span part of the trace that a request's headers name (`traceparent`, `tracestate`), and notes the trace's
/// number in it, so that log lines can be found by it.
pub(crate) fn join(span: &Span, headers: &HeaderMap) {
    let remote = TraceContextPropagator::new().extract_with_context(&Context::new(), &Headers(headers));
    let named = remote.span().span_context().clone();
    if named.is_valid() {
        // Without an export there is nothing to join but the log.
        let _ = span.set_parent(remote.clone());
    }
    let own = span.context().span().span_context().trace_id();
    let trace = if named.is_valid() { named.trace_id() } else { own };
    if trace != opentelemetry::TraceId::INVALID {
        span.record("trace_id", trace.to_string());
    }
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(axum::http::HeaderName::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
        TraceService, TraceServiceServer,
    };
    use opentelemetry_proto::tonic::collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
    };
    use opentelemetry_proto::tonic::trace::v1::Span as SentSpan;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::hexadecimal::hexadecimal;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    /// A collector that keeps what it gets.
    #[derive(Clone, Default)]
    struct Collector(Arc<Mutex<Vec<SentSpan>>>);

    #[tonic::async_trait]
    impl TraceService for Collector {
        async fn export(
            &self,
            request: tonic::Request<ExportTraceServiceRequest>,
        ) -> Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status> {
            let resources = request.into_inner().resource_spans;
            let spans =
                resources.into_iter().flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans);
            self.0.lock().unwrap().extend(spans);
            Ok(tonic::Response::new(ExportTraceServiceResponse::default()))
        }
    }

    fn headers(parent: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(
            axum::http::HeaderName::from_static("traceparent"),
            axum::http::HeaderValue::from_static(parent),
        )])
    }

    /// What a collector gets of two requests, one of them part of a trace that began elsewhere.
    fn sent(sample_ratio: f64) -> Vec<SentSpan> {
        let collector = Collector::default();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let service = tonic::service::Routes::new(TraceServiceServer::new(collector.clone()));
        runtime.spawn(axum::serve(listener, service.into_axum_router()).into_future());
        let export = Export::start(&TracesConfig { endpoint, sample_ratio }).unwrap();
        let subscriber = tracing_subscriber::registry().with(export.layer());
        tracing::subscriber::with_default(subscriber, || {
            for headers in [headers(PARENT), HeaderMap::new()] {
                let span = tracing::info_span!("request", trace_id = tracing::field::Empty);
                join(&span, &headers);
                span.in_scope(|| tracing::info_span!("infer", rows = 3).in_scope(|| ()));
            }
        });
        drop(export);
        collector.0.lock().unwrap().clone()
    }

    #[test]
    fn spans_reach_the_collector_as_part_of_the_clients_trace() {
        let spans = sent(1.0);
        assert_eq!(spans.len(), 4, "{spans:?}");
        let trace = hexadecimal(&spans[0].trace_id);
        let ours: Vec<&SentSpan> =
            spans.iter().filter(|span| hexadecimal(&span.trace_id) == PARENT[3..35]).collect();
        assert_eq!(ours.len(), 2, "{trace}");
        let request = ours.iter().find(|span| span.name == "request").unwrap();
        assert_eq!(hexadecimal(&request.parent_span_id), PARENT[36..52]);
        let infer = ours.iter().find(|span| span.name == "infer").unwrap();
        assert_eq!(infer.parent_span_id, request.span_id);
        let noted = request.attributes.iter().any(|attribute| attribute.key == "trace_id");
        assert!(noted && infer.attributes.iter().any(|attribute| attribute.key == "rows"));
    }

    #[test]
    fn a_trace_that_began_elsewhere_is_sent_as_its_origin_decided() {
        let spans = sent(0.0);
        assert_eq!(spans.len(), 2);
        assert!(spans.iter().all(|span| hexadecimal(&span.trace_id) == PARENT[3..35]));
    }

    #[test]
    fn a_collector_that_is_away_harms_nobody() {
        let endpoint = "http://127.0.0.1:1".to_owned();
        let export = Export::start(&TracesConfig { endpoint, sample_ratio: 1.0 }).unwrap();
        let subscriber = tracing_subscriber::registry().with(export.layer());
        tracing::subscriber::with_default(subscriber, || {
            tracing::info_span!("request").in_scope(|| ());
        });
        drop(export);
    }

    #[test]
    fn damaged_contexts_are_ignored() {
        for parent in ["", "00-zz-00-01", "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "\u{7f}"]
        {
            let Ok(value) = axum::http::HeaderValue::from_str(parent) else { continue };
            let headers = HeaderMap::from_iter([(axum::http::HeaderName::from_static("traceparent"), value)]);
            let remote =
                TraceContextPropagator::new().extract_with_context(&Context::new(), &Headers(&headers));
            assert!(!remote.span().span_context().is_valid(), "{parent}");
        }
    }

    #[test]
    fn addresses_are_checked() {
        assert_eq!(check_endpoint("http://127.0.0.1:4317"), Ok(()));
        for wrong in
            ["", "127.0.0.1:4317", "ftp://collector", "http://", "https://collector:4317", "http://a b"]
        {
            assert!(check_endpoint(wrong).is_err(), "{wrong}");
        }
    }
}
