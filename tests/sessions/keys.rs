//! A session belongs to the key that opened it.

use serde_json::json;

use crate::support::{Client, build, keys};

#[tokio::test]
async fn for_another_key_a_session_is_not_there() {
    let client = Client::new(&build(&[&keys(2)]));
    let (one, two) = (client.with_key("one"), client.with_key("two"));
    let id = one.open().await;
    let path = format!("/v1/sessions/{id}");
    for (method, path) in [
        ("GET", path.clone()),
        ("PATCH", path.clone()),
        ("DELETE", path.clone()),
        ("POST", format!("{path}/transcript")),
        ("GET", format!("{path}/events")),
    ] {
        two.json(method, &path, &json!({})).await.failure(404, "session_not_found");
        client.json(method, &path, &json!({})).await.failure(401, "unauthenticated");
    }
    assert_eq!(two.get("/v1/sessions").await.success(200), json!({"sessions": []}));
    assert_eq!(one.get("/v1/sessions").await.success(200)["sessions"].as_array().unwrap().len(), 1);
    one.get(&path).await.success(200);
}

#[tokio::test]
async fn a_stream_of_all_sessions_has_those_of_its_key_only() {
    let app = build(&[&keys(2)]);
    let client = Client::new(&app);
    let (one, two) = (client.with_key("one"), client.with_key("two"));
    let events = one.events("/v1/events?kinds=session.created", None).await;
    let own = one.open().await;
    two.open().await;
    app.live().drain().await;
    let told = events.all().await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].data["session_id"], own.as_str());
}

#[tokio::test]
async fn each_key_has_as_many_sessions_as_it_may() {
    let client = Client::new(&build(&[&keys(2)]));
    let (one, two) = (client.with_key("one"), client.with_key("two"));
    let id = one.open().await;
    one.open().await;
    one.json("POST", "/v1/sessions", &json!({})).await.failure(429, "too_many_sessions");
    two.open().await;
    one.json("DELETE", &format!("/v1/sessions/{id}"), &json!({})).await.success(200);
    one.open().await;
}
