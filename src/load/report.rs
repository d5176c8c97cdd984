//! What one measurement found.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::tally::Tally;
use super::{Load, Plan, Requests, Target};

/// A generator that lags more than this, in milliseconds, measures itself, where no bound says what matters.
const LAG_LIMIT_MS: f64 = 10.0;
/// The share of the latency bound that the generator's own lag may take.
const LAG_SHARE: f64 = 0.1;

/// What one measurement found. Counts are of the requests that were due while it counted.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The server.
    pub url: String,
    /// The path that was asked.
    pub path: String,
    /// The rows of each request.
    pub rows_per_request: usize,
    /// How often requests left.
    #[serde(flatten)]
    pub load: Load,
    /// How long the server was asked before, in seconds.
    pub warm_up_s: f64,
    /// For how long it counted, in seconds.
    pub duration_s: f64,
    /// The longest latency of a good answer, in milliseconds.
    pub bound_ms: Option<f64>,
    /// Requests that were due, sent or not.
    pub due: u64,
    /// Requests that were sent.
    pub sent: u64,
    /// Answers by status.
    pub answers: BTreeMap<u16, u64>,
    /// Everything but successful answers.
    pub failed: u64,
    /// Of these, those without an answer, by what happened.
    pub unanswered: Unanswered,
    /// The first failed answer, as far as it fits in a line.
    pub example_failure: Option<String>,
    /// Successful answers within the bound.
    pub good: u64,
    /// The share of good answers among all requests that were due.
    pub goodput: f64,
    /// Good answers a second.
    pub good_per_second: f64,
    /// Successful answers a second that came while it counted.
    pub requests_per_second: f64,
    /// Their rows a second.
    pub rows_per_second: f64,
    /// The latency of successful answers, in milliseconds; none where there was none.
    pub latency_ms: Option<Latency>,
    /// How much later than planned requests left, in milliseconds.
    pub lag_ms: Lag,
    /// Whether the generator itself could not keep up, so that the figures say little of the server.
    pub is_generator_saturated: bool,
}

/// Requests without an answer.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Unanswered {
    /// No connection could be had.
    pub unconnected: u64,
    /// The connection broke.
    pub broken: u64,
    /// The answer did not come in time.
    pub late: u64,
    /// As many as may be were under way already.
    pub unsent: u64,
}

/// Latencies in milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Latency {
    /// The mean.
    pub mean: f64,
    /// The median.
    pub p50: f64,
    /// Nine in ten are not above it.
    pub p90: f64,
    /// 95 in 100 are not above it.
    pub p95: f64,
    /// 99 in 100 are not above it.
    pub p99: f64,
    /// 999 in 1000 are not above it.
    pub p99_9: f64,
    /// The longest one.
    pub max: f64,
}

impl Latency {
    /// The latencies of some events; none where there are none. The list is put in order.
    pub(super) fn of(latencies_ms: &mut [f64]) -> Option<Self> {
        latencies_ms.sort_by(f64::total_cmp);
        let last = latencies_ms.len().checked_sub(1)?;
        let at = |quantile: f64| latencies_ms[((last as f64) * quantile).ceil() as usize];
        Some(Self {
            mean: latencies_ms.iter().sum::<f64>() / latencies_ms.len() as f64,
            p50: at(0.5),
            p90: at(0.9),
            p95: at(0.95),
            p99: at(0.99),
            p99_9: at(0.999),
            max: latencies_ms[last],
        })
    }
}

/// How late the generator was, in milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Lag {
    /// The median.
    pub p50: f64,
    /// 99 in 100 are not above it.
    pub p99: f64,
    /// The longest one.
    pub max: f64,
}

impl Report {
    #[expect(clippy::cast_precision_loss, reason = "nobody counts 2^52 requests")]
    pub(super) fn new(tally: &Tally, plan: &Plan, requests: &Requests, target: &Target) -> Self {
        let seconds = plan.duration.as_secs_f64();
        let bound_ms = plan.bound.map(in_ms);
        let lag_ms = tally.lag();
        let lag_limit_ms = bound_ms.map_or(LAG_LIMIT_MS, |bound| bound * LAG_SHARE);
        let requests_per_second = tally.completed as f64 / seconds;
        Self {
            url: target.url.clone(),
            path: requests.path().to_owned(),
            rows_per_request: requests.rows(),
            load: plan.load,
            warm_up_s: plan.warm_up.as_secs_f64(),
            duration_s: seconds,
            bound_ms,
            due: tally.due,
            sent: tally.due - tally.unsent,
            answers: tally.answers.clone(),
            failed: tally.due - tally.succeeded(),
            unanswered: Unanswered {
                unconnected: tally.unconnected,
                broken: tally.broken,
                late: tally.late,
                unsent: tally.unsent,
            },
            example_failure: tally.example.clone(),
            good: tally.good,
            goodput: if tally.due == 0 { 0.0 } else { tally.good as f64 / tally.due as f64 },
            good_per_second: tally.good as f64 / seconds,
            requests_per_second,
            rows_per_second: requests_per_second * requests.rows() as f64,
            latency_ms: tally.latency(),
            lag_ms,
            is_generator_saturated: tally.unsent > 0 || lag_ms.p99 > lag_limit_ms,
        }
    }

    /// Whether the server held a bound: at least this share of all requests was answered well within it, and so were
    /// 99 in 100 of the successful answers.
    #[must_use]
    pub fn holds(&self, bound: Duration, goodput: f64) -> bool {
        let p99 = self.latency_ms.is_some_and(|latency| latency.p99 <= in_ms(bound));
        p99 && self.goodput >= goodput
    }
}

fn in_ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
