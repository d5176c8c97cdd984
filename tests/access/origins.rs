//! Pages of other hosts.

use heartline::http;

use crate::support::{CENTRE, DESK, ask, build, router};

const FOREIGN: &str = "https://evil.example";

#[tokio::test]
async fn a_browser_is_told_which_pages_may_ask() {
    let asks = |origin| [("origin", origin), ("access-control-request-method", "POST")];
    let answer = ask(router(), "OPTIONS", "/v1/analyze", &asks(DESK)).await;
    assert_eq!(answer.status, 204, "no key is needed to ask beforehand");
    assert_eq!(answer.header("access-control-allow-origin"), Some(DESK));
    assert!(answer.header("access-control-allow-headers").unwrap().contains("authorization"));
    assert!(answer.header("access-control-allow-methods").unwrap().contains("PATCH"));
    assert_eq!(answer.header("vary"), Some("origin"));
    let answer = ask(router(), "OPTIONS", "/v1/analyze", &asks(FOREIGN)).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (204, None));
}

#[tokio::test]
async fn named_pages_may_read_answers_and_failures_alike() {
    let key = format!("Bearer {CENTRE}");
    for (headers, status) in
        [(vec![("origin", DESK), ("authorization", key.as_str())], 200), (vec![("origin", DESK)], 401)]
    {
        let answer = ask(router(), "GET", "/v1/models", &headers).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("access-control-allow-origin"), Some(DESK));
        assert!(answer.header("access-control-expose-headers").unwrap().contains("x-request-id"));
    }
    let foreign = [("origin", FOREIGN), ("authorization", key.as_str())];
    let answer = ask(router(), "GET", "/v1/models", &foreign).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, None));
}

#[tokio::test]
async fn a_websocket_of_a_foreign_page_is_refused_even_with_a_key() {
    let key = format!("Bearer {CENTRE}");
    let upgrade = |origin| {
        [
            ("upgrade", "websocket"),
            ("connection", "upgrade"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("authorization", key.as_str()),
            ("origin", origin),
        ]
    };
    let refused = ask(router(), "GET", "/v1/models", &upgrade(FOREIGN)).await;
    assert!(refused.assert_failure(403, "forbidden").contains("access.allowed_origins"));
    for origin in [DESK, "https://calls.example", "http://calls.example"] {
        assert_eq!(ask(router(), "GET", "/v1/models", &upgrade(origin)).await.status, 200, "{origin}");
    }
}

#[tokio::test]
async fn without_keys_no_foreign_page_reaches_this_machine() {
    let router = http::router(&build(&[]));
    let post = ask(&router, "POST", "/v1/rank", &[("origin", FOREIGN)]).await;
    post.assert_failure(403, "forbidden");
    assert_eq!(ask(&router, "POST", "/v1/rank", &[("origin", DESK)]).await.status, 415);
    assert_eq!(ask(&router, "POST", "/v1/rank", &[]).await.status, 415);
}
