//! The highest rate that a server holds.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::{Arrivals, Client, Load, LoadError, Plan, Report, Requests, run};

/// The clients of the first, closed measurement, from which the search starts.
const FIRST_CONCURRENCY: usize = 8;
/// The share of what the closed loop found at which the search starts.
const FIRST_SHARE: f64 = 0.7;
/// By how much a rate that holds is raised while none has failed.
const RISE: f64 = 1.4;
/// By how much a rate that fails is lowered while none has held.
const FALL: f64 = 0.6;
/// The most trials, so that a server whose figures jump does not keep the search going.
const TRIALS_LIMIT: usize = 24;
/// The lowest rate that is tried, in requests a second.
const LOWEST_RATE: f64 = 0.1;

/// What to search for.
#[derive(Debug, Clone)]
pub struct SearchPlan {
    /// The latency that 99 in 100 answers must hold.
    pub bound: Duration,
    /// The least share of good answers.
    pub goodput: f64,
    /// How close to each other the highest rate that holds and the lowest that fails must be, as a share.
    pub precision: f64,
    /// How requests are spread.
    pub arrivals: Arrivals,
    /// The rate to start with; none: it is found in closed loop.
    pub start: Option<f64>,
}

impl SearchPlan {
    /// A search with the usual numbers: a goodput of 99 %, a precision of 5 %, Poisson arrivals.
    #[must_use]
    pub const fn new(bound: Duration) -> Self {
        Self { bound, goodput: 0.99, precision: 0.05, arrivals: Arrivals::Poisson, start: None }
    }
}

/// What a search found.
#[derive(Debug, Clone, Serialize)]
pub struct SearchReport {
    /// The highest rate that held, in requests a second; none where not even the lowest did.
    pub rate: Option<f64>,
    /// Its rows a second.
    pub rows_per_second: Option<f64>,
    /// The bound, in milliseconds.
    pub bound_ms: f64,
    /// Every rate that was tried, in order.
    pub trials: Vec<Trial>,
}

/// One rate that was tried.
#[derive(Debug, Clone, Serialize)]
pub struct Trial {
    /// The rate in requests a second.
    pub rate: f64,
    /// Whether it held.
    pub held: bool,
    /// What was measured.
    pub report: Report,
}

/// Searches. Each rate is one measurement with the times of the plan, whose own load and bound do not count.
///
/// # Errors
/// As [`run`].
pub async fn search(
    client: &Arc<Client>,
    requests: &Arc<Requests>,
    plan: &Plan,
    wanted: &SearchPlan,
    mut tell: impl FnMut(&Trial),
) -> Result<SearchReport, LoadError> {
    let plan = Plan { bound: Some(wanted.bound), ..plan.clone() };
    let start = match wanted.start {
        Some(rate) => rate,
        None => {
            let load = Load::Closed { concurrency: FIRST_CONCURRENCY };
            let report = run(client, requests, &Plan { load, ..plan.clone() }).await?;
            report.requests_per_second * FIRST_SHARE
        }
    };
    let mut bracket = Bracket::new(start, wanted.precision);
    let mut trials = Vec::new();
    while let Some(rate) = bracket.next().filter(|_| trials.len() < TRIALS_LIMIT) {
        let load = Load::Open { rate, arrivals: wanted.arrivals };
        let report = run(client, requests, &Plan { load, ..plan.clone() }).await?;
        let held = report.holds(wanted.bound, wanted.goodput);
        bracket.learn(rate, held);
        let trial = Trial { rate, held, report };
        tell(&trial);
        trials.push(trial);
    }
    let best = trials.iter().filter(|trial| trial.held).max_by(|one, other| one.rate.total_cmp(&other.rate));
    Ok(SearchReport {
        rate: best.map(|trial| trial.rate),
        rows_per_second: best.map(|trial| trial.report.rows_per_second),
        bound_ms: wanted.bound.as_secs_f64() * 1e3,
        trials,
    })
}

/// The rates between which the wanted one lies.
struct Bracket {
    start: f64,
    precision: f64,
    held: Option<f64>,
    failed: Option<f64>,
}

impl Bracket {
    const fn new(start: f64, precision: f64) -> Self {
        Self { start: start.clamp(LOWEST_RATE, Plan::RATE_LIMIT), precision, held: None, failed: None }
    }

    /// The rate to try next; none where the bracket is narrow enough or the bounds of all rates are reached.
    fn next(&self) -> Option<f64> {
        match (self.held, self.failed) {
            (None, None) => Some(self.start),
            (Some(held), None) if held >= Plan::RATE_LIMIT => None,
            (Some(held), None) => Some((held * RISE).min(Plan::RATE_LIMIT)),
            (None, Some(failed)) if failed <= LOWEST_RATE => None,
            (None, Some(failed)) => Some((failed * FALL).max(LOWEST_RATE)),
            (Some(held), Some(failed)) if failed <= held * (1.0 + self.precision) => None,
            (Some(held), Some(failed)) => Some((held * failed).sqrt()),
        }
    }

    fn learn(&mut self, rate: f64, held: bool) {
        if held {
            self.held = Some(self.held.map_or(rate, |known| known.max(rate)));
        } else {
            self.failed = Some(self.failed.map_or(rate, |known| known.min(rate)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Fake, SERVICE_TIME};
    use super::*;

    /// What a bracket finds for a server that holds up to a rate, and in how many steps.
    fn find(start: f64, limit: f64) -> (Option<f64>, usize) {
        let mut bracket = Bracket::new(start, 0.05);
        let mut steps = 0;
        while let Some(rate) = bracket.next() {
            bracket.learn(rate, rate <= limit);
            steps += 1;
            assert!(steps < 100, "the search does not end");
        }
        (bracket.held, steps)
    }

    #[test]
    fn a_bracket_closes_in_from_either_side() {
        for (start, limit) in [(1.0, 700.0), (5_000.0, 700.0), (700.0, 700.0), (0.0, 0.3)] {
            let (found, steps) = find(start, limit);
            let found = found.unwrap();
            assert!(found <= limit && found >= limit / 1.05, "{start} to {limit}: {found}");
            assert!(steps <= 26, "{steps}");
        }
        assert_eq!(find(10.0, 0.0).0, None, "nothing holds");
        assert_eq!(find(10.0, f64::MAX).0, Some(Plan::RATE_LIMIT), "everything holds");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_rate_of_a_server_is_found() {
        let fake = Fake::start().await;
        let client = Arc::new(fake.client(Duration::from_secs(3)).await);
        let requests = Arc::new(Requests::new("/one-at-a-time", &[], vec!["x".into()], 2).unwrap());
        let plan = Plan {
            warm_up: Duration::from_millis(50),
            duration: Duration::from_millis(600),
            timeout: Duration::from_secs(3),
            ..Plan::new(Load::Closed { concurrency: 1 })
        };
        let wanted =
            SearchPlan { arrivals: Arrivals::Constant, precision: 0.3, ..SearchPlan::new(SERVICE_TIME * 6) };
        let mut told = 0;
        let report = search(&client, &requests, &plan, &wanted, |_| told += 1).await.unwrap();
        let (rate, most) = (report.rate.unwrap(), 1.0 / SERVICE_TIME.as_secs_f64());
        assert!(rate > most * 0.4 && rate < most * 1.4, "{rate}: {report:?}");
        assert_eq!(told, report.trials.len());
        assert!(report.trials.iter().any(|trial| !trial.held), "the search went past what holds");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_server_that_only_refuses_holds_no_rate() {
        let fake = Fake::start().await;
        let client = Arc::new(fake.client(Duration::from_secs(1)).await);
        let requests = Arc::new(Requests::new("/refuse", &[], vec!["x".into()], 1).unwrap());
        let plan = Plan {
            warm_up: Duration::ZERO,
            duration: Duration::from_millis(20),
            timeout: Duration::from_secs(1),
            ..Plan::new(Load::Closed { concurrency: 1 })
        };
        let wanted = SearchPlan { start: Some(1_000.0), ..SearchPlan::new(Duration::from_millis(100)) };
        let report = search(&client, &requests, &plan, &wanted, |_| {}).await.unwrap();
        assert!(report.rate.is_none() && report.rows_per_second.is_none());
    }
}
