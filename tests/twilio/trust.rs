//! Who may call: signatures, and requests that are no calls.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use sha1::Sha1;

use crate::support::serve;

const URL: &str = "wss://calls.example.com/v1/twilio";
const TOKEN: &str = "made-up-token";

fn signature(token: &str, url: &str) -> String {
    let mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).unwrap().chain_update(url.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_token_only_signed_streams_are_taken() {
    let token = format!("telephony.auth_token={TOKEN}");
    let url = format!("telephony.public_url={URL}");
    let server = serve(&[&token, &url]).await;
    let header = "x-twilio-signature";
    for (headers, status) in [
        (vec![], 403),
        (vec![(header, signature("another-token", URL))], 403),
        (vec![(header, signature(TOKEN, "wss://elsewhere.example.com/v1/twilio"))], 403),
    ] {
        let headers: Vec<_> =
            headers.iter().map(|(name, value): &(_, String)| (*name, value.as_str())).collect();
        assert_eq!(server.dial_with(&headers).await.err(), Some(status), "{headers:?}");
    }
    let signed = signature(TOKEN, URL);
    let mut phone = server.dial_with(&[(header, &signed)]).await.expect("a signed stream is taken");
    phone.say(r#"{"event":"start","streamSid":"MZ1","start":{}}"#).await;
    assert_eq!(server.session().await.transport.name(), "twilio");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ordinary_request_is_told_what_the_route_takes() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let server = serve(&[]).await;
    let mut connection = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let request = b"GET /v1/twilio HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    connection.write_all(request).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 422") && answer.contains("request_invalid"), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_keys_the_start_brings_one() {
    // The hash of "abc".
    let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let keys = format!(r#"access.keys=[{{ name = "desk", sha256 = "{hash}" }}]"#);
    let server = serve(&[&keys]).await;
    for parameters in ["{}", r#"{"api_key":"wrong"}"#] {
        let mut stranger = server.dial().await;
        stranger.say(&format!(r#"{{"event":"start","start":{{"customParameters":{parameters}}}}}"#)).await;
        assert_eq!(stranger.goodbye().await.unwrap().code, 1_008.into(), "{parameters}");
    }
    assert!(server.app.live().list().is_empty());
    let mut phone = server.dial().await;
    phone.say(r#"{"event":"start","streamSid":"MZ1","start":{"customParameters":{"api_key":"abc"}}}"#).await;
    let session = server.app.live().find(&server.session().await.session_id).unwrap();
    assert_eq!(session.key(), Some("desk"));
    assert_eq!(server.dial_with(&[("authorization", "Bearer wrong")]).await.err(), Some(401));
}
