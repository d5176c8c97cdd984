//! The events of one session: written once, numbered, kept for a while, read by as many as like.
//!
//! A reader has a place of its own in the log. One that falls behind what is kept is told how many events it missed,
//! and costs the session and the other readers nothing.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::watch;

use super::Event;

/// One event as it went out.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    /// Its number in the session, counted from 1.
    pub number: u64,
    /// The session's media time when it went out, in milliseconds.
    pub at_ms: u64,
    /// Its kind, as in the message's `type`.
    pub kind: &'static str,
    /// The whole message, as it goes over the wire.
    pub json: Bytes,
}

/// What a reader gets.
#[derive(Debug, Clone, PartialEq)]
pub enum Delivery {
    /// The next event.
    Event(Arc<Sent>),
    /// The reader was too slow: so many events are gone.
    Missed {
        /// How many.
        count: u64,
    },
}

/// An event's message.
#[derive(Serialize)]
struct Message<'a> {
    number: u64,
    session_ms: u64,
    #[serde(flatten)]
    event: &'a Event,
}

/// The log of one session.
#[derive(Debug)]
pub(super) struct EventLog {
    kept: Mutex<Kept>,
    /// The number of the newest event; closed together with the log.
    newest: watch::Sender<Newest>,
    max_events: usize,
    max_bytes: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct Newest {
    number: u64,
    is_closed: bool,
}

#[derive(Debug, Default)]
struct Kept {
    events: VecDeque<Arc<Sent>>,
    bytes: usize,
}

impl EventLog {
    pub(super) fn new(max_events: usize, max_bytes: usize) -> Self {
        Self {
            kept: Mutex::default(),
            newest: watch::Sender::new(Newest::default()),
            max_events: max_events.max(1),
            max_bytes,
        }
    }

    /// Writes an event and returns it as it went out.
    pub(super) fn write(&self, at_ms: u64, event: &Event) -> Arc<Sent> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let number = self.newest.borrow().number + 1;
        let message = Message { number, session_ms: at_ms, event };
        let json = serde_json::to_vec(&message).unwrap_or_else(|error| {
            // Every number in an event is finite and every key a string, so this is a mistake of ours.
            tracing::error!(%error, kind = event.kind(), "an event could not be written");
            b"{}".to_vec()
        });
        let sent = Arc::new(Sent { number, at_ms, kind: event.kind(), json: json.into() });
        kept.bytes += sent.json.len();
        kept.events.push_back(Arc::clone(&sent));
        // The newest event stays, however large it is.
        while kept.events.len() > self.max_events || (kept.bytes > self.max_bytes && kept.events.len() > 1) {
            let Some(oldest) = kept.events.pop_front() else { break };
            kept.bytes -= oldest.json.len();
        }
        drop(kept);
        self.newest.send_modify(|newest| newest.number = number);
        sent
    }

    /// Nothing more will be written.
    pub(super) fn close(&self) {
        self.newest.send_modify(|newest| newest.is_closed = true);
    }

    /// How many events were written.
    pub(super) fn written(&self) -> u64 {
        self.newest.borrow().number
    }

    /// A reader of what comes after an event; without one, of everything that is kept and comes.
    pub(super) fn reader(self: &Arc<Self>, after: Option<u64>) -> EventReader {
        let newest = self.newest.subscribe();
        // A number that was never given out would make the reader wait for ever.
        let read = after.unwrap_or(0).min(self.written());
        EventReader { log: Arc::clone(self), newest, read, is_new: after.is_none() }
    }
}

/// A reader of a session's events.
#[derive(Debug)]
pub struct EventReader {
    log: Arc<EventLog>,
    newest: watch::Receiver<Newest>,
    /// The number of the last event that was read or is gone.
    read: u64,
    /// Whether it has not read anything; what was gone before it came is not missed.
    is_new: bool,
}

impl EventReader {
    /// The next event; none when the session has ended and everything was read.
    pub async fn next(&mut self) -> Option<Delivery> {
        loop {
            // Looked at before the log is read, so that what is written in between wakes the reader again.
            let is_closed = self.newest.borrow_and_update().is_closed;
            if let Some(delivery) = self.try_next() {
                return Some(delivery);
            }
            if is_closed {
                return None;
            }
            self.newest.changed().await.ok()?;
        }
    }

    /// The next event, if there is one now.
    pub fn try_next(&mut self) -> Option<Delivery> {
        let kept = self.log.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = kept.events.front()?.number;
        if oldest > self.read + 1 {
            let count = oldest - self.read - 1;
            self.read = oldest - 1;
            if !std::mem::take(&mut self.is_new) {
                return Some(Delivery::Missed { count });
            }
        }
        let sent = kept.events.get(usize::try_from(self.read + 1 - oldest).ok()?)?;
        self.read = sent.number;
        self.is_new = false;
        Some(Delivery::Event(Arc::clone(sent)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::event::Updated;
    use super::*;

    fn event(agents: usize) -> Event {
        Event::Updated(Updated { tracks: 0, agents })
    }

    fn number(delivery: Option<Delivery>) -> u64 {
        match delivery {
            Some(Delivery::Event(sent)) => sent.number,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn readers_get_everything_in_order_and_end_with_the_log() {
        let log = Arc::new(EventLog::new(10, 10_000));
        let mut early = log.reader(None);
        log.write(5, &event(1));
        log.write(6, &event(2));
        let mut late = log.reader(Some(1));
        assert_eq!((number(early.next().await), number(early.next().await)), (1, 2));
        assert_eq!(number(late.next().await), 2);
        let waiting = tokio::spawn(async move { (early.next().await, early.next().await) });
        log.write(7, &event(3));
        log.close();
        let (third, end) = waiting.await.unwrap();
        assert_eq!((number(third), end), (3, None));
    }

    #[test]
    fn nothing_that_is_written_beside_a_reader_is_slept_through() {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let log = Arc::new(EventLog::new(1_000_000, usize::MAX));
        let mut reader = log.reader(None);
        let count = 20_000;
        let reading = runtime.spawn(async move {
            let mut read = 0;
            while reader.next().await.is_some() {
                read += 1;
            }
            read
        });
        for agents in 0..count {
            log.write(0, &event(agents));
        }
        log.close();
        let read = runtime
            .block_on(async { tokio::time::timeout(std::time::Duration::from_secs(30), reading).await });
        assert_eq!(read.expect("the reader wakes").unwrap(), count);
    }

    #[tokio::test]
    async fn the_message_names_itself() {
        let log = Arc::new(EventLog::new(10, 10_000));
        let sent = log.write(7, &event(3));
        let json: serde_json::Value = serde_json::from_slice(&sent.json).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "type": "session.updated", "number": 1, "session_ms": 7, "tracks": 0, "agents": 3,
            })
        );
    }

    #[tokio::test]
    async fn whoever_falls_behind_is_told_how_far() {
        let log = Arc::new(EventLog::new(3, 10_000));
        let mut slow = log.reader(Some(0));
        for agents in 0..10 {
            log.write(0, &event(agents));
        }
        assert_eq!(slow.next().await, Some(Delivery::Missed { count: 7 }));
        assert_eq!(number(slow.next().await), 8);
        // A reader who comes now has missed nothing.
        assert_eq!(number(log.reader(None).next().await), 8);
    }

    #[test]
    fn what_is_kept_is_bounded_in_bytes_too() {
        let log = Arc::new(EventLog::new(1_000, 500));
        for agents in 0..100 {
            log.write(0, &event(agents));
        }
        let kept = log.kept.lock().unwrap();
        assert!(kept.bytes <= 500 && kept.events.len() > 2, "{} bytes", kept.bytes);
        assert_eq!(kept.events.back().unwrap().number, 100);
    }

    #[tokio::test]
    async fn a_number_from_the_future_waits_for_what_comes_next() {
        let log = Arc::new(EventLog::new(3, 500));
        let mut reader = log.reader(Some(99));
        log.write(0, &event(1));
        assert_eq!(number(reader.next().await), 1);
    }
}
