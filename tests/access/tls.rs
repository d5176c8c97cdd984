//! TLS, spoken by a real client.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Request, Version};
use heartline::app::{App, Ending, StartError};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::{CENTRE, Served, config, keys, serve};

/// A certificate for this machine, its key, and a client that trusts it.
struct Certificate {
    folder: tempfile::TempDir,
}

impl Certificate {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(folder.path().join("certificate.pem"), made.cert.pem()).unwrap();
        std::fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn settings(&self) -> [String; 2] {
        let setting = |key: &str, name: &str| format!("server.{key}={}", self.path(name).display());
        [setting("tls_certificate", "certificate.pem"), setting("tls_key", "key.pem")]
    }

    fn connector(&self, protocol: &str) -> TlsConnector {
        let mut roots = rustls::RootCertStore::empty();
        let certificate = rustls::pki_types::CertificateDer::from_pem_file(self.path("certificate.pem"));
        roots.add(certificate.unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider);
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        TlsConnector::from(Arc::new(config))
    }

    async fn connect(&self, address: SocketAddr, protocol: &str) -> TlsStream<TcpStream> {
        let stream = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        self.connector(protocol).connect(name, stream).await.unwrap()
    }
}

async fn serve_with(certificate: &Certificate, more: &[&str]) -> Served {
    let settings = certificate.settings();
    let keys = keys();
    let mut all: Vec<&str> = settings.iter().map(String::as_str).collect();
    all.push(&keys);
    all.extend(more);
    serve(&all).await
}

fn request(uri: &str) -> Request<Body> {
    let request = Request::builder().uri(uri).header("host", "localhost");
    request.header("authorization", format!("Bearer {CENTRE}")).body(Body::empty()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_versions_of_http_are_spoken_over_tls() {
    let certificate = Certificate::new();
    let served = serve_with(&certificate, &[]).await;

    let stream = certificate.connect(served.address, "http/1.1").await;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let answer = sender.send_request(request("/v1/models")).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (200, Version::HTTP_11));

    let stream = certificate.connect(served.address, "h2").await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let executor = TokioExecutor::new();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(executor, TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let answer = sender.send_request(request("https://localhost/v1/models")).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (200, Version::HTTP_2));

    served.stop.send(()).unwrap();
    assert_eq!(served.ending.await.unwrap().unwrap(), Ending::Drained);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_in_the_clear_is_told_so() {
    let certificate = Certificate::new();
    let served = serve_with(&certificate, &[]).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("https://"), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_never_finishes_its_handshake_is_let_go() {
    let certificate = Certificate::new();
    let served =
        serve_with(&certificate, &["server.header_timeout_ms=300", "server.max_connections=2"]).await;
    for words in [&b""[..], &[0x16, 3, 1, 2, 0, 1]] {
        let started = Instant::now();
        let mut streams = Vec::new();
        // Twice as many as there are places: each is let go in its turn.
        for _ in 0..4 {
            let mut stream = TcpStream::connect(served.address).await.unwrap();
            stream.write_all(words).await.unwrap();
            streams.push(stream);
        }
        for mut stream in streams {
            let reading = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut [0; 64])).await;
            assert!(reading.is_ok(), "the server closes");
        }
        assert!(started.elapsed() >= Duration::from_millis(300));
    }
    // A stop does not wait for such a client either.
    let _idle = TcpStream::connect(served.address).await.unwrap();
    served.stop.send(()).unwrap();
    assert_eq!(served.ending.await.unwrap().unwrap(), Ending::Drained);
}

#[tokio::test]
async fn a_damaged_certificate_is_found_before_the_port_is_taken() {
    let certificate = Certificate::new();
    std::fs::write(certificate.path("key.pem"), "nothing of use").unwrap();
    let settings = certificate.settings();
    let config = config(&settings.each_ref().map(String::as_str));
    let error = App::bind(&config).await.unwrap_err();
    let StartError::Tls(source) = &error else { panic!("{error}") };
    assert!(source.to_string().contains("key.pem holds no private key"), "{source}");
}
