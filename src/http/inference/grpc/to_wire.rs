//! From the core's answers to gRPC's messages.

use std::collections::HashMap;

use super::super::catalogue::{ModelMetadata, TensorMetadata as Described};
use super::super::repository::IndexEntry;
use super::super::statistics::{BatchTimes, ModelReport, StatisticsList, Times};
use super::super::{Answer, Tensor, Values};
use super::proto::infer_parameter::ParameterChoice;
use super::proto::model_infer_response::InferOutputTensor;
use super::proto::model_metadata_response::TensorMetadata;
use super::proto::repository_index_response::ModelIndex;
use super::proto::{
    InferBatchStatistics, InferParameter, InferStatistics, InferTensorContents, ModelInferResponse,
    ModelMetadataResponse, ModelStatistics, ModelStatisticsResponse, StatisticDuration,
};
use crate::engine::Span;
use crate::http::ApiError;

/// What marks the last answer of a stream's request.
const FINAL: &str = "triton_final_response";

/// An answer. A request with raw contents gets raw contents back.
pub(super) fn response_of(
    answer: Answer,
    is_raw: bool,
    marks_final: bool,
) -> Result<ModelInferResponse, ApiError> {
    let Answer { model, version, id, outputs } = answer;
    let mut response = ModelInferResponse {
        model_name: model.to_owned(),
        model_version: version.to_string(),
        id,
        ..Default::default()
    };
    if marks_final {
        let marked = InferParameter { parameter_choice: Some(ParameterChoice::BoolParam(true)) };
        response.parameters.insert(FINAL.to_owned(), marked);
    }
    for output in outputs {
        let Tensor { name, shape, values } = output.tensor;
        let datatype = values.datatype().name().to_owned();
        if is_raw {
            response.raw_output_contents.push(values.to_raw()?);
        }
        response.outputs.push(InferOutputTensor {
            name,
            datatype,
            shape: shape.into_iter().map(|size| i64::try_from(size).unwrap_or(i64::MAX)).collect(),
            parameters: HashMap::new(),
            contents: (!is_raw).then(|| typed(values)),
        });
    }
    Ok(response)
}

fn typed(values: Values) -> InferTensorContents {
    let mut contents = InferTensorContents::default();
    match values {
        Values::Floats(values) => contents.fp32_contents = values,
        Values::Integers(values) => contents.int_contents = values,
        Values::Octets(values) => {
            contents.uint_contents = values.iter().map(|value| u32::from(*value)).collect();
        }
        Values::Elements(values) => contents.bytes_contents = values,
    }
    contents
}

/// What a model takes and gives. The names of columns are on HTTP only: this message has no place for them.
pub(super) fn metadata_of(metadata: ModelMetadata) -> ModelMetadataResponse {
    let tensor = |tensor: Described| TensorMetadata {
        name: tensor.name.to_owned(),
        datatype: tensor.datatype.to_owned(),
        shape: tensor.shape,
    };
    ModelMetadataResponse {
        name: metadata.name.to_owned(),
        versions: metadata.versions,
        platform: metadata.platform.to_owned(),
        inputs: metadata.inputs.into_iter().map(tensor).collect(),
        outputs: metadata.outputs.into_iter().map(tensor).collect(),
    }
}

/// A line of the repository's index.
pub(super) fn index_of(entry: IndexEntry) -> ModelIndex {
    let IndexEntry { name, version, state, reason } = entry;
    ModelIndex { name, version, state, reason }
}

/// The statistics of some models.
pub(super) fn statistics_of(list: StatisticsList) -> ModelStatisticsResponse {
    ModelStatisticsResponse { model_stats: list.model_stats.into_iter().map(model_statistics).collect() }
}

fn model_statistics(report: ModelReport) -> ModelStatistics {
    ModelStatistics {
        name: report.name.to_owned(),
        version: report.version,
        last_inference: report.last_inference,
        inference_count: report.inference_count,
        execution_count: report.execution_count,
        inference_stats: Some(times(&report.inference_stats)),
        batch_stats: report.batch_stats.iter().map(batch).collect(),
    }
}

fn times(times: &Times) -> InferStatistics {
    InferStatistics {
        success: Some(total(times.success)),
        fail: Some(total(times.fail)),
        queue: Some(total(times.queue)),
        compute_input: Some(total(times.compute_input)),
        compute_infer: Some(total(times.compute_infer)),
        compute_output: Some(total(times.compute_output)),
        cache_hit: Some(total(times.cache_hit)),
        cache_miss: Some(total(times.cache_miss)),
    }
}

fn batch(batch: &BatchTimes) -> InferBatchStatistics {
    InferBatchStatistics {
        batch_size: batch.batch_size,
        compute_input: Some(total(batch.compute_input)),
        compute_infer: Some(total(batch.compute_infer)),
        compute_output: Some(total(batch.compute_output)),
    }
}

fn total(total: Span) -> StatisticDuration {
    StatisticDuration { count: total.count, ns: total.ns }
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;

    use super::super::super::Output;
    use super::*;

    fn answer() -> Answer {
        let output = |name: &str, values: Values| Output {
            tensor: Tensor { name: name.to_owned(), shape: vec![values.len()], values },
            is_binary: false,
        };
        let outputs = vec![
            output("a", Values::Floats(vec![0.5])),
            output("b", Values::Integers(vec![-1, 2])),
            output("c", Values::Elements(vec![Bytes::from_static(b"x")])),
        ];
        Answer { model: "text", version: 4, id: "i".to_owned(), outputs }
    }

    #[test]
    fn raw_contents_are_answered_raw() {
        let response = response_of(answer(), true, false).unwrap();
        assert_eq!((response.model_version.as_str(), response.id.as_str()), ("4", "i"));
        let lengths: Vec<_> = response.raw_output_contents.iter().map(Bytes::len).collect();
        assert_eq!(lengths, [4, 8, 5]);
        assert!(response.outputs.iter().all(|output| output.contents.is_none()));
        assert!(response.parameters.is_empty());
    }

    #[test]
    fn typed_contents_are_answered_typed() {
        let response = response_of(answer(), false, true).unwrap();
        assert!(response.raw_output_contents.is_empty());
        let contents = |index: usize| response.outputs[index].contents.clone().unwrap();
        assert_eq!(contents(0).fp32_contents, [0.5]);
        assert_eq!(contents(1).int_contents, [-1, 2]);
        assert_eq!(contents(2).bytes_contents, [Bytes::from_static(b"x")]);
        assert_eq!(response.outputs[1].shape, [2]);
        assert!(response.parameters.contains_key(FINAL));
    }
}
