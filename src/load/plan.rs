//! How often the server is asked, and for how long.

use std::time::Duration;

use serde::Serialize;

use super::{Arrivals, LoadError};

/// How often requests leave.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "mode", rename_all = "snake_case")]
pub enum Load {
    /// So many clients, each of which waits for its answer before it asks again: what a server can do at most.
    Closed {
        /// The clients.
        concurrency: usize,
    },
    /// So many requests a second, whatever becomes of them: what a server does for clients who know nothing of each
    /// other.
    Open {
        /// Requests a second.
        rate: f64,
        /// How they are spread.
        arrivals: Arrivals,
    },
}

/// One measurement.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How often requests leave.
    pub load: Load,
    /// How long the server is asked before anything counts.
    pub warm_up: Duration,
    /// For how long it counts.
    pub duration: Duration,
    /// How long an answer is waited for.
    pub timeout: Duration,
    /// The longest latency of a good answer; none: every answer in time is good.
    pub bound: Option<Duration>,
    /// The most requests under way in open loop; one more is not sent and counts as failed.
    pub max_in_flight: usize,
    /// Where the random numbers of Poisson arrivals begin.
    pub seed: u64,
}

impl Plan {
    /// The most clients of a closed loop, and the most requests under way in open loop.
    pub const CONCURRENCY_LIMIT: usize = 10_000;
    /// The highest rate.
    pub const RATE_LIMIT: f64 = 100_000.0;
    /// The longest measurement, and the longest warm-up.
    pub const DURATION_LIMIT: Duration = Duration::from_secs(24 * 3_600);
    /// The longest wait for an answer.
    pub const TIMEOUT_LIMIT: Duration = Duration::from_secs(600);

    /// A plan with the usual times: a second of warm-up, ten seconds that count, ten seconds for an answer.
    #[must_use]
    pub const fn new(load: Load) -> Self {
        Self {
            load,
            warm_up: Duration::from_secs(1),
            duration: Duration::from_secs(10),
            timeout: Duration::from_secs(10),
            bound: None,
            max_in_flight: 1_000,
            seed: 1,
        }
    }

    /// Checks every number against its bounds.
    ///
    /// # Errors
    /// [`LoadError::Plan`] with the first one that is out of them.
    pub fn check(&self) -> Result<(), LoadError> {
        let fault = |name, bounds| Err(LoadError::Plan { name, bounds });
        match self.load {
            Load::Closed { concurrency } if !(1..=Self::CONCURRENCY_LIMIT).contains(&concurrency) => {
                return fault("the concurrency", "1 to 10000");
            }
            Load::Open { rate, .. } if !(rate > 0.0 && rate <= Self::RATE_LIMIT) => {
                return fault("the rate", "above 0 and not above 100000 requests a second");
            }
            _ => {}
        }
        if self.duration.is_zero() || self.duration > Self::DURATION_LIMIT {
            return fault("the duration", "above 0 and not above a day");
        }
        if self.warm_up > Self::DURATION_LIMIT {
            return fault("the warm-up", "not above a day");
        }
        if self.timeout.is_zero() || self.timeout > Self::TIMEOUT_LIMIT {
            return fault("the timeout", "above 0 and not above 600000 ms");
        }
        if self.bound.is_some_and(|bound| bound.is_zero() || bound > self.timeout) {
            return fault("the latency bound", "above 0 and not above the timeout");
        }
        if !(1..=Self::CONCURRENCY_LIMIT).contains(&self.max_in_flight) {
            return fault("the requests in flight", "1 to 10000");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_bounds() {
        let good = Plan::new(Load::Closed { concurrency: 1 });
        good.check().unwrap();
        let open = |rate| Load::Open { rate, arrivals: Arrivals::Poisson };
        let bad: [(&str, Plan); 9] = [
            ("concurrency", Plan::new(Load::Closed { concurrency: 0 })),
            ("rate", Plan::new(open(0.0))),
            ("rate", Plan::new(open(f64::NAN))),
            ("rate", Plan::new(open(1e9))),
            ("duration", Plan { duration: Duration::ZERO, ..good.clone() }),
            ("warm-up", Plan { warm_up: Duration::MAX, ..good.clone() }),
            ("timeout", Plan { timeout: Duration::from_secs(601), ..good.clone() }),
            ("latency", Plan { bound: Some(Duration::from_secs(11)), ..good.clone() }),
            ("in flight", Plan { max_in_flight: 0, ..good }),
        ];
        for (word, plan) in bad {
            let error = plan.check().unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
