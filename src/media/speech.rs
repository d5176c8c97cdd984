//! Where somebody speaks: voice activity, cut into windows that the voice model can read.

use earshot::Detector;
use serde::{Deserialize, Serialize};

use super::audio::samples_to_ms;
use super::{Audio, SAMPLE_RATE_HZ};

/// How many samples the detector judges at a time: 16 ms.
pub(super) const STEP_SAMPLES: usize = 256;

/// How speech is found and cut.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WindowConfig {
    /// The detector's score, 0 to 1, from which on somebody speaks.
    pub speech_score: f32,
    /// The lower score at which somebody who speaks has stopped; keeps the ends of words.
    pub silence_score: f32,
    /// Sounds shorter than this are clicks and knocks, not speech, in milliseconds.
    pub min_sound_ms: u64,
    /// Pauses up to this length belong to the speech around them, in milliseconds.
    pub max_pause_ms: u64,
    /// What is kept before and after speech, in milliseconds.
    pub padding_ms: u64,
    /// Speech shorter than this is joined with its neighbours where they are near, in milliseconds.
    pub min_window_ms: u64,
    /// The longest window, in milliseconds.
    pub max_window_ms: u64,
    /// The length of the windows that longer speech is cut into, in milliseconds.
    pub window_ms: u64,
    /// The most from the start of one such window to the start of the next, in milliseconds.
    pub hop_ms: u64,
    /// The least speech within a window, in milliseconds; the detector hears speech end up to 50 ms late.
    pub min_speech_ms: u64,
}

impl Default for WindowConfig {
    fn default() -> Self {
        Self {
            speech_score: 0.5,
            silence_score: 0.35,
            min_sound_ms: 96,
            max_pause_ms: 500,
            padding_ms: 100,
            min_window_ms: 3_000,
            max_window_ms: 5_000,
            window_ms: 4_000,
            hop_ms: 2_000,
            min_speech_ms: 400,
        }
    }
}

impl WindowConfig {
    /// What is wrong with this configuration, one sentence a fault, each opening with the field's name.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut check = |is_right: bool, fault: &str| {
            if !is_right {
                faults.push(fault.to_owned());
            }
        };
        check((0.0..=1.0).contains(&self.speech_score), "speech_score must be between 0 and 1");
        check(
            (0.0..=self.speech_score).contains(&self.silence_score),
            "silence_score must be between 0 and speech_score",
        );
        check(
            self.min_window_ms <= self.window_ms && self.window_ms <= self.max_window_ms,
            "window_ms must be between min_window_ms and max_window_ms",
        );
        check(
            self.max_window_ms <= 30_000,
            "max_window_ms must not be above 30000, the most a voice model takes",
        );
        check(self.hop_ms > 0, "hop_ms must not be zero");
        check(
            self.window_ms >= self.hop_ms,
            "hop_ms must not be above window_ms, or speech is lost between windows",
        );
        check(self.min_speech_ms >= 400, "min_speech_ms must be 400 or more, the least a voice model takes");
        faults
    }
}

/// A piece of audio in which somebody speaks.
#[derive(Debug, Clone, PartialEq)]
pub struct SpeechWindow {
    /// Where it starts, in milliseconds of the audio.
    pub start_ms: u64,
    /// Where it ends, in milliseconds of the audio.
    pub end_ms: u64,
    /// The samples at 16 kHz, pauses included.
    pub samples: Vec<f32>,
    /// The share of the window in which somebody speaks, 0 to 1.
    pub speech_share: f32,
}

/// A run of detector steps, the end excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Run {
    pub(super) fn steps(self) -> usize {
        self.end - self.start
    }
}

/// Cuts audio into windows of speech, in order of time. Speech up to the longest window stays whole; longer speech is
/// cut into windows of equal length that overlap, so that every moment of it is in at least one. Silence and noise
/// give no window.
#[must_use]
pub fn speech_windows(audio: &Audio, config: &WindowConfig) -> Vec<SpeechWindow> {
    windows_of(audio, &find_speech(&audio.samples, config), config)
}

/// [`speech_windows`] where it is known already when somebody speaks.
pub(super) fn windows_of(audio: &Audio, spoken: &[bool], config: &WindowConfig) -> Vec<SpeechWindow> {
    let regions = join_regions(&find_regions(spoken, config), config);
    regions
        .into_iter()
        .flat_map(|region| cut(region, config))
        .filter_map(|run| window(audio, run, spoken, config))
        .collect()
}

/// Hears whether somebody speaks, step by step. One for each stream: what it heard before counts.
pub(super) struct Listener {
    detector: Box<Detector>,
    speaks: bool,
    speech_score: f32,
    silence_score: f32,
}

impl Listener {
    pub(super) fn new(config: &WindowConfig) -> Self {
        Self {
            detector: Box::default(),
            speaks: false,
            speech_score: config.speech_score,
            silence_score: config.silence_score,
        }
    }

    /// Whether somebody speaks in the next step.
    pub(super) fn hear(&mut self, step: &[f32; STEP_SAMPLES]) -> bool {
        let score = self.detector.predict_f32(step);
        self.speaks = score >= if self.speaks { self.silence_score } else { self.speech_score };
        self.speaks
    }
}

/// For each step of the audio, whether somebody speaks.
pub(super) fn find_speech(samples: &[f32], config: &WindowConfig) -> Vec<bool> {
    let mut listener = Listener::new(config);
    let mut step = [0.0; STEP_SAMPLES];
    samples
        .chunks(STEP_SAMPLES)
        .map(|chunk| {
            step[..chunk.len()].copy_from_slice(chunk);
            step[chunk.len()..].fill(0.0);
            listener.hear(&step)
        })
        .collect()
}

/// Stretches of speech with their short pauses and some air around them.
pub(super) fn find_regions(spoken: &[bool], config: &WindowConfig) -> Vec<Run> {
    let sounds = runs(spoken).filter(|run| run.steps() >= to_steps(config.min_sound_ms).max(1));
    let padding = to_steps(config.padding_ms);
    let pause = to_steps(config.max_pause_ms);
    let mut regions: Vec<Run> = Vec::new();
    for sound in sounds {
        let padded =
            Run { start: sound.start.saturating_sub(padding), end: (sound.end + padding).min(spoken.len()) };
        match regions.last_mut() {
            Some(last) if padded.start <= last.end + pause.saturating_sub(2 * padding) => {
                last.end = padded.end;
            }
            _ => regions.push(padded),
        }
    }
    regions
}

/// Stretches of sound without any pause.
pub(super) fn runs(spoken: &[bool]) -> impl Iterator<Item = Run> {
    let mut start = 0;
    spoken.chunk_by(|left, right| left == right).filter_map(move |chunk| {
        let run = Run { start, end: start + chunk.len() };
        start = run.end;
        chunk[0].then_some(run)
    })
}

/// Joins regions that are too short alone with what follows, as long as one window can hold both.
fn join_regions(regions: &[Run], config: &WindowConfig) -> Vec<Run> {
    let (shortest, longest) = (to_steps(config.min_window_ms), to_steps(config.max_window_ms));
    let mut joined: Vec<Run> = Vec::new();
    for region in regions {
        match joined.last_mut() {
            Some(last)
                if last.steps().min(region.steps()) < shortest && region.end - last.start <= longest =>
            {
                last.end = region.end;
            }
            _ => joined.push(*region),
        }
    }
    joined
}

/// Cuts a region into windows that cover it evenly.
fn cut(region: Run, config: &WindowConfig) -> Vec<Run> {
    let length = to_steps(config.window_ms).max(1);
    if region.steps() <= to_steps(config.max_window_ms).max(length) {
        return vec![region];
    }
    let slack = region.steps() - length;
    let hops = slack.div_ceil(to_steps(config.hop_ms).max(1));
    (0..=hops)
        .map(|index| region.start + slack * index / hops)
        .map(|start| Run { start, end: start + length })
        .collect()
}

fn window(audio: &Audio, run: Run, spoken: &[bool], config: &WindowConfig) -> Option<SpeechWindow> {
    let speech = spoken[run.start..run.end].iter().filter(|speaks| **speaks).count();
    if speech < to_steps(config.min_speech_ms) {
        return None;
    }
    let start = run.start * STEP_SAMPLES;
    let end = (run.end * STEP_SAMPLES).min(audio.samples.len());
    Some(SpeechWindow {
        start_ms: samples_to_ms(start),
        end_ms: samples_to_ms(end),
        samples: audio.samples[start..end].to_vec(),
        speech_share: speech as f32 / run.steps() as f32,
    })
}

/// A time in whole steps, rounded up. Times beyond any audio are cut, so that sums of them never overflow.
pub(super) fn to_steps(milliseconds: u64) -> usize {
    let samples = milliseconds.min(1 << 32) * u64::from(SAMPLE_RATE_HZ) / 1_000;
    samples.div_ceil(STEP_SAMPLES as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audio(samples: Vec<f32>) -> Audio {
        Audio { samples, source_rate_hz: 16_000, source_channels: 1 }
    }

    /// Activity with speech in the given stretches of steps.
    fn activity(length: usize, speech: &[(usize, usize)]) -> Vec<bool> {
        (0..length).map(|step| speech.iter().any(|(start, end)| (*start..*end).contains(&step))).collect()
    }

    fn regions(spoken: &[bool]) -> Vec<(usize, usize)> {
        let config = WindowConfig::default();
        let regions = join_regions(&find_regions(spoken, &config), &config);
        regions.into_iter().map(|run| (run.start, run.end)).collect()
    }

    #[test]
    fn silence_and_noise_give_no_window() {
        let config = WindowConfig::default();
        assert!(speech_windows(&audio(Vec::new()), &config).is_empty());
        assert!(speech_windows(&audio(vec![0.0; 80_000]), &config).is_empty());
        let mut state = 1_u32;
        let noise = (0..80_000).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32 * 0.1 - 0.05
        });
        assert!(speech_windows(&audio(noise.collect()), &config).is_empty());
    }

    #[test]
    fn clicks_are_not_speech_and_pauses_do_not_split_it() {
        // 3 steps are 48 ms; 25 steps are 400 ms.
        assert_eq!(regions(&activity(200, &[(50, 53)])), []);
        assert_eq!(regions(&activity(400, &[(50, 150), (175, 300)])), [(43, 307)]);
    }

    #[test]
    fn short_answers_are_joined_only_where_they_are_near() {
        assert_eq!(regions(&activity(300, &[(20, 60), (140, 200)])), [(13, 207)]);
        assert_eq!(regions(&activity(900, &[(20, 60), (700, 760)])), [(13, 67), (693, 767)]);
    }

    #[test]
    fn long_speech_is_covered_by_overlapping_windows() {
        let config = WindowConfig::default();
        for steps in [314, 400, 500, 777, 5_000] {
            let windows = cut(Run { start: 10, end: 10 + steps }, &config);
            assert_eq!(windows[0].start, 10);
            assert_eq!(windows[windows.len() - 1].end, 10 + steps);
            for pair in windows.windows(2) {
                let hop = pair[1].start - pair[0].start;
                assert!(hop > 0 && hop <= 125, "a hop of {hop} steps is more than 2 s");
            }
            assert!(windows.iter().all(|window| window.steps() == 250));
        }
        assert_eq!(cut(Run { start: 0, end: 313 }, &config).len(), 1);
    }

    #[test]
    fn too_little_speech_is_left_out() {
        let config = WindowConfig::default();
        let audio = audio(vec![0.1; 100 * STEP_SAMPLES - 56]);
        let run = Run { start: 0, end: 100 };
        assert!(window(&audio, run, &activity(100, &[(10, 34)]), &config).is_none());
        let found = window(&audio, run, &activity(100, &[(10, 35)]), &config).unwrap();
        assert_eq!((found.start_ms, found.end_ms, found.samples.len()), (0, 1_596, 25_544));
        assert_eq!(found.speech_share, 0.25);
    }

    #[test]
    fn a_bad_configuration_is_described() {
        assert_eq!(WindowConfig::default().faults(), Vec::<String>::new());
        let config = WindowConfig { hop_ms: 0, window_ms: 9_000, ..WindowConfig::default() };
        assert_eq!(config.faults().len(), 2);
        // It must not take the process down either.
        let huge = WindowConfig { hop_ms: u64::MAX, padding_ms: u64::MAX, max_pause_ms: u64::MAX, ..config };
        let spoken = activity(100, &[(10, 80)]);
        assert_eq!(find_regions(&spoken, &huge), [Run { start: 0, end: 100 }]);
    }
}
