//! Asks the engine for many rows, a few at a time, so that a bad row costs only its own answer.

use crate::engine::EngineError;
use heartline_models::ModelError;

use super::{PredictError, RowFault};

/// Asks for rows in steps. A step that fails is asked again row by row.
pub(super) async fn ask_each<T, P, F>(
    rows: &[T],
    step_rows: usize,
    ask: impl Fn(Vec<T>) -> F,
) -> Result<Vec<Result<P, RowFault>>, PredictError>
where
    T: Clone,
    F: Future<Output = Result<Vec<P>, EngineError>>,
{
    let mut answers = Vec::with_capacity(rows.len());
    for step in rows.chunks(step_rows.max(1)) {
        match ask(step.to_vec()).await {
            Ok(found) => answers.extend(found.into_iter().map(Ok)),
            Err(error) if step.len() == 1 => answers.push(Err(fault(error)?)),
            Err(EngineError::Stopped) => return Err(PredictError::Engine(EngineError::Stopped)),
            Err(_) => {
                for row in step {
                    answers.push(match ask(vec![row.clone()]).await {
                        Ok(found) => found.into_iter().next().ok_or_else(no_answer),
                        Err(error) => Err(fault(error)?),
                    });
                }
            }
        }
    }
    Ok(answers)
}

/// What an engine's error says of a row; an engine that has ended says nothing of it.
pub(super) fn fault(error: EngineError) -> Result<RowFault, PredictError> {
    match error {
        EngineError::Stopped => Err(PredictError::Engine(EngineError::Stopped)),
        EngineError::Model(ModelError::Input(_)) => Ok(RowFault::of("model_input", &error)),
        error => Ok(RowFault::of("model_failed", &error)),
    }
}

pub(super) fn no_answer() -> RowFault {
    RowFault::new("model_failed", "the model gave no answer".to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Doubles numbers and refuses every step with a 13 in it.
    async fn asked(rows: &[u32], sizes: &Mutex<Vec<usize>>) -> Vec<Result<u32, &'static str>> {
        let answers = ask_each(rows, 4, |step: Vec<u32>| {
            sizes.lock().unwrap().push(step.len());
            async move {
                if step.contains(&13) {
                    return Err(EngineError::Model(ModelError::Input("thirteen".to_owned())));
                }
                Ok(step.into_iter().map(|row| row * 2).collect())
            }
        });
        answers.await.unwrap().into_iter().map(|answer| answer.map_err(|fault| fault.code)).collect()
    }

    #[tokio::test]
    async fn a_bad_row_costs_only_its_own_answer() {
        let sizes = Mutex::new(Vec::new());
        let answers = asked(&[1, 2, 3, 4, 5, 13, 7], &sizes).await;
        assert_eq!(answers, [Ok(2), Ok(4), Ok(6), Ok(8), Ok(10), Err("model_input"), Ok(14)]);
        assert_eq!(*sizes.lock().unwrap(), [4, 3, 1, 1, 1]);
        assert_eq!(asked(&[13], &sizes).await, [Err("model_input")]);
        assert!(asked(&[], &sizes).await.is_empty());
    }

    #[tokio::test]
    async fn an_engine_that_has_ended_ends_the_run() {
        for rows in [&[1][..], &[1, 2]] {
            let result = ask_each(rows, 4, |_| async { Err::<Vec<u32>, _>(EngineError::Stopped) }).await;
            assert!(matches!(result, Err(PredictError::Engine(EngineError::Stopped))));
        }
    }
}
