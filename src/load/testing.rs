//! A server for tests, whose behaviour is its paths.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use super::{Client, Target};

/// How long a request to `/one-at-a-time` takes.
pub(super) const SERVICE_TIME: Duration = Duration::from_millis(20);

/// The server; it ends when it is dropped.
pub(super) struct Fake {
    pub(super) url: String,
    /// The connections that were taken.
    pub(super) connections: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

impl Fake {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let serving = tokio::spawn(serve(listener, Arc::clone(&connections)));
        Self { url: format!("http://{address}"), connections, serving }
    }

    pub(super) async fn client(&self, timeout: Duration) -> Client {
        Client::new(Target::find(&self.url).await.unwrap(), timeout)
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, connections: Arc<AtomicUsize>) {
    let desk = Arc::new(Mutex::new(()));
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        connections.fetch_add(1, Ordering::SeqCst);
        let desk = Arc::clone(&desk);
        let service = service_fn(move |request: Request<Incoming>| answer(request, Arc::clone(&desk)));
        let serving =
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move { drop(serving.await) });
    }
}

async fn answer(
    request: Request<Incoming>,
    desk: Arc<Mutex<()>>,
) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let path = request.uri().path().to_owned();
    drop(request.into_body().collect().await);
    let mut answer = Response::new(Full::from("done"));
    match path.as_str() {
        "/one-at-a-time" => {
            let _turn = desk.lock().await;
            tokio::time::sleep(SERVICE_TIME).await;
        }
        "/refuse" => {
            *answer.status_mut() = 429.try_into().unwrap();
            *answer.body_mut() = Full::from("full");
        }
        "/close" => {
            // Without a word: the client finds the connection closed when it wants it again.
            answer.headers_mut().insert("connection", "close".parse().unwrap());
        }
        "/never" => std::future::pending().await,
        "/break" => return Err(std::io::Error::other("broken on purpose")),
        _ => {}
    }
    Ok(answer)
}
