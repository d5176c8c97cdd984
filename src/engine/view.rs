//! What the engine is doing at this moment, for people who run it.

use serde::Serialize;
use utoipa::ToSchema;

use super::RepositoryEntry;

/// What the engine is doing at this moment.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EngineView {
    /// The devices; each has a thread, queues and a copy of each model of its own.
    pub devices: Vec<DeviceView>,
    /// The memory of the whole program in bytes; none where the operating system does not tell.
    pub resident_bytes: Option<u64>,
    /// What each model has done, on all devices together.
    pub models: Vec<ModelView>,
    /// Every version of every model in the repository.
    pub repository: Vec<RepositoryEntry>,
}

/// What a device is doing at this moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeviceView {
    /// The device: `cpu` or `cuda:N`.
    pub device: String,
    /// Whether it computes; false while its thread is being replaced.
    pub is_healthy: bool,
    /// Why it does not compute.
    pub fault: Option<String>,
    /// How often its thread was replaced.
    pub restarts: u64,
    /// What it had reserved of its own memory, in bytes, when its models were ready; none where it has no memory of
    /// its own.
    pub reserved_bytes: Option<u64>,
    /// What it computes now.
    pub executing: Option<ExecutingView>,
    /// What waits before each model.
    pub queues: Vec<QueueView>,
}

/// What a device computes now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct ExecutingView {
    /// The model.
    pub model: &'static str,
    /// The rows of the batch.
    pub rows: usize,
    /// For how long, in milliseconds.
    pub for_ms: u64,
}

/// What waits before a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct QueueView {
    /// The model.
    pub model: &'static str,
    /// Rows of live requests.
    pub live_rows: usize,
    /// Rows of batch requests.
    pub batch_rows: usize,
    /// The rows that may wait or compute at the same time.
    pub limit_rows: usize,
    /// For how long the first of them has been waiting, in milliseconds.
    pub oldest_ms: u64,
}

/// What a model has done since the program started.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ModelView {
    /// The model.
    pub model: &'static str,
    /// The loaded version; 0 where none is.
    pub version: u32,
    /// Rows computed.
    pub rows: u64,
    /// Executions; rows by executions is the mean batch.
    pub executions: u64,
    /// Mean wait of a row in milliseconds.
    pub mean_queue_ms: f64,
    /// Mean time of an execution in milliseconds.
    pub mean_execution_ms: f64,
    /// Executions by why they began when they did: `rows`, `tokens`, `delay`, `deadline`, `closing`.
    pub cuts: std::collections::BTreeMap<&'static str, u64>,
    /// Executions by the number of their rows.
    pub batches: std::collections::BTreeMap<usize, u64>,
}

impl From<super::ModelStatistics> for ModelView {
    #[expect(clippy::cast_precision_loss, reason = "means need no more than 52 bits")]
    fn from(statistics: super::ModelStatistics) -> Self {
        let mean_ms = |ns: u64, count: u64| ns as f64 / count.max(1) as f64 / 1e6;
        let computed: u64 = statistics.batches.iter().map(|(_, span)| span.ns).sum();
        Self {
            model: statistics.name,
            version: statistics.version,
            rows: statistics.rows,
            executions: statistics.executions,
            mean_queue_ms: mean_ms(statistics.queue.ns, statistics.queue.count),
            mean_execution_ms: mean_ms(computed, statistics.executions),
            cuts: statistics.cuts.into_iter().collect(),
            batches: statistics.batches.into_iter().map(|(rows, span)| (rows, span.count)).collect(),
        }
    }
}

/// The memory of this program in bytes, where the operating system tells.
pub(super) fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{ModelStatistics, Span};

    #[test]
    fn means_are_of_rows_and_of_executions() {
        let statistics = ModelStatistics {
            name: "text",
            version: 2,
            rows: 10,
            executions: 4,
            last_unix_ms: 0,
            success: Span::default(),
            failure: Span::default(),
            queue: Span { count: 10, ns: 5_000_000 },
            compute: Span { count: 10, ns: 0 },
            batches: vec![(1, Span { count: 2, ns: 2_000_000 }), (4, Span { count: 2, ns: 6_000_000 })],
            cuts: vec![("rows", 3), ("delay", 1)],
        };
        let view = ModelView::from(statistics);
        assert!((view.mean_queue_ms - 0.5).abs() < 1e-9 && (view.mean_execution_ms - 2.0).abs() < 1e-9);
        assert_eq!((view.batches[&4], view.cuts["rows"]), (2, 3));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_memory_is_that_of_a_program() {
        let bytes = resident_bytes().unwrap();
        assert!((1 << 20..1 << 40).contains(&bytes), "{bytes}");
    }
}
