//! A limit on lines: so many at once, so many a second, and the rest is counted.

use std::time::{Duration, Instant};

/// A bucket of tokens, one a line.
#[derive(Debug)]
pub(crate) struct Throttle {
    per_second: u32,
    burst: u32,
    tokens: f64,
    filled_at: Instant,
    dropped: u64,
}

impl Throttle {
    pub(crate) fn new(per_second: u32, burst: u32, now: Instant) -> Self {
        Self { per_second, burst, tokens: f64::from(burst), filled_at: now, dropped: 0 }
    }

    /// Whether a line may pass now; gives how many were dropped since the last that could.
    pub(crate) fn admit(&mut self, now: Instant) -> Option<u64> {
        let elapsed = now.saturating_duration_since(self.filled_at).min(Duration::from_secs(3_600));
        self.filled_at = now.max(self.filled_at);
        let filled = self.tokens + elapsed.as_secs_f64() * f64::from(self.per_second);
        self.tokens = filled.min(f64::from(self.burst));
        if self.tokens < 1.0 {
            self.dropped += 1;
            return None;
        }
        self.tokens -= 1.0;
        Some(std::mem::take(&mut self.dropped))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_so_many_a_second() {
        let mut now = Instant::now();
        let mut throttle = Throttle::new(2, 3, now);
        let passed = |throttle: &mut Throttle, now| (0..10).filter(|_| throttle.admit(now).is_some()).count();
        assert_eq!(passed(&mut throttle, now), 3);
        now += Duration::from_secs(1);
        assert_eq!(throttle.admit(now), Some(7), "the dropped are told once");
        assert_eq!(throttle.admit(now), Some(0));
        assert_eq!(throttle.admit(now), None);
        now += Duration::from_secs(60);
        assert_eq!(passed(&mut throttle, now), 3, "a quiet minute does not allow for a longer burst");
    }

    #[test]
    fn nothing_passes_a_throttle_of_nothing() {
        let now = Instant::now();
        assert_eq!(Throttle::new(0, 0, now).admit(now + Duration::from_secs(100)), None);
    }
}
