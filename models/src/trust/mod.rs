//! When a model would rather not be asked: limits on quality, familiarity and confidence, and what falls below them.
//!
//! The limits stand in a model's manifest, what is familiar in a file beside it; both are written by calibration. A
//! model without them answers everything.

mod familiarity;

use serde::{Deserialize, Serialize};

pub use familiarity::{FAMILIARITY_FILE, Familiarity};

use crate::{ModelError, ModelFolder};

/// Why an answer should not be acted upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Doubt {
    /// The input was too bad to be read.
    LowQuality,
    /// The input is unlike anything the model was calibrated on.
    Unfamiliar,
    /// No category stands out.
    Unsure,
}

impl Doubt {
    /// The name on the wire.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::LowQuality => "low_quality",
            Self::Unfamiliar => "unfamiliar",
            Self::Unsure => "unsure",
        }
    }

    /// A sentence for people.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::LowQuality => "the input is too short, too faint, too blurred or too noisy to be read",
            Self::Unfamiliar => "the input is unlike what the model was made for",
            Self::Unsure => "no category is likelier than a guess by how common the categories are",
        }
    }
}

/// The limits below which a model abstains, each 0 to 1; part of its manifest.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustLimits {
    /// The least quality of an input.
    pub least_quality: f32,
    /// The least familiarity of an input.
    pub least_familiarity: f32,
    /// The least probability of the likeliest category.
    pub least_confidence: f32,
}

/// What a model goes by when it judges its own answers.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    limits: TrustLimits,
    familiarity: Option<Familiarity>,
}

impl Trust {
    /// Reads it from a model's folder whose features have a given width.
    ///
    /// # Errors
    /// [`ModelError`] where the limits are not between 0 and 1 or the file does not fit the network.
    pub fn open<C>(folder: &ModelFolder<C>, width: usize) -> Result<Self, ModelError> {
        let limits = folder.manifest.trust;
        let TrustLimits { least_quality, least_familiarity, least_confidence } = limits;
        if [least_quality, least_familiarity, least_confidence]
            .iter()
            .any(|limit| !(0.0..=1.0).contains(limit))
        {
            return Err(ModelError::Weights("the manifest's limits of trust must be 0 to 1".to_owned()));
        }
        let familiarity = match folder.optional_file(FAMILIARITY_FILE) {
            Some(bytes) => Some(Familiarity::parse(bytes, width)?),
            None => None,
        };
        Ok(Self { limits, familiarity })
    }

    /// How familiar an input is, by the network's own features of it, 0 to 1; 1 where nothing is known.
    #[must_use]
    pub fn familiarity(&self, features: &[f32]) -> f32 {
        self.familiarity.as_ref().map_or(1.0, |familiarity| familiarity.of(features))
    }

    /// The first limit that an answer falls below.
    #[must_use]
    pub fn doubt(&self, quality: f32, familiarity: f32, categories: &[f32]) -> Option<Doubt> {
        let confidence = categories.iter().copied().fold(0.0, f32::max);
        if quality < self.limits.least_quality {
            Some(Doubt::LowQuality)
        } else if familiarity < self.limits.least_familiarity {
            Some(Doubt::Unfamiliar)
        } else if confidence < self.limits.least_confidence {
            Some(Doubt::Unsure)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_limit_counts_and_no_limit_is_never_missed() {
        let limits = TrustLimits { least_quality: 0.2, least_familiarity: 0.5, least_confidence: 0.4 };
        let trust = Trust { limits, familiarity: None };
        let sure = [0.9, 0.1];
        assert_eq!(trust.doubt(1.0, 1.0, &sure), None);
        assert_eq!(trust.doubt(0.1, 0.1, &[0.3, 0.3]), Some(Doubt::LowQuality));
        assert_eq!(trust.doubt(0.2, 0.49, &sure), Some(Doubt::Unfamiliar));
        assert_eq!(trust.doubt(1.0, 0.5, &[0.39, 0.3]), Some(Doubt::Unsure));
        assert_eq!(Trust::default().doubt(0.0, 0.0, &[]), None);
        assert!((trust.familiarity(&[5.0]) - 1.0).abs() < f32::EPSILON);
    }
}
