//! Streamed inference: order, faults within a stream, and its ends.

use std::collections::HashMap;

use heartline::http::inference::grpc::proto::infer_parameter::ParameterChoice;
use heartline::http::inference::grpc::proto::{InferParameter, ModelInferRequest, ModelStreamInferResponse};
use tonic::codegen::tokio_stream;
use tonic::{Code, Streaming};

use crate::grpc::texts;
use crate::support::{build, client, router, small};

async fn collect(mut answers: Streaming<ModelStreamInferResponse>) -> Vec<ModelStreamInferResponse> {
    let mut all = Vec::new();
    while let Some(answer) = answers.message().await.unwrap() {
        all.push(answer);
    }
    all
}

fn numbered(count: usize) -> Vec<ModelInferRequest> {
    let request = |number: usize| ModelInferRequest {
        id: number.to_string(),
        ..texts(&[format!("message {number}, {}", "and so on ".repeat(number % 7)).as_str()])
    };
    (0..count).map(request).collect()
}

#[tokio::test]
async fn answers_come_in_the_order_of_the_requests() {
    let requests = tokio_stream::iter(numbered(30));
    let answers = client(router()).model_stream_infer(requests).await.unwrap().into_inner();
    let ids: Vec<String> = collect(answers)
        .await
        .into_iter()
        .map(|answer| {
            assert_eq!(answer.error_message, "");
            answer.infer_response.unwrap().id
        })
        .collect();
    assert_eq!(ids, (0..30).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_request_that_fails_leaves_the_stream_open() {
    let mut requests = numbered(3);
    requests[1].model_name = "none".to_owned();
    let marked = InferParameter { parameter_choice: Some(ParameterChoice::BoolParam(true)) };
    requests[2].parameters = HashMap::from([("triton_enable_empty_final_response".to_owned(), marked)]);
    let answers =
        client(router()).model_stream_infer(tokio_stream::iter(requests)).await.unwrap().into_inner();
    let answers = collect(answers).await;
    assert_eq!(answers.len(), 3);
    assert!(answers[1].error_message.contains("no model"), "{:?}", answers[1]);
    assert_eq!(answers[1].infer_response.as_ref().unwrap().id, "1");
    let last = answers[2].infer_response.as_ref().unwrap();
    assert!(last.parameters.contains_key("triton_final_response"));
    assert!(answers[0].infer_response.as_ref().unwrap().parameters.is_empty());
}

#[tokio::test]
async fn streams_are_limited_and_their_places_come_back() {
    let router = small(&["inference.max_streams=1"]);
    let (sender, receiver) = tokio::sync::mpsc::channel::<ModelInferRequest>(1);
    let requests = tokio_stream::wrappers::ReceiverStream::new(receiver);
    let mut first = client(&router).model_stream_infer(requests).await.unwrap().into_inner();
    sender.send(texts(&["hello"])).await.unwrap();
    first.message().await.unwrap().unwrap();
    let refused = client(&router).model_stream_infer(tokio_stream::iter(numbered(1))).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    drop(sender);
    assert!(first.message().await.unwrap().is_none());
    // The place is given back by the task that answered, a moment after the end.
    for _ in 0..100 {
        if let Ok(answers) = client(&router).model_stream_infer(tokio_stream::iter(numbered(1))).await {
            assert_eq!(collect(answers.into_inner()).await.len(), 1);
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the place did not come back");
}

#[tokio::test]
async fn a_server_that_ends_ends_its_streams() {
    let app = build(&["engine.warm_up=false"]);
    let router = heartline::http::router(&app);
    let (sender, receiver) = tokio::sync::mpsc::channel::<ModelInferRequest>(1);
    let requests = tokio_stream::wrappers::ReceiverStream::new(receiver);
    let mut answers = client(&router).model_stream_infer(requests).await.unwrap().into_inner();
    sender.send(texts(&["hello"])).await.unwrap();
    answers.message().await.unwrap().unwrap();
    app.begin_drain();
    assert!(answers.message().await.unwrap().is_none());
    drop(sender);
}
