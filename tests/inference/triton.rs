//! A real server on a real port, and another vendor's client against it.
//!
//! `HEARTLINE_TRITONCLIENT_PYTHON` names a Python that has the package `tritonclient[http,grpc]`; without it the test
//! says that it was skipped.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;

use heartline::app::{App, Ending, StartError};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::support::{build, root};

const VARIABLE: &str = "HEARTLINE_TRITONCLIENT_PYTHON";

/// Serves on a free port until the sender is used or dropped.
async fn serve(app: App) -> (SocketAddr, oneshot::Sender<()>, JoinHandle<Result<Ending, StartError>>) {
    let listener = App::bind(app.config()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async move {
        let _ = stopped.await;
    };
    (address, stop, tokio::spawn(async move { app.serve(listener, stopped).await }))
}

/// Sends bytes and reads so many back.
fn exchange(address: SocketAddr, sent: &[u8], length: usize) -> Vec<u8> {
    let mut connection = TcpStream::connect(address).unwrap();
    connection.write_all(sent).unwrap();
    let mut answer = vec![0; length];
    connection.read_exact(&mut answer).unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_port_speaks_both_versions_of_http() {
    let (address, stop, serving) = serve(build(&["engine.warm_up=false"])).await;
    let talking = tokio::task::spawn_blocking(move || {
        let old = exchange(address, b"GET /v2/health/live HTTP/1.1\r\nhost: x\r\n\r\n", 12);
        assert_eq!(old, b"HTTP/1.1 200");
        // The preface of HTTP/2 and empty settings; the answer begins with a frame of settings.
        let new = exchange(address, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", 9);
        assert_eq!((new[3], &new[5..]), (4, &[0; 4][..]), "{new:?}");
        // The connection's other end is this machine, which is what loading a model needs.
        let load = b"POST /v2/repository/models/text/load HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(exchange(address, load, 12), b"HTTP/1.1 200");
    });
    talking.await.unwrap();
    stop.send(()).unwrap();
    assert_eq!(serving.await.unwrap().unwrap(), Ending::Drained);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_of_another_server_works_unchanged() {
    let Some(python) = std::env::var_os(VARIABLE) else {
        eprintln!("SKIPPED: {VARIABLE} does not name a Python with tritonclient[http,grpc]");
        return;
    };
    let (address, stop, serving) = serve(build(&[])).await;
    let script = root().join("tests/inference/tritonclient_check.py");
    let running = move || Command::new(python).arg(script).arg(address.to_string()).output();
    let output = tokio::task::spawn_blocking(running).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("all checks passed"), "{said}");
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
}
