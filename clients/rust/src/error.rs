//! What can go wrong for a client.

use crate::Fault;

/// An error of a client.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The URL or the key cannot be sent.
    #[error("the address or the key cannot be used: {0}")]
    Address(String),
    /// The server refused the connection; the status says why.
    #[error("the server refused the connection with status {status}: {message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The server's words.
        message: String,
    },
    /// The connection could not be had or broke.
    #[error("the connection failed")]
    Connection(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The server did not open the session.
    #[error("the server did not open the session: {} ({})", .0.message, .0.code)]
    NotOpened(Fault),
    /// The server sent something that is no message of this protocol.
    #[error("a message of the server's cannot be read")]
    Protocol(#[source] serde_json::Error),
    /// The server sent something that does not belong there.
    #[error("the server said something unexpected: {0}")]
    Unexpected(&'static str),
    /// The server took too long to open the session.
    #[error("the server took too long to open the session")]
    Slow,
    /// The session has ended.
    #[error("the session has ended")]
    Ended,
}

impl From<tokio_tungstenite::tungstenite::Error> for ClientError {
    fn from(error: tokio_tungstenite::tungstenite::Error) -> Self {
        use tokio_tungstenite::tungstenite::Error;
        match error {
            Error::Http(answer) => {
                let body = answer.body().as_deref().unwrap_or_default();
                let message = String::from_utf8_lossy(body).chars().take(500).collect();
                Self::Refused { status: answer.status().as_u16(), message }
            }
            Error::Url(error) => Self::Address(error.to_string()),
            Error::HttpFormat(error) => Self::Address(error.to_string()),
            error => Self::Connection(Box::new(error)),
        }
    }
}
