//! From the models' predictions to readings: spans, quality and names.

use heartline_models::detector::FaceBox;
use heartline_models::face::FacePrediction;
use heartline_models::text::TextPrediction;
use heartline_models::voice::VoicePrediction;

use crate::emotion::{FaceRegion, LabelScore, Modality, Reading, ServiceHints, Span};

/// Native labels that one reading carries, the strongest first.
const LABEL_LIMIT: usize = 5;

/// A reading of one utterance.
pub(super) fn of_text(prediction: TextPrediction, span: Span, model: &str) -> Reading {
    Reading {
        modality: Modality::Text,
        span,
        categories: prediction.categories,
        valence: prediction.valence,
        arousal: prediction.arousal,
        dominance: Some(prediction.dominance),
        service: ServiceHints {
            satisfaction: prediction.satisfaction,
            frustration: prediction.frustration,
            confusion: prediction.confusion,
        },
        labels: strongest(prediction.labels),
        quality: trusted(prediction.quality, prediction.familiarity),
        face: None,
        model: model.to_owned(),
    }
}

/// A reading of one window of speech. Its quality is the model's, scaled by the share of the window that is speech.
pub(super) fn of_voice(prediction: VoicePrediction, span: Span, speech_share: f32, model: &str) -> Reading {
    Reading {
        modality: Modality::Voice,
        span,
        categories: prediction.categories,
        valence: prediction.valence,
        arousal: prediction.arousal,
        dominance: Some(prediction.dominance),
        service: ServiceHints::default(),
        labels: strongest(prediction.labels),
        quality: trusted(prediction.quality * speech_share, prediction.familiarity),
        face: None,
        model: model.to_owned(),
    }
}

/// A reading of one face.
pub(super) fn of_face(face: &FaceBox, prediction: FacePrediction, at_ms: u64, model: &str) -> Reading {
    Reading {
        modality: Modality::Face,
        span: Span::at(at_ms),
        categories: prediction.categories,
        valence: prediction.valence,
        arousal: prediction.arousal,
        dominance: None,
        service: ServiceHints::default(),
        labels: strongest(prediction.labels),
        quality: trusted(prediction.quality, prediction.familiarity),
        face: Some(FaceRegion {
            left: face.left,
            top: face.top,
            width: face.width,
            height: face.height,
            score: face.score,
        }),
        model: model.to_owned(),
    }
}

/// What a reading's quality is: an input unlike what the model knows counts as little as a bad one.
fn trusted(quality: f32, familiarity: f32) -> f32 {
    (quality * familiarity).clamp(0.0, 1.0)
}

fn strongest<N: Into<String>>(labels: Vec<(N, f32)>) -> Vec<LabelScore> {
    let mut labels: Vec<LabelScore> =
        labels.into_iter().map(|(name, score)| LabelScore { name: name.into(), score }).collect();
    labels.sort_by(|left, right| right.score.total_cmp(&left.score));
    labels.truncate(LABEL_LIMIT);
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(quality: f32, familiarity: f32) -> TextPrediction {
        TextPrediction {
            categories: [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            valence: 0.1,
            arousal: 0.2,
            dominance: 0.3,
            satisfaction: None,
            frustration: Some(0.4),
            confusion: None,
            labels: (0..9_u8).map(|index| (format!("label {index}"), f32::from(index) / 10.0)).collect(),
            tokens: 4,
            truncated: false,
            unknown_share: 0.0,
            quality,
            familiarity,
            doubt: None,
        }
    }

    #[test]
    fn quality_counts_only_as_far_as_the_input_is_familiar() {
        let quality =
            |quality, familiarity| of_text(text(quality, familiarity), Span::at(0), "text/1").quality;
        assert!((quality(0.8, 1.0) - 0.8).abs() < 1e-6);
        assert!((quality(0.8, 0.5) - 0.4).abs() < 1e-6);
        assert_eq!(quality(f32::INFINITY, 1.0), 1.0);
    }

    #[test]
    fn the_strongest_labels_come_first_and_are_few() {
        let reading = of_text(text(0.9, 1.0), Span::new(3, 9), "text/1");
        assert_eq!(reading.labels.len(), LABEL_LIMIT);
        assert_eq!(reading.labels[0].name, "label 8");
        assert_eq!((reading.span, reading.service.frustration), (Span::new(3, 9), Some(0.4)));
    }
}
