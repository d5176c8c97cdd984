//! Sends single requests over connections that are kept.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::{LoadError, Target};

/// The most bytes of a failed answer that are kept to be shown.
const WORDS_LIMIT_BYTES: usize = 300;

type Connection = SendRequest<Full<Bytes>>;

/// How one request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The server answered in full: with this status and, where that is a failure, these words.
    Answered { status: u16, words: Option<String> },
    /// No connection could be had.
    Unconnected,
    /// The connection broke before the answer was complete.
    Broken,
    /// The answer did not come in time.
    Late,
}

/// A client with as many connections as it has requests under way.
#[derive(Debug)]
pub struct Client {
    target: Target,
    timeout: Duration,
    idle: Mutex<Vec<Connection>>,
}

impl Client {
    /// A client of a server that waits this long for an answer.
    #[must_use]
    pub const fn new(target: Target, timeout: Duration) -> Self {
        Self { target, timeout, idle: Mutex::new(Vec::new()) }
    }

    /// The server.
    #[must_use]
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// Sends a request and reads the whole answer.
    pub(super) async fn send(&self, request: Request<Full<Bytes>>) -> Outcome {
        // Giving up drops the connection, so that the server notices.
        tokio::time::timeout(self.timeout, self.exchange(request)).await.unwrap_or(Outcome::Late)
    }

    /// Asks for a text; what is no success is an error.
    pub(super) async fn get(&self, path: &str) -> Result<String, LoadError> {
        let unreachable = |words: &str| LoadError::Unreachable {
            url: format!("{}{path}", self.target.url),
            source: std::io::Error::other(words.to_owned()),
        };
        let uri = format!("{}{path}", self.target.prefix);
        let request = Request::get(uri).header("host", &self.target.authority).body(Full::default());
        let request = request.map_err(|error| unreachable(&error.to_string()))?;
        let Some((mut connection, _)) = self.connection().await else {
            return Err(unreachable("there is no connection"));
        };
        let answer = connection.send_request(request).await;
        let answer = answer.map_err(|error| unreachable(&error.to_string()))?;
        if !answer.status().is_success() {
            return Err(unreachable(&format!("it answers {}", answer.status())));
        }
        let body = answer.into_body().collect().await.map_err(|error| unreachable(&error.to_string()))?;
        Ok(String::from_utf8_lossy(&body.to_bytes()).into_owned())
    }

    async fn exchange(&self, mut request: Request<Full<Bytes>>) -> Outcome {
        loop {
            let Some((mut connection, is_used)) = self.connection().await else {
                return Outcome::Unconnected;
            };
            match connection.try_send_request(request).await {
                Ok(answer) => {
                    let status = answer.status();
                    let Ok(body) = answer.into_body().collect().await else { return Outcome::Broken };
                    self.lock().push(connection);
                    let words = (!status.is_success()).then(|| beginning(&body.to_bytes()));
                    return Outcome::Answered { status: status.as_u16(), words };
                }
                // The server closed a connection that nobody used, which is its right; nothing was sent on it.
                Err(mut error) => match error.take_message() {
                    Some(unsent) if is_used => request = unsent,
                    _ => return Outcome::Broken,
                },
            }
        }
    }

    /// A connection, and whether it was used before.
    async fn connection(&self) -> Option<(Connection, bool)> {
        loop {
            let Some(mut connection) = self.lock().pop() else { break };
            if connection.ready().await.is_ok() {
                return Some((connection, true));
            }
        }
        let stream = TcpStream::connect(self.target.address).await.ok()?;
        stream.set_nodelay(true).ok()?;
        let (connection, work) = handshake(TokioIo::new(stream)).await.ok()?;
        // How it ended is seen by the request that was under way.
        tokio::spawn(async move { drop(work.await) });
        Some((connection, false))
    }

    /// A panic cannot happen while the lock is held.
    fn lock(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn beginning(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(WORDS_LIMIT_BYTES)]).into_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::super::testing::Fake;
    use super::*;

    fn request(path: &str) -> Request<Full<Bytes>> {
        Request::builder().uri(path).header("host", "x").body(Full::from("hello")).unwrap()
    }

    async fn client(fake: &Fake) -> Client {
        Client::new(Target::find(&fake.url).await.unwrap(), Duration::from_millis(500))
    }

    #[tokio::test]
    async fn connections_are_kept() {
        let fake = Fake::start().await;
        let client = client(&fake).await;
        for _ in 0..5 {
            let outcome = client.send(request("/ok")).await;
            assert_eq!(outcome, Outcome::Answered { status: 200, words: None });
        }
        // The first one was the look at the server.
        assert_eq!(fake.connections.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_connection_that_was_closed_meanwhile_is_replaced() {
        let fake = Fake::start().await;
        let client = client(&fake).await;
        for _ in 0..3 {
            let outcome = client.send(request("/close")).await;
            assert_eq!(outcome, Outcome::Answered { status: 200, words: None });
        }
        assert_eq!(fake.connections.load(Ordering::SeqCst), 4);
    }

    #[tokio::test]
    async fn failures_are_told_apart() {
        let fake = Fake::start().await;
        let client = client(&fake).await;
        let refused = client.send(request("/refuse")).await;
        assert_eq!(refused, Outcome::Answered { status: 429, words: Some("full".to_owned()) });
        assert_eq!(client.send(request("/never")).await, Outcome::Late);
        assert_eq!(client.send(request("/break")).await, Outcome::Broken);
        drop(fake);
        let gone = Target { address: ([127, 0, 0, 1], 1).into(), ..client.target };
        assert_eq!(
            Client::new(gone, Duration::from_secs(1)).send(request("/ok")).await,
            Outcome::Unconnected
        );
    }
}
