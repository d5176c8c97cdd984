//! Pages of other hosts: which may ask, and what a browser must be told for it.
//!
//! A browser keeps a page from reading the answers of other hosts unless those name it, which is what [`share`] adds. It
//! does not keep a page from opening a WebSocket anywhere, nor from sending requests that a form could send; so the
//! origin of WebSockets is checked here, and without keys, when only the way to this machine protects the server, that of
//! every request.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HOST, ORIGIN,
    UPGRADE, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::super::{ApiError, ErrorCode, status};
use super::Access;

/// The methods that any route takes.
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PATCH, DELETE");
/// The headers that a page may send.
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, if-match, inference-header-content-length, last-event-id, traceparent, x-request-id",
);
/// The headers that a page may read.
const ANSWER_HEADERS: HeaderValue = HeaderValue::from_static(
    "accept-patch, accept-post, etag, inference-header-content-length, link, location, retry-after, x-request-id, x-session-id",
);
/// How long a browser may remember all this, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// The pages of other hosts that may ask.
#[derive(Debug)]
pub(super) struct Origins {
    allowed: BTreeSet<Arc<str>>,
}

impl Origins {
    pub(super) fn new(allowed: &[String]) -> Self {
        Self { allowed: allowed.iter().map(|origin| origin.as_str().into()).collect() }
    }

    /// Refuses what a page of another host may not do. `always` is for servers that nothing else protects.
    pub(super) fn check(&self, request: &Request, always: bool) -> Result<(), ApiError> {
        let Some(origin) = request.headers().get(ORIGIN) else { return Ok(()) };
        let is_reading = request.method() == Method::GET && !is_websocket(request.headers());
        if is_reading || (!always && !is_websocket(request.headers())) {
            return Ok(());
        }
        if self.allows(origin) || is_own(origin, request) {
            return Ok(());
        }
        let message = "pages of this origin may not do this; access.allowed_origins names those that may";
        Err(ApiError::new(ErrorCode::Forbidden, message))
    }

    fn allows(&self, origin: &HeaderValue) -> bool {
        origin.to_str().is_ok_and(|origin| self.allowed.contains(origin))
    }
}

/// Whether a request asks to become a WebSocket, over HTTP/1.1 or, by an extended CONNECT, over HTTP/2.
fn is_websocket(headers: &HeaderMap) -> bool {
    let upgrades = headers
        .get(UPGRADE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.to_ascii_lowercase().contains("websocket"));
    upgrades || headers.contains_key("sec-websocket-version") || headers.contains_key("sec-websocket-key")
}

/// Whether a page comes from the host that the request goes to. The scheme may differ: a proxy may end TLS.
fn is_own(origin: &HeaderValue, request: &Request) -> bool {
    let host = request.headers().get(HOST).and_then(|value| value.to_str().ok());
    let host = host.or_else(|| request.uri().authority().map(|authority| authority.as_str()));
    let (Ok(origin), Some(host)) = (origin.to_str(), host) else { return false };
    let Some((scheme, page)) = origin.split_once("://") else { return false };
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    let plain = |host: &str| host.strip_suffix(default_port).unwrap_or(host).to_ascii_lowercase();
    plain(page) == plain(host)
}

/// Tells browsers which pages may read the answers, and answers their question beforehand.
pub(in super::super) async fn share(State(access): State<Access>, request: Request, next: Next) -> Response {
    let Some(origin) = request.headers().get(ORIGIN).cloned() else { return next.run(request).await };
    let is_allowed = access.rules.origins.allows(&origin);
    let asks_beforehand =
        request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut answer =
        if asks_beforehand { status::PREFLIGHT.into_response() } else { next.run(request).await };
    let headers = answer.headers_mut();
    headers.append(VARY, HeaderValue::from_static("origin"));
    if is_allowed {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if asks_beforehand {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
            headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        } else {
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, ANSWER_HEADERS);
        }
    }
    answer
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    const DESK: &str = "https://desk.example";

    fn check(method: Method, headers: &[(&'static str, &str)], always: bool) -> bool {
        let builder = Request::builder().method(method).uri("/v1/live").header(HOST, "calls.example:8443");
        let builder = headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value));
        let request = builder.body(Body::empty()).unwrap();
        Origins::new(&[DESK.to_owned()]).check(&request, always).is_ok()
    }

    #[test]
    fn a_websocket_opens_for_its_own_pages_and_for_named_ones() {
        for (origin, is_allowed) in [
            (DESK, true),
            ("https://calls.example:8443", true),
            ("https://CALLS.example:8443", true),
            ("https://calls.example", false),
            ("https://desk.example.evil.example", false),
            ("https://desk.example:444", false),
            ("http://desk.example", false),
            ("null", false),
            ("", false),
        ] {
            let upgrade = [("upgrade", "WebSocket"), ("origin", origin)];
            assert_eq!(check(Method::GET, &upgrade, false), is_allowed, "{origin}");
            let over_http2 = [("sec-websocket-version", "13"), ("origin", origin)];
            assert_eq!(check(Method::CONNECT, &over_http2, false), is_allowed, "{origin}");
        }
        assert!(check(Method::GET, &[("upgrade", "websocket")], false), "programs have no origin");
    }

    #[test]
    fn without_keys_no_foreign_page_changes_anything() {
        let foreign = [("origin", "https://evil.example")];
        assert!(check(Method::POST, &foreign, false), "the key that it does not have keeps it out");
        assert!(!check(Method::POST, &foreign, true));
        assert!(!check(Method::DELETE, &foreign, true));
        assert!(check(Method::GET, &foreign, true), "its browser does not let it read");
        assert!(check(Method::POST, &[("origin", DESK)], true));
    }

    #[test]
    fn default_ports_may_be_left_out() {
        let own = |origin: &'static str, host: &str| {
            let request = Request::builder().header(HOST, host).body(Body::empty()).unwrap();
            is_own(&HeaderValue::from_static(origin), &request)
        };
        assert!(own("https://a.example", "a.example:443") && own("http://a.example:80", "a.example"));
        assert!(own("https://a.example", "a.example") && !own("https://a.example", "a.example:80"));
        let request = Request::builder().uri("https://a.example/v1").body(Body::empty()).unwrap();
        assert!(
            is_own(&HeaderValue::from_static("https://a.example"), &request),
            "HTTP/2 has no host header"
        );
    }
}
