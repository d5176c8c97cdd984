//! Clips: decoded, cut into windows, read by the voice model, pooled to one answer.
//!
//! A clip is taken for one utterance, as in training: up to the longest window it is read whole, silence at its ends
//! included. A longer one is cut where the server cuts calls. A clip in which the server would hear no speech is read
//! all the same, and the answer says so.

use std::path::Path;

use heartline_models::voice::{SHORTEST_MS, VoicePrediction};

use super::answer::{Abstain, Answer, Finding, Line, VoiceAnswer, VoiceWindow};
use super::ask::{ask_each, fault, no_answer};
use super::pooling::pool;
use super::predictor::on_worker;
use super::{PredictError, Predictor, Row, RowFault};
use crate::app::{HeardWindow, hear_caller, of_voice};
use crate::emotion::Span;
use crate::media::{
    Audio, Clip, MediaLimits, SAMPLE_RATE_HZ, SpeechWindow, WindowConfig, cut_clip, read_audio,
};

/// A clip that was decoded and cut.
pub(crate) struct CutClip {
    pub(crate) duration_ms: u64,
    pub(crate) clip: Clip,
}

impl Predictor {
    pub(super) async fn answer_clips(&self, rows: Vec<Row>) -> Result<Vec<Line>, PredictError> {
        let limits = self.media.clone();
        let mut decoded = on_worker(move || {
            let decode = |row: Row| (row.id, row.content.and_then(|path| decode(Path::new(&path), &limits)));
            rows.into_iter().map(decode).collect::<Vec<_>>()
        })
        .await?;
        let single = take_single(decoded.iter_mut().filter_map(|(_, clip)| clip.as_mut().ok()));
        let ask = |step: Vec<Vec<f32>>| self.engine.analyze_voice(step, Some(Self::deadline()));
        let mut answers = ask_each(&single, self.step_rows, ask).await?.into_iter();
        drop(single);
        let mut lines = Vec::with_capacity(decoded.len());
        for (id, clip) in decoded {
            let answer = match clip {
                Ok(clip) => self.answer_clip(id.clone().unwrap_or_default(), clip, &mut answers).await?,
                Err(fault) => Err(fault),
            };
            lines.push(match answer {
                Ok(answer) => Line::Answer(Box::new(Answer::Voice(answer))),
                Err(fault) => Line::Fault { id, error: fault },
            });
        }
        Ok(lines)
    }

    /// Answers a clip: of one window with the next of the answers, of several by hearing them now.
    async fn answer_clip(
        &self,
        id: String,
        clip: CutClip,
        answers: &mut impl Iterator<Item = Result<VoicePrediction, RowFault>>,
    ) -> Result<Result<VoiceAnswer, RowFault>, PredictError> {
        let CutClip { duration_ms, clip: Clip { windows, has_speech } } = clip;
        let heard = if let [SpeechWindow { start_ms, end_ms, speech_share, .. }] = windows[..] {
            let answer = answers.next().unwrap_or_else(|| Err(no_answer()));
            let span = Span::new(start_ms, end_ms);
            answer.map(|prediction| vec![HeardWindow { span, speech_share, prediction }])
        } else {
            match hear_caller(&self.engine, windows, Some(Self::deadline()).into()).await {
                Ok(heard) => Ok(heard),
                Err(error) => Err(fault(error)?),
            }
        };
        Ok(heard.and_then(|heard| clip_answer(id, duration_ms, has_speech, heard)))
    }
}

/// Decodes and cuts a clip.
fn decode(path: &Path, limits: &MediaLimits) -> Result<CutClip, RowFault> {
    let audio = read_audio(path, limits).map_err(|error| RowFault::of(error.code(), &error))?;
    Ok(cut_whole(audio))
}

/// Cuts a decoded clip.
pub(crate) fn cut_whole(mut audio: Audio) -> CutClip {
    let duration_ms = audio.duration_ms();
    // The model needs this much; of a shorter clip the rest is silence.
    let shortest = (SHORTEST_MS * (SAMPLE_RATE_HZ / 1_000)) as usize;
    if audio.samples.len() < shortest {
        audio.samples.resize(shortest, 0.0);
    }
    CutClip { duration_ms, clip: cut_clip(&audio, &WindowConfig::default()) }
}

/// Takes the samples of clips of one window, which are asked together; those of several windows are callers, each read
/// window after window.
pub(crate) fn take_single<'a>(clips: impl Iterator<Item = &'a mut CutClip>) -> Vec<Vec<f32>> {
    let single = clips.filter_map(|cut| match cut.clip.windows.as_mut_slice() {
        [only] => Some(std::mem::take(&mut only.samples)),
        _ => None,
    });
    single.collect()
}

/// A window's answer and its weight in the pooling.
fn window(heard: HeardWindow) -> (VoiceWindow, f32) {
    let HeardWindow { span, speech_share, prediction } = heard;
    let VoicePrediction { quality, familiarity, doubt, .. } = prediction;
    let labels = prediction.labels.clone();
    let reading = of_voice(prediction, span, speech_share, "");
    let finding = Finding::of(&reading, labels, quality, familiarity, doubt.map(Abstain::doubting));
    (VoiceWindow { start_ms: span.start_ms, end_ms: span.end_ms, speech_share, finding }, reading.quality)
}

fn clip_answer(
    id: String,
    duration_ms: u64,
    has_speech: bool,
    heard: Vec<HeardWindow>,
) -> Result<VoiceAnswer, RowFault> {
    let windows: Vec<_> = heard.into_iter().map(window).collect();
    let no_window = || RowFault::new("media_empty", "the audio is empty".to_owned());
    let finding = pool_clip(&windows, has_speech).ok_or_else(no_window)?;
    let windows = windows.into_iter().map(|(window, _)| window).collect();
    Ok(VoiceAnswer { id, finding, duration_ms, windows })
}

/// What a clip's windows say together; none where there are no windows.
pub(crate) fn clip_finding(heard: Vec<HeardWindow>, has_speech: bool) -> Option<Finding> {
    let windows: Vec<_> = heard.into_iter().map(window).collect();
    pool_clip(&windows, has_speech)
}

fn pool_clip(windows: &[(VoiceWindow, f32)], has_speech: bool) -> Option<Finding> {
    let mut finding = pool(windows)?;
    if !has_speech {
        finding.abstain = Some(Abstain::new("no_speech", "no speech was found in the clip"));
    }
    Some(finding)
}
