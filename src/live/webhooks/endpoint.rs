//! One endpoint: its messages are sent one after the other, and again where that may help.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use axum::http::{HeaderMap, Request, Uri};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::ring;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::backlog::{Backlog, Message, Next};
use super::signature::sign;
use super::{EndpointConfig, WebhookError, WebhooksConfig, unix_time};
use crate::telemetry::{record, with_causes};

/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);
/// Bytes of an answer that are read, so that its connection can be used again.
const ANSWER_LIMIT: usize = 64 << 10;

/// What sends requests, in the clear and over TLS.
pub(super) type HttpClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Makes a client that trusts what this machine trusts.
pub(super) fn client(config: &WebhooksConfig) -> Result<HttpClient, WebhookError> {
    let provider = std::sync::Arc::new(ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| WebhookError::Roots(std::io::Error::other(error)))?;
    let needs_roots = config.endpoints.iter().any(|endpoint| endpoint.url.starts_with("https:"));
    let tls = if needs_roots {
        builder.with_native_roots().map_err(WebhookError::Roots)?
    } else {
        builder.with_root_certificates(rustls::RootCertStore::empty())
    };
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls.with_no_client_auth())
        .https_or_http()
        .enable_http1()
        .build();
    Ok(Client::builder(TokioExecutor::new()).build(connector))
}

/// One endpoint.
pub(super) struct Endpoint {
    /// The host, which tells endpoints apart in metrics and logs; the path may hold a secret.
    host: String,
    uri: Uri,
    key: Vec<u8>,
    events: BTreeSet<String>,
    keys: BTreeSet<String>,
    timeout: Duration,
    max_attempts: u32,
    first_wait: Duration,
    backlog: Mutex<Backlog>,
    came: Notify,
}

/// What came of an attempt.
#[derive(Debug, PartialEq)]
enum Verdict {
    Delivered,
    /// It may help to try again, after the time that the endpoint asked for.
    Again {
        after: Option<Duration>,
        why: String,
    },
    /// It does not help.
    GivenUp {
        why: String,
    },
}

impl Endpoint {
    pub(super) fn new(endpoint: &EndpointConfig, key: Vec<u8>, config: &WebhooksConfig) -> Self {
        // The configuration was checked; an address that is none would be tried in vain and given up.
        let uri: Uri = endpoint.url.parse().unwrap_or_default();
        Self {
            host: uri.authority().map_or_else(String::new, ToString::to_string),
            uri,
            key,
            events: endpoint.events.iter().cloned().collect(),
            keys: endpoint.keys.iter().cloned().collect(),
            timeout: config.timeout(),
            max_attempts: config.max_attempts,
            first_wait: Duration::from_millis(config.retry_ms),
            backlog: Mutex::new(Backlog::new(config.max_backlog)),
            came: Notify::new(),
        }
    }

    /// Whether the sessions of a key are told.
    pub(super) fn wants_session(&self, key: Option<&str>) -> bool {
        self.keys.is_empty() || key.is_some_and(|key| self.keys.contains(key))
    }

    /// Whether an event of a key's session is told.
    pub(super) fn wants(&self, key: Option<&str>, kind: &str) -> bool {
        self.events.contains(kind) && self.wants_session(key)
    }

    /// How many messages wait.
    pub(super) fn left(&self) -> usize {
        self.backlog().len()
    }

    /// Hands a message in; it never waits.
    pub(super) fn hand_in(&self, id: String, is_last: bool, body: Bytes) {
        self.put(Message { id, is_last, body, attempts: 0, due: Instant::now() });
        self.came.notify_one();
    }

    fn put(&self, message: Message) {
        let (dropped, waiting) = {
            let mut backlog = self.backlog();
            (backlog.add(message), backlog.len())
        };
        record::webhook_backlog(&self.host, waiting);
        if let Some(dropped) = dropped {
            record::webhook(&self.host, "dropped");
            tracing::warn!(endpoint = self.host, id = dropped.id, "too many webhooks wait; one was dropped");
        }
    }

    /// Sends what is handed in, until nothing more will be and nothing is left.
    pub(super) async fn send_all(
        self: std::sync::Arc<Self>,
        client: HttpClient,
        mut ending: watch::Receiver<bool>,
    ) {
        loop {
            let next = self.backlog().next(Instant::now());
            match next {
                Next::Send(message) => {
                    record::webhook_backlog(&self.host, self.left());
                    self.send(&client, message).await;
                }
                Next::Wait(until) => tokio::select! {
                    () = tokio::time::sleep_until(until) => {}
                    () = self.came.notified() => {}
                },
                Next::Nothing if *ending.borrow_and_update() => return,
                Next::Nothing => tokio::select! {
                    () = self.came.notified() => {}
                    changed = ending.changed() => if changed.is_err() { return },
                },
            }
        }
    }

    async fn send(&self, client: &HttpClient, mut message: Message) {
        message.attempts += 1;
        let verdict = tokio::time::timeout(self.timeout, self.attempt(client, &message)).await;
        let verdict =
            verdict.unwrap_or_else(|_| Verdict::Again { after: None, why: "it took too long".to_owned() });
        let (endpoint, id, attempts) = (self.host.as_str(), message.id.as_str(), message.attempts);
        match verdict {
            Verdict::Delivered => record::webhook(&self.host, "delivered"),
            Verdict::Again { after, why } if attempts < self.max_attempts => {
                record::webhook(&self.host, "retried");
                tracing::debug!(endpoint, id, attempts, why, "a webhook will be tried again");
                let wait = after.unwrap_or_else(|| wait_after(attempts, self.first_wait, random_share()));
                message.due = Instant::now() + wait.min(LONGEST_WAIT);
                self.put(message);
            }
            Verdict::Again { why, .. } | Verdict::GivenUp { why } => {
                record::webhook(&self.host, "given_up");
                tracing::warn!(endpoint, id, attempts, why, "a webhook was given up");
            }
        }
    }

    async fn attempt(&self, client: &HttpClient, message: &Message) -> Verdict {
        let unix_s = unix_time().as_secs();
        let request = Request::post(self.uri.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("heartline/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", unix_s)
            .header("webhook-signature", sign(&self.key, &message.id, unix_s, &message.body))
            .body(Full::new(message.body.clone()));
        let request = match request {
            Ok(request) => request,
            Err(error) => return Verdict::GivenUp { why: error.to_string() },
        };
        match client.request(request).await {
            Ok(answer) => {
                let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
                // What it says is of no interest, only that it is over.
                let _ = Limited::new(answer.into_body(), ANSWER_LIMIT).collect().await;
                judge(status, &headers)
            }
            Err(error) => Verdict::Again { after: None, why: with_causes(&error) },
        }
    }

    fn backlog(&self) -> MutexGuard<'_, Backlog> {
        self.backlog.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an answer means.
fn judge(status: u16, headers: &HeaderMap) -> Verdict {
    match status {
        200..300 => Verdict::Delivered,
        408 | 429 | 500.. => {
            let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
            Verdict::Again { after: seconds.map(Duration::from_secs), why: format!("it answered {status}") }
        }
        _ => Verdict::GivenUp { why: format!("it answered {status}") },
    }
}

/// How long to wait after so many attempts: twice as long each time, and never exactly as long as others wait.
fn wait_after(attempts: u32, first: Duration, share: f64) -> Duration {
    let doubled = first.saturating_mul(1_u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX));
    doubled.min(LONGEST_WAIT).mul_f64(0.5 + share / 2.0)
}

/// A random number from 0 to 1.
fn random_share() -> f64 {
    // The last bytes of an identifier are random.
    let [.., high, low] = *uuid::Uuid::now_v7().as_bytes();
    f64::from(u16::from_be_bytes([high, low])) / f64::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let none = HeaderMap::new();
        for status in [200, 201, 204, 299] {
            assert_eq!(judge(status, &none), Verdict::Delivered);
        }
        for status in [408, 429, 500, 502, 503, 504] {
            assert!(matches!(judge(status, &none), Verdict::Again { after: None, .. }), "{status}");
        }
        for status in [301, 400, 401, 404, 410, 422] {
            assert!(matches!(judge(status, &none), Verdict::GivenUp { .. }), "{status}");
        }
        let headers = HeaderMap::from_iter([(RETRY_AFTER, "7".parse().unwrap())]);
        let Verdict::Again { after, .. } = judge(429, &headers) else { panic!("it may pass") };
        assert_eq!(after, Some(Duration::from_secs(7)));
    }

    #[test]
    fn waits_double_with_a_random_part_and_have_an_end() {
        let first = Duration::from_secs(1);
        assert_eq!(wait_after(1, first, 1.0), first);
        assert_eq!(wait_after(1, first, 0.0), first / 2);
        assert_eq!(wait_after(4, first, 1.0), first * 8);
        assert_eq!(wait_after(99, first, 1.0), LONGEST_WAIT);
        let shares: BTreeSet<u64> = (0..20).map(|_| (random_share() * 1e6) as u64).collect();
        assert!(shares.len() > 10 && shares.iter().all(|share| *share <= 1_000_000));
    }
}
