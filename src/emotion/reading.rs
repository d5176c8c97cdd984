//! What one modality says about one span of a call.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::label::{self, CategoryArray, CategoryProbabilities, LabelScore, Modality};

/// A stretch of media time. Start and end are equal for a single frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// The first moment, in milliseconds of media time.
    pub start_ms: u64,
    /// The last moment, in milliseconds of media time.
    pub end_ms: u64,
}

impl Span {
    /// A span; the bounds are put in order.
    #[must_use]
    pub fn new(start_ms: u64, end_ms: u64) -> Self {
        Self { start_ms: start_ms.min(end_ms), end_ms: start_ms.max(end_ms) }
    }

    /// A single moment.
    #[must_use]
    pub const fn at(at_ms: u64) -> Self {
        Self { start_ms: at_ms, end_ms: at_ms }
    }

    /// How long it is, in milliseconds.
    #[must_use]
    pub const fn duration_ms(&self) -> u64 {
        self.end_ms.saturating_sub(self.start_ms)
    }
}

/// Signals of the service that a model has a head for, in [0, 1]; none where it has not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ServiceHints {
    /// How satisfied the customer sounds.
    pub satisfaction: Option<f32>,
    /// How frustrated the customer sounds.
    pub frustration: Option<f32>,
    /// How confused the customer sounds.
    pub confusion: Option<f32>,
}

/// Where a face was found, in pixels of the frame.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FaceRegion {
    /// The left edge, in pixels.
    pub left: f32,
    /// The upper edge, in pixels.
    pub top: f32,
    /// The width, in pixels.
    pub width: f32,
    /// The height, in pixels.
    pub height: f32,
    /// How sure the detector is, in [0, 1].
    pub score: f32,
}

/// What one modality says about one span.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// Where it comes from.
    pub modality: Modality,
    /// The span it speaks about.
    pub span: Span,
    /// Calibrated probabilities that sum to 1, in the order of [`Category::ALL`](super::Category::ALL).
    #[serde(with = "label::by_name")]
    #[schema(value_type = CategoryProbabilities)]
    pub categories: CategoryArray,
    /// From unpleasant (-1) to pleasant (1).
    #[schema(minimum = -1, maximum = 1)]
    pub valence: f32,
    /// From calm (-1) to excited (1).
    #[schema(minimum = -1, maximum = 1)]
    pub arousal: f32,
    /// From submissive (-1) to in control (1); none where the modality does not show it.
    #[schema(minimum = -1, maximum = 1)]
    pub dominance: Option<f32>,
    /// Signals of the service that the model has a head for.
    #[serde(default)]
    pub service: ServiceHints,
    /// The model's own labels.
    #[serde(default)]
    pub labels: Vec<LabelScore>,
    /// How good the material was, from useless (0) to clean (1).
    #[schema(minimum = 0, maximum = 1)]
    pub quality: f32,
    /// Where the face was, for readings of faces.
    pub face: Option<FaceRegion>,
    /// The model that made it, as `name/version`.
    pub model: String,
}

impl Reading {
    /// Whether every number is finite and the categories hold a distribution; others are left out of the fusion.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        let numbers = [self.valence, self.arousal, self.quality];
        let optional =
            [self.dominance, self.service.satisfaction, self.service.frustration, self.service.confusion];
        let sum: f32 = self.categories.iter().sum();
        numbers.iter().chain(optional.iter().flatten()).all(|value| value.is_finite())
            && self.categories.iter().all(|value| value.is_finite() && *value >= 0.0)
            && sum > 0.0
            && sum.is_finite()
            && self.quality > 0.0
            && self.span.start_ms <= self.span.end_ms
    }
}

/// What a customer said, with its place in the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Utterance {
    /// When it was said. A transcript without times has zeros everywhere; its order then counts.
    pub span: Span,
    /// The words.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading() -> Reading {
        Reading {
            modality: Modality::Face,
            span: Span::at(40),
            categories: [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            valence: 0.0,
            arousal: 0.0,
            dominance: None,
            service: ServiceHints::default(),
            labels: Vec::new(),
            quality: 0.5,
            face: None,
            model: "face/1".to_owned(),
        }
    }

    #[test]
    fn a_reading_round_trips_with_named_categories() {
        let json = serde_json::to_value(reading()).unwrap();
        assert_eq!(json["categories"]["neutral"], 1.0);
        assert_eq!(json["modality"], "face");
        assert_eq!(serde_json::from_value::<Reading>(json).unwrap(), reading());
    }

    #[test]
    fn damaged_readings_are_not_usable() {
        assert!(reading().is_usable());
        assert!(!Reading { valence: f32::NAN, ..reading() }.is_usable());
        assert!(!Reading { quality: 0.0, ..reading() }.is_usable());
        assert!(!Reading { categories: [0.0; 7], ..reading() }.is_usable());
        assert!(!Reading { categories: [-0.1, 1.1, 0.0, 0.0, 0.0, 0.0, 0.0], ..reading() }.is_usable());
        assert!(!Reading { dominance: Some(f32::INFINITY), ..reading() }.is_usable());
    }

    #[test]
    fn a_span_puts_its_bounds_in_order() {
        assert_eq!(Span::new(9, 4), Span { start_ms: 4, end_ms: 9 });
        assert_eq!(Span::new(4, 9).duration_ms(), 5);
    }
}
