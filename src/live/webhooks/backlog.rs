//! What waits for one endpoint: what is sent next, and what is dropped where too much waits.

use std::collections::VecDeque;

use bytes::Bytes;
use tokio::time::Instant;

/// A message on its way.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Message {
    /// Its name, the same in every attempt.
    pub(super) id: String,
    /// Whether it ends a session; such a message is dropped last.
    pub(super) is_last: bool,
    pub(super) body: Bytes,
    /// How often it was tried.
    pub(super) attempts: u32,
    /// When it may be tried.
    pub(super) due: Instant,
}

/// What to do now.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    /// Send this one.
    Send(Message),
    /// Wait until then.
    Wait(Instant),
    /// Nothing waits.
    Nothing,
}

/// The messages that wait, the oldest first.
#[derive(Debug)]
pub(super) struct Backlog {
    waiting: VecDeque<Message>,
    limit: usize,
}

impl Backlog {
    pub(super) const fn new(limit: usize) -> Self {
        Self { waiting: VecDeque::new(), limit }
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Takes a message in; where too many wait, gives the one that is dropped for it.
    pub(super) fn add(&mut self, message: Message) -> Option<Message> {
        self.waiting.push_back(message);
        if self.waiting.len() <= self.limit {
            return None;
        }
        let oldest = self.waiting.iter().position(|message| !message.is_last).unwrap_or(0);
        self.waiting.remove(oldest)
    }

    /// The oldest message that may be tried now. One that waits for its next attempt does not hold up the others.
    pub(super) fn next(&mut self, now: Instant) -> Next {
        if let Some(place) = self.waiting.iter().position(|message| message.due <= now)
            && let Some(message) = self.waiting.remove(place)
        {
            return Next::Send(message);
        }
        self.waiting.iter().map(|message| message.due).min().map_or(Next::Nothing, Next::Wait)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn message(id: &str, is_last: bool, due: Instant) -> Message {
        Message { id: id.to_owned(), is_last, body: Bytes::new(), attempts: 0, due }
    }

    #[test]
    fn the_oldest_that_ends_no_session_is_dropped() {
        let now = Instant::now();
        let mut backlog = Backlog::new(2);
        let dropped = ["a", "end 1", "b", "end 2", "end 3"]
            .map(|id| backlog.add(message(id, id.starts_with("end"), now)).map(|dropped| dropped.id));
        let dropped: Vec<_> = dropped.iter().map(Option::as_deref).collect();
        assert_eq!(dropped, [None, None, Some("a"), Some("b"), Some("end 1")]);
        assert_eq!(backlog.len(), 2);
    }

    #[test]
    fn what_waits_for_its_next_attempt_lets_others_pass() {
        let now = Instant::now();
        let later = now + Duration::from_secs(5);
        let mut backlog = Backlog::new(9);
        assert_eq!(backlog.next(now), Next::Nothing);
        backlog.add(message("retried", false, later));
        backlog.add(message("first", false, now));
        backlog.add(message("second", false, now));
        for expected in ["first", "second"] {
            let Next::Send(sent) = backlog.next(now) else { panic!("nothing is sent") };
            assert_eq!(sent.id, expected);
        }
        assert_eq!(backlog.next(now), Next::Wait(later));
        assert!(matches!(backlog.next(later), Next::Send(_)));
    }
}
