//! Server-sent events.

use serde_json::json;

use crate::support::{Client, Told, build};

fn kinds(told: &[Told]) -> Vec<&str> {
    told.iter().map(|told| told.event.as_str()).collect()
}

async fn end(client: &Client, id: &str) {
    let path = format!("/v1/sessions/{id}");
    client.send("DELETE", &path, "application/json", String::new()).await.success(200);
}

#[tokio::test]
async fn a_reader_gets_every_event_in_order_to_the_last() {
    let client = Client::new(&build(&[]));
    let id = client.open().await;
    let path = format!("/v1/sessions/{id}/events");
    let mut events = client.events(&path, None).await;
    let first = events.next().await.unwrap();
    assert_eq!((first.id, first.event.as_str()), (Some(1), "session.created"));
    client.say(&id, 1, "Where is my refund?").await;
    client.say(&id, 5, "I want my refund now.").await;
    end(&client, &id).await;
    let rest = events.all().await;
    let numbers: Vec<_> = rest.iter().map(|told| told.id.unwrap()).collect();
    assert_eq!(numbers, (2..2 + rest.len() as u64).collect::<Vec<_>>());
    for told in &rest {
        assert_eq!(told.data["type"].as_str(), Some(told.event.as_str()));
        assert_eq!(told.data["number"].as_u64(), told.id);
    }
    let kinds = kinds(&rest);
    for expected in ["reading", "emotion", "ranking"] {
        assert!(kinds.contains(&expected), "{expected} is not in {kinds:?}");
    }
    assert_eq!(kinds.last(), Some(&"session.closed"));
}

#[tokio::test]
async fn a_reader_that_comes_back_goes_on_where_it_was() {
    let client = Client::new(&build(&[]));
    let id = client.open().await;
    for second in 0..4 {
        client.say(&id, second * 3, "This is about my bill.").await;
    }
    let path = format!("/v1/sessions/{id}/events");
    let mut first = client.events(&path, None).await;
    let mut read = Vec::new();
    for _ in 0..4 {
        read.push(first.next().await.unwrap());
    }
    drop(first);
    let back = client.events(&path, read[3].id).await;
    let asked = client.events(&format!("{path}?after=2&kinds=emotion,session.closed"), None).await;
    end(&client, &id).await;
    assert_eq!(back.all().await[0].id, Some(5));
    let asked = asked.all().await;
    assert!(asked.iter().all(|told| ["emotion", "session.closed"].contains(&told.event.as_str())));
    assert!(asked.len() > 2 && asked[0].id > Some(2), "{asked:?}");
}

#[tokio::test]
async fn a_reader_that_falls_behind_is_told_how_far() {
    let client = Client::new(&build(&["live.max_kept_events=8"]));
    let id = client.open().await;
    // It has read one event of those that came, and takes no further one for a while.
    let mut slow = client.events(&format!("/v1/sessions/{id}/events"), Some(1)).await;
    for second in 0..30 {
        client.say(&id, second * 2, "I want to change my address.").await;
    }
    end(&client, &id).await;
    let mut told = Vec::new();
    while let Some(next) = slow.next().await {
        told.push(next);
    }
    let missed = told.iter().find(|told| told.event == "missed").expect("it fell behind");
    assert_eq!((missed.id, missed.data["type"].as_str()), (None, Some("missed")));
    let lost = missed.data["count"].as_u64().unwrap();
    let last = told.last().unwrap();
    assert_eq!(last.event, "session.closed");
    assert_eq!(told.len() as u64 - 1 + lost, last.id.unwrap() - 1, "every event was read or counted");
}

#[tokio::test]
async fn one_stream_tells_of_all_sessions() {
    let app = build(&[]);
    let client = Client::new(&app);
    let before = client.open().await;
    let events = client.events("/v1/events?kinds=session.created,session.closed", None).await;
    let after = client.open().await;
    end(&client, &before).await;
    app.live().drain().await;
    let mut told: Vec<_> = events
        .all()
        .await
        .iter()
        .map(|told| {
            assert_eq!((told.id, told.data["event"]["type"].as_str()), (None, Some(told.event.as_str())));
            (told.data["session_id"].as_str().unwrap().to_owned(), told.event.clone())
        })
        .collect();
    told.sort();
    let closed = "session.closed".to_owned();
    let expected = [(before, closed.clone()), (after.clone(), closed), (after, "session.created".to_owned())];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn wrong_wishes_are_refused() {
    let client = Client::new(&build(&[]));
    let id = client.open().await;
    let path = format!("/v1/sessions/{id}/events");
    let message = client.get(&format!("{path}?kinds=emotions")).await.failure(422, "request_invalid");
    assert!(message.contains("emotions") && message.contains("session.closed"), "{message}");
    client.get("/v1/events?kinds=").await.failure(422, "request_invalid");
    client.get("/v1/sessions/none/events").await.failure(404, "session_not_found");
    assert_eq!(client.get(&format!("{path}?after=x")).await.status, 400);
    let info = client.json("PATCH", &format!("/v1/sessions/{id}"), &json!({})).await;
    info.success(200);
}
