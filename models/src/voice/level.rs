//! How loud, how clipped and how noisy a clip is; bringing it to the level the network was trained with.

/// The level that speech is brought to, in decibels below full scale.
const TARGET_DB: f32 = -23.0;
/// Speech is never made louder by more than this, so that near-silence does not become noise at full level.
const LARGEST_GAIN_DB: f32 = 50.0;
/// Samples of a frame in which the level is measured; 20 ms.
const FRAME: usize = 320;
/// Frames more than this below the loudest do not count as speech, in decibels.
const SPEECH_RANGE_DB: f32 = 30.0;
/// The level of digital silence, in decibels.
const SILENCE_DB: f32 = -120.0;
/// From this share of full scale on a sample is as loud as it can be.
const FULL_SCALE: f32 = 0.985;

/// What was measured on a clip.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// The level of the louder frames, in decibels below full scale.
    pub speech_db: f32,
    /// The level of the quietest tenth of the frames, in decibels below full scale.
    pub noise_db: f32,
    /// The share of samples in runs at full scale, 0 to 1.
    pub clipped_share: f32,
}

impl Level {
    /// Measures a clip.
    #[must_use]
    pub fn measure(samples: &[f32]) -> Self {
        let mut powers: Vec<f32> = samples.chunks(FRAME).map(mean_square).collect();
        powers.sort_by(f32::total_cmp);
        let loudest = powers.last().copied().unwrap_or(0.0);
        let threshold = loudest * 10.0_f32.powf(-SPEECH_RANGE_DB / 10.0);
        let speech: Vec<f32> = powers.iter().copied().filter(|power| *power >= threshold).collect();
        let quietest = powers.get(powers.len() / 10).copied().unwrap_or(0.0);
        Self {
            speech_db: decibels(mean(&speech)),
            noise_db: decibels(quietest),
            clipped_share: clipped(samples),
        }
    }

    /// How usable the clip is, 0 to 1: full from -45 dB of level, 20 dB over the noise and no clipping; none below
    /// -65 dB, under 3 dB over the noise, or with a tenth of the samples clipped.
    #[must_use]
    pub fn quality(&self) -> f32 {
        let loud = ramp(self.speech_db, -65.0, -45.0);
        let clear = ramp(self.speech_db - self.noise_db, 3.0, 20.0);
        let whole = 1.0 - ramp(self.clipped_share, 0.0, 0.1);
        loud * clear * whole
    }

    /// The factor that brings speech to the level of training.
    #[must_use]
    pub fn gain(&self) -> f32 {
        if self.speech_db <= SILENCE_DB {
            return 1.0;
        }
        10.0_f32.powf((TARGET_DB - self.speech_db).min(LARGEST_GAIN_DB) / 20.0)
    }
}

fn ramp(value: f32, from: f32, to: f32) -> f32 {
    ((value - from) / (to - from)).clamp(0.0, 1.0)
}

fn decibels(power: f32) -> f32 {
    (10.0 * power.log10()).max(SILENCE_DB)
}

fn mean_square(samples: &[f32]) -> f32 {
    samples.iter().map(|sample| sample * sample).sum::<f32>() / count(samples.len())
}

fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / count(values.len())
}

/// A single sample at full scale is a peak; three in a row are a flat top.
fn clipped(samples: &[f32]) -> f32 {
    let flat: usize = samples
        .chunk_by(|left, right| (left.abs() >= FULL_SCALE) == (right.abs() >= FULL_SCALE))
        .filter(|run| run.len() >= 3 && run[0].abs() >= FULL_SCALE)
        .map(<[f32]>::len)
        .sum();
    count(flat) / count(samples.len()).max(1.0)
}

#[expect(clippy::cast_precision_loss, reason = "a clip has at most 480000 samples")]
fn count(length: usize) -> f32 {
    length as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bursts of a tone with pauses of faint noise between them, like syllables.
    fn syllables(amplitude: f32, noise: f32) -> Vec<f32> {
        let mut state = 1_u32;
        (0..32_000_u16)
            .map(|index| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let hiss = f32::from(u16::try_from(state >> 16).unwrap()) / 32_768.0 - 1.0;
                let tone = (f32::from(index) * 0.07).sin() * amplitude;
                noise * hiss + if (index / 4000).is_multiple_of(2) { tone } else { 0.0 }
            })
            .collect()
    }

    #[test]
    fn a_good_clip_has_full_quality() {
        assert!(Level::measure(&syllables(0.3, 0.001)).quality() > 0.99);
    }

    #[test]
    fn noise_faintness_and_clipping_lower_the_quality() {
        let good = Level::measure(&syllables(0.3, 0.001)).quality();
        let noisy = Level::measure(&syllables(0.3, 0.15)).quality();
        let faint = Level::measure(&syllables(0.002, 0.000_01)).quality();
        let clipped: Vec<f32> = syllables(3.0, 0.001).iter().map(|sample| sample.clamp(-1.0, 1.0)).collect();
        let clipped = Level::measure(&clipped).quality();
        for quality in [noisy, faint, clipped] {
            assert!(quality < good - 0.3, "{quality} against {good}");
        }
    }

    #[test]
    fn silence_has_no_quality_and_no_gain() {
        for silence in [vec![0.0; 16_000], Vec::new()] {
            let level = Level::measure(&silence);
            assert!(level.quality() <= 0.0);
            assert!((level.gain() - 1.0).abs() < f32::EPSILON);
        }
    }

    #[test]
    fn the_gain_brings_every_clip_to_one_level() {
        for amplitude in [0.01, 0.1, 0.9] {
            let mut clip = syllables(amplitude, 0.0);
            let gain = Level::measure(&clip).gain();
            clip.iter_mut().for_each(|sample| *sample *= gain);
            assert!((Level::measure(&clip).speech_db - TARGET_DB).abs() < 0.01);
        }
    }
}
