//! The conditions under which a clip is heard: as recorded, in noise, by telephone, or as training mixes them.

use heartline_models::voice::SAMPLE_RATE_HZ;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::signal::{Noise, add_noise, change_speed, reverberate, telephone, trim};

/// One clip of this many is trained on as recorded.
const CLEAN_EVERY: u64 = 3;

/// A condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    /// As recorded.
    Clean,
    /// White noise 15 dB below the speech.
    Noise,
    /// Pink noise 15 dB below the speech: more like a room or a street than white noise.
    PinkNoise,
    /// The band and the coding of a telephone.
    Telephone,
    /// A copy for training, by number: every third clip is as recorded, the others are changed at random, and which
    /// ones moves on from copy to copy.
    Training(u64),
}

impl Condition {
    /// The conditions that training looks at on its way.
    pub(crate) const MEASURED: [Self; 3] = [Self::Clean, Self::Noise, Self::Telephone];

    /// The conditions that figures of a finished model are given for; the first is what the others are compared with.
    pub(crate) const EVALUATED: [Self; 4] = [Self::Clean, Self::Noise, Self::PinkNoise, Self::Telephone];

    /// The name in figures and file names.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Clean => "clean".to_owned(),
            Self::Noise => "white-noise-15-db".to_owned(),
            Self::PinkNoise => "pink-noise-15-db".to_owned(),
            Self::Telephone => "telephone".to_owned(),
            Self::Training(copy) => format!("training-{copy}"),
        }
    }

    /// A clip, known by its number, as it sounds under this condition; the same seed gives the same sound.
    pub(crate) fn apply(self, samples: &[f32], clip: u64, seed: u64) -> Vec<f32> {
        match self {
            Self::Clean => samples.to_vec(),
            Self::Telephone => telephone(samples),
            Self::Noise => noisy(samples, Noise::White, seed.wrapping_add(clip)),
            Self::PinkNoise => noisy(samples, Noise::Pink, seed.wrapping_add(clip)),
            Self::Training(copy) if (clip + copy).is_multiple_of(CLEAN_EVERY) => samples.to_vec(),
            Self::Training(copy) => {
                // Spreads neighbouring numbers, so that two copies of a clip have nothing in common.
                let spread = seed.wrapping_add(clip).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17);
                mix(samples, &mut StdRng::seed_from_u64(spread ^ copy))
            }
        }
    }
}

fn noisy(samples: &[f32], noise: Noise, seed: u64) -> Vec<f32> {
    let mut noisy = samples.to_vec();
    add_noise(&mut noisy, noise, 15.0, &mut StdRng::seed_from_u64(seed));
    noisy
}

/// Random changes in the order in which a call makes them: speaker, room, noise, level, line.
fn mix(samples: &[f32], random: &mut StdRng) -> Vec<f32> {
    let tenth = SAMPLE_RATE_HZ as usize / 10;
    let mut samples = if random.random_bool(0.5) {
        let leave = random.random_range(0..2 * tenth);
        trim(samples, leave).to_vec()
    } else {
        samples.to_vec()
    };
    if random.random_bool(0.7) {
        // A slightly higher or lower voice stands for speakers that the data does not have.
        let factor = random.random_range(0.9..1.1);
        samples = change_speed(&samples, factor);
    }
    if random.random_bool(0.3) {
        let decay_seconds = random.random_range(0.15..0.5);
        samples = reverberate(&samples, decay_seconds, random);
    }
    if random.random_bool(0.6) {
        let noise = if random.random_bool(0.5) { Noise::White } else { Noise::Pink };
        let ratio_db = random.random_range(10.0..25.0);
        add_noise(&mut samples, noise, ratio_db, random);
    }
    let gain = 10.0_f32.powf(random.random_range(-20.0..6.0) / 20.0);
    for sample in &mut samples {
        *sample = (*sample * gain).clamp(-1.0, 1.0);
    }
    if random.random_bool(0.4) { telephone(&samples) } else { samples }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_the_sound() {
        let clip: Vec<f32> = (0..16_000_u16).map(|index| (f32::from(index) * 0.05).sin() * 0.2).collect();
        let copy = |number, seed| Condition::Training(number).apply(&clip, 1, seed);
        assert_eq!(copy(0, 7), copy(0, 7));
        assert_ne!(copy(0, 7), copy(1, 7));
        assert_ne!(copy(0, 7), copy(0, 8));
        assert_eq!(copy(2, 7), clip);
        assert_eq!(Condition::Clean.apply(&clip, 1, 7), clip);
        assert_ne!(Condition::Noise.apply(&clip, 1, 7), Condition::PinkNoise.apply(&clip, 1, 7));
        assert!((0..50).all(|seed| copy(1, seed).iter().all(|sample| sample.is_finite())));
    }
}
