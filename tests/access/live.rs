//! Keys and origins of live WebSockets, by a real client.

use futures_util::StreamExt;
use serde_json::Value;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::support::{CENTRE, DESK, Served, keys, serve};

/// Opens a live call with these headers: the subprotocol that the server chose and its first message, or the status.
async fn open(served: &Served, headers: &[(&'static str, &str)]) -> Result<(String, Value), u16> {
    let mut request = format!("ws://{}/v1/live", served.address).into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    let (mut socket, answer) = match connect_async(request).await {
        Ok(opened) => opened,
        Err(Error::Http(answer)) => return Err(answer.status().as_u16()),
        Err(error) => panic!("{error}"),
    };
    let protocol = answer.headers().get("sec-websocket-protocol");
    let protocol = protocol.map_or_else(String::new, |value| value.to_str().unwrap().to_owned());
    let Some(Ok(Message::Text(text))) = socket.next().await else { panic!("nothing comes") };
    Ok((protocol, serde_json::from_str(&text).unwrap()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_opens_a_call_with_its_key_among_the_subprotocols() {
    let served = serve(&[&keys()]).await;
    let offered = format!("heartline.v1, heartline.key.{CENTRE}");
    let page = [("sec-websocket-protocol", offered.as_str()), ("origin", DESK)];
    let (protocol, first) = open(&served, &page).await.unwrap();
    assert_eq!((protocol.as_str(), first["type"].as_str()), ("heartline.v1", Some("session.created")));
    let bearer = format!("Bearer {CENTRE}");
    let (protocol, _) = open(&served, &[("authorization", &bearer)]).await.unwrap();
    assert_eq!(protocol, "");

    assert_eq!(open(&served, &[]).await.unwrap_err(), 401);
    assert_eq!(open(&served, &[("sec-websocket-protocol", "heartline.v1")]).await.unwrap_err(), 401);
    let foreign = [("sec-websocket-protocol", offered.as_str()), ("origin", "https://evil.example")];
    assert_eq!(open(&served, &foreign).await.unwrap_err(), 403);
    served.stop.send(()).unwrap();
    served.ending.await.unwrap().unwrap();
}
