//! One WebSocket of a live call: messages in, events out, each direction at its own pace.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::mpsc;

use super::message::{ClientMessage, MessageError, read_binary, read_text};
use crate::live::{CloseReason, Delivery, EventReader, LiveError, Session, SessionOptions, SessionUpdate};

/// How often the server asks whether the client is still there.
const PING_INTERVAL: Duration = Duration::from_secs(15);
/// How long a client may be silent, pongs included, before its connection counts as lost.
const SILENCE_LIMIT: Duration = Duration::from_secs(45);
/// How long a client has to take the last events and to say goodbye.
const GOODBYE_TIME: Duration = Duration::from_secs(5);

/// Which session a connection is for.
pub(super) enum Opening {
    /// One that was opened for it.
    New(Session),
    /// One that it has to prove to know.
    Known(Session),
}

/// How reading from a client ended.
enum End {
    /// The client went.
    Gone,
    /// The client asked for the session's end.
    Asked,
    /// The session has ended.
    Over,
}

/// Serves a connection to its end.
pub(super) async fn attend(socket: WebSocket, opening: Opening, patience: Duration) {
    let (mut sink, mut stream) = socket.split();
    let (session, events) = match opening {
        Opening::New(session) => {
            let events = session.events(None);
            (session, events)
        }
        Opening::Known(session) => match proof(&mut stream, &session, patience).await {
            Ok(after) => {
                let events = session.events(after);
                (session, events)
            }
            Err(reason) => {
                let _ = sink.send(goodbye(close_code::POLICY, reason)).await;
                return;
            }
        },
    };
    let attachment = session.attach();
    let (pongs, to_answer) = mpsc::channel(4);
    let mut writing = tokio::spawn(write(sink, events, to_answer));
    let end = tokio::select! {
        end = read(&mut stream, &session, &pongs) => end,
        _ = &mut writing => End::Over,
    };
    match end {
        // The session waits for its client to come back.
        End::Gone => writing.abort(),
        End::Asked => {
            // The last event ends the writer.
            let _ = session.close(CloseReason::Requested).await;
            let _ = tokio::time::timeout(GOODBYE_TIME, &mut writing).await;
            writing.abort();
        }
        End::Over => {}
    }
    drop(attachment);
}

/// Waits for the message that takes the session up; gives the number of the last event that the client has.
async fn proof(
    stream: &mut SplitStream<WebSocket>,
    session: &Session,
    patience: Duration,
) -> Result<Option<u64>, &'static str> {
    let first = tokio::time::timeout(patience, stream.next()).await;
    let Ok(Some(Ok(Message::Text(text)))) = first else { return Err("session.resume was expected first") };
    match read_text(&text) {
        Ok(ClientMessage::Resume { resume_token, after }) if session.knows(&resume_token) => Ok(after),
        Ok(ClientMessage::Resume { .. }) => Err("the resume token is not this session's"),
        _ => Err("session.resume was expected first"),
    }
}

/// Takes the client's messages until there are no more.
async fn read(stream: &mut SplitStream<WebSocket>, session: &Session, pongs: &mpsc::Sender<Bytes>) -> End {
    loop {
        let message = match tokio::time::timeout(SILENCE_LIMIT, stream.next()).await {
            Ok(Some(Ok(message))) => message,
            // Too large a message ends the connection, because its rest cannot be skipped.
            Ok(Some(Err(error))) => {
                tracing::debug!(%error, session = session.id(), "a live connection broke");
                return End::Gone;
            }
            Ok(None) | Err(_) => return End::Gone,
        };
        let taken = match message {
            Message::Text(text) => match take_text(&text, session).await {
                Ok(true) => return End::Asked,
                Ok(false) => Ok(()),
                Err(error) => Err(error),
            },
            Message::Binary(bytes) => match read_binary(&bytes) {
                Ok(input) => session.send(input).await,
                Err(error) => Err(error.into()),
            },
            Message::Ping(payload) => {
                let _ = pongs.try_send(payload);
                Ok(())
            }
            Message::Pong(_) => Ok(()),
            Message::Close(_) => return End::Gone,
        };
        match taken {
            Ok(()) => {}
            Err(LiveError::NotFound) => return End::Over,
            Err(error) => session.report(error).await,
        }
    }
}

/// Takes a text message; true where it asks for the session's end.
async fn take_text(text: &str, session: &Session) -> Result<bool, LiveError> {
    match read_text(text)? {
        ClientMessage::Update { session: options } => update(session, options).await.map(|()| false),
        ClientMessage::Text(part) => session.send(crate::live::Input::Text(part)).await.map(|()| false),
        ClientMessage::Close {} => Ok(true),
        ClientMessage::Resume { .. } => Err(MessageError::OutOfOrder(
            "session.resume is the first message on the path of the session, and nowhere else",
        )
        .into()),
    }
}

/// Settles the options before the first media, and afterwards what may still change.
async fn update(session: &Session, options: Value) -> Result<(), LiveError> {
    let unreadable = |error: serde_json::Error| LiveError::from(MessageError::Text(error.to_string()));
    if session.is_locked() {
        let update = SessionUpdate::deserialize(options).map_err(unreadable)?;
        return session.send(crate::live::Input::Update(Box::new(update))).await;
    }
    session.configure(SessionOptions::deserialize(options).map_err(unreadable)?).await
}

/// Sends the session's events, and asks now and then whether the client is still there.
async fn write(
    mut sink: SplitSink<WebSocket, Message>,
    mut events: EventReader,
    mut pongs: mpsc::Receiver<Bytes>,
) {
    let mut pings = tokio::time::interval(PING_INTERVAL);
    pings.reset();
    loop {
        let message = tokio::select! {
            delivery = events.next() => match delivery {
                Some(delivery) => text_of(delivery),
                None => break,
            },
            Some(payload) = pongs.recv() => Message::Pong(payload),
            _ = pings.tick() => Message::Ping(Bytes::new()),
        };
        if sink.send(message).await.is_err() {
            return;
        }
    }
    let _ = sink.send(goodbye(close_code::NORMAL, "the session has ended")).await;
    let _ = sink.close().await;
}

fn text_of(delivery: Delivery) -> Message {
    let json = match delivery {
        Delivery::Event(sent) => sent.json.clone(),
        Delivery::Missed { count } => format!(r#"{{"type":"missed","count":{count}}}"#).into(),
    };
    match Utf8Bytes::try_from(json) {
        Ok(text) => Message::Text(text),
        // JSON that we wrote is always UTF-8.
        Err(_) => Message::Ping(Bytes::new()),
    }
}

fn goodbye(code: u16, reason: &'static str) -> Message {
    Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::from_static(reason) }))
}
