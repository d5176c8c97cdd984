//! To 16 kHz, the rate of the voice model, in one pass and with exact bookkeeping of lengths.

use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{Fft, FixedSync, Resampler as _, WindowFunction};

use super::{MediaError, SAMPLE_RATE_HZ};

/// The block that is transformed at a time, in samples of the lower of the two rates: long enough for a steep filter
/// (about 0.93 of the lower half rate), short enough to stay in the cache and to keep nobody waiting (a block of live
/// telephony at 8 kHz lasts 85 ms).
const BLOCK_SAMPLES: usize = 683;

/// Resamples one channel as it comes. N source samples give exactly ceil(N * 16000 / rate) samples, and sample 0 of
/// the result is the moment of sample 0 of the source: the filter's delay is cut off, its tail is flushed.
pub(super) struct Resampler {
    source_rate_hz: u32,
    taken: u64,
    made: Vec<f32>,
    /// How many samples were handed over already.
    given: u64,
    /// None where the source has the right rate already.
    filter: Option<Filter>,
}

struct Filter {
    fft: Fft<f32>,
    /// Source samples that do not fill a block yet.
    pending: Vec<f32>,
    block: Vec<f32>,
    /// How many samples of delay are still to be cut off.
    delay: usize,
}

impl Resampler {
    /// A resampler for a source of this rate, in Hz, which must not be zero.
    pub(super) fn new(source_rate_hz: u32) -> Result<Self, MediaError> {
        let filter = if source_rate_hz == SAMPLE_RATE_HZ { None } else { Some(Filter::new(source_rate_hz)?) };
        Ok(Self { source_rate_hz, taken: 0, made: Vec::new(), given: 0, filter })
    }

    /// Takes samples.
    pub(super) fn push(&mut self, samples: &[f32]) -> Result<(), MediaError> {
        self.taken += samples.len() as u64;
        match &mut self.filter {
            None => self.made.extend_from_slice(samples),
            Some(filter) => filter.push(samples, &mut self.made)?,
        }
        Ok(())
    }

    /// Moves what is made so far to the end of `out`.
    pub(super) fn take(&mut self, out: &mut Vec<f32>) {
        self.limit();
        self.given += self.made.len() as u64;
        out.append(&mut self.made);
    }

    /// Ends the stream: moves all that is still to come to the end of `out` and starts anew.
    pub(super) fn flush(&mut self, out: &mut Vec<f32>) -> Result<(), MediaError> {
        self.complete()?;
        self.take(out);
        (self.taken, self.given) = (0, 0);
        if let Some(filter) = &mut self.filter {
            filter.reset();
        }
        Ok(())
    }

    /// All samples at 16 kHz that were not taken yet.
    pub(super) fn finish(mut self) -> Result<Vec<f32>, MediaError> {
        self.complete()?;
        self.limit();
        Ok(self.made)
    }

    fn complete(&mut self) -> Result<(), MediaError> {
        let total = (self.taken * u64::from(SAMPLE_RATE_HZ)).div_ceil(u64::from(self.source_rate_hz));
        let length = total.saturating_sub(self.given) as usize;
        if let Some(filter) = &mut self.filter {
            filter.flush(length, &mut self.made)?;
        }
        self.made.truncate(length);
        Ok(())
    }

    /// The filter may overshoot a full-scale step a little; nothing after this expects more than full scale.
    fn limit(&mut self) {
        for sample in &mut self.made {
            *sample = sample.clamp(-1.0, 1.0);
        }
    }
}

impl Filter {
    fn new(source_rate_hz: u32) -> Result<Self, MediaError> {
        let (source, target) = (source_rate_hz as usize, SAMPLE_RATE_HZ as usize);
        // A block is a whole number of the shortest stretches that both rates have in common, and an even number
        // of them: the middle of an odd block lies between two samples, and everything would come half a one late.
        let shortest = source / greatest_common_divisor(source, target);
        let block = (BLOCK_SAMPLES * source).div_ceil(source.min(target));
        let block = shortest * block.div_ceil(shortest).next_multiple_of(2);
        let window = WindowFunction::BlackmanHarris2;
        let fft = Fft::new_custom(source, target, block, 1, 1, window, FixedSync::Both)
            .map_err(|error| MediaError::Resampling(error.to_string()))?;
        let (input, output) = (fft.input_frames_next(), fft.output_frames_next());
        let delay = fft.output_delay();
        Ok(Self { fft, pending: Vec::with_capacity(input), block: vec![0.0; output], delay })
    }

    fn reset(&mut self) {
        self.fft.reset();
        self.delay = self.fft.output_delay();
        self.pending.clear();
    }

    fn push(&mut self, mut samples: &[f32], made: &mut Vec<f32>) -> Result<(), MediaError> {
        let block = self.fft.input_frames_next();
        while self.pending.len() + samples.len() >= block {
            let (head, tail) = samples.split_at(block - self.pending.len());
            self.pending.extend_from_slice(head);
            samples = tail;
            self.transform(made)?;
        }
        self.pending.extend_from_slice(samples);
        Ok(())
    }

    /// Feeds silence until the wanted number of samples is there.
    fn flush(&mut self, length: usize, made: &mut Vec<f32>) -> Result<(), MediaError> {
        while made.len() < length {
            self.pending.resize(self.fft.input_frames_next(), 0.0);
            self.transform(made)?;
        }
        Ok(())
    }

    fn transform(&mut self, made: &mut Vec<f32>) -> Result<(), MediaError> {
        let frames = self.pending.len();
        let input = SequentialSlice::new(&self.pending, 1, frames)
            .map_err(|error| MediaError::Resampling(error.to_string()))?;
        let capacity = self.block.len();
        let mut output = SequentialSlice::new_mut(&mut self.block, 1, capacity)
            .map_err(|error| MediaError::Resampling(error.to_string()))?;
        let (_, count) = self
            .fft
            .process_into_buffer(&input, &mut output, None)
            .map_err(|error| MediaError::Resampling(error.to_string()))?;
        let cut = self.delay.min(count);
        self.delay -= cut;
        made.extend_from_slice(&self.block[cut..count]);
        self.pending.clear();
        Ok(())
    }
}

fn greatest_common_divisor(left: usize, right: usize) -> usize {
    if right == 0 { left } else { greatest_common_divisor(right, left % right) }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    fn sine(rate_hz: u32, frequency_hz: f64, count: usize) -> Vec<f32> {
        let phase = |index: usize| TAU * frequency_hz * index as f64 / f64::from(rate_hz);
        (0..count).map(|index| (0.5 * phase(index).sin()) as f32).collect()
    }

    fn resample(rate_hz: u32, samples: &[f32], piece: usize) -> Vec<f32> {
        let mut resampler = Resampler::new(rate_hz).unwrap();
        for part in samples.chunks(piece) {
            resampler.push(part).unwrap();
        }
        resampler.finish().unwrap()
    }

    #[test]
    fn lengths_are_exact_for_any_rate_and_count() {
        for rate_hz in [4_000, 8_000, 11_025, 16_000, 22_050, 44_100, 44_101, 48_000, 96_000, 192_000] {
            for count in [1, 2, 159, 2_048, 2_049, 10_007] {
                let expected = (count * 16_000_usize).div_ceil(rate_hz as usize);
                let found = resample(rate_hz, &vec![0.1; count], 1_000).len();
                assert_eq!(found, expected, "{count} samples at {rate_hz} Hz");
            }
        }
    }

    #[test]
    fn a_tone_stays_the_same_tone_at_the_same_time() {
        for rate_hz in [8_000, 22_050, 44_100, 48_000] {
            let made = resample(rate_hz, &sine(rate_hz, 440.0, rate_hz as usize), 777);
            let ideal = sine(16_000, 440.0, 16_000);
            // 10 ms at each end feel the silence beyond the clip.
            let worst = (160..15_840).map(|index| (made[index] - ideal[index]).abs()).fold(0.0_f32, f32::max);
            assert!(worst < 1e-3, "{rate_hz} Hz: {worst}");
        }
    }

    #[test]
    fn the_ends_do_not_click() {
        // A tone that starts and ends at its loudest: the worst case for the edges.
        for rate_hz in [8_000, 44_100, 48_000] {
            let samples: Vec<f32> = (0..rate_hz as usize)
                .map(|index| (0.5 * (TAU * 300.0 * index as f64 / f64::from(rate_hz)).cos()) as f32)
                .collect();
            let made = resample(rate_hz, &samples, 4_096);
            let peak = made.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
            assert!(peak < 0.5 * 1.15, "{rate_hz} Hz: {peak}");
        }
    }

    #[test]
    fn what_16_khz_cannot_hold_is_removed() {
        let made = resample(48_000, &sine(48_000, 11_000.0, 48_000), 4_096);
        let worst = made[160..15_840].iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        assert!(worst < 1e-3, "{worst}");
    }

    #[test]
    fn pieces_do_not_matter() {
        let samples = sine(44_100, 1_000.0, 20_000);
        assert_eq!(resample(44_100, &samples, 1), resample(44_100, &samples, 20_000));
    }

    #[test]
    fn what_is_taken_early_is_what_is_made_in_the_end() {
        for rate_hz in [8_000, 16_000, 44_100] {
            let samples = sine(rate_hz, 500.0, 30_001);
            let expected = resample(rate_hz, &samples, 30_001);
            let mut resampler = Resampler::new(rate_hz).unwrap();
            // Twice: a flush leaves nothing behind.
            for _ in 0..2 {
                let mut taken = Vec::new();
                for part in samples.chunks(457) {
                    resampler.push(part).unwrap();
                    resampler.take(&mut taken);
                }
                resampler.flush(&mut taken).unwrap();
                assert_eq!(taken, expected, "{rate_hz} Hz");
            }
        }
    }

    #[test]
    fn a_live_stream_does_not_wait_long() {
        for (rate_hz, most_ms) in [(8_000, 130), (16_000, 0), (22_050, 130), (44_100, 100), (48_000, 65)] {
            let mut resampler = Resampler::new(rate_hz).unwrap();
            let mut made = Vec::new();
            let step = rate_hz as usize / 100;
            let (mut worst_ms, mut fed) = (0, 0);
            for _ in 0..100 {
                let behind_ms = (fed * 1_000 / rate_hz as usize).saturating_sub(made.len() / 16);
                worst_ms = worst_ms.max(behind_ms);
                resampler.push(&vec![0.1; step]).unwrap();
                resampler.take(&mut made);
                fed += step;
            }
            assert!(worst_ms <= most_ms, "{rate_hz} Hz: {worst_ms} ms");
        }
    }

    #[test]
    fn the_right_rate_passes_untouched() {
        let samples = sine(16_000, 1_000.0, 5_000);
        assert_eq!(resample(16_000, &samples, 333), samples);
    }
}
