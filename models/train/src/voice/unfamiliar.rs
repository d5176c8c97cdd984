//! Sounds that the voice model was not made for: noise, tones, near-silence, music, and speech played backwards.

use heartline_models::voice::{SAMPLE_RATE_HZ, VoiceClip, VoiceModel};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::clips::{Clip, decode};
use super::evaluate::{average, hear};
use super::signal::{Noise, make_noise};
use crate::error::TrainError;
use crate::report::{KindSet, Trust};

/// Sounds of each kind.
const SOUNDS: usize = 48;
/// Sounds that are made and judged together.
const CHUNK: usize = 16;
/// Samples of a sound: 3 s.
const LENGTH: usize = 3 * SAMPLE_RATE_HZ as usize;
/// What the sounds follow from.
const SEED: u64 = 1;

/// Makes one sound.
type Maker = fn(&mut StdRng) -> Vec<f32>;

/// Judges every kind.
pub(super) fn kinds(model: &VoiceModel, clips: &[Clip]) -> Result<Vec<KindSet>, TrainError> {
    let made: [(&str, Maker); 5] = [
        ("white noise", |random| level(make_noise(Noise::White, LENGTH, random), random)),
        ("pink noise", |random| level(make_noise(Noise::Pink, LENGTH, random), random)),
        ("steady tones", tone),
        ("near-silence", hush),
        ("synthetic music", music),
    ];
    let mut kinds = Vec::new();
    for (name, make) in made {
        let mut random = StdRng::seed_from_u64(SEED);
        let sounds: Vec<Vec<f32>> = (0..SOUNDS).map(|_| make(&mut random)).collect();
        kinds.push(KindSet::foreign(name, &judge(model, &sounds)?));
    }
    let every = clips.len().div_ceil(SOUNDS).max(1);
    let backwards: Vec<Vec<f32>> = clips
        .iter()
        .step_by(every)
        .map(|clip| decode(&clip.path).map(|sound| sound.into_iter().rev().collect()))
        .collect::<Result<_, _>>()?;
    kinds.push(KindSet::foreign("speech backwards", &judge(model, &backwards)?));
    Ok(kinds)
}

fn judge(model: &VoiceModel, sounds: &[Vec<f32>]) -> Result<Vec<(f64, Trust)>, TrainError> {
    let mut judged = Vec::with_capacity(sounds.len());
    for sounds in sounds.chunks(CHUNK) {
        let sounds: Vec<VoiceClip> = sounds.iter().cloned().map(VoiceClip::from).collect();
        for heard in hear(model, &sounds)? {
            let confidence = average(&heard).into_iter().fold(0.0, f32::max);
            judged.push((f64::from(confidence), Trust::of_voice(&heard)));
        }
    }
    Ok(judged)
}

/// Brings a sound to a loudness between that of soft and of loud speech.
fn level(mut samples: Vec<f32>, random: &mut StdRng) -> Vec<f32> {
    let power = samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len().max(1) as f32;
    let wanted_db: f32 = random.random_range(-35.0..-15.0);
    let gain = 10.0_f32.powf(wanted_db / 20.0) / power.sqrt().max(1e-9);
    samples.iter_mut().for_each(|sample| *sample = (*sample * gain).clamp(-1.0, 1.0));
    samples
}

/// One tone, as of a dial or a machine.
fn tone(random: &mut StdRng) -> Vec<f32> {
    let hertz = 10.0_f32.powf(random.random_range(2.0..3.5));
    let samples = (0..LENGTH).map(|index| wave(hertz, index)).collect();
    level(samples, random)
}

/// What an open microphone gives in an empty room: pink noise some 75 dB below full scale.
fn hush(random: &mut StdRng) -> Vec<f32> {
    let loud = level(make_noise(Noise::Pink, LENGTH, random), random);
    loud.into_iter().map(|sample| sample * 0.003).collect()
}

/// Broken chords over a bass, each note struck and dying away, with a few overtones.
fn music(random: &mut StdRng) -> Vec<f32> {
    const SCALES: [[f32; 3]; 3] = [[0.0, 4.0, 7.0], [0.0, 3.0, 7.0], [0.0, 5.0, 9.0]];
    let mut samples = vec![0.0_f32; LENGTH];
    let root_hertz: f32 = random.random_range(110.0..260.0);
    let note_length = random.random_range(SAMPLE_RATE_HZ as usize / 8..SAMPLE_RATE_HZ as usize / 2);
    let mut chord = (0.0, SCALES[0]);
    for (number, start) in (0..LENGTH).step_by(note_length).enumerate() {
        if number.is_multiple_of(4) {
            let steps = [0.0, 5.0, 7.0, -3.0][random.random_range(0..4)];
            chord = (steps, SCALES[random.random_range(0..SCALES.len())]);
            strike(&mut samples, start, pitch(root_hertz / 2.0, chord.0), 3 * note_length);
        }
        let octave = if random.random_bool(0.3) { 12.0 } else { 0.0 };
        let step = chord.0 + chord.1[number % 3] + octave;
        strike(&mut samples, start, pitch(root_hertz, step), 2 * note_length);
    }
    level(samples, random)
}

fn pitch(hertz: f32, half_tones: f32) -> f32 {
    hertz * (half_tones / 12.0).exp2()
}

/// Adds one note that falls by half about every third of its length.
fn strike(samples: &mut [f32], start: usize, hertz: f32, length: usize) {
    let attack = SAMPLE_RATE_HZ as f32 / 100.0;
    for (index, sample) in samples.iter_mut().skip(start).take(length).enumerate() {
        let fall = (-2.0 * index as f32 / length as f32).exp2() * (1.0 - index as f32 / length as f32);
        let overtones = wave(hertz, index) + 0.5 * wave(2.0 * hertz, index) + 0.25 * wave(3.0 * hertz, index);
        *sample += (index as f32 / attack).min(1.0) * fall * overtones;
    }
}

fn wave(hertz: f32, index: usize) -> f32 {
    (std::f32::consts::TAU * (hertz * index as f32 / SAMPLE_RATE_HZ as f32).fract()).sin()
}

#[cfg(test)]
mod tests {
    use super::*;
    use heartline_models::voice::Level;

    #[test]
    fn sounds_follow_from_the_seed_and_stay_within_full_scale() {
        for make in [tone, hush, music] {
            let sound = make(&mut StdRng::seed_from_u64(3));
            assert_eq!(sound, make(&mut StdRng::seed_from_u64(3)));
            assert_ne!(sound, make(&mut StdRng::seed_from_u64(4)));
            assert_eq!(sound.len(), LENGTH);
            assert!(sound.iter().all(|sample| sample.abs() <= 1.0));
        }
    }

    #[test]
    fn sounds_are_as_loud_as_named() {
        let speech_db = |sound: Vec<f32>| Level::measure(&sound).speech_db;
        assert!(speech_db(hush(&mut StdRng::seed_from_u64(1))) < -60.0);
        assert!((-40.0..-10.0).contains(&speech_db(music(&mut StdRng::seed_from_u64(1)))));
        assert!((-36.0..-14.0).contains(&speech_db(tone(&mut StdRng::seed_from_u64(1)))));
    }
}
