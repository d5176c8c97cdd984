//! The protocol over HTTP.

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Path, Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;

use super::Inference;
use super::body::{self, HEADER, Parameters, Written};
use super::catalogue::{ModelMetadata, ModelSpec};
use super::describe::ServerMetadata;
use super::fault::{malformed, unknown_model};
use super::limits::{SMALL_ANSWER, SMALL_BODY, SMALL_REQUEST};
use super::repository::IndexEntry;
use super::statistics::StatisticsList;
use crate::http::guard::Caller;
use crate::http::{ApiError, ErrorCode, health, json as house_json, status};

/// A route and what it is for.
pub(in crate::http) struct Described {
    pub(in crate::http) method: &'static str,
    pub(in crate::http) path: &'static str,
    pub(in crate::http) summary: &'static str,
    handler: MethodRouter<Inference>,
}

/// Every route of the protocol.
pub(in crate::http) fn routes() -> Vec<Described> {
    let route = |method, path, summary, handler| Described { method, path, summary, handler };
    vec![
        route("get", "/v2", "What the server is, and which extensions it speaks.", get(server)),
        route("get", "/v2/health/live", "Whether the server is alive.", get(live)),
        route("get", "/v2/health/ready", "Whether the server takes work.", get(ready)),
        route("get", "/v2/models/stats", "What all models have done so far.", get(all_statistics)),
        route("get", "/v2/models/{model}", "What a model takes and gives.", get(metadata)),
        route(
            "get",
            "/v2/models/{model}/versions/{version}",
            "What a version of a model takes and gives.",
            get(metadata),
        ),
        route("get", "/v2/models/{model}/ready", "Whether a model takes work.", get(model_ready)),
        route(
            "get",
            "/v2/models/{model}/versions/{version}/ready",
            "Whether a version of a model takes work.",
            get(model_ready),
        ),
        route("get", "/v2/models/{model}/stats", "What a model has done so far.", get(statistics)),
        route(
            "get",
            "/v2/models/{model}/versions/{version}/stats",
            "What a version of a model has done so far.",
            get(statistics),
        ),
        route("post", "/v2/models/{model}/infer", "Has a model compute.", post(infer)),
        route(
            "post",
            "/v2/models/{model}/versions/{version}/infer",
            "Has a version of a model compute.",
            post(infer),
        ),
        route("post", "/v2/repository/index", "Every version of every model.", post(index)),
        route("post", "/v2/repository/models/{model}/load", "Loads a model.", post(load)),
        route("post", "/v2/repository/models/{model}/unload", "Unloads a model.", post(unload)),
    ]
}

/// The routes, ready to serve.
pub(in crate::http) fn router(inference: &Inference) -> Router {
    routes()
        .into_iter()
        .fold(Router::new(), |router, route| router.route(route.path, route.handler))
        .with_state(inference.clone())
}

/// The model of a path, and its version where the path names one.
#[derive(Deserialize)]
struct Named {
    model: String,
    #[serde(default)]
    version: String,
}

async fn server(State(inference): State<Inference>) -> Json<ServerMetadata> {
    Json(inference.server_metadata())
}

async fn live() -> Response {
    Json(json!({"live": true})).into_response()
}

/// Some clients look for `ready`, some for `live`, so both are there.
async fn ready(State(inference): State<Inference>) -> Result<Response, ApiError> {
    health::check(inference.app()).await?;
    Ok(Json(json!({"live": true, "ready": true})).into_response())
}

async fn metadata(
    State(inference): State<Inference>,
    Path(named): Path<Named>,
) -> Result<Json<ModelMetadata>, ApiError> {
    Ok(Json(inference.model_metadata(&named.model, &named.version).await?))
}

async fn model_ready(
    State(inference): State<Inference>,
    Path(named): Path<Named>,
) -> Result<Response, ApiError> {
    inference.model_ready(&named.model, &named.version)?;
    Ok(Json(json!({"name": named.model, "ready": true})).into_response())
}

async fn all_statistics(State(inference): State<Inference>) -> Result<Json<StatisticsList>, ApiError> {
    Ok(Json(inference.statistics("", "")?))
}

async fn statistics(
    State(inference): State<Inference>,
    Path(named): Path<Named>,
) -> Result<Json<StatisticsList>, ApiError> {
    Ok(Json(inference.statistics(&named.model, &named.version)?))
}

async fn infer(
    State(inference): State<Inference>,
    Path(named): Path<Named>,
    request: Request,
) -> Result<Response, ApiError> {
    check_encoding(request.headers())?;
    let header_length = header_length(request.headers())?;
    let spec = ModelSpec::find(&named.model).ok_or_else(|| unknown_model(&named.model))?;
    let _place = inference.app().admit()?;
    let bytes = read_body(request).await?;
    let is_small = bytes.len() <= SMALL_BODY;
    let parse = move || match header_length {
        Some(0) => body::read_raw(&bytes, spec.inputs),
        _ => body::read(&bytes, header_length),
    };
    let call = inference.where_it_fits(is_small, parse).await?;
    let answer = inference.infer(spec.name, &named.version, call, None).await?;
    let is_small = answer.elements() <= SMALL_ANSWER;
    Ok(respond(inference.where_it_fits(is_small, move || body::write(&answer)).await?))
}

fn respond(written: Written) -> Response {
    let Written { body, header_length } = written;
    let kind = if header_length.is_some() { "application/octet-stream" } else { "application/json" };
    let mut response = ([(CONTENT_TYPE, HeaderValue::from_static(kind))], body).into_response();
    if let Some(length) = header_length {
        response.headers_mut().insert(HEADER, HeaderValue::from(length));
    }
    response
}

/// How many bytes of the body are JSON, where a header says so.
fn header_length(headers: &HeaderMap) -> Result<Option<usize>, ApiError> {
    let Some(value) = headers.get(HEADER) else { return Ok(None) };
    let digits = value.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let length = digits.and_then(|digits| digits.parse().ok());
    length.map(Some).ok_or_else(|| malformed(format!("the header {HEADER} is not a number of bytes")))
}

fn check_encoding(headers: &HeaderMap) -> Result<(), ApiError> {
    match headers.get(CONTENT_ENCODING) {
        Some(encoding) if encoding != "identity" => Err(ApiError::new(
            ErrorCode::UnsupportedMediaType,
            "bodies are taken as they are, without a content encoding",
        )),
        _ => Ok(()),
    }
}

async fn read_body(request: Request) -> Result<Bytes, ApiError> {
    let read = Bytes::from_request(request, &()).await;
    read.map_err(|rejection| status::refusal(rejection.status(), rejection.body_text()))
}

#[derive(Default, Deserialize)]
struct IndexBody {
    #[serde(default)]
    ready: bool,
}

async fn index(
    State(inference): State<Inference>,
    request: Request,
) -> Result<Json<Vec<IndexEntry>>, ApiError> {
    let caller = Caller::of_request(&request);
    let body: IndexBody = read_small(request).await?;
    Ok(Json(inference.index(caller, body.ready).await?))
}

#[derive(Default, Deserialize)]
struct ManagementBody {
    #[serde(default)]
    parameters: Parameters,
}

async fn load(
    State(inference): State<Inference>,
    Path(named): Path<Named>,
    request: Request,
) -> Result<(), ApiError> {
    let caller = Caller::of_request(&request);
    let body: ManagementBody = read_small(request).await?;
    inference.load(caller, &named.model, &body.parameters.0).await
}

async fn unload(
    State(inference): State<Inference>,
    Path(named): Path<Named>,
    request: Request,
) -> Result<(), ApiError> {
    let caller = Caller::of_request(&request);
    let _: ManagementBody = read_small(request).await?;
    inference.unload(caller, &named.model).await
}

/// Reads a small body of JSON, which needs no place among the requests in work; none at all stands for an empty object.
async fn read_small<T: Default + for<'de> Deserialize<'de>>(request: Request) -> Result<T, ApiError> {
    check_encoding(request.headers())?;
    let mut request = request;
    DefaultBodyLimit::max(SMALL_REQUEST).apply(&mut request);
    let bytes = read_body(request).await?;
    if bytes.is_empty() { Ok(T::default()) } else { house_json::parse(&bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(
            axum::http::HeaderName::from_static(name),
            HeaderValue::from_str(value).unwrap(),
        )])
    }

    #[test]
    fn the_length_of_the_json_is_a_plain_number() {
        let length = |value: &str| header_length(&headers("inference-header-content-length", value)).ok();
        assert_eq!(length("12"), Some(Some(12)));
        assert_eq!(length("0"), Some(Some(0)));
        for wrong in ["", "-1", "+1", "1.5", "0x10", "99999999999999999999999"] {
            assert_eq!(length(wrong), None, "{wrong}");
        }
        assert_eq!(header_length(&HeaderMap::new()).unwrap(), None);
    }

    #[test]
    fn packed_bodies_are_refused() {
        check_encoding(&headers("content-encoding", "identity")).unwrap();
        let error = check_encoding(&headers("content-encoding", "gzip")).unwrap_err();
        assert_eq!(error.code, ErrorCode::UnsupportedMediaType);
    }

    #[test]
    fn bytes_are_announced() {
        let plain = respond(Written { body: Bytes::new(), header_length: None });
        assert_eq!(plain.headers()[CONTENT_TYPE], "application/json");
        assert!(!plain.headers().contains_key(HEADER));
        let binary = respond(Written { body: Bytes::new(), header_length: Some(7) });
        assert_eq!(binary.headers()[HEADER], "7");
    }
}
