//! A session as its user holds it: one half feeds the call, the other reads what comes of it.

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::client::Socket;
use crate::connection::{Command, Connection};
use crate::message::Message;
use crate::{
    Client, ClientError, Created, Envelope, Event, MediaKind, SessionUpdate, Summary, TextPart, media_message,
};

/// Messages that may wait to be sent; then senders wait.
const WAITING_MESSAGES: usize = 64;
/// Events that may wait to be read; then the connection is not read any further.
const WAITING_EVENTS: usize = 256;

/// A live call. Dropped without [`Session::close`], it leaves the session to the server's time for lost connections.
#[derive(Debug)]
pub struct Session {
    created: Created,
    sender: Sender,
    events: mpsc::Receiver<Envelope>,
    failure: oneshot::Receiver<ClientError>,
}

/// The feeding half of a session. Clones feed the same one.
#[derive(Debug, Clone)]
pub struct Sender {
    commands: mpsc::Sender<Command>,
}

impl Session {
    /// Starts the task that holds the connection. It needs a tokio runtime around it.
    pub(crate) fn start(
        client: Client,
        socket: Socket,
        created: Created,
        number: u64,
        early: Vec<Envelope>,
    ) -> Self {
        let (commands, to_send) = mpsc::channel(WAITING_MESSAGES);
        let (to_read, events) = mpsc::channel(WAITING_EVENTS.max(early.len() + 1));
        let (failed, failure) = oneshot::channel();
        let newest = early.last().map_or(number, |envelope| envelope.number);
        for envelope in early {
            // The channel was made large enough for them.
            let _ = to_read.try_send(envelope);
        }
        let connection = Connection::new(client, created.clone(), newest);
        tokio::spawn(async move {
            if let Err(error) = connection.run(socket, to_send, to_read).await {
                // Whoever closed the session is not interested any more.
                let _ = failed.send(error);
            }
        });
        Self { created, sender: Sender { commands }, events, failure }
    }

    /// What the server said when it opened the session.
    #[must_use]
    pub const fn created(&self) -> &Created {
        &self.created
    }

    /// The session's identifier.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.created.session_id
    }

    /// The feeding half.
    #[must_use]
    pub fn sender(&self) -> Sender {
        self.sender.clone()
    }

    /// The next event; none when the session has ended or its connection is lost for good, which [`Session::failure`]
    /// tells apart. Safe to be dropped while it waits.
    pub async fn next_event(&mut self) -> Option<Envelope> {
        self.events.recv().await
    }

    /// Why the connection was lost for good; none while there are events, and after an ordinary end.
    pub fn failure(&mut self) -> Option<ClientError> {
        self.failure.try_recv().ok()
    }

    /// Ends the session and waits for its summary; events that come meanwhile are dropped.
    ///
    /// # Errors
    /// [`ClientError`] where the connection was lost for good.
    pub async fn close(mut self) -> Result<Summary, ClientError> {
        // Where the task has ended already its last events are still to be read.
        let _ = self.sender.send(Message::Close {}.to_json()).await;
        while let Some(envelope) = self.events.recv().await {
            if let Event::Closed(summary) = envelope.event {
                return Ok(*summary);
            }
        }
        Err(self.failure.await.unwrap_or(ClientError::Ended))
    }
}

impl Sender {
    /// Sends sound, in the format of its track. `at_ms` is the media time of its first sample; without it the sound
    /// follows what came before. Pieces of 20 to 200 ms serve best.
    ///
    /// # Errors
    /// [`ClientError::Ended`]
    pub async fn send_audio(
        &self,
        track: u8,
        at_ms: Option<u64>,
        sound: impl AsRef<[u8]>,
    ) -> Result<(), ClientError> {
        self.post(Command::Media(media_message(MediaKind::Audio, track, at_ms, sound.as_ref()))).await
    }

    /// Sends a picture: a JPEG, PNG or WebP file. Without a time it shows what is heard now.
    ///
    /// # Errors
    /// [`ClientError::Ended`]
    pub async fn send_frame(
        &self,
        track: u8,
        at_ms: Option<u64>,
        file: impl AsRef<[u8]>,
    ) -> Result<(), ClientError> {
        self.post(Command::Media(media_message(MediaKind::Frame, track, at_ms, file.as_ref()))).await
    }

    /// Sends a binary message as it is; see [`media_message`].
    ///
    /// # Errors
    /// [`ClientError::Ended`]
    pub async fn send_media(&self, message: Bytes) -> Result<(), ClientError> {
        self.post(Command::Media(message)).await
    }

    /// Sends words of a transcript.
    ///
    /// # Errors
    /// [`ClientError::Ended`]
    pub async fn send_text(&self, part: &TextPart) -> Result<(), ClientError> {
        self.send(Message::Text(part).to_json()).await
    }

    /// Changes what may change while the call goes on: the language, the needs, the agents.
    ///
    /// # Errors
    /// [`ClientError::Ended`]
    pub async fn update(&self, update: &SessionUpdate) -> Result<(), ClientError> {
        self.send(Message::Update { session: update }.to_json()).await
    }

    async fn send(&self, text: String) -> Result<(), ClientError> {
        self.post(Command::Text(text)).await
    }

    async fn post(&self, command: Command) -> Result<(), ClientError> {
        self.commands.send(command).await.map_err(|_| ClientError::Ended)
    }
}
