//! Webhooks: what live calls tell, sent to other servers as signed requests.
//!
//! The signatures are those of Standard Webhooks, so that any of its libraries verifies them. Each endpoint has a bounded
//! backlog and a task of its own (`endpoint`): one that is slow or away costs neither the calls nor the other endpoints
//! anything. `backlog` decides what is sent next and what is dropped, `signature` signs, `config` has the keys.

mod backlog;
mod config;
mod endpoint;
mod signature;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use serde_json::Value;
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio::task::{JoinHandle, JoinSet};

use super::{Delivery, Event, Hub, Sent, Session};
pub use config::{EndpointConfig, WebhookSecret, WebhooksConfig};
use endpoint::{Endpoint, client};

/// What keeps webhooks from being sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// The secret of an endpoint is not there.
    #[error(
        "webhooks.endpoints[{index}].secret_env names {variable}, and there is no such environment variable"
    )]
    SecretMissing {
        /// Which endpoint.
        index: usize,
        /// The variable.
        variable: String,
    },
    /// The secret of an endpoint is none.
    #[error(
        "the secret of webhooks.endpoints[{index}] is not \"whsec_\" and 24 to 64 bytes in base64; \
         `openssl rand -base64 32` prints such bytes"
    )]
    SecretUnusable {
        /// Which endpoint.
        index: usize,
    },
    /// The certificates that this machine trusts cannot be had.
    #[error("webhooks cannot be sent over TLS: the certificates that this machine trusts cannot be read")]
    Roots(#[source] std::io::Error),
}

/// Webhooks on their way.
pub struct Webhooks {
    follower: JoinHandle<()>,
    senders: JoinSet<()>,
    endpoints: Vec<Arc<Endpoint>>,
    /// Turns true when nothing more will be handed in.
    ending: watch::Sender<bool>,
}

/// Checks that every endpoint has what it needs.
///
/// # Errors
/// [`WebhookError`]
pub fn check(config: &WebhooksConfig) -> Result<(), WebhookError> {
    config.endpoints.iter().enumerate().try_for_each(|(index, one)| one.signing_key(index).map(|_| ()))
}

impl Webhooks {
    /// Follows every session that is opened from now on. It needs a tokio runtime around it.
    ///
    /// # Errors
    /// [`WebhookError`]
    pub fn start(config: &WebhooksConfig, hub: &Hub) -> Result<Self, WebhookError> {
        let ending = watch::Sender::new(false);
        let client = client(config)?;
        let mut senders = JoinSet::new();
        let mut endpoints = Vec::with_capacity(config.endpoints.len());
        for (index, one) in config.endpoints.iter().enumerate() {
            let endpoint = Arc::new(Endpoint::new(one, one.signing_key(index)?, config));
            senders.spawn(Arc::clone(&endpoint).send_all(client.clone(), ending.subscribe()));
            endpoints.push(endpoint);
        }
        let follower = tokio::spawn(follow_all(hub.opened(), endpoints.clone().into()));
        Ok(Self { follower, senders, endpoints, ending })
    }

    /// Sends what is left, for as long as that may take; true where nothing is left. The hub must have been drained.
    pub async fn drain(self, timeout: Duration) -> bool {
        let Self { follower, mut senders, endpoints, ending } = self;
        let sending = async {
            // It ends when every session has told its last.
            let _ = follower.await;
            ending.send_replace(true);
            while senders.join_next().await.is_some() {}
        };
        let is_done = tokio::time::timeout(timeout, sending).await.is_ok();
        let left: usize = endpoints.iter().map(|endpoint| endpoint.left()).sum();
        if left > 0 {
            tracing::warn!(left, "webhooks were left unsent");
        }
        is_done
    }
}

/// Follows every session.
async fn follow_all(mut opened: broadcast::Receiver<Session>, endpoints: Arc<[Arc<Endpoint>]>) {
    let mut following = JoinSet::new();
    loop {
        tokio::select! {
            session = opened.recv() => match session {
                Ok(session) if endpoints.iter().any(|endpoint| endpoint.wants_session(session.key())) => {
                    following.spawn(follow(session, Arc::clone(&endpoints)));
                }
                Ok(_) => {}
                Err(RecvError::Lagged(count)) => tracing::warn!(count, "webhooks do not follow sessions that opened at once"),
                Err(RecvError::Closed) => break,
            },
            Some(_) = following.join_next(), if !following.is_empty() => {}
        }
    }
    while following.join_next().await.is_some() {}
}

/// Follows one session to its end.
async fn follow(session: Session, endpoints: Arc<[Arc<Endpoint>]>) {
    let mut reader = session.events(None);
    let key = session.key();
    while let Some(delivery) = reader.next().await {
        match delivery {
            Delivery::Event(sent) => {
                let mut wanting =
                    endpoints.iter().filter(|endpoint| endpoint.wants(key, sent.kind)).peekable();
                if wanting.peek().is_none() {
                    continue;
                }
                let body = body(session.id(), &sent);
                for endpoint in wanting {
                    endpoint.hand_in(message_id(session.id(), sent.number), is_last(&sent), body.clone());
                }
            }
            Delivery::Missed { count } => {
                tracing::warn!(session = session.id(), count, "webhooks fell behind a session");
            }
        }
    }
}

/// The name of a message, the same in every attempt.
fn message_id(session_id: &str, number: u64) -> String {
    format!("msg_{session_id}_{number}")
}

fn is_last(sent: &Sent) -> bool {
    sent.kind == Event::KINDS[Event::KINDS.len() - 1]
}

/// The body of a message.
fn body(session_id: &str, sent: &Sent) -> Bytes {
    let mut data: Value = serde_json::from_slice(&sent.json).unwrap_or_default();
    if let Some(data) = data.as_object_mut() {
        // Whoever has the token leads the session; a listener has no use for it.
        data.remove("resume_token");
    }
    let at_unix_ms = unix_time().as_millis() as u64;
    let body = json!({"type": sent.kind, "at_unix_ms": at_unix_ms, "session_id": session_id, "data": data});
    body.to_string().into()
}

fn unix_time() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_its_session_and_keeps_the_token_to_itself() {
        let sent = Sent {
            number: 1,
            at_ms: 0,
            kind: "session.created",
            json: Bytes::from_static(
                br#"{"type":"session.created","number":1,"resume_token":"secret","resume_ms":5}"#,
            ),
        };
        let body: Value = serde_json::from_slice(&body("s-1", &sent)).unwrap();
        assert_eq!(
            (body["type"].as_str(), body["session_id"].as_str()),
            (Some("session.created"), Some("s-1"))
        );
        assert_eq!(body["data"], json!({"type": "session.created", "number": 1, "resume_ms": 5}));
        assert!(body["at_unix_ms"].as_u64().unwrap() > 1_600_000_000_000);
        assert!(!is_last(&sent) && is_last(&Sent { kind: "session.closed", ..sent }));
    }
}
