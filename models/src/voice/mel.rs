//! The encoder's input: Whisper's log-mel spectrogram, not padded to 30 s.

use std::sync::Arc;

use realfft::{RealFftPlanner, RealToComplex};

use crate::ModelError;

use super::SAMPLE_RATE_HZ;

/// Samples of a window.
const WINDOW: usize = 400;
/// Samples from one frame to the next.
pub(crate) const HOP: usize = 160;
/// Frequencies of a spectrum.
const BINS: usize = WINDOW / 2 + 1;
/// Powers below this are not told apart.
const SMALLEST_POWER: f64 = 1e-10;
/// How far below the loudest value a value may lie, in decades.
const RANGE_DECADES: f64 = 8.0;

/// Computes log-mel spectrograms. Double precision inside: quiet bands lie eight decades below loud ones.
#[derive(Clone)]
pub struct LogMel {
    window: Vec<f64>,
    transform: Arc<dyn RealToComplex<f64>>,
    bands: Vec<Band>,
}

/// A triangle on the mel scale: its first frequency and its weights from there on.
#[derive(Debug, Clone)]
struct Band {
    first: usize,
    weights: Vec<f64>,
}

impl std::fmt::Debug for LogMel {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("LogMel").field("bands", &self.bands.len()).finish_non_exhaustive()
    }
}

impl LogMel {
    /// A transform to this many mel bands between 0 Hz and half the sample rate.
    #[must_use]
    pub fn new(bands: usize) -> Self {
        let step = std::f64::consts::TAU / to_f64(WINDOW);
        let window = (0..WINDOW).map(|index| 0.5 - 0.5 * (step * to_f64(index)).cos()).collect();
        Self { window, transform: RealFftPlanner::new().plan_fft_forward(WINDOW), bands: slaney_bands(bands) }
    }

    /// How many frames a clip of this many samples has.
    #[must_use]
    pub fn frames(samples: usize) -> usize {
        samples / HOP
    }

    /// The spectrogram of 16 kHz mono samples, `[bands, frames]` row-major. The last frame, half of which would be
    /// padding, is dropped.
    ///
    /// # Errors
    /// [`ModelError::Input`] where the clip is shorter than its padding, [`ModelError::Computation`] where the
    /// Fourier transform fails.
    pub fn compute(&self, samples: &[f32]) -> Result<Vec<f32>, ModelError> {
        let padded = pad_by_reflection(samples)?;
        let frames = Self::frames(samples.len());
        let mut mel = vec![0.0_f64; self.bands.len() * frames];
        let mut input = self.transform.make_input_vec();
        let mut spectrum = self.transform.make_output_vec();
        let mut scratch = self.transform.make_scratch_vec();
        let mut power = [0.0_f64; BINS];
        for frame in 0..frames {
            let start = frame * HOP;
            for ((input, sample), window) in
                input.iter_mut().zip(&padded[start..start + WINDOW]).zip(&self.window)
            {
                *input = f64::from(*sample) * window;
            }
            self.transform
                .process_with_scratch(&mut input, &mut spectrum, &mut scratch)
                .map_err(|error| ModelError::Computation(error.to_string()))?;
            for (power, value) in power.iter_mut().zip(&spectrum) {
                *power = value.norm_sqr();
            }
            for (index, band) in self.bands.iter().enumerate() {
                let energy: f64 =
                    band.weights.iter().zip(&power[band.first..]).map(|(weight, power)| weight * power).sum();
                mel[index * frames + frame] = energy.max(SMALLEST_POWER).log10();
            }
        }
        Ok(compress(&mel))
    }
}

/// Limits the range and brings the values near 0.
fn compress(mel: &[f64]) -> Vec<f32> {
    let floor = mel.iter().copied().fold(f64::NEG_INFINITY, f64::max) - RANGE_DECADES;
    #[expect(clippy::cast_possible_truncation, reason = "values lie between -1.5 and 2, where f32 is enough")]
    mel.iter().map(|value| ((value.max(floor) + 4.0) / 4.0) as f32).collect()
}

fn pad_by_reflection(samples: &[f32]) -> Result<Vec<f32>, ModelError> {
    let padding = WINDOW / 2;
    if samples.len() <= padding {
        return Err(ModelError::Input(format!("a clip needs more than {padding} samples")));
    }
    let before = samples[1..=padding].iter().rev();
    let after = samples[samples.len() - 1 - padding..samples.len() - 1].iter().rev();
    Ok(before.chain(samples).chain(after).copied().collect())
}

/// Slaney's mel scale: linear below 1 kHz, logarithmic above; triangles of equal area.
fn slaney_bands(count: usize) -> Vec<Band> {
    let highest = to_mel(f64::from(SAMPLE_RATE_HZ) / 2.0);
    let edges: Vec<f64> =
        (0..count + 2).map(|index| to_hz(highest * to_f64(index) / to_f64(count + 1))).collect();
    let bin_hz = f64::from(SAMPLE_RATE_HZ) / to_f64(WINDOW);
    edges
        .windows(3)
        .map(|edge| {
            let area = 2.0 / (edge[2] - edge[0]);
            let weight = |bin: usize| {
                let hz = to_f64(bin) * bin_hz;
                let (rise, fall) =
                    ((hz - edge[0]) / (edge[1] - edge[0]), (edge[2] - hz) / (edge[2] - edge[1]));
                area * rise.min(fall).max(0.0)
            };
            let inside: Vec<usize> = (0..BINS).filter(|bin| weight(*bin) > 0.0).collect();
            let first = inside.first().copied().unwrap_or(0);
            Band { first, weights: inside.into_iter().map(weight).collect() }
        })
        .collect()
}

const MEL_HZ: f64 = 200.0 / 3.0;
const LINEAR_END_HZ: f64 = 1000.0;

/// Logarithmic steps above the linear part: 27 of them make a factor of 6.4.
fn logarithmic_step() -> f64 {
    6.4_f64.ln() / 27.0
}

fn to_mel(hz: f64) -> f64 {
    if hz < LINEAR_END_HZ {
        hz / MEL_HZ
    } else {
        LINEAR_END_HZ / MEL_HZ + (hz / LINEAR_END_HZ).ln() / logarithmic_step()
    }
}

fn to_hz(mel: f64) -> f64 {
    let linear_end = LINEAR_END_HZ / MEL_HZ;
    if mel < linear_end {
        mel * MEL_HZ
    } else {
        LINEAR_END_HZ * ((mel - linear_end) * logarithmic_step()).exp()
    }
}

#[expect(clippy::cast_precision_loss, reason = "indices here are far below 2^52")]
fn to_f64(index: usize) -> f64 {
    index as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_and_its_inverse_agree() {
        for hz in [0.0, 440.0, 999.0, 1000.0, 4321.0, 8000.0] {
            assert!((to_hz(to_mel(hz)) - hz).abs() < 1e-9);
        }
        assert!((to_mel(1000.0) - 15.0).abs() < 1e-12);
    }

    #[test]
    fn every_band_sees_something() {
        let bands = slaney_bands(80);
        assert_eq!(bands.len(), 80);
        assert!(bands.iter().all(|band| !band.weights.is_empty()));
    }

    #[test]
    fn a_tone_is_loudest_in_its_own_band() {
        let hz = 1000.0_f32;
        let tone: Vec<f32> = (0..8000_u16)
            .map(|index| (std::f32::consts::TAU * hz * f32::from(index) / 16_000.0).sin())
            .collect();
        let frames = LogMel::frames(tone.len());
        let mel = LogMel::new(80).compute(&tone).unwrap();
        let loudest = (0..80).max_by(|a, b| mel[a * frames + 20].total_cmp(&mel[b * frames + 20])).unwrap();
        let centre = to_hz(to_mel(8000.0) * to_f64(loudest + 1) / 81.0);
        assert!((centre - 1000.0).abs() < 60.0, "band {loudest} at {centre} Hz");
    }

    #[test]
    fn a_clip_shorter_than_its_padding_is_refused() {
        assert!(LogMel::new(80).compute(&[0.0; 200]).is_err());
        assert_eq!(LogMel::new(80).compute(&[0.0; 201]).unwrap().len(), 80);
    }
}
