//! The detector's settings in its manifest.

use serde::{Deserialize, Serialize};

use crate::ModelError;

/// How pictures are scaled and which boxes count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectorConfig {
    /// Larger pictures are scaled down to this longest side, in pixels; smaller ones stay as they are.
    pub longest_side: usize,
    /// Boxes below this score are no faces, 0 to 1.
    pub threshold: f32,
    /// Of two boxes whose overlap is above this, the weaker one goes; 0 to 1.
    pub overlap: f32,
    /// The strongest faces that are kept of one picture.
    pub faces: usize,
}

impl Default for DetectorConfig {
    fn default() -> Self {
        Self { longest_side: 640, threshold: 0.6, overlap: 0.3, faces: 100 }
    }
}

impl DetectorConfig {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`ModelError::Input`] that names the setting.
    pub fn check(&self) -> Result<(), ModelError> {
        let fault = if !(32..=4096).contains(&self.longest_side) {
            Some("longest_side must be 32 to 4096")
        } else if !(0.0..=1.0).contains(&self.threshold) || !(0.0..=1.0).contains(&self.overlap) {
            Some("threshold and overlap must be 0 to 1")
        } else if self.faces == 0 {
            Some("faces must be at least 1")
        } else {
            None
        };
        fault.map_or(Ok(()), |fault| Err(ModelError::Input(format!("the detector's configuration: {fault}"))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_checked() {
        let good = DetectorConfig::default();
        assert!(good.check().is_ok());
        for bad in [
            DetectorConfig { longest_side: 8, ..good.clone() },
            DetectorConfig { threshold: f32::NAN, ..good.clone() },
            DetectorConfig { overlap: 1.5, ..good.clone() },
            DetectorConfig { faces: 0, ..good },
        ] {
            assert!(matches!(bad.check(), Err(ModelError::Input(_))));
        }
    }
}
