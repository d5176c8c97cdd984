//! The numbers of the fusion, each with its reason.

use serde::{Deserialize, Serialize};

use crate::emotion::error::{EmotionError, Faults};
use crate::emotion::label::{self, CategoryArray, CategoryProbabilities, Modality};

/// How far the prior's sum may be from 1.
const SUM_TOLERANCE: f32 = 0.001;
/// The longest time constant or half-life, in milliseconds: a day, longer than any call.
const TIME_LIMIT_MS: u64 = 24 * 60 * 60 * 1000;

/// How far one modality is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModalityConfig {
    /// A factor on the reliability that was learned for it, in [0, 1]: 1 leaves it, 0 ignores the modality.
    pub reliability: f32,
    /// After how many milliseconds without a new reading its weight is halved.
    pub half_life_ms: u64,
    /// The category shares that its probabilities already contain; the learned ones where none are given.
    #[serde(default)]
    pub prior: Option<CategoryProbabilities>,
}

/// How quickly each part of the vector forgets: time constants of exponential forgetting, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DimensionMemory {
    /// For the categories. 8 s: on made-up calls anger is then found half as late as with 15 s, and one odd
    /// utterance still does not turn the state (`docs/emotion.md` has the table).
    pub categories_ms: u64,
    /// For valence. 20 s: a mood outlasts the sentence that shows it.
    pub valence_ms: u64,
    /// For arousal. 10 s: excitement rises and falls faster than mood.
    pub arousal_ms: u64,
    /// For dominance. 30 s: who leads a conversation changes slowly, and its readings are the noisiest.
    pub dominance_ms: u64,
    /// For satisfaction, frustration and confusion. 45 s: they judge the service so far, not the last sentence.
    pub service_ms: u64,
}

impl Default for DimensionMemory {
    fn default() -> Self {
        Self {
            categories_ms: 8_000,
            valence_ms: 20_000,
            arousal_ms: 10_000,
            dominance_ms: 30_000,
            service_ms: 45_000,
        }
    }
}

/// When to be sure and when to abstain.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConfidenceConfig {
    /// The total weight at which evidence reaches 63 %. 0.5: one clean modality alone reaches about 80 %.
    pub evidence_scale: f32,
    /// Below this evidence the vector abstains. 0.15: one modality at a tenth of its quality, or three half-lives old.
    pub minimum_evidence: f32,
    /// Below this agreement the vector abstains. 0.4: two modalities sure (about 0.9) of different categories.
    pub minimum_agreement: f32,
    /// Below this certainty the vector abstains. 0.04: no category above about a quarter.
    pub minimum_certainty: f32,
}

impl Default for ConfidenceConfig {
    fn default() -> Self {
        Self { evidence_scale: 0.5, minimum_evidence: 0.15, minimum_agreement: 0.4, minimum_certainty: 0.04 }
    }
}

/// All numbers of the fusion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FusionConfig {
    /// Words. Half-life 30 s: what was said holds while the customer listens to the answer.
    pub text: ModalityConfig,
    /// Voice. Half-life 20 s: tone changes faster than what was said.
    pub voice: ModalityConfig,
    /// Face. Half-life 8 s: frames come all the time, so a missing face is soon old.
    pub face: ModalityConfig,
    /// How common each category is: what the service signals are expected to be where nothing is read. The default lies
    /// between the shares in the data of the models (neutral from a seventh for acted voices to a third for faces).
    #[serde(with = "label::by_name")]
    pub prior: CategoryArray,
    /// The length of a time bucket within which the readings of one modality are pooled into one, in milliseconds.
    /// 2 s: longer than the time between frames, shorter than most utterances.
    pub bucket_ms: u64,
    /// How quickly each part forgets.
    pub memory: DimensionMemory,
    /// The least probability a reading may give a category. 0.005: no single reading can veto a category for good.
    pub probability_floor: f32,
    /// The weight of the state of rest (all dimensions 0) in the weighted means of the dimensions. 0.1: a strong
    /// claim by nearly nobody stays small, and clean evidence is hardly touched.
    pub rest_weight: f32,
    /// The part of a modality's weight with which its categories speak for a dimension that it does not read itself.
    /// 0.4: a category is a coarse hint of dominance or satisfaction.
    pub derived_share: f32,
    /// When to be sure and when to abstain.
    pub confidence: ConfidenceConfig,
}

impl Default for FusionConfig {
    fn default() -> Self {
        Self {
            text: ModalityConfig { reliability: 1.0, half_life_ms: 30_000, prior: None },
            voice: ModalityConfig { reliability: 1.0, half_life_ms: 20_000, prior: None },
            face: ModalityConfig { reliability: 1.0, half_life_ms: 8_000, prior: None },
            prior: [0.25, 0.17, 0.11, 0.14, 0.16, 0.07, 0.10],
            bucket_ms: 2_000,
            memory: DimensionMemory::default(),
            probability_floor: 0.005,
            rest_weight: 0.1,
            derived_share: 0.4,
            confidence: ConfidenceConfig::default(),
        }
    }
}

impl FusionConfig {
    /// The numbers of one modality.
    #[must_use]
    pub const fn of(&self, modality: Modality) -> &ModalityConfig {
        match modality {
            Modality::Text => &self.text,
            Modality::Voice => &self.voice,
            Modality::Face => &self.face,
        }
    }

    /// Checks that every number can be used.
    ///
    /// # Errors
    /// [`EmotionError::InvalidConfig`] with every fault.
    pub fn validate(&self) -> Result<(), EmotionError> {
        let mut faults = Faults::default();
        for modality in Modality::ALL {
            let numbers = self.of(modality);
            faults.check_range(&format!("{modality}.reliability"), numbers.reliability, 0.0, 1.0);
            check_time(&format!("{modality}.half_life_ms"), numbers.half_life_ms, &mut faults);
            if let Some(prior) = numbers.prior {
                check_prior(&format!("{modality}.prior"), &prior.into(), &mut faults);
            }
        }
        check_prior("prior", &self.prior, &mut faults);
        check_time("bucket_ms", self.bucket_ms, &mut faults);
        for (field, time_ms) in [
            ("memory.categories_ms", self.memory.categories_ms),
            ("memory.valence_ms", self.memory.valence_ms),
            ("memory.arousal_ms", self.memory.arousal_ms),
            ("memory.dominance_ms", self.memory.dominance_ms),
            ("memory.service_ms", self.memory.service_ms),
        ] {
            check_time(field, time_ms, &mut faults);
        }
        faults.check_range("probability_floor", self.probability_floor, 1e-6, 0.1);
        faults.check_range("rest_weight", self.rest_weight, 0.0, 10.0);
        faults.check_range("derived_share", self.derived_share, 0.0, 1.0);
        faults.check_range("confidence.evidence_scale", self.confidence.evidence_scale, 0.01, 10.0);
        for (field, value) in [
            ("confidence.minimum_evidence", self.confidence.minimum_evidence),
            ("confidence.minimum_agreement", self.confidence.minimum_agreement),
            ("confidence.minimum_certainty", self.confidence.minimum_certainty),
        ] {
            faults.check_range(field, value, 0.0, 1.0);
        }
        faults.into_result(EmotionError::InvalidConfig)
    }
}

fn check_time(field: &str, time_ms: u64, faults: &mut Faults) {
    if !(1..=TIME_LIMIT_MS).contains(&time_ms) {
        faults.add(field, format!("{time_ms} is not between 1 and {TIME_LIMIT_MS}"));
    }
}

/// A prior of 0 would forbid a category and make its likelihood infinite.
fn check_prior(field: &str, prior: &CategoryArray, faults: &mut Faults) {
    faults.check_distribution(field, prior, SUM_TOLERANCE);
    if prior.contains(&0.0) {
        faults.add(field, "a category has probability 0, but every category must be possible");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_round_trip() {
        let config = FusionConfig::default();
        config.validate().unwrap();
        let text = toml::to_string(&config).unwrap();
        assert_eq!(toml::from_str::<FusionConfig>(&text).unwrap(), config);
        assert_eq!(toml::from_str::<FusionConfig>("").unwrap(), config);
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_expected_names() {
        let error = toml::from_str::<FusionConfig>("bucket = 3").unwrap_err().to_string();
        assert!(error.contains("bucket_ms"), "{error}");
        let error = toml::from_str::<FusionConfig>("[memory]\nvalence = 3").unwrap_err().to_string();
        assert!(error.contains("valence_ms"), "{error}");
    }

    #[test]
    fn every_fault_is_listed() {
        let mut config = FusionConfig::default();
        config.voice.reliability = 1.2;
        config.face.half_life_ms = 0;
        config.text.prior = Some([1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0].into());
        config.prior[0] = 0.5;
        config.bucket_ms = 0;
        config.probability_floor = 0.0;
        config.confidence.minimum_evidence = f32::NAN;
        let error = config.validate().unwrap_err();
        let fields: Vec<_> = error.faults().iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "text.prior",
                "voice.reliability",
                "face.half_life_ms",
                "prior",
                "bucket_ms",
                "probability_floor",
                "confidence.minimum_evidence"
            ]
        );
    }
}
