//! Plays many calls side by side, and searches for the most that a server holds.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinSet;

use super::player::play;
use super::report::{CallsReport, CallsSearch, StageShare};
use super::script::Script;
use crate::load::{Client, LoadError, Target};

/// How the most calls are raised while none has failed.
const RISE: f64 = 1.5;
/// The series of the server's metrics that tell a stage's time.
const STAGES: [(&str, &str); 8] = [
    ("decode audio", "heartline_decode_seconds_sum{kind=\"audio\"}"),
    ("decode frames", "heartline_decode_seconds_sum{kind=\"image\"}"),
    ("detect faces", "heartline_compute_seconds_sum{model=\"detector\"}"),
    ("read faces", "heartline_compute_seconds_sum{model=\"face\"}"),
    ("read voice", "heartline_compute_seconds_sum{model=\"voice\"}"),
    ("read text", "heartline_compute_seconds_sum{model=\"text\"}"),
    ("fuse", "heartline_fuse_seconds_sum"),
    ("rank", "heartline_rank_seconds_sum"),
];

/// How calls are played.
#[derive(Debug, Clone, Copy)]
pub struct CallsPlan {
    /// How long each call lasts.
    pub duration: Duration,
    /// What of it does not count: models warm up, and the first window of speech takes its time.
    pub warm_up: Duration,
    /// The longest latency that 95 in 100 readings may have.
    pub bound: Duration,
    /// The most calls that are tried.
    pub max_calls: usize,
}

/// Plays so many calls at the same time. They begin one after the other within two seconds, so that their frames and
/// windows do not all come at once.
///
/// # Errors
/// [`LoadError`] where the server cannot be asked for its metrics. A call that fails is counted.
pub async fn measure(
    target: &Target,
    script: &Arc<Script>,
    plan: &CallsPlan,
    calls: usize,
) -> Result<CallsReport, LoadError> {
    let client = Client::new(target.clone(), Duration::from_secs(10));
    let (before, idle_bytes) = (stages(&client).await?, resident_bytes(&client).await?);
    let started = std::time::Instant::now();
    let mut playing = JoinSet::new();
    let apart = Duration::from_secs(2) / u32::try_from(calls.max(1)).unwrap_or(u32::MAX);
    for call in 0..calls {
        let (target, script, plan) = (target.clone(), Arc::clone(script), *plan);
        playing.spawn(async move {
            tokio::time::sleep(apart * call as u32).await;
            play(&target, &script, plan.duration, plan.warm_up).await
        });
    }
    // The memory is looked at while all calls go on.
    tokio::time::sleep(plan.duration.mul_f64(0.9)).await;
    let busy_bytes = resident_bytes(&client).await?;
    let (mut played, mut failures) = (Vec::new(), Vec::new());
    while let Some(call) = playing.join_next().await {
        match call {
            Ok(Ok(call)) => played.push(call),
            Ok(Err(error)) => failures.push(error.to_string()),
            Err(error) => failures.push(error.to_string()),
        }
    }
    let elapsed_s = started.elapsed().as_secs_f64();
    let after = stages(&client).await?;
    let bound_ms = plan.bound.as_secs_f64() * 1e3;
    let mut report = CallsReport::new(&played, &failures, calls, plan.duration.as_secs_f64(), bound_ms);
    report.stages = STAGES
        .iter()
        .map(|(stage, series)| {
            let at = |all: &HashMap<String, f64>| all.get(*series).copied().unwrap_or(0.0);
            StageShare { stage, busy: (at(&after) - at(&before)) / elapsed_s }
        })
        .collect();
    report.memory_bytes_a_call = idle_bytes
        .zip(busy_bytes)
        .map(|(idle, busy)| busy.saturating_sub(idle) / u64::try_from(calls.max(1)).unwrap_or(1));
    Ok(report)
}

/// The most calls that a server holds: raised until one number fails, then the distance is halved.
///
/// # Errors
/// As [`measure`].
pub async fn search_calls(
    target: &Target,
    script: &Arc<Script>,
    plan: &CallsPlan,
    mut tell: impl FnMut(&CallsReport),
) -> Result<CallsSearch, LoadError> {
    let mut trials = Vec::new();
    let (mut held, mut failed) = (0, plan.max_calls + 1);
    let mut next = 4.min(plan.max_calls);
    while held + 1 < failed {
        let report = measure(target, script, plan, next).await?;
        tell(&report);
        let side = if report.held { &mut held } else { &mut failed };
        *side = next;
        trials.push(report);
        next = match failed > plan.max_calls {
            true => ((next as f64 * RISE).ceil() as usize).min(plan.max_calls).max(held + 1),
            false => held.midpoint(failed),
        };
        if held == plan.max_calls || next <= held {
            break;
        }
    }
    Ok(CallsSearch { calls: (held > 0).then_some(held), trials })
}

/// The server's metrics.
async fn stages(client: &Client) -> Result<HashMap<String, f64>, LoadError> {
    let text = client.get("/metrics").await?;
    let series = text.lines().filter_map(|line| line.rsplit_once(' '));
    Ok(series.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?))).collect())
}

/// The memory that the server holds, where it says so.
async fn resident_bytes(client: &Client) -> Result<Option<u64>, LoadError> {
    let engine: Value = serde_json::from_str(&client.get("/v1/engine").await?).unwrap_or_default();
    Ok(engine["resident_bytes"].as_u64())
}
