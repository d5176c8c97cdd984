//! How like the calibration data an input is, by the network's own features of it.
//!
//! Features are standardised and measured along their main axes, where familiar inputs spread much, and beside them,
//! where they spread little. The distance is the root of the mean square of both, in units of what is usual; an input
//! beyond what all but a few familiar ones reach is unfamiliar.
//!
//! | tensor | shape | what |
//! |---|---|---|
//! | `mean` | `[width]` | the mean of the features |
//! | `axes` | `[axes, width]` | main axes of the features, each of length 1 |
//! | `deviations` | `[axes]` | the usual spread along each axis |
//! | `rest` | `[1]` | the usual distance from the space of the axes |
//! | `farthest` | `[1]` | the distance that is reached by one familiar input in a hundred |

use crate::{ModelError, Weights, WeightsWriter};

/// The file's name in a model's folder.
pub const FAMILIARITY_FILE: &str = "familiarity.safetensors";

/// How steeply familiarity falls about the farthest distance: 1 well inside, 0.5 there, near 0 at half as far again.
const STEEPNESS: f32 = 6.0;

/// What familiar inputs look like to a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Familiarity {
    /// The mean of the features.
    pub mean: Vec<f32>,
    /// Main axes, one after the other, each as long as `mean` and of length 1.
    pub axes: Vec<f32>,
    /// The usual spread along each axis.
    pub deviations: Vec<f32>,
    /// The usual distance from the space of the axes; 0 where the axes span everything.
    pub rest: f32,
    /// The distance at which the familiarity is one half.
    pub farthest: f32,
}

impl Familiarity {
    /// Reads the file.
    ///
    /// # Errors
    /// [`ModelError`] where a tensor is missing, of another shape, or holds what cannot be divided by.
    pub fn parse(bytes: &[u8], width: usize) -> Result<Self, ModelError> {
        let weights = Weights::parse(bytes)?;
        let mean = weights.values("mean", &[width])?;
        let axes = weights.rows("axes", width)?;
        let deviations = weights.values("deviations", &[axes.len() / width.max(1)])?;
        let single = |name: &str| Ok::<_, ModelError>(weights.values(name, &[1])?[0]);
        let (rest, farthest) = (single("rest")?, single("farthest")?);
        let usable = deviations.iter().all(|deviation| *deviation > 0.0) && farthest > 0.0 && rest >= 0.0;
        if !usable {
            return Err(ModelError::Weights("the familiarity's spreads must be above 0".to_owned()));
        }
        Ok(Self { mean, axes, deviations, rest, farthest })
    }

    /// Adds it to a file.
    pub fn store(&self, writer: &mut WeightsWriter) {
        let width = self.mean.len();
        writer.put_f32("mean", &[width], &self.mean);
        writer.put_f16("axes", &[self.deviations.len(), width], &self.axes);
        writer.put_f32("deviations", &[self.deviations.len()], &self.deviations);
        writer.put_f32("rest", &[1], &[self.rest]);
        writer.put_f32("farthest", &[1], &[self.farthest]);
    }

    /// How far an input's features are from the familiar ones; about 1 is usual.
    #[must_use]
    pub fn distance(&self, features: &[f32]) -> f32 {
        let centred: Vec<f32> = features.iter().zip(&self.mean).map(|(value, mean)| value - mean).collect();
        let mut left: f32 = centred.iter().map(|value| value * value).sum();
        let mut sum = 0.0;
        for (axis, deviation) in self.axes.chunks_exact(self.mean.len().max(1)).zip(&self.deviations) {
            let along: f32 = axis.iter().zip(&centred).map(|(axis, value)| axis * value).sum();
            left -= along * along;
            sum += (along / deviation).powi(2);
        }
        let mut parts = self.deviations.len().max(1) as f32;
        if self.rest > 0.0 {
            // What lies beside the axes counts as much as they do together: new inputs often differ just there.
            sum += parts * left.max(0.0) / (self.rest * self.rest);
            parts *= 2.0;
        }
        (sum / parts).sqrt()
    }

    /// The familiarity of an input, 0 to 1.
    #[must_use]
    pub fn of(&self, features: &[f32]) -> f32 {
        let share = self.distance(features) / self.farthest;
        let familiarity = (-std::f32::consts::LN_2 * share.powf(STEEPNESS)).exp();
        if familiarity.is_finite() { familiarity } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plane() -> Familiarity {
        Familiarity {
            mean: vec![1.0, 0.0, 0.0],
            axes: vec![0.0, 1.0, 0.0],
            deviations: vec![2.0],
            rest: 0.5,
            farthest: 2.0,
        }
    }

    #[test]
    fn distances_count_along_the_axes_and_beside_them() {
        let plane = plane();
        assert!(plane.distance(&[1.0, 0.0, 0.0]) < 1e-6);
        assert!((plane.distance(&[1.0, 2.0, 0.0]) - 0.5_f32.sqrt()).abs() < 1e-6);
        assert!((plane.distance(&[1.5, 2.0, 0.0]) - 1.0).abs() < 1e-6);
        assert!((plane.distance(&[1.0, 0.0, 1.0]) - 2.0_f32.sqrt()).abs() < 1e-6);
    }

    #[test]
    fn familiarity_falls_through_one_half_at_the_farthest_distance() {
        let plane = plane();
        assert!(plane.of(&[1.0, 1.0, 0.0]) > 0.99);
        assert!((plane.of(&[1.0, 0.0, 2.0_f32.sqrt()]) - 0.5).abs() < 1e-5);
        assert!(plane.of(&[1.0, 50.0, 0.0]) < 1e-6);
        assert!(plane.of(&[f32::NAN, 0.0, 0.0]) == 0.0);
    }

    #[test]
    fn a_written_file_reads_back_and_a_wrong_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FAMILIARITY_FILE);
        let write = |familiarity: &Familiarity| {
            let mut writer = WeightsWriter::default();
            familiarity.store(&mut writer);
            writer.write(&path).unwrap();
            std::fs::read(&path).unwrap()
        };
        assert_eq!(Familiarity::parse(&write(&plane()), 3).unwrap(), plane());
        assert!(matches!(Familiarity::parse(&write(&plane()), 4), Err(ModelError::Shape { .. })));
        let flat = Familiarity { deviations: vec![0.0], ..plane() };
        assert!(matches!(Familiarity::parse(&write(&flat), 3), Err(ModelError::Weights(_))));
    }
}
