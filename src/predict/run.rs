//! Keeps a few chunks of rows in work, and hands their lines out in the order of the input.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use super::{Line, PredictError, Predictor, Row};

/// What a run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Rows of the input.
    pub rows: u64,
    /// Rows that could not be predicted.
    pub errors: u64,
    /// Rows that were predicted, but should not be relied on.
    pub abstentions: u64,
    /// How long it took, loading not counted.
    pub elapsed: Duration,
}

impl Summary {
    /// Rows a second.
    #[must_use]
    pub fn rows_per_second(&self) -> f64 {
        self.rows as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }
}

/// Predicts rows. Only a bounded number of them is in memory at a time, however many there are.
///
/// # Errors
/// What the rows, the predictor or `write` say.
pub async fn predict(
    predictor: &Predictor,
    mut rows: impl Iterator<Item = Result<Row, PredictError>>,
    mut write: impl FnMut(&Line) -> Result<(), PredictError>,
) -> Result<Summary, PredictError> {
    let started = Instant::now();
    let mut summary = Summary { rows: 0, errors: 0, abstentions: 0, elapsed: Duration::ZERO };
    let mut waiting: VecDeque<JoinHandle<Result<Vec<Line>, PredictError>>> = VecDeque::new();
    loop {
        while waiting.len() < predictor.chunks() {
            let chunk = rows.by_ref().take(predictor.chunk_rows()).collect::<Result<Vec<Row>, _>>()?;
            if chunk.is_empty() {
                break;
            }
            let predictor = predictor.clone();
            waiting.push_back(tokio::spawn(async move { predictor.answer(chunk).await }));
        }
        let Some(oldest) = waiting.pop_front() else { break };
        for line in oldest.await.map_err(PredictError::Worker)?? {
            summary.rows += 1;
            summary.errors += u64::from(line.is_fault());
            summary.abstentions += u64::from(line.abstention().is_some());
            write(&line)?;
        }
    }
    summary.elapsed = started.elapsed();
    Ok(summary)
}
