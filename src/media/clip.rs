//! A clip of one utterance, as collections of speech have them: cut as little as the voice model allows.

use super::audio::samples_to_ms;
use super::speech::{STEP_SAMPLES, find_speech, windows_of};
use super::{Audio, SAMPLE_RATE_HZ, SpeechWindow, WindowConfig};

/// A clip and what was heard of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Clip {
    /// What is to be read, in order of time; none where there are no samples.
    pub windows: Vec<SpeechWindow>,
    /// Whether [`speech_windows`](super::speech_windows) finds speech in it.
    pub has_speech: bool,
}

/// Cuts a clip. Up to the longest window it stays whole, silence at its ends included, as in training; a longer one
/// is cut as [`speech_windows`](super::speech_windows) does, and where that finds no speech, into equal pieces.
#[must_use]
pub fn cut_clip(audio: &Audio, config: &WindowConfig) -> Clip {
    let spoken = find_speech(&audio.samples, config);
    let speech = windows_of(audio, &spoken, config);
    let has_speech = !speech.is_empty();
    let longest = (config.max_window_ms * u64::from(SAMPLE_RATE_HZ) / 1_000).max(1) as usize;
    let length = audio.samples.len();
    if has_speech && length > longest {
        return Clip { windows: speech, has_speech };
    }
    let count = length.div_ceil(longest).max(1);
    let pieces = audio.samples.chunks(length.div_ceil(count).max(1)).scan(0, |start, samples| {
        let window = piece(*start, samples, &spoken);
        *start += samples.len();
        Some(window)
    });
    Clip { windows: pieces.collect(), has_speech }
}

/// A piece of the clip that begins at a sample.
fn piece(start: usize, samples: &[f32], spoken: &[bool]) -> SpeechWindow {
    let end = start + samples.len();
    let steps = spoken.get(start / STEP_SAMPLES..end.div_ceil(STEP_SAMPLES)).unwrap_or_default();
    let speech = steps.iter().filter(|speaks| **speaks).count();
    SpeechWindow {
        start_ms: samples_to_ms(start),
        end_ms: samples_to_ms(end),
        samples: samples.to_vec(),
        speech_share: speech as f32 / steps.len().max(1) as f32,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MediaLimits, read_audio};
    use super::*;

    fn silence(seconds: f32) -> Audio {
        let samples = vec![0.0; (seconds * SAMPLE_RATE_HZ as f32) as usize];
        Audio { samples, source_rate_hz: SAMPLE_RATE_HZ, source_channels: 1 }
    }

    /// The beginning of the sample call, after a second of silence.
    fn speech(seconds: usize) -> Audio {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/call/speech.flac");
        let mut audio = read_audio(&path, &MediaLimits::default()).unwrap();
        audio.samples.splice(..0, vec![0.0; SAMPLE_RATE_HZ as usize]);
        audio.samples.truncate(seconds * SAMPLE_RATE_HZ as usize);
        audio
    }

    fn spans(clip: &Clip) -> Vec<(u64, u64)> {
        clip.windows.iter().map(|window| (window.start_ms, window.end_ms)).collect()
    }

    #[test]
    fn up_to_the_longest_window_a_clip_stays_whole() {
        let clip = cut_clip(&speech(4), &WindowConfig::default());
        assert_eq!((spans(&clip), clip.has_speech), (vec![(0, 4_000)], true));
        assert_eq!(clip.windows[0].samples, speech(4).samples);
        assert!((0.3..0.8).contains(&clip.windows[0].speech_share), "{}", clip.windows[0].speech_share);
    }

    #[test]
    fn a_longer_clip_is_cut_as_a_call_is() {
        let audio = speech(9);
        let clip = cut_clip(&audio, &WindowConfig::default());
        assert!(clip.has_speech);
        assert_eq!(clip.windows, super::super::speech_windows(&audio, &WindowConfig::default()));
        assert!(clip.windows[0].start_ms > 500);
    }

    #[test]
    fn without_speech_there_is_still_something_to_read() {
        for (seconds, expected) in [
            (0.4, vec![(0, 400)]),
            (5.0, vec![(0, 5_000)]),
            (12.0, vec![(0, 4_000), (4_000, 8_000), (8_000, 12_000)]),
        ] {
            let clip = cut_clip(&silence(seconds), &WindowConfig::default());
            assert_eq!((spans(&clip), clip.has_speech), (expected, false));
            assert!(clip.windows.iter().all(|window| window.speech_share == 0.0));
        }
        assert!(cut_clip(&silence(0.0), &WindowConfig::default()).windows.is_empty());
    }
}
