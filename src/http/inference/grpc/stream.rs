//! Streamed inference: one answer for each request, in the order of the requests.
//!
//! Some requests of a stream are computed side by side, so that they can share a batch; their answers wait for their
//! turn. A request that fails is an answer like any other and leaves the stream open.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tonic::codegen::tokio_stream::Stream;
use tonic::codegen::tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use super::super::Inference;
use super::proto::{ModelInferRequest, ModelInferResponse, ModelStreamInferResponse};
use super::{service, status};
use crate::app::AppError;
use crate::http::{ApiError, ErrorCode};

/// Requests of one stream that are in work at a time.
const SIDE_BY_SIDE: usize = 8;
/// How often a stream that waits looks whether the server is ending.
const DRAIN_CHECK: Duration = Duration::from_millis(100);

/// An answer that is being made; work that nobody waits for any more is given up.
struct Pending(JoinHandle<ModelStreamInferResponse>);

impl Drop for Pending {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Answers a stream.
///
/// # Errors
/// Where as many streams are open as may be.
pub(super) fn answers(
    inference: &Inference,
    requests: Streaming<ModelInferRequest>,
) -> Result<impl Stream<Item = Result<ModelStreamInferResponse, Status>> + Send + 'static, Status> {
    let permit = Arc::clone(inference.streams()).try_acquire_owned();
    let permit = permit.map_err(|_| status::of(&ApiError::from(AppError::overloaded())))?;
    let (begin, mut begun) = mpsc::channel::<Result<Pending, Status>>(SIDE_BY_SIDE);
    let (give, given) = mpsc::channel(1);
    let inference = inference.clone();
    tokio::spawn(async move {
        read(&inference, requests, &begin).await;
    });
    tokio::spawn(async move {
        let _permit = permit;
        while let Some(next) = begun.recv().await {
            let answer = match next {
                Ok(mut pending) => (&mut pending.0).await.map_err(|_| {
                    let message = "the server made a mistake; its log has the details";
                    status::of(&ApiError::new(ErrorCode::Internal, message))
                }),
                Err(status) => Err(status),
            };
            let is_last = answer.is_err();
            // Whoever has gone is not sent anything; what is begun for them ends with this task.
            if give.send(answer).await.is_err() || is_last {
                break;
            }
        }
    });
    Ok(ReceiverStream::new(given))
}

/// Begins the answer to each request, until the client ends the stream, breaks it or leaves, or the server ends.
async fn read(
    inference: &Inference,
    mut requests: Streaming<ModelInferRequest>,
    begin: &mpsc::Sender<Result<Pending, Status>>,
) {
    let mut drain_check = tokio::time::interval(DRAIN_CHECK);
    loop {
        let next = tokio::select! {
            next = requests.message() => next,
            () = begin.closed() => return,
            _ = drain_check.tick() => {
                if inference.app().is_draining() {
                    return;
                }
                continue;
            }
        };
        let begun = match next {
            Ok(Some(request)) => {
                let inference = inference.clone();
                Ok(Pending(tokio::spawn(async move { answer(&inference, request).await })))
            }
            Ok(None) => return,
            Err(status) => Err(status),
        };
        let is_last = begun.is_err();
        if begin.send(begun).await.is_err() || is_last {
            return;
        }
    }
}

async fn answer(inference: &Inference, request: ModelInferRequest) -> ModelStreamInferResponse {
    let id = request.id.clone();
    let answering = async {
        let _place = inference.app().admit()?;
        service::infer(inference, request, None).await
    };
    match answering.await {
        Ok(response) => {
            ModelStreamInferResponse { error_message: String::new(), infer_response: Some(response) }
        }
        Err(error) => {
            let message = status::of(&error).message().to_owned();
            let response = ModelInferResponse { id, ..Default::default() };
            ModelStreamInferResponse { error_message: message, infer_response: Some(response) }
        }
    }
}
