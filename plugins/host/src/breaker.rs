//! The circuit breaker: after some failures in a row a matcher is left alone for a while, then it gets one call to show
//! that it is well again. The time is an argument of everything here, so that nothing has to wait for a clock.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// When a matcher is left alone, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BreakerOptions {
    /// How many calls in a row must fail; 0 counts as 1.
    pub failures: u32,
    /// How long the matcher is left alone then, in ms. Each trial call that fails doubles it.
    pub back_off_ms: u64,
    /// The longest that it is left alone, in ms.
    pub max_back_off_ms: u64,
}

impl Default for BreakerOptions {
    fn default() -> Self {
        Self { failures: 3, back_off_ms: 1_000, max_back_off_ms: 300_000 }
    }
}

/// What a breaker lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// All calls: the matcher is well.
    Closed,
    /// No call: the matcher is in quarantine.
    Open,
    /// One call at a time, until one has gone well.
    HalfOpen,
}

/// The right to one call, to be given back with how the call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permit {
    /// A call like any other.
    Normal,
    /// The one call that shows whether the matcher is well again.
    Trial,
}

/// How a call ended, as far as the matcher is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It went well.
    Good,
    /// The matcher failed.
    Bad,
    /// The call says nothing of the matcher: it was never reached, or its caller was wrong.
    Nothing,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Closed { failures: u32 },
    Open { until: Instant, back_off: Duration },
    HalfOpen { is_tried: bool, back_off: Duration },
}

/// A circuit breaker.
#[derive(Debug)]
pub(crate) struct Breaker {
    options: BreakerOptions,
    state: Mutex<State>,
}

impl Breaker {
    pub(crate) fn new(options: BreakerOptions) -> Self {
        Self { options, state: Mutex::new(State::Closed { failures: 0 }) }
    }

    /// Lets a call through, or says for how long none will be; zero while a trial call is under way.
    pub(crate) fn admit(&self, now: Instant) -> Result<Permit, Duration> {
        let mut state = self.lock();
        match *state {
            State::Closed { .. } => Ok(Permit::Normal),
            State::Open { until, .. } if now < until => Err(until - now),
            State::HalfOpen { is_tried: true, .. } => Err(Duration::ZERO),
            State::Open { back_off, .. } | State::HalfOpen { back_off, .. } => {
                *state = State::HalfOpen { is_tried: true, back_off };
                Ok(Permit::Trial)
            }
        }
    }

    /// Takes note of how a call ended; gives whether that sent the matcher into quarantine.
    pub(crate) fn record(&self, permit: Permit, verdict: Verdict, now: Instant) -> bool {
        let mut state = self.lock();
        let next = match (*state, permit, verdict) {
            (State::Closed { .. }, _, Verdict::Good) => State::Closed { failures: 0 },
            (State::Closed { failures }, _, Verdict::Bad) if failures + 1 < self.options.failures => {
                State::Closed { failures: failures + 1 }
            }
            (State::Closed { .. }, _, Verdict::Bad) => self.open(self.options.back_off_ms, now),
            (State::HalfOpen { .. }, Permit::Trial, Verdict::Good) => State::Closed { failures: 0 },
            (State::HalfOpen { back_off, .. }, Permit::Trial, Verdict::Bad) => {
                let doubled = back_off.saturating_mul(2).as_millis();
                self.open(u64::try_from(doubled).unwrap_or(u64::MAX), now)
            }
            (State::HalfOpen { back_off, .. }, Permit::Trial, Verdict::Nothing) => {
                State::HalfOpen { is_tried: false, back_off }
            }
            // Calls that were let through before the breaker opened say nothing new when they end later.
            (unchanged, _, _) => unchanged,
        };
        *state = next;
        matches!((next, verdict), (State::Open { .. }, Verdict::Bad))
    }

    /// Forgets all failures.
    pub(crate) fn reset(&self) {
        *self.lock() = State::Closed { failures: 0 };
    }

    /// What the breaker lets through now, and for how long it will let nothing through.
    pub(crate) fn state(&self, now: Instant) -> (BreakerState, Option<Duration>) {
        match *self.lock() {
            State::Closed { .. } => (BreakerState::Closed, None),
            State::Open { until, .. } if now < until => (BreakerState::Open, Some(until - now)),
            State::Open { .. } | State::HalfOpen { .. } => (BreakerState::HalfOpen, None),
        }
    }

    fn open(&self, back_off_ms: u64, now: Instant) -> State {
        let back_off = Duration::from_millis(back_off_ms.min(self.options.max_back_off_ms));
        // A moment that no clock can name is as good as never.
        let until = now.checked_add(back_off).unwrap_or(now + Duration::from_secs(86_400));
        State::Open { until, back_off }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn breaker() -> (Breaker, Instant) {
        let options = BreakerOptions { failures: 3, back_off_ms: 1_000, max_back_off_ms: 3_000 };
        (Breaker::new(options), Instant::now())
    }

    /// Fails a call that the breaker lets through at this moment.
    fn fail(breaker: &Breaker, now: Instant) -> bool {
        let permit = breaker.admit(now).unwrap();
        breaker.record(permit, Verdict::Bad, now)
    }

    #[test]
    fn only_failures_in_a_row_open_it() {
        let (breaker, now) = breaker();
        for _ in 0..5 {
            assert!(!fail(&breaker, now));
            assert!(!fail(&breaker, now));
            breaker.record(Permit::Normal, Verdict::Good, now);
        }
        assert!(!fail(&breaker, now));
        breaker.record(Permit::Normal, Verdict::Nothing, now);
        assert!(!fail(&breaker, now));
        assert!(fail(&breaker, now));
        assert_eq!(breaker.admit(now), Err(SECOND));
        assert_eq!(breaker.state(now), (BreakerState::Open, Some(SECOND)));
    }

    #[test]
    fn each_failed_trial_doubles_the_back_off_up_to_its_end() {
        let (breaker, mut now) = breaker();
        assert_eq!([0; 3].map(|_| fail(&breaker, now)), [false, false, true]);
        for seconds in [1, 2, 3, 3] {
            assert_eq!(breaker.admit(now), Err(SECOND * seconds));
            now += SECOND * seconds;
            assert_eq!(breaker.state(now).0, BreakerState::HalfOpen);
            assert!(fail(&breaker, now));
        }
    }

    #[test]
    fn one_trial_at_a_time_and_a_good_one_closes_it() {
        let (breaker, mut now) = breaker();
        assert_eq!([0; 3].map(|_| fail(&breaker, now)), [false, false, true]);
        now += SECOND;
        assert_eq!(breaker.admit(now), Ok(Permit::Trial));
        assert_eq!(breaker.admit(now), Err(Duration::ZERO));
        // A trial that never reached the matcher leaves room for the next.
        breaker.record(Permit::Trial, Verdict::Nothing, now);
        assert_eq!(breaker.admit(now), Ok(Permit::Trial));
        // A call from before the quarantine ends well, which is not the trial.
        breaker.record(Permit::Normal, Verdict::Good, now);
        assert_eq!(breaker.admit(now), Err(Duration::ZERO));
        breaker.record(Permit::Trial, Verdict::Good, now);
        assert_eq!(breaker.state(now), (BreakerState::Closed, None));
        (0..2).for_each(|_| assert!(!fail(&breaker, now)));
        assert!(fail(&breaker, now));
        assert_eq!(breaker.admit(now), Err(SECOND), "the back-off starts from the beginning");
    }

    #[test]
    fn a_reset_forgets_everything() {
        let (breaker, now) = breaker();
        assert_eq!([0; 3].map(|_| fail(&breaker, now)), [false, false, true]);
        breaker.reset();
        assert_eq!(breaker.admit(now), Ok(Permit::Normal));
        assert!(!fail(&breaker, now));
    }

    #[test]
    fn a_back_off_beyond_all_clocks_is_no_panic() {
        let options = BreakerOptions { failures: 0, back_off_ms: u64::MAX, max_back_off_ms: u64::MAX };
        let breaker = Breaker::new(options);
        assert!(fail(&breaker, Instant::now()));
    }
}
