//! Whom a datagram is for.
//!
//! A connectivity check names the peer that it asks for by its user fragment. All other packets come from an address to
//! which that peer has sent before, which it only does after it has verified such a check. So the price of a stranger's
//! packet is one look into a table, and nobody can make a peer's packets go elsewhere.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Instant;

use tokio::sync::{Notify, mpsc};

use super::{Ending, stun};
use crate::telemetry::record;

/// How many datagrams may wait for one peer: a large key frame and what comes beside it.
const WAITING: usize = 512;
/// The most addresses of one peer, which may move between networks.
const MAX_ADDRESSES: usize = 16;

/// What arrived, and when.
#[derive(Debug)]
pub(super) struct Datagram {
    pub(super) arrival: Instant,
    pub(super) source: SocketAddr,
    pub(super) bytes: Vec<u8>,
}

/// The tables of all peers.
#[derive(Debug, Default)]
pub(super) struct Directory {
    tables: RwLock<Tables>,
}

#[derive(Debug, Default)]
struct Tables {
    peers: HashMap<String, Entry>,
    by_fragment: HashMap<String, Arc<Inbox>>,
    by_address: HashMap<SocketAddr, Arc<Inbox>>,
}

#[derive(Debug)]
struct Entry {
    fragment: String,
    seat: Option<Arc<str>>,
    farewell: Arc<Farewell>,
}

/// Tells a peer to go.
#[derive(Debug, Default)]
pub(super) struct Farewell {
    ending: OnceLock<Ending>,
    word: Notify,
}

impl Farewell {
    fn say(&self, ending: Ending) {
        // The first word counts.
        let _ = self.ending.set(ending);
        self.word.notify_one();
    }

    /// Completes when the peer is to go, with the reason.
    pub(super) async fn heard(&self) -> Ending {
        loop {
            self.word.notified().await;
            if let Some(&ending) = self.ending.get() {
                return ending;
            }
        }
    }
}

#[derive(Debug)]
struct Inbox {
    id: String,
    datagrams: mpsc::Sender<Datagram>,
}

/// A peer's place in the directory, given up when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    directory: Arc<Directory>,
    inbox: Arc<Inbox>,
    /// The addresses that lead here, the latest last.
    addresses: Vec<SocketAddr>,
    pub(super) datagrams: mpsc::Receiver<Datagram>,
    /// Told when the peer is to go.
    pub(super) farewell: Arc<Farewell>,
}

impl Directory {
    /// Enters a peer under its identifier and user fragment. Of several peers with the same seat the latest stays: it is
    /// the same client, most likely, that has come back before the server could know that it was gone.
    pub(super) fn enter(self: &Arc<Self>, id: &str, fragment: &str, seat: Option<Arc<str>>) -> Place {
        let (sender, datagrams) = mpsc::channel(WAITING);
        let inbox = Arc::new(Inbox { id: id.to_owned(), datagrams: sender });
        let farewell = Arc::new(Farewell::default());
        let entry = Entry { fragment: fragment.to_owned(), seat, farewell: Arc::clone(&farewell) };
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        if entry.seat.is_some() {
            let others = tables.peers.values().filter(|other| other.seat == entry.seat);
            others.for_each(|other| other.farewell.say(Ending::Replaced));
        }
        tables.peers.insert(id.to_owned(), entry);
        tables.by_fragment.insert(fragment.to_owned(), Arc::clone(&inbox));
        drop(tables);
        Place { directory: Arc::clone(self), inbox, addresses: Vec::new(), datagrams, farewell }
    }

    /// Gives a peer a seat.
    pub(super) fn seat(&self, id: &str, seat: Arc<str>) {
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = tables.peers.get_mut(id) {
            entry.seat = Some(seat);
        }
    }

    /// A peer's user fragment.
    pub(super) fn fragment(&self, id: &str) -> Option<String> {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        tables.peers.get(id).map(|entry| entry.fragment.clone())
    }

    /// Hands a datagram to the peer that it belongs to. It is copied only where there is one.
    pub(super) fn deliver(&self, bytes: &[u8], source: SocketAddr, arrival: Instant) {
        let outcome = self.addressee(bytes, source).map_or("stranger", |inbox| {
            let datagram = Datagram { arrival, source, bytes: bytes.to_vec() };
            if inbox.datagrams.try_send(datagram).is_ok() { "taken" } else { "full" }
        });
        record::webrtc_datagram(outcome);
    }

    fn addressee(&self, bytes: &[u8], source: SocketAddr) -> Option<Arc<Inbox>> {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        let inbox = if stun::is_stun(bytes) {
            tables.by_fragment.get(stun::asked_fragment(bytes)?)
        } else {
            tables.by_address.get(&source)
        };
        inbox.cloned()
    }

    /// Tells a peer to go; whether there is one.
    pub(super) fn dismiss(&self, id: &str) -> bool {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        let entry = tables.peers.get(id);
        entry.inspect(|entry| entry.farewell.say(Ending::Closed)).is_some()
    }

    /// Tells every peer to go.
    pub(super) fn dismiss_all(&self) {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        tables.peers.values().for_each(|entry| entry.farewell.say(Ending::Closed));
    }

    /// Whether there is such a peer.
    pub(super) fn contains(&self, id: &str) -> bool {
        self.tables.read().unwrap_or_else(PoisonError::into_inner).peers.contains_key(id)
    }
}

impl Place {
    /// Notes that packets from an address belong to this peer, which has verified that.
    pub(super) fn learn(&mut self, address: SocketAddr) {
        if self.addresses.last() == Some(&address) || self.addresses.contains(&address) {
            return;
        }
        let mut tables = self.directory.tables.write().unwrap_or_else(PoisonError::into_inner);
        tables.by_address.insert(address, Arc::clone(&self.inbox));
        self.addresses.push(address);
        if self.addresses.len() > MAX_ADDRESSES {
            let oldest = self.addresses.remove(0);
            tables.forget(oldest, &self.inbox);
        }
    }
}

impl Tables {
    fn forget(&mut self, address: SocketAddr, inbox: &Arc<Inbox>) {
        // Another peer may have the address by now.
        if self.by_address.get(&address).is_some_and(|present| Arc::ptr_eq(present, inbox)) {
            self.by_address.remove(&address);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut tables = self.directory.tables.write().unwrap_or_else(PoisonError::into_inner);
        for address in std::mem::take(&mut self.addresses) {
            tables.forget(address, &self.inbox);
        }
        if let Some(entry) = tables.peers.remove(&self.inbox.id) {
            tables.by_fragment.remove(&entry.fragment);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    /// A binding request for a fragment.
    fn check(fragment: &str) -> Vec<u8> {
        let name = format!("{fragment}:them");
        let mut bytes = vec![0x00, 0x01, 0, 0, 0x21, 0x12, 0xa4, 0x42];
        bytes.extend([7; 12]);
        bytes.extend([0x00, 0x06, 0x00, name.len() as u8]);
        bytes.extend(name.as_bytes());
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn deliver(directory: &Directory, bytes: &[u8], port: u16) {
        directory.deliver(bytes, address(port), Instant::now());
    }

    #[test]
    fn checks_go_by_fragment_and_media_by_address() {
        let directory = Arc::new(Directory::default());
        let (mut one, mut two) = (directory.enter("1", "one", None), directory.enter("2", "two", None));
        deliver(&directory, &check("two"), 7);
        assert_eq!(two.datagrams.try_recv().unwrap().source, address(7));
        deliver(&directory, &[0x80, 1, 2], 7);
        assert!(two.datagrams.try_recv().is_err(), "a check that nobody verified teaches nothing");
        two.learn(address(7));
        deliver(&directory, &[0x80, 1, 2], 7);
        assert_eq!(two.datagrams.try_recv().unwrap().bytes, [0x80, 1, 2]);
        deliver(&directory, &check("three"), 7);
        deliver(&directory, &[], 8);
        assert!(one.datagrams.try_recv().is_err() && two.datagrams.try_recv().is_err());
        one.learn(address(7));
        drop(two);
        deliver(&directory, &[0x80], 7);
        assert!(one.datagrams.try_recv().is_ok(), "an address belongs to the latest who verified it");
    }

    #[test]
    fn a_peer_that_goes_leaves_nothing_behind() {
        let directory = Arc::new(Directory::default());
        let mut place = directory.enter("1", "one", None);
        for port in 0..100 {
            place.learn(address(port));
        }
        assert_eq!(directory.tables.read().unwrap().by_address.len(), MAX_ADDRESSES);
        assert!(directory.contains("1") && directory.dismiss("1"));
        drop(place);
        let tables = directory.tables.read().unwrap();
        assert!(tables.peers.is_empty() && tables.by_fragment.is_empty() && tables.by_address.is_empty());
        drop(tables);
        assert!(!directory.dismiss("1"));
    }

    #[tokio::test]
    async fn a_seat_has_one_peer() {
        let directory = Arc::new(Directory::default());
        let seat = |name: &str| Some(Arc::from(name));
        let first = directory.enter("1", "one", seat("a"));
        let other = directory.enter("2", "two", seat("b"));
        let homeless = directory.enter("3", "three", None);
        let _second = directory.enter("4", "four", seat("a"));
        assert_eq!(first.farewell.heard().await, Ending::Replaced);
        directory.dismiss_all();
        assert_eq!(other.farewell.heard().await, Ending::Closed);
        assert_eq!(homeless.farewell.heard().await, Ending::Closed);
    }

    #[test]
    fn a_flood_is_cut_and_reaches_one_peer_only() {
        let directory = Arc::new(Directory::default());
        let (mut flooded, mut other) = (directory.enter("1", "one", None), directory.enter("2", "two", None));
        for _ in 0..WAITING * 2 {
            deliver(&directory, &check("one"), 7);
        }
        deliver(&directory, &check("two"), 8);
        assert!(other.datagrams.try_recv().is_ok());
        assert_eq!(std::iter::from_fn(|| flooded.datagrams.try_recv().ok()).count(), WAITING);
    }
}
