//! Keys: right, wrong, in the wrong place, too often.

use axum::http::Uri;
use heartline::http;
use heartline::http::inference::grpc::proto::ModelMetadataRequest;
use heartline::http::inference::grpc::proto::ServerLiveRequest;
use heartline::http::inference::grpc::proto::grpc_inference_service_client::GrpcInferenceServiceClient;
use tonic::metadata::MetadataValue;
use tonic::{Code, Request};

use crate::support::{CENTRE, DASHBOARD, ask, build, keys, router};

fn bearer(key: &str) -> String {
    format!("Bearer {key}")
}

#[tokio::test]
async fn without_a_known_key_nothing_but_health_is_answered() {
    for path in ["/v1/models", "/v1/engine", "/v1/none", "/v2", "/v2/models/text", "/v2/none"] {
        for headers in
            [vec![], vec![("authorization", "Bearer hlk_wrong")], vec![("authorization", "Basic YTpi")]]
        {
            let answer = ask(router(), "GET", path, &headers).await;
            assert_eq!(answer.status, 401, "{path}");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"heartline\""));
            assert!(answer.header("x-request-id").is_some());
        }
    }
    for path in ["/healthz", "/readyz", "/metrics", "/openapi.json", "/v2/health/live", "/v2/health/ready"] {
        assert_eq!(ask(router(), "GET", path, &[]).await.status, 200, "{path}");
    }
    let body = ask(router(), "POST", "/v1/analyze", &[]).await;
    assert!(body.assert_failure(401, "unauthenticated").contains("Authorization: Bearer"));
    let protocol = ask(router(), "GET", "/v2", &[]).await.json();
    assert!(protocol["error"].as_str().unwrap().contains("Bearer"), "{protocol}");
    assert_eq!(ask(router(), "GET", "/elsewhere", &[]).await.status, 404);
}

#[tokio::test]
async fn every_key_opens_every_route() {
    let router = http::router(&build(&[&keys()]));
    for key in [CENTRE, DASHBOARD] {
        let answer = ask(&router, "GET", "/v1/models", &[("authorization", &bearer(key))]).await;
        assert_eq!(answer.status, 200);
    }
    let as_page = [("sec-websocket-protocol", format!("heartline.v1, heartline.key.{CENTRE}"))];
    let as_page = as_page.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(ask(&router, "GET", "/v1/models", &as_page).await.status, 200);
}

#[tokio::test]
async fn a_key_in_the_address_is_refused_and_not_repeated() {
    let answer = ask(router(), "GET", &format!("/v1/models?api_key={CENTRE}"), &[]).await;
    let message = answer.assert_failure(401, "unauthenticated");
    assert!(message.contains("address") && !message.contains(CENTRE), "{message}");
}

#[tokio::test]
async fn each_key_has_its_own_rate() {
    let router = http::router(&build(&[&keys()]));
    let ask_as =
        async |key: &str| ask(&router, "GET", "/v1/models", &[("authorization", &bearer(key))]).await;
    let answers = [ask_as(DASHBOARD).await, ask_as(DASHBOARD).await, ask_as(DASHBOARD).await];
    assert_eq!(answers.each_ref().map(|answer| answer.status), [200, 200, 429]);
    let message = answers[2].assert_failure(429, "rate_limited");
    assert!(message.contains("dashboard"), "{message}");
    assert_eq!(answers[2].header("retry-after"), Some("1"));
    for _ in 0..20 {
        assert_eq!(ask_as(CENTRE).await.status, 200);
    }
    // A key that is not known takes nothing from those that are.
    assert_eq!(ask_as("hlk_wrong").await.status, 401);
}

#[tokio::test]
async fn the_other_wire_takes_the_same_keys() {
    let router = http::router(&build(&[&keys()]));
    let mut client = GrpcInferenceServiceClient::with_origin(router, Uri::from_static("http://localhost"));
    client.server_live(ServerLiveRequest {}).await.unwrap();
    let asked = |key: Option<&str>| {
        let mut request =
            Request::new(ModelMetadataRequest { name: "text".to_owned(), ..Default::default() });
        if let Some(key) = key {
            request.metadata_mut().insert("authorization", MetadataValue::try_from(bearer(key)).unwrap());
        }
        request
    };
    let mut codes = Vec::new();
    for key in [None, Some("hlk_wrong"), Some(CENTRE), Some(DASHBOARD), Some(DASHBOARD), Some(DASHBOARD)] {
        let answer = client.model_metadata(asked(key)).await;
        codes.push(answer.map_or_else(|status| status.code(), |_| Code::Ok));
    }
    let expected =
        [Code::Unauthenticated, Code::Unauthenticated, Code::Ok, Code::Ok, Code::Ok, Code::ResourceExhausted];
    assert_eq!(codes, expected);
}
