//! The wire: routes, wire types and the one place where a status code is chosen.
//!
//! Every route stands in one list, from which the router is built and against which the OpenAPI document is tested.
//! Around all of them lies the envelope: request identifier, time limit, panic fence, metrics and error bodies.
//! What the answers mean is decided elsewhere; nothing here computes.

mod analyze;
mod arrival;
mod asyncapi;
mod catalogue;
mod envelope;
mod error;
mod health;
pub mod inference;
mod json;
pub mod live;
mod multipart;
mod openapi;
mod rank;
mod request_id;
mod status;
pub mod twilio;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{MethodRouter, get, post};
use tower_http::catch_panic::CatchPanicLayer;

pub use analyze::{AnalyzeBody, AudioPart, FramePart, TranscriptPart, UtterancePart};
pub use asyncapi::asyncapi_document;
pub use catalogue::{MatcherList, ModelEntry, ModelList};
pub use error::{ApiError, ErrorBody, ErrorCode, ProtocolError};
pub use health::{Liveness, Readiness};
pub use openapi::document;
pub use rank::RankBody;

use crate::app::App;

/// A route: its path, its method in lower case, and what answers it.
struct Route {
    path: &'static str,
    method: &'static str,
    handler: MethodRouter<App>,
}

/// The routes of the house's own interface; those of the inference protocol have their own list.
fn routes() -> Vec<Route> {
    let route = |method, path, handler| Route { path, method, handler };
    vec![
        route("post", "/v1/analyze", post(analyze::analyze)),
        route("post", "/v1/rank", post(rank::rank)),
        route("get", "/v1/live", get(live::open)),
        route("get", "/v1/live/{session_id}", get(live::resume)),
        route("get", "/v1/models", get(catalogue::models)),
        route("get", "/v1/matchers", get(catalogue::matchers)),
        route("get", "/v1/engine", get(catalogue::engine)),
        route("get", "/v1/twilio", twilio::route::route()),
        route("get", "/healthz", get(health::healthz)),
        route("get", "/readyz", get(health::readyz)),
        route("get", "/metrics", get(health::metrics)),
        route("get", "/openapi.json", get(openapi::openapi)),
        route("get", "/asyncapi.json", get(asyncapi::asyncapi)),
    ]
}

/// Every route as method and path, the method in lower case.
#[must_use]
pub fn route_names() -> Vec<(&'static str, &'static str)> {
    let own = routes().into_iter().map(|route| (route.method, route.path));
    own.chain(inference::routes().into_iter().map(|route| (route.method, route.path))).collect()
}

/// The router of an app, ready to serve.
pub fn router(app: &App) -> Router {
    let inference = inference::Inference::new(app);
    let router = routes()
        .into_iter()
        .fold(Router::new(), |router, route| router.route(route.path, route.handler))
        .with_state(app.clone())
        .merge(inference::router(&inference))
        .fallback(|| async {
            ApiError::new(ErrorCode::NotFound, "there is no such route; see /openapi.json")
        })
        .method_not_allowed_fallback(|| async {
            ApiError::new(
                ErrorCode::MethodNotAllowed,
                "the route does not take this method; see /openapi.json",
            )
        });
    router
        .layer(DefaultBodyLimit::max(app.config().server.max_body_bytes))
        .layer(CatchPanicLayer::custom(envelope::after_panic))
        .layer(axum::middleware::from_fn_with_state(app.clone(), envelope::wrap))
        // gRPC has its own envelope: its errors have no body.
        .merge(inference::grpc::router(&inference))
}
