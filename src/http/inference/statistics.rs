//! The statistics extension: rows, executions and where the time went, by model.
//!
//! The engine counts its models' work, whoever asked for it; the pipelines are counted here, where they run. Rows by
//! executions is the mean batch.

use serde::Serialize;

use super::Inference;
use super::catalogue::{MODELS, ModelSpec};
use crate::engine::{ModelStatistics, Span};
use crate::http::ApiError;

/// The statistics of some models, as the protocol writes them.
#[derive(Debug, Serialize)]
pub(super) struct StatisticsList {
    pub(super) model_stats: Vec<ModelReport>,
}

/// The statistics of one model.
#[derive(Debug, Serialize)]
pub(super) struct ModelReport {
    pub(super) name: &'static str,
    pub(super) version: String,
    /// Milliseconds since the beginning of 1970; 0 where there was none.
    pub(super) last_inference: u64,
    /// Rows.
    pub(super) inference_count: u64,
    pub(super) execution_count: u64,
    pub(super) inference_stats: Times,
    pub(super) batch_stats: Vec<BatchTimes>,
}

/// Where the time of requests went.
#[derive(Debug, Default, Serialize)]
pub(super) struct Times {
    pub(super) success: Span,
    pub(super) fail: Span,
    pub(super) queue: Span,
    pub(super) compute_input: Span,
    pub(super) compute_infer: Span,
    pub(super) compute_output: Span,
    pub(super) cache_hit: Span,
    pub(super) cache_miss: Span,
}

/// Where the time of executions of one size went.
#[derive(Debug, Serialize)]
pub(super) struct BatchTimes {
    pub(super) batch_size: u64,
    pub(super) compute_input: Span,
    pub(super) compute_infer: Span,
    pub(super) compute_output: Span,
}

impl Inference {
    /// The statistics of a loaded model, or of all of them where none is named.
    pub(super) fn statistics(&self, name: &str, version: &str) -> Result<StatisticsList, ApiError> {
        let counted = self.app().engine().statistics();
        let specs: Vec<(&'static ModelSpec, u32)> = if name.is_empty() {
            MODELS.iter().filter_map(|model| self.find(model.name, "").ok()).collect()
        } else {
            vec![self.find(name, version)?]
        };
        let report = |(spec, version): (&'static ModelSpec, u32)| {
            let own = counted.iter().find(|one| one.name == spec.name && one.version == version);
            match own {
                Some(own) => of_engine(spec.name, own),
                None => self.of_pipeline(spec, version),
            }
        };
        Ok(StatisticsList { model_stats: specs.into_iter().map(report).collect() })
    }

    /// What was counted here. A pipeline runs once for each request.
    fn of_pipeline(&self, spec: &'static ModelSpec, version: u32) -> ModelReport {
        let counts = self.tally().of(spec.served);
        ModelReport {
            name: spec.name,
            version: version.to_string(),
            last_inference: counts.last_unix_ms,
            inference_count: counts.rows,
            execution_count: counts.success.count,
            inference_stats: Times {
                success: counts.success,
                fail: counts.failure,
                compute_input: counts.reading,
                compute_infer: counts.computing,
                ..Times::default()
            },
            batch_stats: Vec::new(),
        }
    }
}

fn of_engine(name: &'static str, counted: &ModelStatistics) -> ModelReport {
    let batch = |(rows, span): &(usize, Span)| BatchTimes {
        batch_size: *rows as u64,
        compute_input: Span::default(),
        compute_infer: *span,
        compute_output: Span::default(),
    };
    ModelReport {
        name,
        version: counted.version.to_string(),
        last_inference: counted.last_unix_ms,
        inference_count: counted.rows,
        execution_count: counted.executions,
        inference_stats: Times {
            success: counted.success,
            fail: counted.failure,
            queue: counted.queue,
            compute_infer: counted.compute,
            ..Times::default()
        },
        batch_stats: counted.batches.iter().map(batch).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_executions_stay_apart() {
        let span = |count, ns| Span { count, ns };
        let counted = ModelStatistics {
            name: "text",
            version: 3,
            rows: 40,
            executions: 5,
            last_unix_ms: 9,
            success: span(10, 100),
            failure: span(1, 2),
            queue: span(10, 50),
            compute: span(5, 40),
            batches: vec![(8, span(5, 40))],
            cuts: Vec::new(),
        };
        let report = serde_json::to_value(of_engine("text", &counted)).unwrap();
        assert_eq!(
            (report["inference_count"].as_u64(), report["execution_count"].as_u64()),
            (Some(40), Some(5))
        );
        assert_eq!(report["version"], "3");
        assert_eq!(report["inference_stats"]["queue"], serde_json::json!({"count": 10, "ns": 50}));
        assert_eq!(report["inference_stats"]["cache_hit"]["count"], 0);
        assert_eq!(report["batch_stats"][0]["batch_size"], 8);
    }
}
