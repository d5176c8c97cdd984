//! Which session belongs to which telephone call, so that a stream that comes back finds its own.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::call::Opening;

/// The telephone calls of a server that have a session. Clones are handles to the same ones.
#[derive(Debug, Clone, Default)]
pub(in crate::http) struct Calls {
    entries: Arc<Mutex<Vec<Entry>>>,
    tickets: Arc<AtomicU64>,
}

/// A connection's hold on its entry; a connection that has been replaced holds nothing any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket(u64);

/// A session that a stream has come back to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The session's identifier.
    pub(super) session: String,
    /// How long the stream was away.
    pub(super) away: Duration,
    /// Where its sound ended, as far as is known.
    pub(super) end_ms: u64,
    /// The connection's hold.
    pub(super) ticket: Ticket,
}

#[derive(Debug)]
struct Entry {
    ticket: Ticket,
    key: Option<Arc<str>>,
    account: Option<String>,
    call: Option<String>,
    stream: Option<String>,
    session: String,
    left: Option<Instant>,
    end_ms: u64,
}

impl Calls {
    /// The session of a stream that has been here before: the same stream, or another one of a call that has none now.
    /// Key and account must be the same, so that nobody takes a stranger's call by its number.
    pub(super) fn find(&self, key: Option<&Arc<str>>, opening: &Opening) -> Option<Found> {
        let mut entries = self.lock();
        let is_same = |one: &Option<String>, other: &Option<String>| one.is_some() && one == other;
        let entry = entries
            .iter_mut()
            .filter(|entry| entry.key.as_ref() == key && entry.account == opening.account)
            .find(|entry| {
                let is_free = entry.left.is_some();
                is_same(&entry.stream, &opening.stream) || (is_free && is_same(&entry.call, &opening.call))
            })?;
        let ticket = self.next_ticket();
        let away = entry.left.take().map_or(Duration::ZERO, |left| left.elapsed());
        entry.ticket = ticket;
        entry.stream.clone_from(&opening.stream);
        Some(Found { session: entry.session.clone(), away, end_ms: entry.end_ms, ticket })
    }

    /// Enters a new session, and forgets those that have ended.
    pub(super) fn enter(
        &self,
        key: Option<Arc<str>>,
        opening: &Opening,
        session: &str,
        is_open: impl Fn(&str) -> bool,
    ) -> Ticket {
        let ticket = self.next_ticket();
        let mut entries = self.lock();
        entries.retain(|entry| is_open(&entry.session));
        // A stream without any name cannot be told apart from others, so it cannot come back.
        if opening.stream.is_some() || opening.call.is_some() {
            entries.push(Entry {
                ticket,
                key,
                account: opening.account.clone(),
                call: opening.call.clone(),
                stream: opening.stream.clone(),
                session: session.to_owned(),
                left: None,
                end_ms: 0,
            });
        }
        ticket
    }

    /// Says that a connection is gone and may come back, and where its sound ended.
    pub(super) fn leave(&self, ticket: Ticket, end_ms: u64) {
        if let Some(entry) = self.lock().iter_mut().find(|entry| entry.ticket == ticket) {
            entry.left = Some(Instant::now());
            entry.end_ms = end_ms.max(entry.end_ms);
        }
    }

    /// Forgets a call.
    pub(super) fn forget(&self, ticket: Ticket) {
        self.lock().retain(|entry| entry.ticket != ticket);
    }

    fn next_ticket(&self) -> Ticket {
        Ticket(self.tickets.fetch_add(1, Ordering::Relaxed))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::encoding::{Encoding, Format};
    use super::super::parameters::Parameters;
    use super::*;

    fn opening(account: &str, call: &str, stream: &str) -> Opening {
        let name = |name: &str| (!name.is_empty()).then(|| name.to_owned());
        Opening {
            stream: name(stream),
            call: name(call),
            account: name(account),
            format: Format { encoding: Encoding::MuLaw, sample_rate_hz: 8_000, channels: 1 },
            parameters: Parameters::default(),
        }
    }

    #[test]
    fn a_call_finds_its_session_again_when_its_stream_is_gone() {
        let calls = Calls::default();
        let ticket = calls.enter(None, &opening("AC", "CA1", "MZ1"), "one", |_| true);
        let next = opening("AC", "CA1", "MZ2");
        // While the first stream lives, a second one of the call is another conversation.
        assert_eq!(calls.find(None, &next), None);
        calls.leave(ticket, 5);
        let found = calls.find(None, &next).unwrap();
        assert_eq!((found.session.as_str(), found.end_ms), ("one", 5));
        // The connection that was replaced has no say any more.
        calls.leave(ticket, 5);
        assert_eq!(calls.find(None, &opening("AC", "CA1", "MZ3")), None);
        calls.forget(found.ticket);
        calls.leave(found.ticket, 5);
        assert_eq!(calls.find(None, &next), None);
    }

    #[test]
    fn the_same_stream_takes_over_from_a_connection_that_is_dead_unnoticed() {
        let calls = Calls::default();
        calls.enter(None, &opening("AC", "CA1", "MZ1"), "one", |_| true);
        assert_eq!(calls.find(None, &opening("AC", "CA1", "MZ1")).unwrap().session, "one");
    }

    #[test]
    fn strangers_find_nothing() {
        let calls = Calls::default();
        let key: Arc<str> = Arc::from("platform");
        let ticket = calls.enter(Some(Arc::clone(&key)), &opening("AC", "CA1", "MZ1"), "one", |_| true);
        calls.leave(ticket, 5);
        assert_eq!(calls.find(None, &opening("AC", "CA1", "MZ1")), None);
        assert_eq!(calls.find(Some(&key), &opening("AC2", "CA1", "MZ1")), None);
        assert_eq!(calls.find(Some(&key), &opening("AC", "", "")), None);
        assert!(calls.find(Some(&key), &opening("AC", "CA1", "MZ1")).is_some());
    }

    #[test]
    fn what_has_ended_is_forgotten() {
        let calls = Calls::default();
        for index in 0..100 {
            let name = format!("session-{index}");
            calls.enter(None, &opening("AC", &name, &name), &name, |session| session == name);
        }
        assert_eq!(calls.lock().len(), 1);
        calls.enter(None, &opening("AC", "", ""), "nameless", |_| false);
        assert!(calls.lock().is_empty());
    }
}
