//! One measurement: clients that ask, and the counts of what they were told.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::arrivals::Schedule;
use super::client::Outcome;
use super::tally::{Shot, Tally};
use super::{Arrivals, Client, Load, LoadError, Plan, Report, Requests};

/// How long a client that waits for answers rests where no server is there: otherwise it would only count refusals.
const UNCONNECTED_REST: Duration = Duration::from_millis(10);

/// What all clients of a measurement share.
struct Range {
    client: Arc<Client>,
    requests: Arc<Requests>,
    tally: Mutex<Tally>,
    number: AtomicU64,
    end: Instant,
}

impl Range {
    async fn shoot(&self, due: Instant) -> Outcome {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let request = self.requests.one(number, self.client.target());
        let begun = Instant::now();
        let outcome = self.client.send(request).await;
        self.add(Shot { due, begun, ended: Instant::now(), outcome: Some(outcome.clone()) });
        outcome
    }

    fn add(&self, shot: Shot) {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner).add(shot);
    }
}

/// Asks a server as planned and reports. It returns when the last answer has come or was given up.
///
/// # Errors
/// [`LoadError::Plan`] where a number of the plan is out of bounds, or [`LoadError::Broken`].
pub async fn run(client: &Arc<Client>, requests: &Arc<Requests>, plan: &Plan) -> Result<Report, LoadError> {
    plan.check()?;
    let start = Instant::now();
    let counted = start + plan.warm_up;
    let end = counted + plan.duration;
    let range = Arc::new(Range {
        client: Arc::clone(client),
        requests: Arc::clone(requests),
        tally: Mutex::new(Tally::new(counted..end, plan.bound)?),
        number: AtomicU64::new(0),
        end,
    });
    match plan.load {
        Load::Closed { concurrency } => closed(&range, concurrency).await?,
        Load::Open { rate, arrivals } => open(&range, plan, rate, arrivals, start).await?,
    }
    let tally = range.tally.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(Report::new(&tally, plan, requests, client.target()))
}

/// Clients that wait for their answers.
async fn closed(range: &Arc<Range>, concurrency: usize) -> Result<(), LoadError> {
    let mut clients = JoinSet::new();
    for _ in 0..concurrency {
        let range = Arc::clone(range);
        clients.spawn(async move {
            loop {
                let now = Instant::now();
                if now >= range.end {
                    break;
                }
                if range.shoot(now).await == Outcome::Unconnected {
                    tokio::time::sleep(UNCONNECTED_REST).await;
                }
            }
        });
    }
    finish(clients).await
}

/// Requests that leave when they are due, whatever becomes of those before.
async fn open(
    range: &Arc<Range>,
    plan: &Plan,
    rate: f64,
    arrivals: Arrivals,
    start: Instant,
) -> Result<(), LoadError> {
    let places = Arc::new(Semaphore::new(plan.max_in_flight));
    let mut shots = JoinSet::new();
    for due in Schedule::new(arrivals, rate, plan.seed).map(|offset: Duration| start + offset) {
        if due >= range.end {
            break;
        }
        if due > Instant::now() {
            tokio::time::sleep_until(due.into()).await;
        }
        match Arc::clone(&places).try_acquire_owned() {
            Ok(place) => {
                let range = Arc::clone(range);
                shots.spawn(async move {
                    range.shoot(due).await;
                    drop(place);
                });
            }
            Err(_) => range.add(Shot { due, begun: due, ended: due, outcome: None }),
        }
        while let Some(finished) = shots.try_join_next() {
            finished.map_err(LoadError::Broken)?;
        }
    }
    finish(shots).await
}

async fn finish(mut tasks: JoinSet<()>) -> Result<(), LoadError> {
    while let Some(finished) = tasks.join_next().await {
        finished.map_err(LoadError::Broken)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Fake, SERVICE_TIME};
    use super::*;

    async fn measure(path: &str, plan: Plan) -> Report {
        let fake = Fake::start().await;
        let client = Arc::new(fake.client(plan.timeout).await);
        let requests = Arc::new(Requests::new(path, &[], vec!["x".into()], 3).unwrap());
        run(&client, &requests, &plan).await.unwrap()
    }

    fn plan(load: Load) -> Plan {
        let (warm_up, duration) = (Duration::from_millis(200), Duration::from_secs(1));
        Plan { warm_up, duration, timeout: Duration::from_secs(5), ..Plan::new(load) }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_closed_loop_finds_what_the_server_does_at_most() {
        // One at a time, of which each takes the service time: more clients only wait longer.
        let report = measure("/one-at-a-time", plan(Load::Closed { concurrency: 4 })).await;
        let most = 1.0 / SERVICE_TIME.as_secs_f64();
        assert!(report.requests_per_second <= most * 1.02, "{report:?}");
        assert!(report.requests_per_second >= most * 0.6, "{report:?}");
        assert!((report.rows_per_second - 3.0 * report.requests_per_second).abs() < 1e-9);
        let latency = report.latency_ms.unwrap();
        assert!(latency.p50 >= 3.5 * SERVICE_TIME.as_secs_f64() * 1e3, "{latency:?}");
        assert_eq!((report.failed, report.unanswered.late), (0, 0));
        assert!((report.goodput - 1.0).abs() < 1e-9);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_open_loop_makes_a_stalling_server_pay_for_all_who_came_meanwhile() {
        // The server does 50 a second and is asked 150 times: those asked last wait for all before them.
        let load = Load::Open { rate: 150.0, arrivals: Arrivals::Constant };
        let report = measure("/one-at-a-time", Plan { bound: Some(SERVICE_TIME * 5), ..plan(load) }).await;
        assert_eq!(report.due, 150);
        let latency = report.latency_ms.unwrap();
        assert!(latency.max > 1_000.0, "{latency:?}");
        assert!(report.goodput < 0.3 && !report.holds(SERVICE_TIME * 5, 0.5), "{report:?}");
        assert!(report.requests_per_second < 55.0, "{report:?}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_rate_that_the_server_holds_is_held() {
        let load = Load::Open { rate: 20.0, arrivals: Arrivals::Constant };
        let report = measure("/ok", Plan { bound: Some(Duration::from_millis(500)), ..plan(load) }).await;
        assert_eq!((report.due, report.sent, report.failed), (20, 20, 0));
        assert!(report.holds(Duration::from_millis(500), 0.99), "{report:?}");
        assert!((report.good_per_second - 20.0).abs() < 1e-9);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn refusals_are_failures_with_an_example() {
        let report = measure("/refuse", plan(Load::Closed { concurrency: 1 })).await;
        assert_eq!(report.answers[&429], report.due);
        assert_eq!((report.failed, report.good), (report.due, 0));
        assert_eq!(report.example_failure.as_deref(), Some("429: full"));
        assert!(report.latency_ms.is_none() && !report.holds(Duration::from_secs(1), 0.0));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_full_generator_says_so() {
        let load = Load::Open { rate: 100.0, arrivals: Arrivals::Poisson };
        let timeout = Duration::from_millis(300);
        let report = measure("/never", Plan { timeout, max_in_flight: 2, ..plan(load) }).await;
        assert!(report.is_generator_saturated && report.unanswered.unsent > 0, "{report:?}");
        assert_eq!(report.sent + report.unanswered.unsent, report.due);
        assert_eq!(report.unanswered.late, report.sent);
    }
}
