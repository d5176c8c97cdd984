//! The server under test, and requests for it.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use heartline::load::{Client, Kind, Plan, Report, Requests, Target, run};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, MutexGuard};

/// Tests that measure take turns: side by side they would measure each other.
static TURN: Mutex<()> = Mutex::const_new(());

/// Waits until this test has the machine to itself.
pub(crate) async fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().await
}

/// A server that listens; it is killed where a test forgets to stop it.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    log: tempfile::NamedTempFile,
    _turn: MutexGuard<'static, ()>,
}

impl Server {
    /// Starts the program with these settings and waits until it listens.
    pub(crate) async fn start(settings: &[&str]) -> Self {
        let turn = turn().await;
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let plugins = std::env::current_exe().unwrap().parent().unwrap().display().to_string();
        let log = tempfile::NamedTempFile::new().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_heartline"));
        command.arg("serve").current_dir(root);
        let usual = [&format!("plugins.folder={plugins}"), "engine.device=cpu", "server.bind=127.0.0.1:0"];
        for setting in usual.iter().chain(settings) {
            command.args(["--set", setting]);
        }
        let mut child =
            command.stdout(Stdio::piped()).stderr(log.reopen().unwrap()).spawn().expect("the server starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit('/').next().unwrap_or_default().parse();
        let address = address.unwrap_or_else(|_| panic!("it says {line:?} and not where it listens"));
        Self { child, address, log, _turn: turn }
    }

    pub(crate) async fn client(&self, timeout: Duration) -> Arc<Client> {
        Arc::new(Client::new(Target::find(&format!("http://{}", self.address)).await.unwrap(), timeout))
    }

    /// The memory that the process holds, in bytes.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1_024
    }

    /// Tells the process to end, as an operating system does.
    pub(crate) fn terminate(&self) {
        let kill = format!("kill {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// How the process ended.
    pub(crate) async fn ended(&mut self, limit: Duration) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(started.elapsed() < limit, "the server does not end: {}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap()
    }

    /// The value of a metric, its labels included in the name; 0 where it was never recorded.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").await;
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        value.unwrap_or_default()
    }

    /// Waits until a metric is at least this high.
    pub(crate) async fn until_metric(&self, name: &str, least: f64) {
        let started = Instant::now();
        loop {
            let value = self.metric(name).await;
            if value >= least {
                return;
            }
            assert!(started.elapsed() < Duration::from_secs(20), "{name} stays at {value}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// The answer to a request without a body, head included.
    pub(crate) async fn get(&self, path: &str) -> String {
        let mut stream =
            self.connect(&format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await;
        read_all(&mut stream).await
    }

    /// A connection on which these bytes were sent.
    pub(crate) async fn connect(&self, words: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(words.as_bytes()).await.unwrap();
        stream
    }

    /// The answer to a small call, and how long it took.
    pub(crate) async fn ask(&self) -> (String, Duration) {
        let started = Instant::now();
        let mut stream = self.connect(&call(1, true)).await;
        (read_all(&mut stream).await, started.elapsed())
    }

    /// Waits until nothing is in work but the look at it.
    pub(crate) async fn until_idle(&self, limit: Duration) -> Duration {
        let started = Instant::now();
        while self.metric("heartline_requests_in_flight").await > 1.0 {
            assert!(started.elapsed() < limit, "requests stay in work");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        started.elapsed()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// All that comes until the server closes; a connection that is reset has ended as well.
pub(crate) async fn read_all(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let reading = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut bytes));
    let _ = reading.await.expect("the server answers or closes");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A call of so many utterances, as it goes over the wire.
pub(crate) fn call(utterances: usize, close: bool) -> String {
    let body = serde_json::json!({ "transcript": "customer: where is my refund?\n".repeat(utterances) });
    let body = body.to_string();
    let close = if close { "connection: close\r\n" } else { "" };
    format!("{}{close}\r\n{body}", head(body.len()))
}

/// The head of a call whose body has so many bytes, without the empty line at its end.
pub(crate) fn head(length: usize) -> String {
    format!(
        "POST /v1/analyze HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n"
    )
}

/// Calls of so many utterances each, made of the sample.
pub(crate) fn calls(utterances: usize) -> Arc<Requests> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/call");
    Arc::new(Requests::of_kind(Kind::Text, utterances, &folder).unwrap())
}

pub(crate) async fn measure(client: &Arc<Client>, requests: &Arc<Requests>, plan: &Plan) -> Report {
    run(client, requests, plan).await.unwrap()
}
