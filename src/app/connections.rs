//! The open connections: how many there may be, how long each may keep the server waiting, and how they end.
//!
//! A connection waits for its client in three moments: before a request's first byte, within a request's head, and
//! while an answer is not taken; where there is a certificate, the handshake comes first and has as long. One clock runs in all three and stops while the server has the next move; a
//! connection whose clock runs out is closed. A body that comes slowly is the `http` room's affair, because that
//! client can still be told.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use axum::{Extension, Router};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::tls::{Tls, shake_hands};
use crate::config::ServerConfig;

/// The most bytes of a request's head, and of what is read ahead of a body.
const HEAD_LIMIT_BYTES: usize = 64 << 10;
/// How long a connection whose client kept the server waiting has to say goodbye.
const GOODBYE_TIME: Duration = Duration::from_secs(1);
/// How long the listener rests after the operating system refused it a connection, for want of descriptors mostly.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// A connection's place among those that may be open; free again when the last handle goes.
#[derive(Debug, Clone)]
pub(crate) struct Seat(#[expect(dead_code, reason = "it is held, not looked at")] Arc<OwnedSemaphorePermit>);

/// The connections of one server.
pub(super) struct Connections {
    router: Router,
    places: Arc<Semaphore>,
    patience: Duration,
    tls: Option<Arc<Tls>>,
    /// Turns true when the server stops; each connection holds a receiver, so its closing tells that all have ended.
    stopping: watch::Sender<bool>,
}

impl Connections {
    pub(super) fn new(config: &ServerConfig, router: Router, tls: Option<Arc<Tls>>) -> Self {
        Self {
            router,
            places: Arc::new(Semaphore::new(config.max_connections)),
            patience: config.header_timeout,
            tls,
            stopping: watch::Sender::new(false),
        }
    }

    /// Takes connections for ever. Where all places are taken, further clients wait in the operating system's queue.
    pub(super) async fn accept(&self, listener: &TcpListener) {
        loop {
            let Ok(place) = Arc::clone(&self.places).acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, peer)) => self.spawn(stream, peer, place),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(ACCEPT_REST).await;
                }
            }
        }
    }

    fn spawn(&self, stream: TcpStream, peer: SocketAddr, place: OwnedSemaphorePermit) {
        // An answer goes out when it is written; where that cannot be had, it goes out a little later.
        let _ = stream.set_nodelay(true);
        // Some calls are for this machine only, so the other end of a connection goes along with its requests.
        let router = self.router.clone().layer(Extension(ConnectInfo(peer)));
        // And its place, because a WebSocket goes on when its request is answered.
        let place = Seat(Arc::new(place));
        let router = router.layer(Extension(place.clone()));
        let (patience, stopping) = (self.patience, self.stopping.subscribe());
        let acceptor = self.tls.as_ref().map(|tls| tls.acceptor());
        tokio::spawn(async move {
            match acceptor {
                None => attend(stream, router, patience, stopping).await,
                Some(acceptor) => {
                    let mut stopped = stopping.clone();
                    let shaking = tokio::time::timeout(patience, shake_hands(&acceptor, stream));
                    let shaken = tokio::select! {
                        shaken = shaking => shaken.ok().flatten(),
                        _ = stopped.wait_for(|stopping| *stopping) => None,
                    };
                    drop(stopped);
                    if let Some(stream) = shaken {
                        attend(stream, router, patience, stopping).await;
                    }
                }
            }
            drop(place);
        });
    }

    /// Ends all connections, each after the requests that it brought are answered; false where the time was over first.
    pub(super) async fn drain(&self, timeout: Duration) -> bool {
        self.stopping.send_replace(true);
        tokio::time::timeout(timeout, self.stopping.closed()).await.is_ok()
    }
}

/// Serves one connection to its end.
async fn attend(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    patience: Duration,
    mut stopping: watch::Receiver<bool>,
) {
    let (at_work, watched) = watch::channel(0);
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |request: Request<Incoming>| {
        let turn = Turn::begin(&at_work);
        let answer = router.call(request);
        async move { Ok::<_, Infallible>(watch_answer(answer.await?, turn)) }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().max_buf_size(HEAD_LIMIT_BYTES);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(patience).keep_alive_timeout(patience);
    let mut connection = pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = keeps_waiting(watched, patience) => {
            tracing::debug!("a client kept its connection waiting for too long");
            connection.as_mut().graceful_shutdown();
            tokio::time::timeout(GOODBYE_TIME, connection).await.unwrap_or(Ok(()))
        }
        () = async { drop(stopping.wait_for(|stopping| *stopping).await) } => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // Clients come and go as they like; only someone who looks for this wants to know.
        tracing::debug!(error, "a connection broke");
    }
}

/// Completes when the client has had the move for this long.
async fn keeps_waiting(mut at_work: watch::Receiver<usize>, patience: Duration) {
    loop {
        let is_idle = *at_work.borrow_and_update() == 0;
        let limit = if is_idle { patience } else { Duration::MAX };
        match tokio::time::timeout(limit, at_work.changed()).await {
            Ok(Ok(())) => {}
            // The service has gone, so the connection is about to end by itself.
            Ok(Err(_)) => return std::future::pending().await,
            Err(_) => return,
        }
    }
}

/// That the server has a move to make on a connection: it counts while it is taken.
struct Turn {
    at_work: watch::Sender<usize>,
    is_taken: bool,
}

impl Turn {
    fn begin(at_work: &watch::Sender<usize>) -> Self {
        let mut turn = Self { at_work: at_work.clone(), is_taken: false };
        turn.take();
        turn
    }

    fn take(&mut self) {
        if !std::mem::replace(&mut self.is_taken, true) {
            self.at_work.send_modify(|count| *count += 1);
        }
    }

    fn pass(&mut self) {
        if std::mem::take(&mut self.is_taken) {
            self.at_work.send_modify(|count| *count -= 1);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.pass();
    }
}

fn watch_answer(answer: Response, turn: Turn) -> Response<WatchedBody> {
    answer.map(|body| WatchedBody { body, turn })
}

/// An answer's body. Once a piece of it is handed out the client has the move, until the next piece is asked for.
struct WatchedBody {
    body: Body,
    turn: Turn,
}

impl HttpBody for WatchedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.turn.take();
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        self.turn.pass();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use axum::routing::{get, post};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::config::Sources;

    const PATIENCE: Duration = Duration::from_millis(200);
    /// More than the operating system keeps for a client that does not read.
    const LARGE_BYTES: usize = 64 << 20;

    fn router() -> Router {
        Router::new()
            .route("/quick", get(|| async { "done" }))
            .route("/peer", get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() }))
            .route("/large", get(|| async { vec![0; LARGE_BYTES] }))
            .route(
                "/slow",
                post(|body: String| async move {
                    tokio::time::sleep(PATIENCE * 3).await;
                    body
                }),
            )
    }

    fn connections(max_connections: usize) -> Arc<Connections> {
        let mut config = crate::config::Config::from_sources(&Sources::default()).unwrap().server;
        config.max_connections = max_connections;
        config.header_timeout = PATIENCE;
        Arc::new(Connections::new(&config, router(), None))
    }

    async fn serve(connections: &Arc<Connections>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::clone(connections);
        tokio::spawn(async move { connections.accept(&listener).await });
        address
    }

    async fn connect(address: SocketAddr, words: &str) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(words.as_bytes()).await.unwrap();
        stream
    }

    /// What comes until the server closes, and how long that takes.
    async fn rest(mut stream: TcpStream) -> (String, Duration) {
        let started = Instant::now();
        let mut bytes = Vec::new();
        let reading = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut bytes));
        // A connection that is reset has ended as well.
        let _ = reading.await.expect("the server closes");
        (String::from_utf8_lossy(&bytes).into_owned(), started.elapsed())
    }

    #[tokio::test]
    async fn silence_a_slow_head_and_an_idle_connection_are_closed() {
        let address = serve(&connections(8)).await;
        for words in ["", "GET /quick HT", "PRI * HTTP/2", "GET /quick HTTP/1.1\r\nhost: x\r\n\r\n"] {
            let (answer, elapsed) = rest(connect(address, words).await).await;
            assert_eq!(answer.starts_with("HTTP/1.1 200"), words.ends_with("\r\n\r\n"), "{words}: {answer}");
            assert!(elapsed >= PATIENCE && elapsed < PATIENCE * 30, "{words}: {elapsed:?}");
        }
    }

    #[tokio::test]
    async fn a_head_that_trickles_is_closed_all_the_same() {
        let address = serve(&connections(8)).await;
        let mut stream = connect(address, "GET /quick HTTP/1.1\r\nhost: x\r\n").await;
        let started = Instant::now();
        while stream.write_all(b"a: b\r\n").await.is_ok() {
            assert!(started.elapsed() < PATIENCE * 50, "the server reads on and on");
            tokio::time::sleep(PATIENCE / 10).await;
        }
    }

    #[tokio::test]
    async fn the_clock_stands_still_while_the_server_works() {
        let address = serve(&connections(8)).await;
        let request = "POST /slow HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nhi";
        let (answer, _) = rest(connect(address, request).await).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("hi"), "{answer}");
    }

    #[tokio::test]
    async fn an_answer_that_nobody_takes_is_given_up() {
        let connections = connections(8);
        let address = serve(&connections).await;
        let stream = connect(address, "GET /large HTTP/1.1\r\nhost: x\r\n\r\n").await;
        let free = || connections.places.available_permits();
        tokio::time::timeout(Duration::from_secs(20), async {
            // One place is always held by the listener, which waits for the next connection.
            while free() != 6 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            while free() != 7 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
        .expect("the connection is given up");
        let (answer, _) = rest(stream).await;
        assert!(answer.len() < LARGE_BYTES, "the answer was cut off");
    }

    #[tokio::test]
    async fn an_answer_that_is_taken_in_pieces_arrives_whole() {
        let address = serve(&connections(8)).await;
        let mut stream =
            connect(address, "GET /large HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
        let (mut total, mut buffer) = (0, vec![0; 8 << 20]);
        loop {
            let count = stream.read(&mut buffer).await.unwrap();
            total += count;
            if count == 0 {
                break;
            }
            tokio::time::sleep(PATIENCE / 20).await;
        }
        assert!(total >= LARGE_BYTES, "{total}");
    }

    #[tokio::test]
    async fn one_connection_too_many_waits_for_a_place() {
        let address = serve(&connections(1)).await;
        let first = connect(address, "").await;
        let request = "GET /quick HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        let started = Instant::now();
        let (answer, _) = rest(connect(address, request).await).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(started.elapsed() >= PATIENCE, "it waits until the silent one is closed");
        drop(first);
    }

    #[tokio::test]
    async fn a_seat_that_is_taken_along_keeps_the_place() {
        let (give, mut taken) = tokio::sync::mpsc::channel(1);
        let router = Router::new().route(
            "/take",
            get(|Extension(seat): Extension<Seat>| async move {
                drop(give.send(seat).await);
            }),
        );
        let mut config = crate::config::Config::from_sources(&Sources::default()).unwrap().server;
        config.header_timeout = PATIENCE;
        config.max_connections = 8;
        let connections = Arc::new(Connections::new(&config, router, None));
        let address = serve(&connections).await;
        rest(connect(address, "GET /take HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await).await;
        let seat = taken.recv().await.unwrap();
        tokio::time::sleep(PATIENCE / 2).await;
        assert_eq!(connections.places.available_permits(), 6, "the listener has one and the seat another");
        drop(seat);
        assert_eq!(connections.places.available_permits(), 7);
    }

    #[tokio::test]
    async fn requests_know_where_they_come_from() {
        let stream = connect(serve(&connections(8)).await, "GET /peer HTTP/1.1\r\nhost: x\r\n\r\n").await;
        let own = stream.local_addr().unwrap().to_string();
        assert!(rest(stream).await.0.ends_with(&own));
    }

    #[tokio::test]
    async fn a_drain_answers_what_was_accepted_and_has_an_end() {
        let quiet = connections(8);
        let address = serve(&quiet).await;
        let request = "POST /slow HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nhi";
        let (idle, busy) = (connect(address, "").await, connect(address, request).await);
        tokio::time::sleep(PATIENCE / 2).await;
        assert!(!quiet.drain(Duration::ZERO).await, "the request takes longer than no time");
        assert!(quiet.drain(PATIENCE * 20).await);
        let (answer, _) = rest(busy).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("connection: close"), "{answer}");
        assert_eq!(rest(idle).await.0, "");
    }
}
