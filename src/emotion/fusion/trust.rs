//! How far to trust a fused state, and when to abstain.

use super::config::FusionConfig;
use super::pool::{Opinions, State};
use crate::emotion::label::CategoryArray;
use crate::emotion::vector::{Abstention, AbstentionCode, ModalityTrust, Trust};
use crate::emotion::{CATEGORY_COUNT, Modality, top_category};

/// A modality with less than this share cannot make a contradiction.
const CONTRADICTION_SHARE: f32 = 0.2;

/// The three sides of confidence, each in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Assurance {
    /// How much weight there is.
    pub(super) evidence: f32,
    /// How far the modalities say the same.
    pub(super) agreement: f32,
    /// How far one category stands out.
    pub(super) certainty: f32,
}

impl Assurance {
    pub(super) fn of(opinions: &Opinions, state: &State, config: &FusionConfig) -> Self {
        let total: f32 = opinions.iter().flatten().map(|opinion| opinion.weight).sum();
        Self {
            evidence: 1.0 - (-total / config.confidence.evidence_scale).exp(),
            agreement: agreement(opinions),
            certainty: (1.0 - entropy(&state.categories) / (CATEGORY_COUNT as f32).ln()).clamp(0.0, 1.0),
        }
    }

    /// Evidence times the geometric mean of the other two: without evidence nothing counts.
    pub(super) fn confidence(&self) -> f32 {
        (self.evidence * (self.agreement * self.certainty).sqrt()).clamp(0.0, 1.0)
    }
}

/// The share of each modality in the pool; the shares of those present sum to 1.
pub(super) fn shares(opinions: &Opinions) -> [Option<f32>; 3] {
    let total: f32 = opinions.iter().flatten().map(|opinion| opinion.weight).sum();
    let present = opinions.iter().flatten().count();
    opinions.map(|opinion| {
        let opinion = opinion?;
        Some(if total > 0.0 { opinion.weight / total } else { 1.0 / present as f32 })
    })
}

/// The trust block of a vector.
pub(super) fn trust(opinions: &Opinions, assurance: &Assurance, config: &FusionConfig) -> Trust {
    let shares = shares(opinions);
    let part = |modality: Modality| {
        let opinion = opinions[modality.index()].as_ref()?;
        Some(ModalityTrust {
            weight: shares[modality.index()]?,
            age_ms: opinion.age_ms,
            quality: opinion.quality.clamp(0.0, 1.0),
            readings: opinion.readings,
        })
    };
    let abstain = abstention(opinions, assurance, config);
    let nothing_read = opinions.iter().flatten().next().is_none();
    Trust {
        text: part(Modality::Text),
        voice: part(Modality::Voice),
        face: part(Modality::Face),
        confidence: if nothing_read { 0.0 } else { assurance.confidence() },
        abstain,
    }
}

fn abstention(opinions: &Opinions, assurance: &Assurance, config: &FusionConfig) -> Option<Abstention> {
    let limits = &config.confidence;
    let abstain = |code, reason: String| Some(Abstention { code, reason });
    if opinions.iter().flatten().next().is_none() {
        let reason = "no modality gave a usable reading".to_owned();
        return abstain(AbstentionCode::NoReadings, reason);
    }
    if assurance.evidence < limits.minimum_evidence {
        let reason = format!(
            "the readings are too few, too old or of too low a quality: evidence {:.2} is below {:.2}",
            assurance.evidence, limits.minimum_evidence
        );
        return abstain(AbstentionCode::LowQuality, reason);
    }
    if assurance.agreement < limits.minimum_agreement && has_two_voices(opinions) {
        let claims: Vec<String> = Modality::ALL
            .into_iter()
            .filter_map(|modality| {
                let (category, probability) = top_category(&opinions[modality.index()]?.probabilities);
                Some(format!("{modality} says {category} at {:.0} %", probability * 100.0))
            })
            .collect();
        let reason = format!("the modalities contradict each other: {}", claims.join(", "));
        return abstain(AbstentionCode::Contradictory, reason);
    }
    if assurance.certainty < limits.minimum_certainty {
        let reason = format!(
            "no category stands out: certainty {:.2} is below {:.2}",
            assurance.certainty, limits.minimum_certainty
        );
        return abstain(AbstentionCode::TooFlat, reason);
    }
    None
}

fn has_two_voices(opinions: &Opinions) -> bool {
    shares(opinions).iter().flatten().filter(|share| **share >= CONTRADICTION_SHARE).count() >= 2
}

/// 1 minus the weighted Jensen-Shannon divergence of the modalities, as a part of its greatest possible value.
/// One modality agrees with itself.
fn agreement(opinions: &Opinions) -> f32 {
    let shares = shares(opinions);
    let mut mixture = [0.0; CATEGORY_COUNT];
    let mut own_entropy = 0.0;
    let mut greatest = 0.0;
    for (opinion, share) in opinions.iter().flatten().zip(shares.iter().flatten()) {
        for (mixed, probability) in mixture.iter_mut().zip(opinion.probabilities) {
            *mixed += share * probability;
        }
        own_entropy += share * entropy(&opinion.probabilities);
        greatest -= plogp(*share);
    }
    if greatest < 1e-6 {
        return 1.0;
    }
    (1.0 - (entropy(&mixture) - own_entropy) / greatest).clamp(0.0, 1.0)
}

fn entropy(probabilities: &CategoryArray) -> f32 {
    -probabilities.iter().copied().map(plogp).sum::<f32>()
}

fn plogp(probability: f32) -> f32 {
    if probability > 0.0 { probability * probability.ln() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fused, reading};
    use super::*;
    use crate::emotion::Category;

    fn code(readings: &[crate::emotion::Reading]) -> Option<AbstentionCode> {
        fused(readings).vector.trust.abstain.map(|abstention| abstention.code)
    }

    #[test]
    fn clean_agreement_is_not_an_abstention() {
        let both = [
            reading(Modality::Text, 900, Category::Anger, 0.7),
            reading(Modality::Face, 900, Category::Anger, 0.7),
        ];
        assert_eq!(code(&both), None);
        assert!(fused(&both).vector.trust.confidence > 0.6);
    }

    #[test]
    fn nothing_read_abstains_with_confidence_zero() {
        assert_eq!(code(&[]), Some(AbstentionCode::NoReadings));
        assert_eq!(fused(&[]).vector.trust.confidence, 0.0);
    }

    #[test]
    fn a_blurred_face_alone_is_too_little() {
        let mut blurred = reading(Modality::Face, 900, Category::Anger, 0.9);
        blurred.quality = 0.05;
        assert_eq!(code(&[blurred]), Some(AbstentionCode::LowQuality));
    }

    #[test]
    fn opposite_claims_are_contradictory_and_named() {
        let readings = [
            reading(Modality::Text, 900, Category::Happiness, 0.94),
            reading(Modality::Face, 900, Category::Anger, 0.94),
        ];
        assert_eq!(code(&readings), Some(AbstentionCode::Contradictory));
        let reason = fused(&readings).vector.trust.abstain.unwrap().reason;
        assert!(reason.contains("text says happiness at 94 %"), "{reason}");
    }

    #[test]
    fn an_even_spread_is_too_flat() {
        let mut flat = reading(Modality::Text, 900, Category::Anger, 0.5);
        flat.categories = [1.0 / 7.0; 7];
        flat.quality = 1.0;
        assert_eq!(code(&[flat]), Some(AbstentionCode::TooFlat));
    }

    #[test]
    fn agreement_lifts_confidence_and_conflict_lowers_it() {
        let text = || reading(Modality::Text, 900, Category::Anger, 0.6);
        let alone = fused(&[text()]).vector.trust.confidence;
        let together =
            fused(&[text(), reading(Modality::Voice, 900, Category::Anger, 0.6)]).vector.trust.confidence;
        let against =
            fused(&[text(), reading(Modality::Voice, 900, Category::Sadness, 0.6)]).vector.trust.confidence;
        assert!(together > alone && alone > against, "{together} {alone} {against}");
    }
}
