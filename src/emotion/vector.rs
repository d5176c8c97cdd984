//! The emotion vector: the fused state of the customer at a moment.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::{EmotionError, Faults};
use super::label::{self, CategoryArray, CategoryProbabilities, Modality, top_category};
use super::{Category, Concern};

/// The layout's version.
pub const EMOTION_VECTOR_VERSION: u32 = 1;

/// How far sums may be from 1: seven values rounded to two digits can be off by 0.035 together.
const SUM_TOLERANCE: f32 = 0.036;
/// The longest text that a vector from outside may carry, in bytes.
const TEXT_LIMIT: usize = 1024;
/// The most spans that a concern from outside may carry.
const SPAN_LIMIT: usize = 10_000;

/// The fused state of the customer at a moment: expressions observed, not feelings known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmotionVector {
    /// The layout's version; 1.
    #[schema(minimum = 1, maximum = 1)]
    pub version: u32,
    /// The moment it speaks of, in milliseconds of media time.
    pub at_ms: u64,
    /// Probabilities that sum to 1, in the order of [`Category::ALL`].
    #[serde(with = "label::by_name")]
    #[schema(value_type = CategoryProbabilities)]
    pub categories: CategoryArray,
    /// From unpleasant (-1) to pleasant (1).
    #[schema(minimum = -1, maximum = 1)]
    pub valence: f32,
    /// From calm (-1) to excited (1).
    #[schema(minimum = -1, maximum = 1)]
    pub arousal: f32,
    /// From submissive (-1) to in control (1).
    #[schema(minimum = -1, maximum = 1)]
    pub dominance: f32,
    /// How satisfied the customer seems with the service, in [0, 1].
    #[schema(minimum = 0, maximum = 1)]
    pub satisfaction: f32,
    /// How frustrated the customer seems, in [0, 1].
    #[schema(minimum = 0, maximum = 1)]
    pub frustration: f32,
    /// How confused the customer seems, in [0, 1].
    #[schema(minimum = 0, maximum = 1)]
    pub confusion: f32,
    /// How strongly the customer keeps coming back to one issue, in [0, 1].
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1)]
    pub concern: f32,
    /// That issue; none where there is no such issue.
    #[serde(default)]
    pub concern_issue: Option<Concern>,
    /// How far to trust all this.
    pub trust: Trust,
    /// Where it is going.
    #[serde(default)]
    pub trend: Trend,
}

/// How far to trust an emotion vector.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Trust {
    /// The words' part; none where no text was read.
    #[serde(default)]
    pub text: Option<ModalityTrust>,
    /// The voice's part; none where no voice was read.
    #[serde(default)]
    pub voice: Option<ModalityTrust>,
    /// The face's part; none where no face was read.
    #[serde(default)]
    pub face: Option<ModalityTrust>,
    /// How far to trust the vector as a whole, in [0, 1].
    #[schema(minimum = 0, maximum = 1)]
    pub confidence: f32,
    /// Why the vector should not be acted upon; none where it may be.
    #[serde(default)]
    pub abstain: Option<Abstention>,
}

impl Trust {
    /// One modality's part.
    #[must_use]
    pub const fn of(&self, modality: Modality) -> Option<&ModalityTrust> {
        match modality {
            Modality::Text => self.text.as_ref(),
            Modality::Voice => self.voice.as_ref(),
            Modality::Face => self.face.as_ref(),
        }
    }
}

/// One modality's part in a fusion.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ModalityTrust {
    /// Its share of the fusion in [0, 1]; the shares of all modalities sum to 1.
    #[schema(minimum = 0, maximum = 1)]
    pub weight: f32,
    /// How old its newest reading is, in milliseconds of media time.
    pub age_ms: u64,
    /// The quality of its readings in [0, 1], recent ones counting most.
    #[schema(minimum = 0, maximum = 1)]
    pub quality: f32,
    /// How many readings it gave so far.
    pub readings: u32,
}

/// Why a vector should not be acted upon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Abstention {
    /// The kind of reason.
    pub code: AbstentionCode,
    /// The reason in a sentence.
    pub reason: String,
}

/// The kinds of reasons to abstain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AbstentionCode {
    /// No modality gave a usable reading.
    NoReadings,
    /// All readings together are too old, or of too low a quality, to say anything.
    LowQuality,
    /// The modalities say opposite things.
    Contradictory,
    /// No category stands out.
    TooFlat,
}

/// Where the state of the customer is going.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Trend {
    /// The slope of valence over the call, per minute. Positive is getting better.
    pub valence_per_minute: f32,
    /// The slope of arousal over the call, per minute. Positive is getting more excited.
    pub arousal_per_minute: f32,
    /// The moment of lowest valence; none where nothing was read.
    pub worst: Option<WorstMoment>,
}

/// The moment of lowest valence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WorstMoment {
    /// When it was, in milliseconds of media time.
    pub at_ms: u64,
    /// The valence then, in [-1, 1].
    #[schema(minimum = -1, maximum = 1)]
    pub valence: f32,
    /// The strongest category then.
    #[schema(value_type = String, example = "anger")]
    pub category: Category,
}

impl EmotionVector {
    /// The strongest category and its probability.
    #[must_use]
    pub fn top_category(&self) -> (Category, f32) {
        top_category(&self.categories)
    }

    /// The probability of one category.
    #[must_use]
    pub const fn probability(&self, category: Category) -> f32 {
        self.categories[category.index()]
    }

    /// Checks a vector that came from outside: its version, ranges, sums and lengths.
    ///
    /// # Errors
    /// [`EmotionError::InvalidVector`] with every fault.
    pub fn validate(&self) -> Result<(), EmotionError> {
        let mut faults = Faults::default();
        if self.version != EMOTION_VECTOR_VERSION {
            let reason =
                format!("version {} is not known, this is version {EMOTION_VECTOR_VERSION}", self.version);
            faults.add("version", reason);
        }
        faults.check_distribution("categories", &self.categories, SUM_TOLERANCE);
        for (field, value) in
            [("valence", self.valence), ("arousal", self.arousal), ("dominance", self.dominance)]
        {
            faults.check_range(field, value, -1.0, 1.0);
        }
        for (field, value) in [
            ("satisfaction", self.satisfaction),
            ("frustration", self.frustration),
            ("confusion", self.confusion),
            ("concern", self.concern),
        ] {
            faults.check_range(field, value, 0.0, 1.0);
        }
        if let Some(concern) = &self.concern_issue {
            check_concern(concern, &mut faults);
        }
        check_trust(&self.trust, &mut faults);
        check_trend(&self.trend, &mut faults);
        faults.into_result(EmotionError::InvalidVector)
    }
}

fn check_concern(concern: &Concern, faults: &mut Faults) {
    faults.check_range("concern_issue.score", concern.score, 0.0, 1.0);
    for (field, text) in [("concern_issue.issue", &concern.issue), ("concern_issue.topic", &concern.topic)] {
        check_text(field, text, faults);
    }
    if concern.spans.len() > SPAN_LIMIT {
        faults
            .add("concern_issue.spans", format!("{} spans are more than {SPAN_LIMIT}", concern.spans.len()));
    }
    if let Some(span) = concern.spans.iter().find(|span| span.start_ms > span.end_ms) {
        faults.add(
            "concern_issue.spans",
            format!("a span ends at {} before its start {}", span.end_ms, span.start_ms),
        );
    }
}

fn check_trust(trust: &Trust, faults: &mut Faults) {
    let mut sum = 0.0;
    let mut present = 0;
    for modality in Modality::ALL {
        let Some(part) = trust.of(modality) else { continue };
        faults.check_range(&format!("trust.{modality}.weight"), part.weight, 0.0, 1.0);
        faults.check_range(&format!("trust.{modality}.quality"), part.quality, 0.0, 1.0);
        sum += part.weight;
        present += 1;
    }
    if present > 0 && (sum - 1.0).abs() > SUM_TOLERANCE {
        faults.add("trust", format!("the weights of the modalities sum to {sum}, not to 1"));
    }
    faults.check_range("trust.confidence", trust.confidence, 0.0, 1.0);
    if let Some(abstention) = &trust.abstain {
        check_text("trust.abstain.reason", &abstention.reason, faults);
    }
}

fn check_trend(trend: &Trend, faults: &mut Faults) {
    for (field, slope) in [
        ("trend.valence_per_minute", trend.valence_per_minute),
        ("trend.arousal_per_minute", trend.arousal_per_minute),
    ] {
        if !slope.is_finite() {
            faults.add(field, format!("{slope} is not a finite number"));
        }
    }
    if let Some(worst) = &trend.worst {
        faults.check_range("trend.worst.valence", worst.valence, -1.0, 1.0);
    }
}

fn check_text(field: &str, text: &str, faults: &mut Faults) {
    if text.len() > TEXT_LIMIT {
        faults.add(field, format!("{} bytes are more than {TEXT_LIMIT}", text.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::super::Span;
    use super::*;

    fn vector() -> EmotionVector {
        EmotionVector {
            version: EMOTION_VECTOR_VERSION,
            at_ms: 61_000,
            categories: [0.1, 0.02, 0.05, 0.13, 0.6, 0.06, 0.04],
            valence: -0.6,
            arousal: 0.5,
            dominance: 0.2,
            satisfaction: 0.1,
            frustration: 0.8,
            confusion: 0.2,
            concern: 0.7,
            concern_issue: Some(Concern {
                score: 0.7,
                issue: "退款".to_owned(),
                topic: "refund".to_owned(),
                count: 3,
                spans: vec![Span::new(0, 10)],
            }),
            trust: Trust {
                text: Some(ModalityTrust { weight: 1.0, age_ms: 0, quality: 0.9, readings: 4 }),
                confidence: 0.7,
                abstain: Some(Abstention { code: AbstentionCode::TooFlat, reason: "flat".to_owned() }),
                ..Trust::default()
            },
            trend: Trend {
                valence_per_minute: -0.3,
                arousal_per_minute: 0.1,
                worst: Some(WorstMoment { at_ms: 3, valence: -0.9, category: Category::Anger }),
            },
        }
    }

    #[test]
    fn a_vector_reads_its_own_json() {
        let json = serde_json::to_string(&vector()).unwrap();
        let back: EmotionVector = serde_json::from_str(&json).unwrap();
        assert_eq!(back, vector());
        back.validate().unwrap();
    }

    #[test]
    fn a_short_vector_is_enough() {
        let json = r#"{"version":1,"at_ms":0,"categories":{"neutral":1,"happiness":0,"surprise":0,"sadness":0,
            "anger":0,"disgust":0,"fear":0},"valence":0,"arousal":0,"dominance":0,"satisfaction":0.5,
            "frustration":0,"confusion":0,"trust":{"confidence":0.5}}"#;
        let vector: EmotionVector = serde_json::from_str(json).unwrap();
        vector.validate().unwrap();
        assert_eq!(vector.trend, Trend::default());
        assert_eq!(vector.concern_issue, None);
    }

    #[test]
    fn a_misspelt_field_is_refused_with_the_expected_names() {
        let json = serde_json::to_string(&vector()).unwrap().replace("\"valence\":-0.6", "\"valance\":-0.6");
        let error = serde_json::from_str::<EmotionVector>(&json).unwrap_err().to_string();
        assert!(error.contains("valance") && error.contains("valence"), "{error}");
    }

    #[test]
    fn every_fault_is_reported_at_once() {
        let mut broken = vector();
        broken.version = 2;
        broken.categories[0] = 0.5;
        broken.valence = -1.5;
        broken.concern = f32::NAN;
        broken.trust.confidence = 2.0;
        broken.trust.text = Some(ModalityTrust { weight: 0.5, age_ms: 0, quality: 0.9, readings: 4 });
        broken.trend.valence_per_minute = f32::INFINITY;
        let error = broken.validate().unwrap_err();
        let fields: Vec<_> = error.faults().iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "version",
                "categories",
                "valence",
                "concern",
                "trust",
                "trust.confidence",
                "trend.valence_per_minute"
            ]
        );
    }

    #[test]
    fn the_schema_names_the_categories_and_their_types() {
        use utoipa::PartialSchema;
        let schema = serde_json::to_value(EmotionVector::schema()).unwrap();
        assert_eq!(schema["properties"]["categories"]["$ref"], "#/components/schemas/CategoryProbabilities");
        let worst = serde_json::to_value(WorstMoment::schema()).unwrap();
        assert_eq!(worst["properties"]["category"]["type"], "string");
    }

    #[test]
    fn rounded_probabilities_pass_and_endless_texts_do_not() {
        let mut vector = vector();
        vector.categories = [0.14; 7];
        vector.validate().unwrap();
        vector.concern_issue.as_mut().unwrap().issue = "x".repeat(2000);
        assert!(vector.validate().unwrap_err().to_string().contains("concern_issue.issue"));
    }
}
