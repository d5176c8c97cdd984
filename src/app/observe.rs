//! The second step of a call's road: the models read words, voice and faces side by side.

use std::time::{Duration, Instant};

use super::analysis::{Note, NoteCode};
use super::caller::{HeardWindow, hear_caller};
use super::notes::Notes;
use super::{App, AppError, readings};
use crate::emotion::{Modality, Reading, Utterance};
use crate::engine::EngineError;
use crate::media::{Frame, SpeechWindow};

/// Rows that a call puts into a model's queue at once.
const ROWS_PER_STEP: usize = 32;

/// What the models said, or why one could not.
#[derive(Default)]
pub(super) struct Observed {
    /// All readings in the order of media time.
    pub(super) readings: Vec<Reading>,
    /// The time each model took, in the order text, voice, face.
    pub(super) times: [Duration; 3],
}

/// What one modality gave.
struct Heard {
    readings: Vec<Reading>,
    notes: Vec<Note>,
}

impl App {
    /// Asks all models at once. A model that fails leaves its modality missing, as long as another one answered.
    pub(super) async fn observe(
        &self,
        utterances: &[Utterance],
        windows: Vec<SpeechWindow>,
        frames: Vec<Frame>,
        deadline: Instant,
        notes: &mut Notes,
    ) -> Result<Observed, AppError> {
        let (text, voice, face) = tokio::join!(
            timed(self.read_texts(utterances, deadline)),
            timed(self.read_voice(windows, deadline)),
            timed(self.read_faces(frames, deadline)),
        );
        let mut observed = Observed::default();
        let mut failure = None;
        for (modality, (heard, time)) in Modality::ALL.into_iter().zip([text, voice, face]) {
            observed.times[modality.index()] = time;
            match heard {
                Ok(heard) => {
                    observed.readings.extend(heard.readings);
                    notes.extend(heard.notes);
                }
                Err(AppError::Engine(
                    error @ (EngineError::Model(_)
                    | EngineError::Panicked { .. }
                    | EngineError::Lost { .. }
                    | EngineError::NotLoaded { .. }),
                )) => {
                    tracing::error!(%modality, error = %error, "a model failed; its modality is missing");
                    notes.about(
                        modality,
                        NoteCode::ModelFailed,
                        "the model failed, so this modality is missing",
                    );
                    failure = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        if let (true, Some(error)) = (observed.readings.is_empty(), failure) {
            return Err(AppError::Engine(error));
        }
        observed.readings.sort_by_key(|reading| (reading.span.start_ms, reading.modality));
        Ok(observed)
    }

    async fn read_texts(&self, utterances: &[Utterance], deadline: Instant) -> Result<Heard, AppError> {
        if utterances.is_empty() {
            return Ok(Heard::nothing());
        }
        let texts = utterances.iter().map(|utterance| utterance.text.clone()).collect();
        let predictions =
            in_steps(texts, ROWS_PER_STEP, |rows| self.engine().analyze_texts(rows, Some(deadline))).await?;
        let model = self.engine().model_label(Modality::Text.name());
        let cut = predictions.iter().filter(|prediction| prediction.truncated).count();
        let mut heard = Heard::nothing();
        if cut > 0 {
            let message = format!("{cut} utterances were longer than the model reads and were cut");
            heard.note(Modality::Text, NoteCode::TextCut, message);
        }
        let pairs = predictions.into_iter().zip(utterances);
        heard.readings = pairs
            .map(|(prediction, utterance)| readings::of_text(prediction, utterance.span, &model))
            .collect();
        Ok(heard)
    }

    async fn read_voice(&self, windows: Vec<SpeechWindow>, deadline: Instant) -> Result<Heard, AppError> {
        if windows.is_empty() {
            return Ok(Heard::nothing());
        }
        let model = self.engine().model_label(Modality::Voice.name());
        let windows = hear_caller(self.engine(), windows, Some(deadline).into()).await?;
        let reading = |HeardWindow { span, speech_share, prediction }: HeardWindow| {
            readings::of_voice(prediction, span, speech_share, &model)
        };
        Ok(Heard { readings: windows.into_iter().map(reading).collect(), notes: Vec::new() })
    }

    async fn read_faces(&self, frames: Vec<Frame>, deadline: Instant) -> Result<Heard, AppError> {
        if frames.is_empty() {
            return Ok(Heard::nothing());
        }
        let (times, images): (Vec<u64>, Vec<_>) =
            frames.into_iter().map(|frame| (frame.timestamp_ms, frame.image)).unzip();
        let found =
            in_steps(images, ROWS_PER_STEP, |rows| self.engine().analyze_frames(rows, Some(deadline)))
                .await?;
        let model = self.engine().model_label(Modality::Face.name());
        let mut heard = Heard::nothing();
        let (mut faceless, mut crowded) = (0, 0);
        let total = times.len();
        for (at_ms, faces) in times.into_iter().zip(found) {
            crowded += usize::from(faces.len() > 1);
            // Faces come the largest first; the largest is the one who calls, the others stand behind.
            match faces.into_iter().next() {
                Some(seen) => {
                    heard.readings.push(readings::of_face(Some(&seen.face), seen.prediction, at_ms, &model));
                }
                None => faceless += 1,
            }
        }
        if faceless > 0 {
            let message = format!("{faceless} of {total} frames show no face");
            heard.note(Modality::Face, NoteCode::NoFace, message);
        }
        if crowded > 0 {
            let message = format!("{crowded} of {total} frames show several faces; the largest was read");
            heard.note(Modality::Face, NoteCode::SeveralFaces, message);
        }
        Ok(heard)
    }
}

impl Heard {
    const fn nothing() -> Self {
        Self { readings: Vec::new(), notes: Vec::new() }
    }

    fn note(&mut self, modality: Modality, code: NoteCode, message: String) {
        self.notes.push(Note { code, modality: Some(modality), message });
    }
}

/// Asks a model for a few rows at a time, so that one long call leaves room for the others.
pub(crate) async fn in_steps<T, P, F>(
    mut rows: Vec<T>,
    step_rows: usize,
    ask: impl Fn(Vec<T>) -> F,
) -> Result<Vec<P>, EngineError>
where
    F: Future<Output = Result<Vec<P>, EngineError>>,
{
    let mut predictions = Vec::with_capacity(rows.len());
    while !rows.is_empty() {
        let rest = rows.split_off(rows.len().min(step_rows));
        predictions.extend(ask(std::mem::replace(&mut rows, rest)).await?);
    }
    Ok(predictions)
}

async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let started = Instant::now();
    let result = work.await;
    (result, started.elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn steps_keep_the_order_and_the_size() {
        let rows: Vec<usize> = (0..ROWS_PER_STEP * 2 + 3).collect();
        let sizes = std::sync::Mutex::new(Vec::new());
        let answers = in_steps(rows.clone(), ROWS_PER_STEP, |step| {
            sizes.lock().unwrap().push(step.len());
            async move { Ok(step) }
        });
        assert_eq!(answers.await.unwrap(), rows);
        assert_eq!(*sizes.lock().unwrap(), [ROWS_PER_STEP, ROWS_PER_STEP, 3]);
    }

    #[tokio::test]
    async fn the_first_failure_ends_the_steps() {
        let result = in_steps(vec![0; ROWS_PER_STEP * 3], ROWS_PER_STEP, |_| async {
            Err::<Vec<u8>, _>(EngineError::Stopped)
        });
        assert!(matches!(result.await, Err(EngineError::Stopped)));
    }
}
