//! Readings of voices: as recorded, in noise, by telephone, drowned, and noise without a voice.

use std::path::Path;

use heartline_models::Device;
use heartline_models::voice::{SAMPLE_RATE_HZ, VoiceModel, VoicePrediction};
use indicatif::ProgressIterator;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::table::{Answer, Item, Modality, Row};
use crate::error::TrainError;
use crate::voice::{Clip, Noise, add_noise, decode, read_split, telephone, windows};

/// What is done to a clip.
#[derive(Debug, Clone, Copy)]
enum Condition {
    Clean,
    Noisy(Noise, f32),
    Telephone,
}

const CONDITIONS: [(&str, Condition); 5] = [
    ("clean", Condition::Clean),
    ("white_15_db", Condition::Noisy(Noise::White, 15.0)),
    ("pink_15_db", Condition::Noisy(Noise::Pink, 15.0)),
    ("telephone", Condition::Telephone),
    ("drowned", Condition::Noisy(Noise::Pink, 0.0)),
];
/// Of the drowned clips, every one of this many is read.
const DROWNED_EVERY: usize = 3;
/// Clips of noise alone.
const NOISES: usize = 120;
const NOISE_SECONDS: usize = 4;

/// The readings of the valid speakers.
pub(super) fn read(data: &Path, folder: &Path) -> Result<Vec<Row>, TrainError> {
    let model = VoiceModel::load(folder, &Device::cpu())?;
    let clips = read_split(data, "valid")?;
    let mut rows = Vec::new();
    for (place, clip) in clips.iter().enumerate().progress() {
        let candidates =
            clips.iter().filter(|other| other.set == clip.set && other.category == clip.category).count();
        let item = Item {
            modality: Modality::Voice,
            set: clip.set.clone(),
            place,
            candidates,
            truth: Some(clip.category),
        };
        rows.extend(read_clip(&model, clip, &item)?);
    }
    let sounds: Vec<Vec<f32>> = (0..NOISES).map(noise).collect();
    for (place, prediction) in model.predict(&sounds)?.iter().enumerate() {
        let set = "made_up".to_owned();
        let item = Item { modality: Modality::Voice, set, place, candidates: NOISES, truth: None };
        rows.push(Row::new(&item, "noise", answer(prediction)));
    }
    Ok(rows)
}

/// The first window of a clip, as it comes to the server, under every condition.
fn read_clip(model: &VoiceModel, clip: &Clip, item: &Item) -> Result<Vec<Row>, TrainError> {
    let samples = decode(&clip.path)?;
    let window = windows(&samples).first().map_or(&[][..], |window| window);
    let mut names = Vec::new();
    let mut sounds = Vec::new();
    for (name, condition) in CONDITIONS {
        if name == "drowned" && !item.place.is_multiple_of(DROWNED_EVERY) {
            continue;
        }
        names.push(name);
        sounds.push(match condition {
            Condition::Clean => window.to_vec(),
            Condition::Telephone => telephone(window),
            Condition::Noisy(noise, ratio_db) => {
                let mut sound = window.to_vec();
                add_noise(&mut sound, noise, ratio_db, &mut StdRng::seed_from_u64(item.place as u64));
                sound
            }
        });
    }
    let predictions = model.predict(&sounds)?;
    Ok(names
        .iter()
        .zip(&predictions)
        .map(|(name, prediction)| Row::new(item, name, answer(prediction)))
        .collect())
}

/// Noise without a voice: steady, or in every third clip coming and going four times a second, as when something
/// rattles; white and pink by turns, at levels from loud to faint.
fn noise(place: usize) -> Vec<f32> {
    let mut random = StdRng::seed_from_u64(1000 + place as u64);
    let length = NOISE_SECONDS * SAMPLE_RATE_HZ as usize;
    let mut samples = vec![0.0; length];
    // A faint tone gives the noise a level to be measured against.
    let level = 10.0_f32.powf(-(10.0 + (place % 5) as f32 * 10.0) / 20.0);
    for (index, sample) in samples.iter_mut().enumerate() {
        *sample = level * 0.01 * (index as f32 * 0.3).sin();
    }
    let colour = if place.is_multiple_of(2) { Noise::White } else { Noise::Pink };
    add_noise(&mut samples, colour, -30.0, &mut random);
    if place.is_multiple_of(3) {
        for (index, sample) in samples.iter_mut().enumerate() {
            let phase = index as f32 / SAMPLE_RATE_HZ as f32 * 4.0;
            *sample *= (std::f32::consts::PI * phase).sin().powi(4);
        }
    }
    samples
}

fn answer(prediction: &VoicePrediction) -> Answer {
    Answer {
        categories: prediction.categories,
        quality: prediction.quality,
        familiarity: prediction.familiarity,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noises_differ_and_are_finite() {
        let sounds: Vec<Vec<f32>> = (0..6).map(noise).collect();
        assert!(sounds.iter().flatten().all(|sample| sample.is_finite()));
        assert_ne!(sounds[0], sounds[5]);
        let power = |sound: &[f32]| sound.iter().map(|sample| sample * sample).sum::<f32>();
        assert!(power(&sounds[0]) > 10.0 * power(&sounds[4]));
    }
}
