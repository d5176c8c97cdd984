//! What a device's thread and those around it know of each other: the bell that wakes it, what it computes, and how
//! the device is.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Wakes the device's thread.
#[derive(Debug, Default)]
pub(super) struct Bell {
    rings: Mutex<u64>,
    heard: Condvar,
}

impl Bell {
    pub(super) fn ring(&self) {
        *self.rings.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.heard.notify_all();
    }

    pub(super) fn rings(&self) -> u64 {
        *self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the bell has been rung since `seen` was read, at most for `patience`.
    pub(super) fn wait(&self, seen: u64, patience: Option<Duration>) {
        let rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(patience) = patience {
            drop(self.heard.wait_timeout_while(rings, patience, |rings| *rings == seen));
        } else {
            drop(self.heard.wait_while(rings, |rings| *rings == seen));
        }
    }
}

/// What a device computes at this moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Executing {
    pub(super) model: &'static str,
    pub(super) rows: usize,
    pub(super) since: Instant,
}

#[derive(Debug, Default)]
struct Condition {
    executing: Option<Executing>,
    fault: Option<String>,
    restarts: u64,
    reserved_bytes: Option<u64>,
    is_hopeless: bool,
}

/// A device's post: one thread at a time serves it, each with a number of its own.
#[derive(Debug, Default)]
pub(super) struct Post {
    pub(super) bell: Arc<Bell>,
    /// The number of the thread that serves; a thread with another number has been given up and is to end.
    thread: AtomicU64,
    condition: Mutex<Condition>,
}

impl Post {
    /// A post whose thread is woken by a bell that is there already.
    #[cfg(test)]
    pub(super) fn with_bell(bell: Arc<Bell>) -> Self {
        Self { bell, ..Self::default() }
    }

    /// Appoints a new thread.
    pub(super) fn appoint(&self) -> u64 {
        let mut condition = self.lock();
        condition.executing = None;
        self.thread.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// Whether the thread with this number is still the one that serves.
    pub(super) fn is_appointed(&self, thread: u64) -> bool {
        self.thread.load(Ordering::Acquire) == thread
    }

    /// Notes what the appointed thread computes now.
    pub(super) fn executes(&self, thread: u64, executing: Option<Executing>) {
        let mut condition = self.lock();
        if self.is_appointed(thread) {
            condition.executing = executing;
        }
    }

    pub(super) fn executing(&self) -> Option<Executing> {
        self.lock().executing
    }

    /// Notes why the device cannot compute; its thread is being replaced.
    pub(super) fn fails(&self, fault: String) {
        let mut condition = self.lock();
        condition.fault = Some(fault);
        condition.restarts += 1;
    }

    /// Notes that the device computes again.
    pub(super) fn recovers(&self) {
        let mut condition = self.lock();
        condition.fault = None;
        condition.is_hopeless = false;
    }

    /// Notes that no further thread is likely to help: the program has to be started anew.
    pub(super) fn despairs(&self) {
        self.lock().is_hopeless = true;
    }

    /// Whether only a new start of the program can help.
    pub(super) fn is_hopeless(&self) -> bool {
        self.lock().is_hopeless
    }

    pub(super) fn fault(&self) -> Option<String> {
        self.lock().fault.clone()
    }

    /// Notes what the device has reserved of its own memory.
    pub(super) fn reserves(&self, bytes: Option<u64>) {
        self.lock().reserved_bytes = bytes;
    }

    pub(super) fn reserved_bytes(&self) -> Option<u64> {
        self.lock().reserved_bytes
    }

    /// How often the thread was replaced.
    pub(super) fn restarts(&self) -> u64 {
        self.lock().restarts
    }

    /// A panic cannot happen while the lock is held, so a poisoned condition is as good as any.
    fn lock(&self) -> MutexGuard<'_, Condition> {
        self.condition.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_appointed_thread_is_heard() {
        let post = Post::default();
        let first = post.appoint();
        let executing = Executing { model: "text", rows: 3, since: Instant::now() };
        post.executes(first, Some(executing));
        assert_eq!(post.executing().map(|executing| executing.rows), Some(3));
        let second = post.appoint();
        assert!(post.executing().is_none() && !post.is_appointed(first) && post.is_appointed(second));
        post.executes(first, Some(executing));
        assert!(post.executing().is_none());
    }

    #[test]
    fn faults_come_and_go() {
        let post = Post::default();
        assert_eq!((post.fault(), post.restarts()), (None, 0));
        post.fails("it hangs".to_owned());
        assert_eq!((post.fault().as_deref(), post.restarts()), (Some("it hangs"), 1));
        post.despairs();
        assert!(post.is_hopeless());
        post.recovers();
        assert_eq!((post.fault(), post.restarts(), post.is_hopeless()), (None, 1, false));
    }
}
