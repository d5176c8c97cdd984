//! `heartline bench` as a person runs it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::support::{Run, Scratch, command, run};

/// A server that is killed when the test ends.
struct Server(Child, String);

impl Server {
    fn start() -> Self {
        let mut child =
            command(&["serve", "--set", "server.bind=127.0.0.1:0", "--set", "engine.warm_up=false"])
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().rsplit(' ').next().unwrap().to_owned();
        Self(child, url)
    }

    fn bench(&self, arguments: &[&str]) -> Run {
        let usual = ["bench", "--url", &self.1, "--warm-up-ms", "200", "--duration-ms", "1000"];
        let all: Vec<&str> = usual.into_iter().chain(arguments.iter().copied()).collect();
        run(&all)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn a_running_server_is_measured_in_every_way() {
    let server = Server::start();
    let closed = server.bench(&["--concurrency", "2", "--rows", "2", "--json"]).json();
    assert_eq!((&closed["mode"], &closed["failed"]), (&Value::from("closed"), &Value::from(0)));
    assert!(number(&closed["rows_per_second"]) > number(&closed["requests_per_second"]));
    let latency = &closed["latency_ms"];
    assert!(number(&latency["p50"]) > 0.0 && number(&latency["p99_9"]) >= number(&latency["p50"]));

    let open =
        server.bench(&["--rate", "5", "--arrivals", "constant", "--latency-ms", "5000", "--json"]).json();
    assert_eq!((&open["due"], &open["answers"]["200"]), (&Value::from(5), &Value::from(5)));
    assert!((number(&open["goodput"]) - 1.0).abs() < 1e-9 && open["lag_ms"]["p99"].is_number());

    let table = server.bench(&["--kind", "face", "--concurrency", "1", "--latency-ms", "9000"]);
    for part in ["latency", "p99.9", "generator's lag", "(100.0 %) within 9000 ms"] {
        assert!(table.assert_success().contains(part), "{part} is not in {}", table.output);
    }
    // The lowest rates hold such a bound, and a few trials are enough to get past what the server can do.
    let search = server.bench(&["--search", "--latency-ms", "400", "--rate", "8", "--rows", "8"]);
    assert!(search.assert_success().contains("The highest rate that holds 400 ms"), "{}", search.output);
    assert!(search.faults.contains("holds, p99") && search.faults.contains("fails"), "{}", search.faults);
}

#[test]
fn what_the_server_refuses_is_shown_and_ends_with_1() {
    let server = Server::start();
    let scratch = Scratch::new();
    let body = scratch.file("body.json", r#"{"transcrip": "hello"}"#);
    let refused = server.bench(&["--request", &body, "--path", "/v1/analyze", "--json"]);
    refused.assert_fault(1, &["no request was answered well", "request_invalid"]);
    let report: Value = serde_json::from_str(&refused.output).unwrap();
    assert!(number(&report["answers"]["422"]) > 0.0 && report["latency_ms"].is_null(), "{report}");
    let nothing = server.bench(&["--search", "--latency-ms", "1", "--rate", "1", "--kind", "analyze"]);
    nothing.assert_fault(1, &["fails"]);
}

#[test]
fn wrong_arguments_end_with_64_and_a_server_that_is_not_there_with_69() {
    run(&["bench", "--url", "https://127.0.0.1:1"]).assert_fault(64, &["plain HTTP"]);
    run(&["bench", "--rate", "0"]).assert_fault(64, &["rate", "above 0"]);
    run(&["bench", "--concurrency", "10001"]).assert_fault(64, &["--concurrency"]);
    run(&["bench", "--kind", "voice", "--rows", "2"]).assert_fault(64, &["voice", "rows"]);
    run(&["bench", "--search"]).assert_fault(64, &["--latency-ms"]);
    let missing = ["bench", "--request", "/no/such/body.json", "--path", "/v1/analyze"];
    run(&missing).assert_fault(1, &["/no/such/body.json"]);
    // Port 1 is nobody's on any machine that runs tests.
    run(&["bench", "--url", "http://127.0.0.1:1"]).assert_fault(69, &["http://127.0.0.1:1", "running"]);
}
