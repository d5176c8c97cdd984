//! What a call does to a voice: noise, a telephone band, a room, another speed.

use heartline_models::voice::{Level, SAMPLE_RATE_HZ};
use rand::RngExt;
use rand::rngs::StdRng;

/// The colour of a noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Noise {
    /// The same power at every frequency.
    White,
    /// The same power in every octave.
    Pink,
}

/// Adds noise so that speech is this far above it, in decibels.
pub(crate) fn add_noise(samples: &mut [f32], noise: Noise, ratio_db: f32, random: &mut StdRng) {
    let noise = make_noise(noise, samples.len(), random);
    let power = noise.iter().map(|value| value * value).sum::<f32>() / to_f32(noise.len().max(1));
    let wanted = 10.0_f32.powf((Level::measure(samples).speech_db - ratio_db) / 10.0);
    let factor = (wanted / power.max(1e-12)).sqrt();
    for (sample, noise) in samples.iter_mut().zip(noise) {
        *sample += factor * noise;
    }
}

/// Noise of no particular level.
pub(super) fn make_noise(noise: Noise, length: usize, random: &mut StdRng) -> Vec<f32> {
    let white: Vec<f32> = (0..length).map(|_| normal(random)).collect();
    match noise {
        Noise::White => white,
        Noise::Pink => pink(&white),
    }
}

/// White noise through one-pole filters an octave and a half apart, whose sum falls by 3 dB an octave.
fn pink(white: &[f32]) -> Vec<f32> {
    const POLES: [f32; 6] = [0.2, 0.6, 0.86, 0.955, 0.985, 0.995];
    let mut states = [0.0_f32; POLES.len()];
    let step = |value: &f32| {
        for (state, pole) in states.iter_mut().zip(POLES) {
            // Equal power of each filter's output: its band is narrower the closer the pole is to 1.
            *state = pole * *state + (1.0 - pole * pole).sqrt() * value;
        }
        states.iter().sum()
    };
    white.iter().map(step).collect()
}

/// The band of a telephone, 300 to 3400 Hz, at 8 kHz and 8-bit mu-law, back at 16 kHz.
pub(crate) fn telephone(samples: &[f32]) -> Vec<f32> {
    let band: Vec<f32> =
        low_pass(3400.0).iter().zip(low_pass(300.0)).map(|(upper, lower)| upper - lower).collect();
    let mut narrow = convolve(samples, &band);
    for (index, sample) in narrow.iter_mut().enumerate() {
        // Every second sample is all that 8 kHz keeps; the filter below fills the gaps at half the level.
        *sample = if index.is_multiple_of(2) { 2.0 * mu_law(*sample) } else { 0.0 };
    }
    convolve(&narrow, &low_pass(3700.0))
}

/// Rounds a sample as 8-bit mu-law does.
fn mu_law(sample: f32) -> f32 {
    const MU: f32 = 255.0;
    let compressed = (1.0 + MU * sample.abs().min(1.0)).ln() / (1.0 + MU).ln();
    let rounded = (compressed * 127.0).round() / 127.0;
    sample.signum() * ((1.0 + MU).powf(rounded) - 1.0) / MU
}

/// A low-pass filter of 129 taps.
fn low_pass(edge_hz: f32) -> Vec<f32> {
    const HALF: i16 = 64;
    let edge = edge_hz / to_f32(SAMPLE_RATE_HZ as usize);
    let tap = |index: i16| {
        let time = f32::from(index);
        let window = 0.54 + 0.46 * (std::f32::consts::PI * time / f32::from(HALF + 1)).cos();
        let phase = std::f32::consts::TAU * edge * time;
        let sinc = if index == 0 { 1.0 } else { phase.sin() / phase };
        2.0 * edge * sinc * window
    };
    (-HALF..=HALF).map(tap).collect()
}

/// Filters without a delay; the result is as long as the input.
fn convolve(samples: &[f32], taps: &[f32]) -> Vec<f32> {
    let half = taps.len() / 2;
    let mut padded = vec![0.0; half];
    padded.extend_from_slice(samples);
    padded.resize(samples.len() + 2 * half, 0.0);
    padded
        .windows(taps.len())
        .map(|part| part.iter().zip(taps).map(|(sample, tap)| sample * tap).sum())
        .collect()
}

/// A small room: 300 echoes at random times whose level falls by 60 dB within the given time.
pub(super) fn reverberate(samples: &[f32], decay_seconds: f32, random: &mut StdRng) -> Vec<f32> {
    let rate = to_f32(SAMPLE_RATE_HZ as usize);
    let mut result = samples.to_vec();
    for _ in 0..300 {
        let seconds = decay_seconds * random.random::<f32>();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "below a second of samples"
        )]
        let delay = (seconds * rate) as usize + 1;
        let sign = if random.random_bool(0.5) { 1.0 } else { -1.0 };
        let level = sign * 0.12 * 10.0_f32.powf(-3.0 * seconds / decay_seconds);
        for (result, sample) in result.iter_mut().skip(delay).zip(samples) {
            *result += level * sample;
        }
    }
    result
}

/// Plays faster (above 1) or slower, which also raises or lowers the voice.
pub(super) fn change_speed(samples: &[f32], factor: f32) -> Vec<f32> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a clip's length")]
    let length = (to_f32(samples.len()) / factor) as usize;
    let at = |index: usize| samples.get(index).copied().unwrap_or(0.0);
    (0..length)
        .map(|index| {
            let position = to_f64(index) * f64::from(factor);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the clip")]
            let (whole, part) = (position as usize, position.fract() as f32);
            let before = if whole == 0 { at(0) } else { at(whole - 1) };
            cubic([before, at(whole), at(whole + 1), at(whole + 2)], part)
        })
        .collect()
}

/// A curve through the two middle points with the slopes that the outer points suggest.
fn cubic([before, left, right, after]: [f32; 4], part: f32) -> f32 {
    let bend = part * (3.0 * (left - right) + after - before);
    let middle = 2.0 * before - 5.0 * left + 4.0 * right - after + bend;
    left + 0.5 * part * (right - before + part * middle)
}

/// Cuts what is quieter than 35 dB below the loudest 20 ms from both ends, leaving this many samples.
pub(super) fn trim(samples: &[f32], leave: usize) -> &[f32] {
    const FRAME: usize = 320;
    let power = |frame: &[f32]| frame.iter().map(|sample| sample * sample).sum::<f32>();
    let powers: Vec<f32> = samples.chunks(FRAME).map(power).collect();
    let threshold = powers.iter().copied().fold(0.0, f32::max) * 10.0_f32.powf(-3.5);
    let first = powers.iter().position(|power| *power > threshold).unwrap_or(0);
    let last = powers.iter().rposition(|power| *power > threshold).unwrap_or(powers.len());
    let start = (first * FRAME).saturating_sub(leave);
    let end = ((last + 1) * FRAME + leave).min(samples.len());
    &samples[start..end]
}

/// A number from the normal distribution.
fn normal(random: &mut StdRng) -> f32 {
    let radius = (-2.0 * (1.0 - random.random::<f32>()).ln()).sqrt();
    radius * (std::f32::consts::TAU * random.random::<f32>()).cos()
}

#[expect(clippy::cast_precision_loss, reason = "lengths of clips are far below 2^24")]
fn to_f32(value: usize) -> f32 {
    value as f32
}

#[expect(clippy::cast_precision_loss, reason = "lengths of clips are far below 2^52")]
fn to_f64(value: usize) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    fn tone(hz: f32) -> Vec<f32> {
        (0..8000_u16)
            .map(|index| 0.3 * (std::f32::consts::TAU * hz * f32::from(index) / 16_000.0).sin())
            .collect()
    }

    fn power(samples: &[f32]) -> f32 {
        samples.iter().map(|sample| sample * sample).sum::<f32>() / to_f32(samples.len())
    }

    #[test]
    fn noise_is_as_loud_as_asked() {
        for noise in [Noise::White, Noise::Pink] {
            let mut samples = tone(500.0);
            add_noise(&mut samples, noise, 10.0, &mut StdRng::seed_from_u64(1));
            let added: Vec<f32> =
                samples.iter().zip(tone(500.0)).map(|(noisy, clean)| noisy - clean).collect();
            let ratio_db = 10.0 * (power(&tone(500.0)) / power(&added)).log10();
            assert!((ratio_db - 10.0).abs() < 0.1, "{noise:?}: {ratio_db}");
        }
    }

    #[test]
    fn pink_noise_has_more_power_below() {
        let mut random = StdRng::seed_from_u64(2);
        let white: Vec<f32> = (0..16_000).map(|_| normal(&mut random)).collect();
        let share = |noise: &[f32]| power(&convolve(noise, &low_pass(1000.0))) / power(noise);
        assert!(share(&pink(&white)) > 2.0 * share(&white));
    }

    #[test]
    fn a_telephone_keeps_its_band_only() {
        let kept = |hz| power(&telephone(&tone(hz))) / power(&tone(hz));
        assert!((kept(1000.0) - 1.0).abs() < 0.1, "{}", kept(1000.0));
        assert!(kept(6000.0) < 0.01 && kept(60.0) < 0.05, "{} {}", kept(6000.0), kept(60.0));
    }

    #[test]
    fn speed_changes_length_and_pitch() {
        let fast = change_speed(&tone(500.0), 1.25);
        assert_eq!(fast.len(), 6400);
        for (found, expected) in fast[100..6000].iter().zip(&tone(625.0)[100..]) {
            assert!((found - expected).abs() < 0.01);
        }
    }

    #[test]
    fn only_silent_ends_are_cut() {
        let samples = [vec![0.0; 3200], tone(500.0), vec![0.0; 3200]].concat();
        assert_eq!(trim(&samples, 0).len(), 8000);
        assert_eq!(trim(&samples, 800).len(), 9600);
        assert_eq!(trim(&[0.0; 1000], 0).len(), 1000);
    }

    #[test]
    fn a_room_adds_a_tail() {
        let samples = [tone(500.0), vec![0.0; 8000]].concat();
        let wet = reverberate(&samples, 0.3, &mut StdRng::seed_from_u64(3));
        assert!(power(&wet[8000..9000]) > 1e-5 && power(&wet[15_000..]) < 1e-12);
    }
}
