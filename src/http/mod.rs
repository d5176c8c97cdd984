//! The wire: routes, wire types and the one place where a status code is chosen.
//!
//! Every route stands in one list, from which the router is built and against which the OpenAPI document is tested.
//! Around all of them lies the envelope: request identifier, time limit, panic fence, metrics and error bodies; within
//! it, [`access`] asks for keys.
//! What the answers mean is decided elsewhere; nothing here computes.

pub mod access;
mod analyze;
mod arrival;
mod asyncapi;
mod catalogue;
mod envelope;
mod error;
mod guard;
mod health;
pub mod inference;
mod json;
pub mod live;
mod matchers;
mod multipart;
mod openapi;
mod policies;
mod rank;
mod rankings;
mod request_id;
pub mod sessions;
mod status;
pub mod twilio;
mod whip;

use std::convert::Infallible;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{MethodRouter, delete, get, options, patch, post, put};
use tower_http::catch_panic::CatchPanicLayer;

pub use access::{Access, KeyName};
pub use analyze::{AnalyzeBody, AudioPart, FramePart, TranscriptPart, UtterancePart};
pub use asyncapi::asyncapi_document;
pub use catalogue::{ModelEntry, ModelList};
pub use error::{ApiError, ErrorBody, ErrorCode, ProtocolError};
pub use health::{Liveness, Readiness};
pub use matchers::{MatcherList, ReloadBody};
pub use openapi::document;
pub use policies::PolicyList;
pub use rank::RankBody;

use crate::app::App;

/// The longest body that says how a call ended.
const OUTCOME_BYTES: usize = 16 << 10;
/// The longest policy, and the longest settings of a matcher.
const SETTINGS_BYTES: usize = 4 << 20;

/// A route: its path, its method in lower case, and what answers it.
struct Route {
    path: &'static str,
    method: &'static str,
    handler: MethodRouter<App>,
}

/// The routes of the house's own interface; those of the inference protocol have their own list.
fn routes() -> Vec<Route> {
    let route = |method, path, handler| Route { path, method, handler };
    let within =
        |bytes, handler: MethodRouter<App>| handler.layer::<_, Infallible>(DefaultBodyLimit::max(bytes));
    vec![
        route("post", "/v1/analyze", post(analyze::analyze)),
        route("post", "/v1/rank", post(rank::rank)),
        route("get", "/v1/rankings/{id}", get(rankings::one)),
        route("post", "/v1/rankings/{id}/outcome", within(OUTCOME_BYTES, post(rankings::outcome))),
        route("get", "/v1/policies", get(policies::list)),
        route("get", "/v1/policies/{name}", get(policies::one)),
        route("put", "/v1/policies/{name}", within(SETTINGS_BYTES, put(policies::put))),
        route("delete", "/v1/policies/{name}", delete(policies::remove)),
        route("post", "/v1/policies/{name}/activate", post(policies::activate)),
        route("get", "/v1/live", get(live::open)),
        route("get", "/v1/live/{session_id}", get(live::resume)),
        route("post", "/v1/whip", post(whip::publish)),
        route("options", "/v1/whip", options(whip::describe)),
        route("post", "/v1/whip/{id}", post(whip::publish_into)),
        route("patch", "/v1/whip/{id}", patch(whip::trickle)),
        route("delete", "/v1/whip/{id}", delete(whip::end)),
        route("options", "/v1/whip/{id}", options(whip::describe_one)),
        route("get", "/v1/models", get(catalogue::models)),
        route("get", "/v1/matchers", get(matchers::list)),
        route("get", "/v1/matchers/{id}", get(matchers::one)),
        route("post", "/v1/matchers/{id}/reload", within(SETTINGS_BYTES, post(matchers::reload))),
        route("post", "/v1/matchers/{id}/reset", post(matchers::reset)),
        route("get", "/v1/engine", get(catalogue::engine)),
        route("post", "/v1/sessions", post(sessions::open)),
        route("get", "/v1/sessions", get(sessions::list)),
        route("get", "/v1/sessions/{id}", get(sessions::info)),
        route("patch", "/v1/sessions/{id}", patch(sessions::update)),
        route("delete", "/v1/sessions/{id}", delete(sessions::close)),
        route("post", "/v1/sessions/{id}/transcript", post(sessions::transcript::transcript)),
        route("get", "/v1/sessions/{id}/events", get(sessions::events::of_session)),
        route("get", "/v1/events", get(sessions::events::of_all)),
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
    let access = Access::new(&app.config().access);
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
        .layer(axum::middleware::from_fn_with_state(access.clone(), access::guard))
        .layer(axum::middleware::from_fn_with_state(app.clone(), envelope::wrap))
        // What browsers are told stands on failures too, so it is added when their bodies are written.
        .layer(axum::middleware::from_fn_with_state(access.clone(), access::share))
        // gRPC has its own envelope: its errors have no body.
        .merge(inference::grpc::router(&inference, &access))
}
