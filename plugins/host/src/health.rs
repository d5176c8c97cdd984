//! How a matcher is doing: what its calls came to, counted over all its generations.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

use crate::breaker::Verdict;
use crate::{BreakerState, HostError};

/// How a matcher is doing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MatcherHealth {
    /// Whether the matcher is called at all.
    pub state: BreakerState,
    /// For how long it will not be called, in ms.
    pub retry_in_ms: Option<u64>,
    /// Which of the libraries that were loaded one after the other is in use, from 1.
    pub generation: u64,
    /// `none` or `process`.
    pub isolation: &'static str,
    /// Calls that reached the matcher.
    pub calls: u64,
    /// Calls that did not, because it was busy or in quarantine.
    pub refused: u64,
    /// Calls that failed by the matcher's own word, or for reasons not counted below.
    pub errors: u64,
    /// Calls that took too long.
    pub overruns: u64,
    /// Calls whose answer breaks the contract.
    pub invalid_answers: u64,
    /// Calls in which the matcher panicked.
    pub panics: u64,
    /// Calls in which the matcher's process ended.
    pub crashes: u64,
    /// How often the matcher was made anew after it had ended.
    pub restarts: u64,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// The mean time of a call as its caller sees it, in microseconds.
    pub latency_mean_us: u64,
    /// The longest time of a call as its caller sees it, in microseconds.
    pub latency_max_us: u64,
}

impl MatcherHealth {
    /// Whether the matcher is left alone, or called only to see whether it is well again.
    #[must_use]
    pub fn is_quarantined(&self) -> bool {
        self.state != BreakerState::Closed
    }
}

#[derive(Debug, Default)]
struct Numbers {
    calls: u64,
    refused: u64,
    errors: u64,
    overruns: u64,
    invalid_answers: u64,
    panics: u64,
    crashes: u64,
    restarts: u64,
    last_error: Option<String>,
    latency_sum: Duration,
    latency_max: Duration,
}

/// Counts what the calls of a matcher come to.
#[derive(Debug, Default)]
pub(crate) struct Counters(Mutex<Numbers>);

impl Counters {
    /// Takes note of a call that was let through, and says what it means for the breaker.
    pub(crate) fn note<T>(&self, result: &Result<T, HostError>, elapsed: Duration) -> Verdict {
        let mut numbers = self.lock();
        if matches!(result, Err(HostError::Busy { .. })) {
            numbers.refused += 1;
            return Verdict::Nothing;
        }
        numbers.calls += 1;
        numbers.latency_sum += elapsed;
        numbers.latency_max = numbers.latency_max.max(elapsed);
        match result {
            Ok(_) => Verdict::Good,
            Err(error) => numbers.fail(error),
        }
    }

    /// Takes note of a call that was not let through.
    pub(crate) fn refuse(&self) {
        self.lock().refused += 1;
    }

    /// Takes note of a failure outside all calls.
    pub(crate) fn fail(&self, error: &HostError) -> Verdict {
        self.lock().fail(error)
    }

    /// Takes note of a matcher that was made anew.
    pub(crate) fn restart(&self) {
        self.lock().restarts += 1;
    }

    /// The numbers, with what others know.
    pub(crate) fn health(
        &self,
        (state, retry_in): (BreakerState, Option<Duration>),
        generation: u64,
        isolation: &'static str,
    ) -> MatcherHealth {
        let numbers = self.lock();
        let whole = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        MatcherHealth {
            state,
            // Rounded up: whoever waits so long must not come too early.
            retry_in_ms: retry_in.map(|time| whole(time).div_ceil(1_000)),
            generation,
            isolation,
            calls: numbers.calls,
            refused: numbers.refused,
            errors: numbers.errors,
            overruns: numbers.overruns,
            invalid_answers: numbers.invalid_answers,
            panics: numbers.panics,
            crashes: numbers.crashes,
            restarts: numbers.restarts,
            last_error: numbers.last_error.clone(),
            latency_mean_us: whole(numbers.latency_sum).checked_div(numbers.calls).unwrap_or(0),
            latency_max_us: whole(numbers.latency_max),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Numbers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Numbers {
    fn fail(&mut self, error: &HostError) -> Verdict {
        if !error.is_matcher_fault() {
            return Verdict::Nothing;
        }
        *match error {
            HostError::Overrun { .. } | HostError::OutOfTime { .. } => &mut self.overruns,
            HostError::InvalidAnswer { .. } => &mut self.invalid_answers,
            HostError::Panicked { .. } => &mut self.panics,
            HostError::Crashed { .. } => &mut self.crashes,
            _ => &mut self.errors,
        } += 1;
        self.last_error = Some(with_causes(error));
        Verdict::Bad
    }
}

/// An error with all that led to it.
fn with_causes(error: &HostError) -> String {
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AnswerFault;

    fn health(counters: &Counters) -> MatcherHealth {
        counters.health((BreakerState::Closed, Some(Duration::from_micros(1))), 1, "none")
    }

    #[test]
    fn each_failure_has_its_own_number_and_the_callers_faults_none() {
        let counters = Counters::default();
        let id = || "x".to_owned();
        let fault = AnswerFault::WrongLength { expected: 1, found: 2 };
        let millisecond = Duration::from_millis(1);
        for error in [
            HostError::Overrun { id: id(), limit: millisecond },
            HostError::InvalidAnswer { id: id(), fault },
            HostError::Panicked { id: id(), reason: String::new() },
            HostError::Crashed { id: id(), reason: String::new() },
            HostError::Score { id: id(), status: 1, reason: "why".to_owned() },
        ] {
            assert_eq!(counters.note::<()>(&Err(error), millisecond), Verdict::Bad);
        }
        let callers = HostError::TooManyCandidates { limit: 1, found: 2 };
        assert_eq!(counters.note::<()>(&Err(callers), millisecond), Verdict::Nothing);
        assert_eq!(counters.note::<()>(&Err(HostError::Busy { id: id() }), millisecond), Verdict::Nothing);
        assert_eq!(counters.note(&Ok(()), Duration::from_millis(8)), Verdict::Good);
        let health = health(&counters);
        assert_eq!((health.calls, health.refused), (7, 1));
        assert_eq!((health.overruns, health.invalid_answers, health.panics), (1, 1, 1));
        assert_eq!((health.crashes, health.errors), (1, 1));
        assert_eq!((health.latency_mean_us, health.latency_max_us), (2_000, 8_000));
        assert!(health.last_error.unwrap().ends_with("why"));
        assert_eq!(health.retry_in_ms, Some(1), "rounded up");
    }

    #[test]
    fn the_last_error_has_its_causes() {
        let counters = Counters::default();
        let fault = AnswerFault::WrongLength { expected: 1, found: 2 };
        counters.fail(&HostError::InvalidAnswer { id: "x".to_owned(), fault });
        let words = health(&counters).last_error.unwrap();
        assert!(words.contains("2 rows for 1"), "{words}");
        assert_eq!(health(&Counters::default()).latency_mean_us, 0);
    }
}
