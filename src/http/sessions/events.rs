//! `GET /v1/sessions/{id}/events` and `GET /v1/events`: what live calls tell, as server-sent events.
//!
//! A reader has a place of its own in each session's log. One that falls behind what is kept is told how many events it
//! missed and costs nobody else anything; one that comes back says with `Last-Event-ID` where it was.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Sse;
use axum::response::sse::{Event as Line, KeepAlive};
use futures_util::stream::{self, BoxStream, SelectAll, Stream, StreamExt};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;

use super::super::{ApiError, ErrorBody, ErrorCode};
use super::{Key, find};
use crate::app::App;
use crate::live::{Delivery, Event, EventReader, Sent, Session};

/// How often a line goes out where nothing happens, so that proxies and clients know that the connection lives.
const PING_INTERVAL: Duration = Duration::from_secs(10);
/// The header that says which event was the last one read.
const LAST_EVENT_ID: &str = "last-event-id";

/// Which events.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Wanted {
    /// The kinds, apart by commas; without it, all.
    kinds: Option<String>,
    /// The number after which to begin, as in `Last-Event-ID`.
    after: Option<u64>,
}

/// The kinds of events that are wanted.
#[derive(Debug, Clone)]
struct Kinds(Vec<&'static str>);

impl Kinds {
    fn of(wanted: Option<&str>) -> Result<Self, ApiError> {
        let Some(wanted) = wanted else { return Ok(Self(Event::KINDS.to_vec())) };
        let kind = |name: &str| {
            let found = Event::KINDS.into_iter().find(|kind| *kind == name.trim());
            found.ok_or_else(|| {
                let known = Event::KINDS.join(", ");
                ApiError::new(
                    ErrorCode::RequestInvalid,
                    format!("\"{name}\" is no kind of event; there are {known}"),
                )
            })
        };
        wanted.split(',').map(kind).collect::<Result<_, _>>().map(Self)
    }

    fn has(&self, sent: &Sent) -> bool {
        self.0.contains(&sent.kind)
    }
}

/// What one session tells, as server-sent events: `id` is the event's number, `event` its kind, `data` its JSON.
#[utoipa::path(
    get,
    path = "/v1/sessions/{id}/events",
    params(
        ("id" = String, Path, description = "The session's identifier."),
        ("kinds" = Option<String>, Query, description = "The kinds that are wanted, apart by commas."),
        ("after" = Option<u64>, Query, description = "The number after which to begin."),
        ("Last-Event-ID" = Option<u64>, Header, description = "The same, as browsers send it.")
    ),
    responses(
        (status = 200, description = "The events, until the session ends.", body = String, content_type = "text/event-stream"),
        (status = 404, description = "There is none, or not for this key.", body = ErrorBody),
        (status = 422, description = "An unknown kind, or no number.", body = ErrorBody)
    )
)]
pub(in super::super) async fn of_session(
    State(app): State<App>,
    key: Key,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Line, Infallible>>>, ApiError> {
    let session = find(&app, &key, &id)?;
    let kinds = Kinds::of(wanted.kinds.as_deref())?;
    let reader = session.events(last_event(&headers)?.or(wanted.after));
    Ok(answer(deliveries(reader, kinds).map(|delivery| Ok(line(&delivery)))))
}

/// What all sessions of this key tell from now on: `data` has the session's identifier and the event.
#[utoipa::path(
    get,
    path = "/v1/events",
    params(("kinds" = Option<String>, Query, description = "The kinds that are wanted, apart by commas.")),
    responses(
        (status = 200, description = "The events, until the server stops.", body = String, content_type = "text/event-stream"),
        (status = 422, description = "An unknown kind.", body = ErrorBody)
    )
)]
pub(in super::super) async fn of_all(
    State(app): State<App>,
    key: Key,
    Query(wanted): Query<Wanted>,
) -> Result<Sse<impl Stream<Item = Result<Line, Infallible>>>, ApiError> {
    let kinds = Kinds::of(wanted.kinds.as_deref())?;
    let owner = key.map(|key| key.0.0);
    let mut opened = app.live().opened();
    let is_own = move |session: &Session| session.key() == owner.as_deref();
    let follow = move |session: &Session, after: Option<u64>| -> BoxStream<'static, Line> {
        let id = session.id().to_owned();
        deliveries(session.events(after), kinds.clone()).map(move |delivery| tagged(&id, &delivery)).boxed()
    };
    let mut followed: SelectAll<BoxStream<'static, Line>> = SelectAll::new();
    for session in app.live().sessions().iter().filter(|session| is_own(session)) {
        followed.push(follow(session, Some(session.info().events)));
    }
    let lines = async_lines(move |lines| async move {
        loop {
            tokio::select! {
                session = opened.recv() => match session {
                    Ok(session) if is_own(&session) => followed.push(follow(&session, None)),
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => tracing::warn!("a reader of all events missed sessions that were opened"),
                    Err(RecvError::Closed) => break,
                },
                Some(line) = followed.next(), if !followed.is_empty() => {
                    if lines.send(line).await.is_err() {
                        return;
                    }
                }
            }
        }
        while let Some(line) = followed.next().await {
            if lines.send(line).await.is_err() {
                return;
            }
        }
    });
    Ok(answer(lines.map(Ok)))
}

/// Runs something that sends lines, for as long as they are read.
fn async_lines<F>(run: impl FnOnce(tokio::sync::mpsc::Sender<Line>) -> F) -> impl Stream<Item = Line>
where
    F: Future<Output = ()> + Send + 'static,
{
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    tokio::spawn(run(sender));
    stream::unfold(receiver, |mut receiver| async move { Some((receiver.recv().await?, receiver)) })
}

fn answer<S>(lines: S) -> Sse<impl Stream<Item = Result<Line, Infallible>>>
where
    S: Stream<Item = Result<Line, Infallible>> + Send + 'static,
{
    Sse::new(lines).keep_alive(KeepAlive::new().interval(PING_INTERVAL).text("ping"))
}

/// What a reader gets of the wanted kinds. What it missed of others counts as well: nobody knows any more what it was.
fn deliveries(reader: EventReader, kinds: Kinds) -> impl Stream<Item = Delivery> {
    stream::unfold((reader, kinds), |(mut reader, kinds)| async move {
        loop {
            let delivery = reader.next().await?;
            match &delivery {
                Delivery::Event(sent) if !kinds.has(sent) => {}
                _ => return Some((delivery, (reader, kinds))),
            }
        }
    })
}

fn line(delivery: &Delivery) -> Line {
    match delivery {
        Delivery::Event(sent) => Line::default()
            .id(sent.number.to_string())
            .event(sent.kind)
            .data(String::from_utf8_lossy(&sent.json)),
        Delivery::Missed { count } => {
            Line::default().event("missed").data(json!({"type": "missed", "count": count}).to_string())
        }
    }
}

/// The same with the session's identifier; numbers are a session's own, so there is no place to come back to.
fn tagged(session_id: &str, delivery: &Delivery) -> Line {
    match delivery {
        Delivery::Event(sent) => {
            let event = String::from_utf8_lossy(&sent.json);
            // An identifier of ours needs no escape.
            let data = format!("{{\"session_id\":\"{session_id}\",\"event\":{event}}}");
            Line::default().event(sent.kind).data(data)
        }
        Delivery::Missed { count } => {
            let event = json!({"type": "missed", "count": count});
            Line::default()
                .event("missed")
                .data(json!({"session_id": session_id, "event": event}).to_string())
        }
    }
}

/// Which event a reader that comes back has read last.
fn last_event(headers: &HeaderMap) -> Result<Option<u64>, ApiError> {
    let Some(value) = headers.get(LAST_EVENT_ID).filter(|value| !value.is_empty()) else { return Ok(None) };
    let number = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    let message = "the header Last-Event-ID is not an event's number";
    number.map(Some).ok_or_else(|| ApiError::new(ErrorCode::RequestInvalid, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_those_that_there_are() {
        assert_eq!(Kinds::of(None).unwrap().0.len(), Event::KINDS.len());
        assert_eq!(Kinds::of(Some("emotion, ranking")).unwrap().0, ["emotion", "ranking"]);
        for wrong in ["", "emotions", "emotion,,ranking"] {
            let error = Kinds::of(Some(wrong)).unwrap_err();
            assert!(error.message.contains("session.closed"), "{error:?}");
        }
    }

    #[test]
    fn the_last_event_is_a_number_or_nothing() {
        let last = |value: &str| {
            last_event(&HeaderMap::from_iter([(LAST_EVENT_ID.parse().unwrap(), value.parse().unwrap())]))
        };
        assert_eq!(last("17").unwrap(), Some(17));
        assert_eq!(last("").unwrap(), None);
        assert_eq!(last_event(&HeaderMap::new()).unwrap(), None);
        assert_eq!(last("x").unwrap_err().code, ErrorCode::RequestInvalid);
    }
}
