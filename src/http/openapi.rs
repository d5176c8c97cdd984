//! `GET /openapi.json`: the document of every route.

use axum::Json;
use utoipa::OpenApi;

use super::{analyze, catalogue, health, rank};

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
        catalogue::models,
        catalogue::matchers,
        catalogue::engine,
        health::healthz,
        health::readyz,
        health::metrics,
        openapi
    ),
    components(schemas(
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
    Document::openapi()
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
