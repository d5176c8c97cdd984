//! The task that holds a session's connection: it sends what waits, reads what comes, and connects again when the
//! connection breaks.

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::client::{Socket, binary};
use crate::{Client, ClientError, Created, Envelope, Event};

/// Something that waits to be sent.
#[derive(Debug)]
pub(crate) enum Command {
    /// A text message.
    Text(String),
    /// A binary message.
    Media(Bytes),
}

/// How a connection ended.
enum End {
    /// The session has ended, or nobody wants it any more.
    Over,
    /// The server does not want this connection.
    Refused,
    /// The connection broke.
    Lost(ClientError),
}

/// A session's connection.
pub(crate) struct Connection {
    client: Client,
    created: Created,
    /// The number of the newest event that came.
    newest: u64,
    /// How often the connection was tried since something came.
    tries: u32,
}

impl Connection {
    pub(crate) const fn new(client: Client, created: Created, newest: u64) -> Self {
        Self { client, created, newest, tries: 0 }
    }

    /// Runs until the session has ended, its user has gone or the connection cannot be had again.
    pub(crate) async fn run(
        mut self,
        mut socket: Socket,
        mut commands: mpsc::Receiver<Command>,
        events: mpsc::Sender<Envelope>,
    ) -> Result<(), ClientError> {
        loop {
            match self.attend(&mut socket, &mut commands, &events).await {
                End::Over => return Ok(()),
                End::Refused => return Err(ClientError::Unexpected("the session cannot be taken up again")),
                End::Lost(error) => socket = self.again(error).await?,
            }
        }
    }

    async fn attend(
        &mut self,
        socket: &mut Socket,
        commands: &mut mpsc::Receiver<Command>,
        events: &mpsc::Sender<Envelope>,
    ) -> End {
        let (mut sink, mut stream) = socket.split();
        loop {
            // Room for the event is had before it is read, so that what is not read stays with the server.
            let read = async {
                let room = events.reserve().await;
                (room, stream.next().await)
            };
            tokio::select! {
                command = commands.recv() => {
                    let frame = match command {
                        Some(Command::Text(text)) => Frame::text(text),
                        Some(Command::Media(message)) => binary(message),
                        // The user has dropped the session; the server waits for it to come back.
                        None => return End::Over,
                    };
                    if let Err(error) = sink.send(frame).await {
                        return End::Lost(error.into());
                    }
                }
                (room, frame) = read => {
                    let Ok(room) = room else { return End::Over };
                    let text = match frame {
                        Some(Ok(Frame::Text(text))) => text,
                        Some(Ok(Frame::Close(Some(CloseFrame { code: CloseCode::Policy, .. })))) => {
                            return End::Refused;
                        }
                        Some(Ok(Frame::Close(_))) | None => return End::Lost(ClientError::Ended),
                        Some(Ok(_)) => continue,
                        Some(Err(error)) => return End::Lost(error.into()),
                    };
                    match Envelope::parse(&text) {
                        Ok(envelope) => {
                            self.newest = envelope.number.max(self.newest);
                            self.tries = 0;
                            let is_last = matches!(envelope.event, Event::Closed(_));
                            room.send(envelope);
                            if is_last {
                                return End::Over;
                            }
                        }
                        Err(error) => return End::Lost(ClientError::Protocol(error)),
                    }
                }
            }
        }
    }

    /// Takes the session up on a new connection, with a growing wait between tries.
    async fn again(&mut self, mut error: ClientError) -> Result<Socket, ClientError> {
        while let Some(wait) = self.client.backoff.wait(self.tries) {
            self.tries += 1;
            tokio::time::sleep(wait).await;
            match self.client.resume(&self.created, self.newest).await {
                Ok(socket) => return Ok(socket),
                // The session has ended or is not ours: no further try will find it.
                Err(refused @ ClientError::Refused { status: 400..=428 | 430..=499, .. }) => {
                    return Err(refused);
                }
                Err(found) => error = found,
            }
        }
        Err(error)
    }
}
