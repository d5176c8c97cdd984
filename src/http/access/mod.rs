//! Who may ask: keys and their rates, and the pages of other hosts.
//!
//! `guard` stands before every route but those for whoever runs the server. Without any key everybody who reaches the
//! server may ask, and the configuration sees to it that only this machine does. Keys are known by their hashes alone.

mod credential;
mod keys;
mod origins;

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::{ApiError, ErrorCode};
use crate::config::AccessConfig;

pub use credential::SUBPROTOCOL_PREFIX;
use keys::KeyRing;
use origins::Origins;
pub(super) use origins::share;

/// Routes for whoever runs the server: they need no key, because those who ask have none.
const OPEN: [&str; 6] =
    ["/healthz", "/readyz", "/openapi.json", "/asyncapi.json", "/v2/health/live", "/v2/health/ready"];
/// Open as well, unless the configuration protects it.
const METRICS: &str = "/metrics";
/// The same questions over gRPC.
const OPEN_METHODS: [&str; 2] =
    ["/inference.GRPCInferenceService/ServerLive", "/inference.GRPCInferenceService/ServerReady"];
/// Routes whose clients can set neither headers nor subprotocols, so that the key comes in a message: what answers them
/// asks [`Access::verify`].
const KEY_IN_MESSAGE: [&str; 1] = ["/v1/twilio"];

/// The name of the key that a request came with; handlers find it among the request's extensions. A server without keys
/// gives none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyName(pub Arc<str>);

/// Who may ask. Clones are handles to the same keys with the same rates.
#[derive(Debug, Clone)]
pub struct Access {
    rules: Arc<Rules>,
}

#[derive(Debug)]
struct Rules {
    keys: KeyRing,
    origins: Origins,
    protects_metrics: bool,
}

impl Access {
    /// The rules of a configuration.
    #[must_use]
    pub fn new(config: &AccessConfig) -> Self {
        if config.open && config.keys.is_empty() {
            tracing::warn!("access.open: whoever reaches this server may ask without a key");
        }
        let rules = Rules {
            keys: KeyRing::new(&config.keys),
            origins: Origins::new(&config.allowed_origins),
            protects_metrics: config.protect_metrics,
        };
        Self { rules: Arc::new(rules) }
    }

    /// Checks a key that came in a message, and counts against its rate. A server without keys takes anything and
    /// nothing, and then there is no name.
    ///
    /// # Errors
    /// `unauthenticated`, or `rate_limited` with the time to wait.
    pub fn verify(&self, key: Option<&str>) -> Result<Option<KeyName>, ApiError> {
        if self.rules.keys.is_empty() {
            return Ok(None);
        }
        let Some(key) = key else {
            let message = format!(
                "this needs a key: send it as \"Authorization: Bearer KEY\", or from a browser's WebSocket as the \
                 subprotocol \"{SUBPROTOCOL_PREFIX}KEY\""
            );
            return Err(ApiError::new(ErrorCode::Unauthenticated, message));
        };
        self.rules.keys.admit(key).map(Some)
    }

    /// Lets a request in, or says why not.
    fn admit(&self, request: &mut Request) -> Result<(), ApiError> {
        if self.is_open(request) {
            return Ok(());
        }
        self.rules.origins.check(request, self.rules.keys.is_empty())?;
        request.extensions_mut().insert(self.clone());
        if self.rules.keys.is_empty() {
            return Ok(());
        }
        let key = credential::take(request)?;
        if key.is_none() && matched(request).is_some_and(|route| KEY_IN_MESSAGE.contains(&route)) {
            return Ok(());
        }
        if let Some(name) = self.verify(key.as_deref())? {
            tracing::Span::current().record("key", &*name.0);
            request.extensions_mut().insert(name);
        }
        Ok(())
    }

    fn is_open(&self, request: &Request) -> bool {
        let path = request.uri().path();
        match matched(request) {
            Some(METRICS) => !self.rules.protects_metrics,
            // A pattern that stands for every method says nothing, so the path decides.
            Some(route) => OPEN.contains(&route) || OPEN_METHODS.contains(&path),
            // What is no route is answered with 404, but where the routes are is told only to those who may ask.
            None => !["/v1", "/v2"].iter().any(|area| path.starts_with(area)),
        }
    }
}

fn matched(request: &Request) -> Option<&str> {
    request.extensions().get::<MatchedPath>().map(MatchedPath::as_str)
}

/// Lets a request in, or answers why not.
pub(super) async fn guard(State(access): State<Access>, mut request: Request, next: Next) -> Response {
    match access.admit(&mut request) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

/// Lets a gRPC request in, or gives the error that its own envelope writes.
pub(super) fn admit_call(access: &Access, request: &mut Request) -> Result<(), ApiError> {
    access.admit(request)
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::http::header::AUTHORIZATION;
    use axum::routing::{any, get};
    use tower::ServiceExt;

    use super::*;
    use crate::config::KeyConfig;

    /// The hash of "abc".
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn access(keys: bool, protect_metrics: bool) -> Access {
        let key = KeyConfig {
            name: "desk".to_owned(),
            sha256: ABC.to_owned(),
            requests_per_second: 1,
            burst: 3,
            max_sessions: 1,
        };
        let keys = if keys { vec![key] } else { Vec::new() };
        Access::new(&AccessConfig { keys, protect_metrics, ..AccessConfig::default() })
    }

    fn router(access: &Access) -> Router {
        let name = |name: Option<axum::Extension<KeyName>>| async move {
            name.map_or_else(|| "nobody".to_owned(), |name| name.0.0.to_string())
        };
        OPEN.into_iter()
            .chain([METRICS, "/v1/models", "/v1/twilio"])
            .fold(Router::new(), |router, path| router.route(path, get(name)))
            .route("/inference.GRPCInferenceService/{*method}", any(name))
            .fallback(|| async { ApiError::new(ErrorCode::NotFound, "none") })
            .layer(axum::middleware::from_fn_with_state(access.clone(), guard))
    }

    async fn ask(router: &Router, path: &str, key: Option<&str>) -> Result<String, ErrorCode> {
        let mut request = Request::builder().uri(path);
        if let Some(key) = key {
            request = request.header(AUTHORIZATION, format!("Bearer {key}"));
        }
        let answer = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        if let Some(error) = answer.extensions().get::<ApiError>() {
            return Err(error.code);
        }
        let bytes = axum::body::to_bytes(answer.into_body(), 1_000).await.unwrap();
        Ok(String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn routes_need_a_key_unless_they_are_open() {
        let router = router(&access(true, false));
        for path in OPEN.into_iter().chain([METRICS]).chain(OPEN_METHODS) {
            assert_eq!(ask(&router, path, None).await.as_deref(), Ok("nobody"), "{path}");
        }
        for path in
            ["/v1/models", "/v1", "/v1/none", "/v2/none", "/inference.GRPCInferenceService/ModelInfer"]
        {
            assert_eq!(ask(&router, path, None).await, Err(ErrorCode::Unauthenticated), "{path}");
            assert_eq!(ask(&router, path, Some("abd")).await, Err(ErrorCode::Unauthenticated), "{path}");
        }
        assert_eq!(ask(&router, "/v1/models", Some("abc")).await.as_deref(), Ok("desk"));
        assert_eq!(ask(&router, "/elsewhere", None).await, Err(ErrorCode::NotFound));
    }

    #[tokio::test]
    async fn metrics_can_be_protected() {
        let router = router(&access(true, true));
        assert_eq!(ask(&router, METRICS, None).await, Err(ErrorCode::Unauthenticated));
        assert_eq!(ask(&router, METRICS, Some("abc")).await.as_deref(), Ok("desk"));
    }

    #[tokio::test]
    async fn a_key_may_come_in_a_message_where_nothing_else_can() {
        let access = access(true, false);
        let router = router(&access);
        assert_eq!(ask(&router, "/v1/twilio", None).await.as_deref(), Ok("nobody"));
        assert_eq!(ask(&router, "/v1/twilio", Some("abc")).await.as_deref(), Ok("desk"));
        assert_eq!(ask(&router, "/v1/twilio", Some("x")).await, Err(ErrorCode::Unauthenticated));
        assert_eq!(access.verify(Some("abc")).unwrap(), Some(KeyName("desk".into())));
        assert_eq!(access.verify(None).unwrap_err().code, ErrorCode::Unauthenticated);
    }

    #[tokio::test]
    async fn a_key_that_asks_too_often_is_told_when_to_come_back() {
        let access = access(true, false);
        let router = router(&access);
        for _ in 0..3 {
            assert!(ask(&router, "/v1/models", Some("abc")).await.is_ok());
        }
        assert_eq!(ask(&router, "/v1/models", Some("abc")).await, Err(ErrorCode::RateLimited));
        let error = access.verify(Some("abc")).unwrap_err();
        assert!((1..=1_000).contains(&error.retry_after_ms.unwrap()), "{error:?}");
    }

    #[tokio::test]
    async fn without_keys_nobody_is_asked() {
        let access = access(false, true);
        assert_eq!(ask(&router(&access), "/v1/models", None).await.as_deref(), Ok("nobody"));
        assert_eq!(access.verify(Some("anything")).unwrap(), None);
    }
}
