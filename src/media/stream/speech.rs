//! Windows of speech while the call goes on.

use std::collections::VecDeque;

use super::heard::Heard;
use crate::media::audio::samples_to_ms;
use crate::media::speech::{Listener, Run, STEP_SAMPLES, to_steps};
use crate::media::{SAMPLE_RATE_HZ, SpeechWindow, WindowConfig};

/// Samples of a millisecond.
const SAMPLES_PER_MS: u64 = SAMPLE_RATE_HZ as u64 / 1_000;

/// What happens in a stream of speech.
#[derive(Debug, Clone, PartialEq)]
pub enum SpeechEvent {
    /// Somebody began to speak; told as soon as the sound is too long for a click.
    Started {
        /// Where the speech begins, in milliseconds of media time.
        at_ms: u64,
    },
    /// The speech is over: `max_pause_ms` of silence followed, time jumped, or the stream ended.
    Ended {
        /// Where the speech began, in milliseconds of media time; as in `Started`.
        start_ms: u64,
        /// Where the last sound of it ended, in milliseconds of media time.
        end_ms: u64,
    },
    /// Speech to be read. It comes between `Started` and `Ended`, and its times are milliseconds of media time.
    Window(SpeechWindow),
}

/// Finds speech in a stream of 16 kHz samples, with the detector and the numbers of
/// [`speech_windows`](super::super::speech_windows).
///
/// A window comes as soon as there are `window_ms` of running speech, then every `hop_ms`. When the speech ends, a
/// last window takes what no window holds yet: of long speech the last `min_window_ms`; speech that is short altogether
/// comes whole, with what was said shortly before it wherever one window of `max_window_ms` can hold both, even if that
/// was read already. It is never held back to wait for what follows, as a cut of a whole recording can afford to: a
/// short answer is read when it ends. No silence is added to short speech but the padding that every window has.
///
/// So every moment of speech is in at least one window, but for sounds below `min_sound_ms` and for windows with less
/// speech than `min_speech_ms`. The memory is bounded: what a window of `max_window_ms` may need, and the detector.
pub struct SpeechStream {
    config: WindowConfig,
    listener: Listener,
    heard: Heard,
    /// Samples that do not fill a step yet.
    begun: Vec<f32>,
    /// The media time of step 0.
    origin_ms: u64,
    /// Where the sound began that is heard now.
    sound_start: Option<usize>,
    utterance: Option<Utterance>,
    /// Utterances that have ended, as far as a window may reach back.
    earlier: VecDeque<Run>,
}

/// Speech that has not ended yet, in steps.
#[derive(Debug, Clone, Copy)]
struct Utterance {
    /// Where its first window starts: a little before the first sound.
    start: usize,
    first_sound: usize,
    /// The end of the last sound so far.
    last_sound: usize,
    /// What lies before this is in a window, or silent.
    covered: usize,
    /// Where the next window ends.
    next_end: usize,
}

impl SpeechStream {
    /// A stream that begins at time 0.
    #[must_use]
    pub fn new(config: WindowConfig) -> Self {
        let steps = to_steps(config.max_window_ms.max(config.window_ms))
            + to_steps(config.max_pause_ms)
            + to_steps(config.min_sound_ms)
            + 2 * to_steps(config.padding_ms)
            + 2;
        Self {
            config,
            listener: Listener::new(&config),
            heard: Heard::new(steps),
            begun: Vec::with_capacity(STEP_SAMPLES),
            origin_ms: 0,
            sound_start: None,
            utterance: None,
            earlier: VecDeque::new(),
        }
    }

    /// Takes the next samples. Gives what happened in them, in order.
    pub fn push(&mut self, mut samples: &[f32]) -> Vec<SpeechEvent> {
        let mut events = Vec::new();
        while self.begun.len() + samples.len() >= STEP_SAMPLES {
            let (head, tail) = samples.split_at(STEP_SAMPLES - self.begun.len());
            self.begun.extend_from_slice(head);
            samples = tail;
            self.step(&mut events);
        }
        self.begun.extend_from_slice(samples);
        events
    }

    /// Goes on at another media time. A gap of up to `max_pause_ms` is filled with silence, and speech may go on
    /// beyond it; anything else, backwards too, ends what is open and starts anew at that time.
    pub fn skip_to(&mut self, at_ms: u64) -> Vec<SpeechEvent> {
        let now = self.origin_ms.saturating_mul(SAMPLES_PER_MS) + self.samples();
        let then = at_ms.saturating_mul(SAMPLES_PER_MS);
        let longest = self.config.max_pause_ms.saturating_mul(SAMPLES_PER_MS);
        if now.abs_diff(then) < SAMPLES_PER_MS {
            return Vec::new();
        }
        if then > now && then - now <= longest {
            return self.push(&vec![0.0; (then - now) as usize]);
        }
        let events = self.finish();
        self.origin_ms = at_ms;
        events
    }

    /// Ends the stream, and with it what is open. What is pushed after it is a new stream that begins where this one
    /// ended.
    pub fn finish(&mut self) -> Vec<SpeechEvent> {
        let mut events = Vec::new();
        let end_ms = self.position_ms();
        let missing = (STEP_SAMPLES - self.begun.len()) % STEP_SAMPLES;
        if missing > 0 {
            self.begun.resize(STEP_SAMPLES, 0.0);
            self.step(&mut events);
        }
        if let Some(utterance) = self.utterance.take() {
            self.end(&utterance, missing, &mut events);
        }
        self.listener = Listener::new(&self.config);
        self.heard.clear();
        self.sound_start = None;
        self.earlier.clear();
        self.origin_ms = end_ms;
        events
    }

    /// Whether somebody speaks, short pauses included.
    #[must_use]
    pub fn is_speaking(&self) -> bool {
        self.utterance.is_some()
    }

    /// The media time of the next sample, in milliseconds.
    #[must_use]
    pub fn position_ms(&self) -> u64 {
        self.origin_ms.saturating_add(self.samples() / SAMPLES_PER_MS)
    }

    /// How many samples came since the origin.
    fn samples(&self) -> u64 {
        (self.heard.end() * STEP_SAMPLES + self.begun.len()) as u64
    }

    fn step(&mut self, events: &mut Vec<SpeechEvent>) {
        let Some(step) = self.begun.first_chunk::<STEP_SAMPLES>() else { return };
        let is_spoken = self.listener.hear(step);
        self.heard.push(step, is_spoken);
        self.begun.clear();
        self.follow(is_spoken, events);
    }

    /// Follows the speech over the step that was heard last.
    fn follow(&mut self, is_spoken: bool, events: &mut Vec<SpeechEvent>) {
        let now = self.heard.end();
        self.sound_start = is_spoken.then(|| self.sound_start.unwrap_or(now - 1));
        if let Some(start) = self.sound_start
            && now - start >= to_steps(self.config.min_sound_ms).max(1)
        {
            match &mut self.utterance {
                Some(utterance) => utterance.last_sound = now,
                None => self.begin(start, events),
            }
        }
        let Some(mut utterance) = self.utterance else { return };
        // A sound that may still turn out to be a click keeps the speech open until that is known.
        let silent_until = self.sound_start.unwrap_or(now);
        if silent_until.saturating_sub(utterance.last_sound) > to_steps(self.config.max_pause_ms) {
            self.utterance = None;
            return self.end(&utterance, 0, events);
        }
        if now >= utterance.next_end {
            self.cut(&mut utterance, silent_until, events);
            self.utterance = Some(utterance);
        }
    }

    fn begin(&mut self, first_sound: usize, events: &mut Vec<SpeechEvent>) {
        let start = first_sound.saturating_sub(to_steps(self.config.padding_ms)).max(self.heard.first());
        self.utterance = Some(Utterance {
            start,
            first_sound,
            last_sound: self.heard.end(),
            covered: start,
            next_end: start + to_steps(self.config.window_ms).max(1),
        });
        events.push(SpeechEvent::Started { at_ms: self.at_ms(first_sound) });
    }

    /// A window of running speech is due.
    fn cut(&self, utterance: &mut Utterance, silent_until: usize, events: &mut Vec<SpeechEvent>) {
        let hop = to_steps(self.config.hop_ms).max(1);
        if utterance.last_sound > utterance.covered {
            let end = utterance.next_end;
            let start = end.saturating_sub(to_steps(self.config.window_ms).max(1));
            self.give(Run { start, end }, 0, events);
            utterance.covered = end;
        } else {
            // Nothing was said since the last window; another one would only repeat it.
            utterance.covered = silent_until.max(utterance.covered);
        }
        utterance.next_end = utterance.covered + hop;
    }

    /// Speech has ended: a last window takes what is left.
    fn end(&mut self, utterance: &Utterance, missing: usize, events: &mut Vec<SpeechEvent>) {
        let end = (utterance.last_sound + to_steps(self.config.padding_ms)).min(self.heard.end());
        let heard_ms = samples_to_ms(self.heard.end() * STEP_SAMPLES - missing);
        if utterance.last_sound > utterance.covered {
            let shortest = to_steps(self.config.min_window_ms);
            let start = if utterance.covered > utterance.start {
                utterance.covered.min(end.saturating_sub(shortest)).max(utterance.start)
            } else if end - utterance.start < shortest {
                self.reach_back(utterance.start, end)
            } else {
                utterance.start
            };
            self.give(Run { start, end }, missing, events);
        }
        events.push(SpeechEvent::Ended {
            start_ms: self.at_ms(utterance.first_sound),
            end_ms: self.at_ms(utterance.last_sound).min(self.origin_ms.saturating_add(heard_ms)),
        });
        let longest = to_steps(self.config.max_window_ms);
        self.earlier.push_back(Run { start: utterance.start, end });
        while self.earlier.front().is_some_and(|run| run.start + longest < end) {
            self.earlier.pop_front();
        }
    }

    /// Where a window of short speech starts: at the first utterance that fits into it.
    fn reach_back(&self, start: usize, end: usize) -> usize {
        let longest = to_steps(self.config.max_window_ms);
        let fits = |run: &&Run| end - run.start <= longest && run.start >= self.heard.first();
        self.earlier.iter().find(fits).map_or(start, |run| run.start.min(start))
    }

    /// Gives a window, if there is enough speech in it. `missing` samples of the last step were never heard.
    fn give(&self, run: Run, missing: usize, events: &mut Vec<SpeechEvent>) {
        let run = Run { start: run.start.max(self.heard.first()), end: run.end };
        let speech = self.heard.speech_steps(run);
        if speech < to_steps(self.config.min_speech_ms) {
            return;
        }
        let mut samples = self.heard.samples(run);
        if run.end == self.heard.end() {
            samples.truncate(samples.len() - missing);
        }
        events.push(SpeechEvent::Window(SpeechWindow {
            start_ms: self.at_ms(run.start),
            end_ms: self.origin_ms.saturating_add(samples_to_ms(run.start * STEP_SAMPLES + samples.len())),
            samples,
            speech_share: speech as f32 / run.steps().max(1) as f32,
        }));
    }

    /// The media time of a step.
    fn at_ms(&self, step: usize) -> u64 {
        self.origin_ms.saturating_add(samples_to_ms(step * STEP_SAMPLES))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::collection::vec;
    use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

    use super::*;
    use crate::media::speech::{find_regions, find_speech, runs};
    use crate::media::{MediaLimits, read_audio, speech_windows};

    /// 400 ms in steps.
    const LEAST: usize = 25;

    fn windows(events: &[SpeechEvent]) -> Vec<(u64, u64)> {
        let spans = events.iter().filter_map(|event| match event {
            SpeechEvent::Window(window) => Some((window.start_ms, window.end_ms)),
            _ => None,
        });
        spans.collect()
    }

    fn ended(events: &[SpeechEvent]) -> Vec<(u64, u64)> {
        let spans = events.iter().filter_map(|event| match event {
            SpeechEvent::Ended { start_ms, end_ms } => Some((*start_ms, *end_ms)),
            _ => None,
        });
        spans.collect()
    }

    /// Follows made-up activity, then ends the stream.
    fn follow(activity: &[bool]) -> Vec<SpeechEvent> {
        let mut stream = SpeechStream::new(WindowConfig::default());
        let mut events = Vec::new();
        for (index, is_spoken) in activity.iter().enumerate() {
            stream.heard.push(&[(index % 1_000) as f32 / 32_768.0; STEP_SAMPLES], *is_spoken);
            stream.follow(*is_spoken, &mut events);
        }
        events.extend(stream.finish());
        events
    }

    /// Activity from lengths of silence and speech in turn.
    fn activity(lengths: &[usize]) -> Vec<bool> {
        let runs = lengths.iter().enumerate();
        runs.flat_map(|(index, length)| std::iter::repeat_n(index % 2 == 1, *length)).collect()
    }

    /// The steps of every sound that is too long for a click.
    fn sounds(activity: &[bool], config: &WindowConfig) -> impl Iterator<Item = usize> {
        let least = to_steps(config.min_sound_ms).max(1);
        runs(activity).filter(move |run| run.steps() >= least).flat_map(|run| run.start..run.end)
    }

    /// The sample call after half a second of silence, and with three seconds after it.
    fn call() -> Vec<f32> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/call/speech.flac");
        let speech = read_audio(&path, &MediaLimits::default()).unwrap().samples;
        [vec![0.0; 8_000], speech, vec![0.0; 48_000]].concat()
    }

    #[test]
    fn running_speech_is_read_while_it_runs() {
        // Twelve seconds of speech in steps of 16 ms: a window at 4 s, then every 2 s, then the rest.
        let events = follow(&activity(&[20, 750, 100]));
        assert_eq!(events[0], SpeechEvent::Started { at_ms: 320 });
        let expected =
            [(208, 4_208), (2_208, 6_208), (4_208, 8_208), (6_208, 10_208), (8_208, 12_208), (9_424, 12_432)];
        assert_eq!(windows(&events), expected);
        assert_eq!(events.last(), Some(&SpeechEvent::Ended { start_ms: 320, end_ms: 12_320 }));
    }

    #[test]
    fn a_short_answer_takes_its_near_neighbours_along() {
        let events = follow(&activity(&[50, 40, 60, 40, 400, 40, 50]));
        assert_eq!(windows(&events), [(688, 1_552), (688, 3_152), (9_328, 10_192)]);
        assert_eq!(ended(&events), [(800, 1_440), (2_400, 3_040), (9_440, 10_080)]);
    }

    #[test]
    fn clicks_and_sounds_too_short_to_read_give_no_window() {
        assert_eq!(follow(&activity(&[50, 5, 50])), []);
        let events = follow(&activity(&[50, LEAST - 1, 50]));
        assert_eq!((windows(&events), ended(&events)), (vec![], vec![(800, 1_184)]));
        // It is still there when the next short speech comes.
        let events = follow(&activity(&[50, LEAST - 1, 50, 60, 50]));
        assert_eq!(windows(&events), [(688, 3_056)]);
    }

    #[test]
    fn a_pause_makes_no_window_of_what_was_read() {
        // Speech ends just before the window is due, and the pause goes on beyond the next hop.
        let events = follow(&activity(&[20, 240, 200]));
        assert_eq!(windows(&events), [(208, 4_208)]);
    }

    #[test]
    fn the_sample_call_is_heard_as_a_recording_of_it_is() {
        let (samples, config) = (call(), WindowConfig::default());
        let mut stream = SpeechStream::new(config);
        let mut events = Vec::new();
        for piece in samples.chunks(320) {
            for event in stream.push(piece) {
                if let SpeechEvent::Window(window) = &event {
                    let waited_ms = stream.position_ms() - window.end_ms;
                    assert!(waited_ms <= config.max_pause_ms + 40, "{waited_ms} ms");
                    let start = window.start_ms as usize * 16;
                    assert_eq!(window.samples, samples[start..start + window.samples.len()]);
                    assert!(window.speech_share > 0.2);
                }
                events.push(event);
            }
        }
        assert!(!stream.is_speaking());
        events.extend(stream.finish());
        let audio = crate::media::Audio { samples, source_rate_hz: 16_000, source_channels: 1 };
        let streamed = windows(&events);
        for window in speech_windows(&audio, &config) {
            let covered = |at_ms| streamed.iter().any(|(start, end)| (start..=end).contains(&&at_ms));
            assert!((window.start_ms..window.end_ms).step_by(16).all(covered), "{window:?} {streamed:?}");
        }
        let regions = find_regions(&find_speech(&audio.samples, &config), &config);
        assert_eq!(ended(&events).len(), regions.len());
    }

    #[test]
    fn pieces_do_not_matter() {
        let samples = call();
        let run = |length: usize| {
            let mut stream = SpeechStream::new(WindowConfig::default());
            let mut events: Vec<_> = samples.chunks(length).flat_map(|piece| stream.push(piece)).collect();
            events.extend(stream.finish());
            events
        };
        assert_eq!(run(1), run(samples.len()));
        assert_eq!(run(777), run(samples.len()));
    }

    #[test]
    fn time_jumps_end_what_is_open() {
        let samples = &call()[8_000..8_000 + 2 * 16_000];
        let mut stream = SpeechStream::new(WindowConfig::default());
        stream.push(samples);
        assert!(stream.is_speaking());
        assert_eq!(stream.skip_to(2_000), [], "no gap");
        assert_eq!(stream.skip_to(2_400), [], "a gap like a pause");
        assert_eq!((stream.position_ms(), stream.is_speaking()), (2_400, true));
        let events = stream.skip_to(60_000);
        assert_eq!((windows(&events).len(), ended(&events).len()), (1, 1));
        assert_eq!((stream.position_ms(), stream.is_speaking()), (60_000, false));
        stream.push(samples);
        let events = stream.skip_to(5_000);
        assert!(windows(&events)[0].0 >= 60_000 && windows(&events)[0].1 <= 62_000, "{:?}", windows(&events));
        assert_eq!(stream.position_ms(), 5_000);
        assert_eq!(stream.skip_to(u64::MAX), []);
        assert!(stream.push(samples).iter().all(|event| !matches!(event, SpeechEvent::Ended { .. })));
    }

    #[test]
    fn a_stream_that_ends_within_speech_ends_at_its_last_sample() {
        let samples = &call()[8_000..8_000 + 2 * 16_000 + 100];
        let mut stream = SpeechStream::new(WindowConfig::default());
        assert_eq!(windows(&stream.push(samples)), []);
        let events = stream.finish();
        assert_eq!(windows(&events).last().unwrap().1, 2_006);
        assert!(ended(&events)[0].1 <= 2_006);
        assert_eq!((stream.finish(), stream.position_ms()), (Vec::new(), 2_006));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_moment_of_speech_is_in_a_window(
            lengths in vec((0_usize..120, 1_usize..60, 1_usize..8, any::<bool>()), 0..25),
        ) {
            let lengths: Vec<usize> = lengths
                .into_iter()
                .flat_map(|(silence, speech, factor, is_long)| [silence, if is_long { speech * factor } else { speech }])
                .collect();
            let activity = activity(&lengths);
            let config = WindowConfig::default();
            let events = follow(&activity);
            let windows = windows(&events);
            prop_assert!(windows.windows(2).all(|pair| pair[0].1 <= pair[1].1));
            prop_assert!(windows.iter().all(|(start, end)| end - start <= config.max_window_ms + 16));
            let regions = find_regions(&activity, &config);
            prop_assert_eq!(ended(&events).len(), regions.len());
            for region in regions {
                if activity[region.start..region.end].iter().filter(|spoken| **spoken).count() < LEAST {
                    continue;
                }
                for step in sounds(&activity, &config).filter(|step| (region.start..region.end).contains(step)) {
                    let (start, end) = (step as u64 * 16, step as u64 * 16 + 16);
                    let is_covered = windows.iter().any(|window| window.0 <= start && end <= window.1);
                    prop_assert!(is_covered, "{} of {:?} in {:?}", step, region, windows);
                }
            }
        }
    }
}
