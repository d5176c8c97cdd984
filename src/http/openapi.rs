//! `GET /openapi.json`: the document of every route.

use axum::Json;
use utoipa::OpenApi;
use utoipa::openapi::path::{OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ContentBuilder, HttpMethod, Ref, RefOr, Required, ResponseBuilder};

use super::{analyze, catalogue, health, inference, matchers, policies, rank, rankings, sessions, whip};

/// Where the inference protocol's bodies are described.
const PROTOCOL: &str =
    "As the Open Inference Protocol, version 2, has it; docs/inference.md names the models.";

/// The document, as the derive builds it.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Heartline",
        description = "Reads the expressions of a customer in words, voice and face, and ranks the agents who could \
                       take the call. Answers describe expressions observed, not feelings known.",
        license(name = "Apache-2.0 OR MIT", identifier = "Apache-2.0 OR MIT")
    ),
    paths(
        analyze::analyze,
        rank::rank,
        rankings::one,
        rankings::outcome,
        policies::list,
        policies::one,
        policies::put,
        policies::remove,
        policies::activate,
        super::live::open,
        super::live::resume,
        whip::publish,
        whip::describe,
        whip::publish_into,
        whip::trickle,
        whip::end,
        whip::describe_one,
        catalogue::models,
        matchers::list,
        matchers::one,
        matchers::reload,
        matchers::reset,
        catalogue::engine,
        sessions::open,
        sessions::list,
        sessions::info,
        sessions::update,
        sessions::close,
        sessions::transcript::transcript,
        sessions::events::of_session,
        sessions::events::of_all,
        super::twilio::route::twilio,
        super::asyncapi::asyncapi,
        health::healthz,
        health::readyz,
        health::metrics,
        openapi
    ),
    components(schemas(
        super::ProtocolError,
        super::TranscriptPart,
        super::UtterancePart,
        crate::routing::Agent,
        crate::app::CallOptions
    ))
)]
struct Document;

/// The OpenAPI document of this version.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    for route in inference::routes() {
        let method = if route.method == "get" { HttpMethod::Get } else { HttpMethod::Post };
        document.paths.add_path_operation(route.path, vec![method], operation(&route));
    }
    document
}

/// One route of the inference protocol. Its bodies are tensors of any shape, which the protocol's own document
/// describes better than a schema here would.
fn operation(route: &inference::Described) -> utoipa::openapi::path::Operation {
    let error = Ref::from_schema_name("ProtocolError");
    let error = ContentBuilder::new().schema(Some(RefOr::Ref(error))).build();
    let failure = ResponseBuilder::new().description("What went wrong.").content("application/json", error);
    let names = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let parameter = |name: &str| {
        let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path);
        parameter.required(Required::True).build()
    };
    OperationBuilder::new()
        .summary(Some(route.summary))
        .description(Some(PROTOCOL))
        .tag("Open Inference Protocol")
        .parameters(Some(names.map(parameter)))
        .response("200", ResponseBuilder::new().description(PROTOCOL).build())
        .response("default", failure.build())
        .build()
}

/// This document.
#[utoipa::path(
    get,
    path = "/openapi.json",
    responses((status = 200, description = "The OpenAPI document.", body = Object))
)]
pub(super) async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(document())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_document_and_the_router_have_the_same_routes() {
        let document = serde_json::to_value(document()).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let documented: BTreeSet<(String, String)> = paths
            .iter()
            .flat_map(|(path, item)| {
                item.as_object().unwrap().keys().map(move |key| (key.clone(), path.clone()))
            })
            .collect();
        let served = super::super::route_names().into_iter();
        let served: BTreeSet<_> = served.map(|(method, path)| (method.to_owned(), path.to_owned())).collect();
        assert_eq!(documented, served);
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = serde_json::to_value(document()).unwrap();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let text = document.to_string();
        let prefix = "\"#/components/schemas/";
        let mut found = 0;
        for part in text.split(prefix).skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(schemas.contains_key(name), "{name} is not described");
            found += 1;
        }
        assert!(found > 10, "{found} references");
    }
}
