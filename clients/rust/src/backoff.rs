//! How long to wait before a lost connection is tried again.

use std::time::Duration;

/// How a lost connection is taken up again: the wait doubles from the first to the longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The wait before the second try; the first comes at once.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
    /// How many tries; 0: the connection is not taken up again.
    pub tries: u32,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(200), longest: Duration::from_secs(5), tries: 12 }
    }
}

impl Backoff {
    /// The wait before a try, counted from 0; none where there are no more.
    #[must_use]
    pub fn wait(&self, index: u32) -> Option<Duration> {
        if index >= self.tries {
            return None;
        }
        let doublings = index.checked_sub(1).map(|doublings| 2_u32.saturating_pow(doublings));
        Some(doublings.map_or(Duration::ZERO, |times| self.first.saturating_mul(times).min(self.longest)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let backoff =
            Backoff { first: Duration::from_millis(100), longest: Duration::from_millis(300), tries: 5 };
        let waits: Vec<_> = (0..7).map(|index| backoff.wait(index).map(|wait| wait.as_millis())).collect();
        assert_eq!(waits, [Some(0), Some(100), Some(200), Some(300), Some(300), None, None]);
        let long = Backoff { tries: u32::MAX, ..Backoff::default() };
        assert_eq!(long.wait(4_000_000_000), Some(long.longest));
    }
}
