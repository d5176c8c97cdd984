//! What was heard last: samples and where somebody spoke, for as long as a window may still need them.

use std::collections::VecDeque;

use crate::media::speech::{Run, STEP_SAMPLES};

/// The last steps of a stream. Samples are kept with sixteen bits each, as nearly all audio comes: half the memory,
/// and nothing is lost where the source has no more.
pub(super) struct Heard {
    samples: VecDeque<i16>,
    spoken: VecDeque<bool>,
    /// The first step that is kept.
    first: usize,
    most_steps: usize,
}

impl Heard {
    pub(super) fn new(most_steps: usize) -> Self {
        Self {
            samples: VecDeque::with_capacity(most_steps * STEP_SAMPLES),
            spoken: VecDeque::with_capacity(most_steps),
            first: 0,
            most_steps,
        }
    }

    /// Takes the next step in; the oldest one makes room.
    pub(super) fn push(&mut self, step: &[f32; STEP_SAMPLES], spoken: bool) {
        if self.spoken.len() >= self.most_steps {
            self.spoken.pop_front();
            self.samples.drain(..STEP_SAMPLES);
            self.first += 1;
        }
        self.samples.extend(step.iter().map(|sample| (sample * 32_768.0).round() as i16));
        self.spoken.push_back(spoken);
    }

    /// Forgets all and counts steps from 0 again.
    pub(super) fn clear(&mut self) {
        self.samples.clear();
        self.spoken.clear();
        self.first = 0;
    }

    /// The first step that is kept.
    pub(super) fn first(&self) -> usize {
        self.first
    }

    /// The step that comes next.
    pub(super) fn end(&self) -> usize {
        self.first + self.spoken.len()
    }

    /// In how many steps of a run somebody spoke.
    pub(super) fn speech_steps(&self, run: Run) -> usize {
        let places = self.place(run.start)..self.place(run.end);
        self.spoken.range(places).filter(|spoken| **spoken).count()
    }

    /// The samples of a run.
    pub(super) fn samples(&self, run: Run) -> Vec<f32> {
        let places = self.place(run.start) * STEP_SAMPLES..self.place(run.end) * STEP_SAMPLES;
        self.samples.range(places).map(|sample| f32::from(*sample) / 32_768.0).collect()
    }

    fn place(&self, step: usize) -> usize {
        step.saturating_sub(self.first).min(self.spoken.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_steps_are_kept_as_they_were() {
        let mut heard = Heard::new(3);
        for index in 0..5_u8 {
            heard.push(&[f32::from(index) / 256.0; STEP_SAMPLES], index % 2 == 0);
        }
        assert_eq!((heard.first(), heard.end()), (2, 5));
        assert_eq!(heard.speech_steps(Run { start: 0, end: 9 }), 2);
        let samples = heard.samples(Run { start: 3, end: 5 });
        assert_eq!(samples.len(), 2 * STEP_SAMPLES);
        assert_eq!((samples[0], samples[STEP_SAMPLES]), (3.0 / 256.0, 4.0 / 256.0));
        heard.clear();
        assert_eq!((heard.first(), heard.end()), (0, 0));
    }

    #[test]
    fn full_scale_stays_within_sixteen_bits() {
        let mut heard = Heard::new(1);
        let mut step = [1.0; STEP_SAMPLES];
        step[1] = -1.0;
        heard.push(&step, true);
        assert_eq!(heard.samples(Run { start: 0, end: 1 })[..2], [32_767.0 / 32_768.0, -1.0]);
    }
}
