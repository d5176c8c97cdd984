//! The windows of one caller, read in order of time: each is heard against what the caller sounded like before.

use heartline_models::voice::{CallerBaseline, VoiceClip, VoicePrediction};

use crate::emotion::Span;
use crate::engine::{Engine, EngineError, Terms};
use crate::media::SpeechWindow;

/// Windows that are read at once: each step is heard against the ones before, so few know the caller sooner.
const WINDOWS_PER_STEP: usize = 4;

/// What was heard in a window.
pub(crate) struct HeardWindow {
    /// Where it lies in the call.
    pub(crate) span: Span,
    /// The share of it in which somebody speaks, 0 to 1.
    pub(crate) speech_share: f32,
    /// What the model says.
    pub(crate) prediction: VoicePrediction,
}

/// Reads a caller's windows.
pub(crate) async fn hear_caller(
    engine: &Engine,
    windows: Vec<SpeechWindow>,
    terms: Terms,
) -> Result<Vec<HeardWindow>, EngineError> {
    let mut heard = Vec::with_capacity(windows.len());
    let mut baseline = CallerBaseline::default();
    let mut windows = windows.into_iter().peekable();
    while windows.peek().is_some() {
        let (mut clips, mut places) = (Vec::new(), Vec::new());
        for window in windows.by_ref().take(WINDOWS_PER_STEP) {
            places.push((Span::new(window.start_ms, window.end_ms), window.speech_share));
            clips.push(VoiceClip { samples: window.samples, baseline: baseline.clone() });
        }
        let predictions = engine.analyze_voice(clips, terms).await?;
        for (prediction, (span, speech_share)) in predictions.into_iter().zip(places) {
            baseline.add(&prediction);
            heard.push(HeardWindow { span, speech_share, prediction });
        }
    }
    Ok(heard)
}
