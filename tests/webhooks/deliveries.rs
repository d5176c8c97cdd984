//! What is sent, to whom, and that the rest of it is sent at the end.

use std::time::Duration;

use heartline::app::{App, Ending};

use crate::support::{PATIENCE, Receiver, build, call, endpoint, open, start};

#[tokio::test]
async fn wanted_events_are_sent_signed_and_in_order() {
    let (receiver, address) = Receiver::start(&[]).await;
    let wanted = ["session.created", "emotion", "session.closed"];
    let app = build(&[endpoint(address, &wanted, &[])], &[]);
    let webhooks = start(&app);
    let id = call(&app, None).await;
    app.live().drain().await;
    assert!(webhooks.drain(PATIENCE).await);
    let came = receiver.came();
    let kinds = receiver.kinds();
    assert_eq!((kinds[0].as_str(), kinds.last().unwrap().as_str()), ("session.created", "session.closed"));
    assert!(kinds.iter().all(|kind| wanted.contains(&kind.as_str())) && kinds.len() >= 3, "{kinds:?}");
    let mut numbers = Vec::new();
    for came in &came {
        assert_eq!(came.body["session_id"], id.as_str());
        let number = came.body["data"]["number"].as_u64().unwrap();
        assert_eq!(came.id, format!("msg_{id}_{number}"));
        numbers.push(number);
    }
    assert!(numbers.is_sorted(), "{numbers:?}");
    assert!(came[0].body["data"].get("resume_token").is_none(), "a listener does not get the token");
    assert_eq!(came.last().unwrap().body["data"]["call_id"], "call-7");
}

#[tokio::test]
async fn an_endpoint_hears_of_its_keys_sessions_only() {
    let (one, one_address) = Receiver::start(&[]).await;
    let (all, all_address) = Receiver::start(&[]).await;
    let closed = ["session.closed"];
    let endpoints = [endpoint(one_address, &closed, &["one"]), endpoint(all_address, &closed, &[])];
    let app = build(&endpoints, &[]);
    let webhooks = start(&app);
    let own = call(&app, Some("one")).await;
    call(&app, Some("two")).await;
    call(&app, None).await;
    app.live().drain().await;
    assert!(webhooks.drain(PATIENCE).await);
    let heard: Vec<_> = one.came().iter().map(|came| came.body["session_id"].clone()).collect();
    assert_eq!(heard, [own.as_str()]);
    assert_eq!(all.came().len(), 3);
}

#[tokio::test]
async fn a_stopping_server_sends_the_last_words_of_its_calls() {
    let (receiver, address) = Receiver::start(&[]).await;
    let app = build(&[endpoint(address, &["session.closed"], &[])], &[]);
    let listener = App::bind(app.config()).await.unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let served = app.clone();
    let ending = tokio::spawn(async move {
        served
            .serve(listener, async move {
                let _ = stopped.await;
            })
            .await
    });
    // The webhooks follow what is opened after the server has begun.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let session = open(&app, None);
    stop.send(()).unwrap();
    assert_eq!(ending.await.unwrap().unwrap(), Ending::Drained);
    let came = receiver.came();
    assert_eq!(came.len(), 1, "{came:?}");
    assert_eq!(came[0].body["session_id"], session.id());
    assert_eq!(came[0].body["data"]["reason"], "server_stopping");
}
