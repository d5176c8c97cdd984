//! What models answer over gRPC, and what clients are told.

use std::collections::HashMap;
use std::time::Duration;

use axum::body::Bytes;
use heartline::http::inference::grpc::proto::infer_parameter::ParameterChoice;
use heartline::http::inference::grpc::proto::model_infer_request::{
    InferInputTensor, InferRequestedOutputTensor,
};
use heartline::http::inference::grpc::proto::model_infer_response::InferOutputTensor;
use heartline::http::inference::grpc::proto::{
    InferParameter, InferTensorContents, ModelInferRequest, ModelInferResponse, ModelMetadataRequest,
    ModelReadyRequest, ModelStatisticsRequest, ServerLiveRequest, ServerMetadataRequest, ServerReadyRequest,
};
use serde_json::json;
use tonic::{Code, Request};

use crate::support::{client, elements, infer, numbers, router, sample_frames, small, text_input};

/// A request about texts, with typed contents.
pub(crate) fn texts(texts: &[&str]) -> ModelInferRequest {
    let bytes_contents = texts.iter().map(|text| Bytes::copy_from_slice(text.as_bytes())).collect();
    let contents = InferTensorContents { bytes_contents, ..Default::default() };
    let input = InferInputTensor {
        name: "text".to_owned(),
        datatype: "BYTES".to_owned(),
        shape: vec![i64::try_from(texts.len()).unwrap()],
        contents: Some(contents),
        ..Default::default()
    };
    ModelInferRequest { model_name: "text".to_owned(), inputs: vec![input], ..Default::default() }
}

/// The same with raw contents.
fn raw_texts(values: &[&str]) -> ModelInferRequest {
    let mut request = texts(values);
    request.inputs[0].contents = None;
    let values: Vec<&[u8]> = values.iter().map(|value| value.as_bytes()).collect();
    request.raw_input_contents = vec![Bytes::from(elements(&values))];
    request
}

fn output<'a>(response: &'a ModelInferResponse, name: &str) -> (usize, &'a InferOutputTensor) {
    response.outputs.iter().enumerate().find(|(_, output)| output.name == name).unwrap()
}

fn parameter(choice: ParameterChoice) -> InferParameter {
    InferParameter { parameter_choice: Some(choice) }
}

#[tokio::test]
async fn the_server_says_what_it_is() {
    let mut client = client(router());
    assert!(client.server_live(ServerLiveRequest {}).await.unwrap().into_inner().live);
    assert!(client.server_ready(ServerReadyRequest {}).await.unwrap().into_inner().ready);
    let metadata = client.server_metadata(ServerMetadataRequest {}).await.unwrap().into_inner();
    assert_eq!(metadata.name, "heartline");
    assert!(metadata.extensions.contains(&"statistics".to_owned()));
    let model = |name: &str| ModelMetadataRequest { name: name.to_owned(), ..Default::default() };
    let face = client.model_metadata(model("face")).await.unwrap().into_inner();
    assert_eq!(
        (face.inputs[0].shape.as_slice(), face.outputs[1].shape.as_slice()),
        (&[-1, 48, 48][..], &[-1, 8][..])
    );
    assert_eq!(client.model_metadata(model("none")).await.unwrap_err().code(), Code::NotFound);
    for (name, version, expected) in
        [("text", "", true), ("text", "1", true), ("text", "2", false), ("none", "", false)]
    {
        let request = ModelReadyRequest { name: name.to_owned(), version: version.to_owned() };
        assert_eq!(
            client.model_ready(request).await.unwrap().into_inner().ready,
            expected,
            "{name} {version}"
        );
    }
    let all = client.model_statistics(ModelStatisticsRequest::default()).await.unwrap().into_inner();
    assert_eq!(all.model_stats.len(), 7);
}

#[tokio::test]
async fn both_wires_and_both_contents_give_the_same() {
    let said = ["Thank you so much, that was kind of you.", "我的退款怎么还没到账"];
    let http = infer("text", &json!({"inputs": [text_input(&said)]})).await.assert_success();
    let expected = numbers(&http, "categories");
    let close = |found: &[f32]| {
        assert_eq!(found.len(), expected.len());
        assert!(
            found.iter().zip(&expected).all(|(found, expected)| (found - expected).abs() < 1e-4),
            "{found:?}"
        );
    };
    let mut client = client(router());
    let typed = client.model_infer(texts(&said)).await.unwrap().into_inner();
    assert!(typed.raw_output_contents.is_empty());
    close(&output(&typed, "categories").1.contents.as_ref().unwrap().fp32_contents);
    assert_eq!(output(&typed, "labels").1.shape, [2, 28]);

    let raw = client.model_infer(raw_texts(&said)).await.unwrap().into_inner();
    assert_eq!(raw.raw_output_contents.len(), raw.outputs.len());
    let bytes = &raw.raw_output_contents[output(&raw, "categories").0];
    let found: Vec<f32> = bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    close(&found);
}

#[tokio::test]
async fn outputs_and_parameters_come_through() {
    let mut request = texts(&["I am so angry with you people, I am furious!"]);
    request.id = "call-7".to_owned();
    request.parameters = HashMap::from([
        ("priority".to_owned(), parameter(ParameterChoice::Uint64Param(2))),
        ("colour".to_owned(), parameter(ParameterChoice::StringParam("red".to_owned()))),
    ]);
    let classes = HashMap::from([("classification".to_owned(), parameter(ParameterChoice::Int64Param(1)))]);
    request.outputs = vec![InferRequestedOutputTensor { name: "categories".to_owned(), parameters: classes }];
    let response = client(router()).model_infer(request).await.unwrap().into_inner();
    assert_eq!((response.id.as_str(), response.outputs.len()), ("call-7", 1));
    let classes = &response.outputs[0].contents.as_ref().unwrap().bytes_contents;
    assert!(classes[0].ends_with(b":4:anger"), "{classes:?}");
}

#[tokio::test]
async fn pictures_go_through_the_whole_pipeline() {
    let mut request = raw_texts(&[]);
    request.model_name = "face_emotion".to_owned();
    request.inputs[0].name = "image".to_owned();
    request.inputs[0].shape = vec![1];
    request.raw_input_contents = vec![Bytes::from(elements(&[&sample_frames()[0]]))];
    let response = client(router()).model_infer(request).await.unwrap().into_inner();
    assert!(output(&response, "boxes").1.shape[0] >= 1, "{:?}", response.outputs);
}

#[tokio::test]
async fn faults_have_their_codes() {
    let named = |model: &str| ModelInferRequest { model_name: model.to_owned(), ..texts(&["a"]) };
    let mut wrong_input = texts(&["a"]);
    wrong_input.inputs[0].name = "words".to_owned();
    let mut negative = texts(&["a"]);
    negative.inputs[0].shape = vec![-1];
    let mut reserved = texts(&["a"]);
    reserved.parameters =
        HashMap::from([("triton_x".to_owned(), parameter(ParameterChoice::BoolParam(true)))]);
    let mut version = texts(&["a"]);
    version.model_version = "9".to_owned();
    let mut crowded = texts(&["a"]);
    crowded.inputs = vec![InferInputTensor::default(); 2_000];
    let mut client = client(router());
    for (request, code) in [
        (named("none"), Code::NotFound),
        (version, Code::NotFound),
        (wrong_input, Code::InvalidArgument),
        (negative, Code::InvalidArgument),
        (reserved, Code::InvalidArgument),
        (crowded, Code::InvalidArgument),
        (texts(&["a"; 257]), Code::InvalidArgument),
        (texts(&[]), Code::InvalidArgument),
    ] {
        let status = client.model_infer(request).await.unwrap_err();
        assert_eq!(status.code(), code, "{}", status.message());
    }
}

#[tokio::test]
async fn messages_have_a_limit() {
    let router = small(&["server.max_body_bytes=4096"]);
    let long = "x".repeat(5_000);
    let status = client(&router).model_infer(texts(&[&long])).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange, "{}", status.message());
}

#[tokio::test]
async fn one_request_too_many_is_told_so() {
    let router = small(&["server.max_concurrent_requests=1"]);
    let ask = || async { client(&router).model_infer(texts(&["where is my parcel?"])).await };
    let (one, other) = tokio::join!(ask(), ask());
    let refused = one.and(other).unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted, "{}", refused.message());
    assert!(refused.metadata().contains_key("grpc-retry-pushback-ms"));
    ask().await.unwrap();
}

#[tokio::test]
async fn a_client_is_answered_in_its_own_time() {
    // An engine that does not know yet how long rows take tries, so the deadline passes instead of being refused.
    let router = small(&[]);
    let long = "a rather long sentence about a parcel that never came ".repeat(8);
    let mut request = Request::new(texts(&vec![long.as_str(); 64]));
    request.set_timeout(Duration::from_millis(2));
    let status = client(&router).model_infer(request).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{}", status.message());
    let mut request = Request::new(texts(&["hello"]));
    request.metadata_mut().insert("grpc-timeout", "soon".parse().unwrap());
    assert_eq!(client(&router).model_infer(request).await.unwrap_err().code(), Code::InvalidArgument);
}
