//! The process's recorder, and its text for `/metrics`.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use super::TelemetryError;
use super::names::{self, Kind};

/// How often observations that nobody has fetched yet are folded into their buckets, so that they do not pile up.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// The process's recorder, once there is one.
static INSTALLED: Mutex<Option<Metrics>> = Mutex::new(None);

/// The metrics of this process.
#[derive(Debug, Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
}

impl Metrics {
    /// Starts recording. A second call gives the same metrics.
    ///
    /// # Errors
    /// [`TelemetryError::RecorderTaken`] where something else records already, or [`TelemetryError::Metrics`].
    pub fn install() -> Result<Self, TelemetryError> {
        let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(metrics) = installed.as_ref() {
            return Ok(metrics.clone());
        }
        let recorder = recorder()?;
        let metrics = Self { handle: recorder.handle() };
        ::metrics::set_global_recorder(recorder).map_err(|_| TelemetryError::RecorderTaken)?;
        describe();
        let handle = metrics.handle.clone();
        std::thread::Builder::new()
            .name("metrics".to_owned())
            .spawn(move || {
                loop {
                    std::thread::sleep(UPKEEP_INTERVAL);
                    handle.run_upkeep();
                }
            })
            .map_err(|error| TelemetryError::Metrics(error.to_string()))?;
        *installed = Some(metrics.clone());
        Ok(metrics)
    }

    /// All metrics in Prometheus' text format.
    #[must_use]
    pub fn render(&self) -> String {
        self.handle.render()
    }
}

fn recorder() -> Result<PrometheusRecorder, TelemetryError> {
    let mut builder = PrometheusBuilder::new();
    for metric in names::ALL {
        if let Kind::Histogram(bounds) = metric.kind {
            builder = builder
                .set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), bounds)
                .map_err(|error| TelemetryError::Metrics(error.to_string()))?;
        }
    }
    Ok(builder.build_recorder())
}

fn describe() {
    for metric in names::ALL {
        match metric.kind {
            Kind::Counter => ::metrics::describe_counter!(metric.name, metric.unit, metric.help),
            Kind::Gauge => ::metrics::describe_gauge!(metric.name, metric.unit, metric.help),
            Kind::Histogram(_) => ::metrics::describe_histogram!(metric.name, metric.unit, metric.help),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::{Fault, record};

    /// What a recorder of its own shows after some recording; the process's recorder is shared with other tests.
    fn rendered(recording: impl Fn(&PrometheusHandle)) -> String {
        let recorder = recorder().unwrap();
        let handle = recorder.handle();
        ::metrics::with_local_recorder(&recorder, || {
            describe();
            recording(&handle);
        });
        handle.render()
    }

    #[test]
    fn what_is_recorded_is_rendered() {
        let text = rendered(|_| {
            record::matcher("skill", Duration::from_micros(30), Some("panicked"));
            record::failure(Fault::Plugin, "panicked");
            record::execution("text", 3, Duration::from_millis(4));
        });
        for line in [
            "# TYPE heartline_matcher_seconds histogram",
            "# HELP heartline_rows_total Rows that a model computed",
            "heartline_matcher_seconds_bucket{matcher=\"skill\",le=\"0.000025\"} 0",
            "heartline_matcher_seconds_bucket{matcher=\"skill\",le=\"0.00005\"} 1",
            "heartline_matcher_failures_total{matcher=\"skill\",code=\"panicked\"} 1",
            "heartline_failures_total{fault=\"plugin\",code=\"panicked\"} 1",
            "heartline_rows_total{model=\"text\"} 3",
            "heartline_executions_total{model=\"text\"} 1",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn requests_in_flight_are_counted_down_again() {
        let text = rendered(|handle| {
            let one = record::request_begins();
            assert!(handle.render().contains("heartline_requests_in_flight 1"));
            drop(one);
        });
        assert!(text.contains("heartline_requests_in_flight 0"), "{text}");
    }

    #[test]
    fn a_second_installation_gives_the_same_metrics() {
        Metrics::install().unwrap();
        let metrics = Metrics::install().unwrap();
        record::failure(Fault::Internal, "installed_twice");
        assert!(metrics.render().contains("code=\"installed_twice\""));
    }
}
