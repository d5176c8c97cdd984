//! Another vendor's client against a real server on a real port.
//!
//! `HEARTLINE_TRITONCLIENT_PYTHON` names a Python that has the package `tritonclient[http,grpc]`; without it the test
//! says that it was skipped.

use std::process::Command;

use heartline::app::App;
use tokio::sync::oneshot;

use crate::support::{build, root};

const VARIABLE: &str = "HEARTLINE_TRITONCLIENT_PYTHON";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_of_another_server_works_unchanged() {
    let Some(python) = std::env::var_os(VARIABLE) else {
        eprintln!("SKIPPED: {VARIABLE} does not name a Python with tritonclient[http,grpc]");
        return;
    };
    let app = build(&[]);
    let listener = App::bind(app.config()).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(async move {
        let stopped = async move {
            let _ = stopped.await;
        };
        app.serve(listener, stopped).await
    });
    let script = root().join("tests/inference/tritonclient_check.py");
    let running = move || Command::new(python).arg(script).arg(address).output();
    let output = tokio::task::spawn_blocking(running).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("all checks passed"), "{said}");
    drop(stop);
    serving.await.unwrap().unwrap();
}
