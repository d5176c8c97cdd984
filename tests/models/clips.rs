//! Clips made by arithmetic: the same samples on every machine.

use std::f64::consts::TAU;

const RATE_HZ: u32 = 16_000;

/// A clip in memory.
pub(crate) struct Clip {
    pub(crate) name: &'static str,
    pub(crate) rate_hz: u32,
    samples: Vec<f64>,
}

/// Even noise between -1 and 1, from a linear congruential generator.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from((self.0 >> 40) as u32) / f64::from(1_u32 << 23) - 1.0
    }
}

/// A voiced sound: harmonics of a gliding pitch under three formants, with a slow attack and decay.
fn vowel(rate_hz: u32, seconds: f64, pitch_hz: (f64, f64), formants_hz: [f64; 3]) -> Vec<f64> {
    let count = (seconds * f64::from(rate_hz)) as usize;
    let mut phase = 0.0;
    (0..count)
        .map(|at| {
            let progress = at as f64 / count as f64;
            let pitch = pitch_hz.0 + (pitch_hz.1 - pitch_hz.0) * progress;
            phase += pitch / f64::from(rate_hz);
            let harmonics = 1..=(3_600.0 / pitch) as u32;
            let sound: f64 = harmonics
                .map(|harmonic| {
                    let frequency = f64::from(harmonic) * pitch;
                    let gain: f64 = formants_hz
                        .iter()
                        .map(|formant| 1.0 / (1.0 + ((frequency - formant) / 90.0).powi(2)))
                        .sum();
                    gain * (TAU * phase * f64::from(harmonic)).sin() / f64::from(harmonic).sqrt()
                })
                .sum();
            0.12 * sound * (progress * std::f64::consts::PI).sin().sqrt()
        })
        .collect()
}

const A: [f64; 3] = [730.0, 1_090.0, 2_440.0];
const I: [f64; 3] = [270.0, 2_290.0, 3_010.0];
const O: [f64; 3] = [450.0, 800.0, 2_830.0];

/// Syllables with pauses between them.
fn syllables(count: usize, pitch_hz: f64) -> Vec<f64> {
    let mut samples = vec![0.0; 4_000];
    for index in 0..count {
        let formants = [A, I, O][index % 3];
        let glide = if index % 2 == 0 { 1.25 } else { 0.8 };
        samples.extend(vowel(RATE_HZ, 0.28, (pitch_hz, pitch_hz * glide), formants));
        samples.extend(vec![0.0; if index % 5 == 4 { 9_000 } else { 1_100 }]);
    }
    samples
}

/// All clips: what the front end must treat alike on every machine.
pub(crate) fn generated() -> Vec<Clip> {
    let clip = |name, samples| Clip { name, rate_hz: RATE_HZ, samples };
    let scaled = |samples: Vec<f64>, gain: f64| samples.into_iter().map(|sample| sample * gain).collect();
    let mut noise = Noise(7);
    let noisy = syllables(9, 170.0).into_iter().map(|sample| sample + 0.03 * noise.next()).collect();
    let hiss = (0..32_000).map(|_| 0.2 * noise.next()).collect();
    let tone = (0..16_000).map(|at| 0.3 * (TAU * 440.0 * f64::from(at) / f64::from(RATE_HZ)).sin()).collect();
    vec![
        clip("syllables-low", syllables(8, 105.0)),
        clip("syllables-high", syllables(9, 240.0)),
        clip("syllables-long", syllables(26, 150.0)),
        clip("syllables-noisy", noisy),
        clip("syllables-faint", scaled(syllables(7, 190.0), 0.01)),
        clip("syllables-clipped", scaled(syllables(7, 190.0), 9.0)),
        clip("vowel-falling", vowel(RATE_HZ, 2.0, (210.0, 110.0), A)),
        clip("vowel-rising", vowel(RATE_HZ, 4.5, (140.0, 320.0), I)),
        Clip { name: "vowel-8-khz", rate_hz: 8_000, samples: vowel(8_000, 1.5, (120.0, 130.0), O) },
        Clip { name: "vowel-44-khz", rate_hz: 44_100, samples: vowel(44_100, 1.5, (120.0, 130.0), O) },
        clip("hiss", hiss),
        clip("tone", tone),
        clip("silence", vec![0.0; 16_000]),
        clip("click", vowel(RATE_HZ, 0.1, (120.0, 120.0), A)),
    ]
}

impl Clip {
    /// The clip as a WAV file that states this rate.
    pub(crate) fn wav(&self, rate_hz: u32) -> Vec<u8> {
        let bytes = u32::try_from(self.samples.len() * 2).unwrap();
        let mut file = b"RIFF".to_vec();
        file.extend((bytes + 36).to_le_bytes());
        file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
        file.extend(rate_hz.to_le_bytes());
        file.extend((rate_hz * 2).to_le_bytes());
        file.extend(b"\x02\0\x10\0data");
        file.extend(bytes.to_le_bytes());
        for sample in &self.samples {
            file.extend(((sample.clamp(-1.0, 1.0) * 32_767.0).round() as i16).to_le_bytes());
        }
        file
    }
}
