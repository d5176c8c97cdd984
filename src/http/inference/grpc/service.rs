//! The methods: each translates a message, asks the core, and translates back.

use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ConnectInfo;
use tonic::codegen::tokio_stream::Stream;
use tonic::{Request, Response, Status, Streaming};

use super::super::Inference;
use super::super::describe::{EXTENSIONS, SERVER_NAME, SERVER_VERSION};
use super::super::fault::{invalid, shown};
use super::super::limits::{SMALL_ANSWER, SMALL_BODY};
use super::proto::grpc_inference_service_server::GrpcInferenceService;
use super::proto::{
    ModelInferRequest, ModelInferResponse, ModelMetadataRequest, ModelMetadataResponse, ModelReadyRequest,
    ModelReadyResponse, ModelStatisticsRequest, ModelStatisticsResponse, ModelStreamInferResponse,
    RepositoryIndexRequest, RepositoryIndexResponse, RepositoryModelLoadRequest, RepositoryModelLoadResponse,
    RepositoryModelUnloadRequest, RepositoryModelUnloadResponse, ServerLiveRequest, ServerLiveResponse,
    ServerMetadataRequest, ServerMetadataResponse, ServerReadyRequest, ServerReadyResponse,
};
use super::{deadline, from_wire, status, stream, to_wire};
use crate::http::guard::Caller;
use crate::http::{ApiError, health};

type Answered<T> = Result<Response<T>, Status>;

/// The protocol's methods over a core.
#[derive(Clone)]
pub(super) struct Service {
    inference: Inference,
}

impl Service {
    pub(super) fn new(inference: Inference) -> Self {
        Self { inference }
    }
}

/// Answers one request for inference; a client that waits less than the server does is answered in its own time.
pub(super) async fn infer(
    inference: &Inference,
    request: ModelInferRequest,
    patience: Option<Duration>,
) -> Result<ModelInferResponse, ApiError> {
    let (model, version) = (request.model_name.clone(), request.model_version.clone());
    inference.find(&model, &version)?;
    let is_small = tensor_bytes(&request) <= SMALL_BODY;
    let (call, is_raw) = inference.where_it_fits(is_small, move || from_wire::call_of(request)).await?;
    let marks_final = call.parameters.marks_final;
    let answer = inference.infer(&model, &version, call, patience).await?;
    let is_small = answer.elements() <= SMALL_ANSWER;
    inference.where_it_fits(is_small, move || to_wire::response_of(answer, is_raw, marks_final)).await
}

/// About how many bytes the tensors of a request have.
fn tensor_bytes(request: &ModelInferRequest) -> usize {
    let raw: usize = request.raw_input_contents.iter().map(Bytes::len).sum();
    let typed = request.inputs.iter().filter_map(|input| input.contents.as_ref()).map(|contents| {
        let texts: usize = contents.bytes_contents.iter().map(Bytes::len).sum();
        texts + 4 * (contents.fp32_contents.len() + contents.uint_contents.len())
    });
    raw + typed.sum::<usize>()
}

#[tonic::async_trait]
impl GrpcInferenceService for Service {
    async fn server_live(&self, _: Request<ServerLiveRequest>) -> Answered<ServerLiveResponse> {
        Ok(Response::new(ServerLiveResponse { live: true }))
    }

    async fn server_ready(&self, _: Request<ServerReadyRequest>) -> Answered<ServerReadyResponse> {
        let ready = health::check(self.inference.app()).await.is_ok();
        Ok(Response::new(ServerReadyResponse { ready }))
    }

    async fn model_ready(&self, request: Request<ModelReadyRequest>) -> Answered<ModelReadyResponse> {
        let ModelReadyRequest { name, version } = request.into_inner();
        let ready = self.inference.model_ready(&name, &version).is_ok();
        Ok(Response::new(ModelReadyResponse { ready }))
    }

    async fn server_metadata(&self, _: Request<ServerMetadataRequest>) -> Answered<ServerMetadataResponse> {
        Ok(Response::new(ServerMetadataResponse {
            name: SERVER_NAME.to_owned(),
            version: SERVER_VERSION.to_owned(),
            extensions: EXTENSIONS.map(ToOwned::to_owned).to_vec(),
        }))
    }

    async fn model_metadata(
        &self,
        request: Request<ModelMetadataRequest>,
    ) -> Answered<ModelMetadataResponse> {
        let ModelMetadataRequest { name, version } = request.into_inner();
        let metadata = self.inference.model_metadata(&name, &version).await;
        metadata.map(|found| Response::new(to_wire::metadata_of(found))).map_err(|error| status::of(&error))
    }

    async fn model_infer(&self, request: Request<ModelInferRequest>) -> Answered<ModelInferResponse> {
        let patience = deadline::patience(request.metadata())?;
        let answer = infer(&self.inference, request.into_inner(), patience).await;
        answer.map(Response::new).map_err(|error| status::of(&error))
    }

    type ModelStreamInferStream =
        Pin<Box<dyn Stream<Item = Result<ModelStreamInferResponse, Status>> + Send + 'static>>;

    async fn model_stream_infer(
        &self,
        request: Request<Streaming<ModelInferRequest>>,
    ) -> Answered<Self::ModelStreamInferStream> {
        let answers = stream::answers(&self.inference, request.into_inner());
        answers.map(|answers| Response::new(Box::pin(answers) as Self::ModelStreamInferStream))
    }

    async fn model_statistics(
        &self,
        request: Request<ModelStatisticsRequest>,
    ) -> Answered<ModelStatisticsResponse> {
        let ModelStatisticsRequest { name, version } = request.into_inner();
        let found = self.inference.statistics(&name, &version);
        found.map(|found| Response::new(to_wire::statistics_of(found))).map_err(|error| status::of(&error))
    }

    async fn repository_index(
        &self,
        request: Request<RepositoryIndexRequest>,
    ) -> Answered<RepositoryIndexResponse> {
        let caller = caller_of(&request);
        let RepositoryIndexRequest { repository_name, ready } = request.into_inner();
        check_repository(&repository_name).map_err(|error| status::of(&error))?;
        let entries = self.inference.index(caller, ready).await.map_err(|error| status::of(&error))?;
        let models = entries.into_iter().map(to_wire::index_of).collect();
        Ok(Response::new(RepositoryIndexResponse { models }))
    }

    async fn repository_model_load(
        &self,
        request: Request<RepositoryModelLoadRequest>,
    ) -> Answered<RepositoryModelLoadResponse> {
        let caller = caller_of(&request);
        let RepositoryModelLoadRequest { repository_name, model_name, parameters } = request.into_inner();
        let loading = async {
            check_repository(&repository_name)?;
            let parameters = from_wire::repository_values(parameters)?;
            self.inference.load(caller, &model_name, &parameters).await
        };
        loading.await.map_err(|error| status::of(&error))?;
        Ok(Response::new(RepositoryModelLoadResponse {}))
    }

    async fn repository_model_unload(
        &self,
        request: Request<RepositoryModelUnloadRequest>,
    ) -> Answered<RepositoryModelUnloadResponse> {
        let caller = caller_of(&request);
        let RepositoryModelUnloadRequest { repository_name, model_name, .. } = request.into_inner();
        let unloading = async {
            check_repository(&repository_name)?;
            self.inference.unload(caller, &model_name).await
        };
        unloading.await.map_err(|error| status::of(&error))?;
        Ok(Response::new(RepositoryModelUnloadResponse {}))
    }
}

fn check_repository(name: &str) -> Result<(), ApiError> {
    if name.is_empty() {
        return Ok(());
    }
    Err(invalid(format!("there is no repository {}; the only one has no name", shown(name))))
}

fn caller_of<T>(request: &Request<T>) -> Caller {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0);
    Caller::of(peer, |name| request.metadata().contains_key(name))
}
