//! Where the server is and how sessions are opened.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::AUTHORIZATION;
use tokio_tungstenite::tungstenite::{Bytes, Message as Frame};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::message::Message;
use crate::{Backoff, ClientError, Created, Envelope, Event, Session, SessionOptions};

/// A connection to a server.
pub(crate) type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

/// How long the server may take to open a session.
const OPENING_TIME: Duration = Duration::from_secs(20);

/// A server, and how to reach it. It holds no connection; each session has its own.
#[derive(Clone)]
pub struct Client {
    base: String,
    key: Option<String>,
    pub(crate) backoff: Backoff,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let key = self.key.as_ref().map(|_| "(secret)");
        formatter.debug_struct("Client").field("base", &self.base).field("key", &key).finish_non_exhaustive()
    }
}

impl Client {
    /// A server by its base address: `ws://127.0.0.1:8080` or `wss://calls.example.com`. `http` and `https` will do.
    #[must_use]
    pub fn new(base: &str) -> Self {
        let base = base.trim_end_matches('/');
        let base = match base.split_once("://") {
            Some(("http", rest)) => format!("ws://{rest}"),
            Some(("https", rest)) => format!("wss://{rest}"),
            _ => base.to_owned(),
        };
        Self { base, key: None, backoff: Backoff::default() }
    }

    /// The API key, where the server asks for one.
    #[must_use]
    pub fn key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    /// How a lost connection is taken up again.
    #[must_use]
    pub const fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Opens a session.
    ///
    /// # Errors
    /// [`ClientError`] where the server cannot be reached, refuses the connection or the options.
    pub async fn open(&self, options: SessionOptions) -> Result<Session, ClientError> {
        tokio::time::timeout(OPENING_TIME, self.begin(options)).await.unwrap_or(Err(ClientError::Slow))
    }

    async fn begin(&self, options: SessionOptions) -> Result<Session, ClientError> {
        let mut socket = self.connect("/v1/live").await?;
        let (created, number) = created(&mut socket).await?;
        socket.send(Frame::text(Message::Configure { session: &options }.to_json())).await?;
        // What comes before the answer is kept for whoever reads the session.
        let mut early = Vec::new();
        loop {
            let envelope = next(&mut socket).await?;
            let is_answer = match &envelope.event {
                Event::Updated(_) => true,
                Event::Error(fault) => return Err(ClientError::NotOpened(fault.clone())),
                Event::Closed(_) => return Err(ClientError::Ended),
                _ => false,
            };
            early.push(envelope);
            if is_answer {
                return Ok(Session::start(self.clone(), socket, created, number, early));
            }
        }
    }

    /// Connects to a path.
    pub(crate) async fn connect(&self, path: &str) -> Result<Socket, ClientError> {
        let mut request = format!("{}{path}", self.base).into_client_request()?;
        if let Some(key) = &self.key {
            let mut value = HeaderValue::from_str(&format!("Bearer {key}")).map_err(|_| {
                ClientError::Address("the key has characters that no header takes".to_owned())
            })?;
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        // A piece of sound goes out when it is written: it is small, and waiting for more would cost its time.
        let (socket, _) = tokio_tungstenite::connect_async_with_config(request, None, true).await?;
        Ok(socket)
    }

    /// Takes a session up again, after an event that has come.
    pub(crate) async fn resume(&self, created: &Created, after: u64) -> Result<Socket, ClientError> {
        let mut socket = self.connect(&format!("/v1/live/{}", created.session_id)).await?;
        let resume = Message::Resume { resume_token: &created.resume_token, after: Some(after) };
        socket.send(Frame::text(resume.to_json())).await?;
        Ok(socket)
    }
}

/// The first message of a session.
async fn created(socket: &mut Socket) -> Result<(Created, u64), ClientError> {
    let envelope = next(socket).await?;
    match envelope.event {
        Event::Created(created) => Ok((*created, envelope.number)),
        Event::Error(fault) => Err(ClientError::NotOpened(fault)),
        _ => Err(ClientError::Unexpected("session.created was expected first")),
    }
}

/// The next event on a connection.
async fn next(socket: &mut Socket) -> Result<Envelope, ClientError> {
    loop {
        match socket.next().await.ok_or(ClientError::Ended)?? {
            Frame::Text(text) => return Envelope::parse(&text).map_err(ClientError::Protocol),
            Frame::Close(_) => return Err(ClientError::Ended),
            _ => {}
        }
    }
}

/// A binary message.
pub(crate) fn binary(message: Bytes) -> Frame {
    Frame::Binary(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_web_are_taken() {
        for (given, base) in [
            ("http://127.0.0.1:8080/", "ws://127.0.0.1:8080"),
            ("https://calls.example.com", "wss://calls.example.com"),
            ("ws://[::1]:80", "ws://[::1]:80"),
        ] {
            assert_eq!(Client::new(given).base, base);
        }
    }

    #[test]
    fn the_key_is_not_shown() {
        let shown = format!("{:?}", Client::new("ws://localhost").key("hidden-words"));
        assert!(!shown.contains("hidden-words"), "{shown}");
    }

    #[tokio::test]
    async fn what_cannot_be_sent_is_said_before_connecting() {
        let error = Client::new("nonsense").open(SessionOptions::default()).await.unwrap_err();
        assert!(matches!(error, ClientError::Address(_)), "{error:?}");
        let client = Client::new("ws://127.0.0.1:9").key("line\nbreak");
        assert!(matches!(client.connect("/").await, Err(ClientError::Address(_))));
    }
}
