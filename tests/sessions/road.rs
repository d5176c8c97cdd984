//! A call from its opening to its summary.

use serde_json::json;

use crate::support::{Client, agents, build};

#[tokio::test]
async fn a_call_of_words_alone() {
    let client = Client::new(&build(&[]));
    let options = json!({"call_id": "call-7", "tracks": [{"name": "words", "kind": "text"}]});
    let answer = client.json("POST", "/v1/sessions", &options).await;
    let location = answer.headers["location"].to_str().unwrap().to_owned();
    let opened = answer.success(201);
    let id = opened["session_id"].as_str().unwrap();
    assert_eq!(location, format!("/v1/sessions/{id}"));
    assert!(opened["resume_token"].as_str().unwrap().len() > 30);

    let lines = "{\"track\": 0, \"start_ms\": 0, \"end_ms\": 2000, \"text\": \"My refund has not come.\"}\n\
                 {\"track\": 0, \"start_ms\": 4000, \"end_ms\": 6000, \"text\": \"I am so angry about my refund!\"}\n";
    let path = format!("{location}/transcript");
    let taken = client.send("POST", &path, "application/jsonl", lines.to_owned()).await.success(200);
    assert_eq!(taken, json!({"taken": 2}));

    let info = client
        .json("PATCH", &location, &json!({"agents": agents(), "waiting_ms": 60_000}))
        .await
        .success(200);
    assert_eq!((info["session_id"].as_str(), info["call_id"].as_str()), (Some(id), Some("call-7")));
    assert_eq!(info["transport"], "http");
    client.say(id, 8, "Where is my refund? Nobody helps me, this is outrageous.").await;
    let list = client.get("/v1/sessions").await.success(200);
    assert_eq!(list["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(client.get(&location).await.success(200)["session_id"], id);

    let summary = client.send("DELETE", &location, "application/json", String::new()).await.success(200);
    assert_eq!(
        (summary["reason"].as_str(), summary["duration_ms"].as_u64()),
        (Some("requested"), Some(8_900))
    );
    assert_eq!(summary["totals"]["utterances"], 3);
    assert_eq!(summary["totals"]["texts_read"], 3);
    assert!(summary["emotion"]["valence"].as_f64().unwrap() < 0.0, "{}", summary["emotion"]);
    assert_eq!(summary["ranking"]["ranking"]["entries"][0]["agent_id"], "patient");
    client.get(&location).await.failure(404, "session_not_found");
    client
        .send("DELETE", &location, "application/json", String::new())
        .await
        .failure(404, "session_not_found");
}

#[tokio::test]
async fn what_cannot_be_used_is_said_and_the_session_goes_on() {
    let client = Client::new(&build(&["live.max_sessions=1"]));
    let post = async |body: serde_json::Value| client.json("POST", "/v1/sessions", &body).await;
    let message = post(json!({"trakcs": []})).await.failure(422, "request_invalid");
    assert!(message.contains("trakcs") && message.contains("tracks"), "{message}");
    post(json!({"complexity": 2.0})).await.failure(422, "options_invalid");
    let agent = json!({"tracks": [{"name": "face", "kind": "video", "role": "agent"}]});
    post(agent).await.failure(403, "agent_biometrics_refused");
    client
        .send("POST", "/v1/sessions", "text/plain", String::new())
        .await
        .failure(415, "unsupported_media_type");

    let id = client.open().await;
    let full = post(json!({})).await;
    assert_eq!(full.headers["retry-after"], "1");
    full.failure(429, "too_many_sessions");
    let path = format!("/v1/sessions/{id}");
    client.json("PATCH", &path, &json!({"complexity": -1.0})).await.failure(422, "options_invalid");
    let transcript = format!("{path}/transcript");
    let parts = json!({"parts": [{"track": 0, "text": "one"}, {"track": 3, "text": "two"}]});
    let message = client.json("POST", &transcript, &parts).await.failure(422, "request_invalid");
    assert!(message.contains("part 2") && message.contains("1 were taken"), "{message}");
    let half = "{\"track\": 0, \"text\": \"one\"}\n{\"track\": 0,".to_owned();
    let message =
        client.send("POST", &transcript, "application/x-ndjson", half).await.failure(400, "json_malformed");
    assert!(message.contains("line 2"), "{message}");
    client
        .send("POST", &transcript, "text/plain", String::new())
        .await
        .failure(415, "unsupported_media_type");
    client.get("/v1/sessions/none").await.failure(404, "session_not_found");
    client.say(&id, 1, "still here").await;
}
