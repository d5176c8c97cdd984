//! From the models' predictions to readings: spans, quality and names.

use heartline_models::detector::FaceBox;
use heartline_models::face::FacePrediction;
use heartline_models::text::TextPrediction;
use heartline_models::voice::VoicePrediction;

use crate::emotion::{FaceRegion, LabelScore, Modality, Reading, ServiceHints, Span};

/// Native labels that one reading carries, the strongest first.
const LABEL_LIMIT: usize = 5;
/// Tokens at which half of the trust in a text's length is reached: one word says little, a sentence says enough.
const HALF_TRUST_TOKENS: f32 = 2.0;

/// A reading of one utterance. Its quality falls with the share of unknown pieces and with shortness.
pub(super) fn of_text(prediction: TextPrediction, span: Span, model: &str) -> Reading {
    // The count is far below where f32 stops counting exactly.
    let tokens = prediction.tokens as f32;
    let length_trust = tokens / (tokens + HALF_TRUST_TOKENS);
    let known_share = (1.0_f32 - prediction.unknown_share).clamp(0.0, 1.0);
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
        quality: known_share * length_trust,
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
        quality: (prediction.quality * speech_share).clamp(0.0, 1.0),
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
        quality: prediction.quality.clamp(0.0, 1.0),
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

    fn text(tokens: usize, unknown_share: f32) -> TextPrediction {
        TextPrediction {
            categories: [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
            valence: 0.1,
            arousal: 0.2,
            dominance: 0.3,
            satisfaction: None,
            frustration: Some(0.4),
            confusion: None,
            labels: (0..9_u8).map(|index| (format!("label {index}"), f32::from(index) / 10.0)).collect(),
            tokens,
            truncated: false,
            unknown_share,
        }
    }

    #[test]
    fn quality_falls_with_shortness_and_unknown_words() {
        let quality =
            |tokens, unknown_share| of_text(text(tokens, unknown_share), Span::at(0), "text/1").quality;
        assert!(quality(1, 0.0) < quality(20, 0.0));
        assert!(quality(20, 0.5) < quality(20, 0.0));
        assert_eq!(quality(20, 1.0), 0.0);
        assert_eq!(quality(0, 0.0), 0.0);
    }

    #[test]
    fn the_strongest_labels_come_first_and_are_few() {
        let reading = of_text(text(4, 0.0), Span::new(3, 9), "text/1");
        assert_eq!(reading.labels.len(), LABEL_LIMIT);
        assert_eq!(reading.labels[0].name, "label 8");
        assert_eq!((reading.span, reading.service.frustration), (Span::new(3, 9), Some(0.4)));
    }
}
