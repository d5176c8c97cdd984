//! What is read of a customer: readings of single modalities and the state that they make together.

use serde::{Deserialize, Serialize};

/// The fused state of the customer at a moment: expressions observed, not feelings known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EmotionVector {
    /// The layout's version.
    pub version: u32,
    /// The moment, in milliseconds of media time.
    pub at_ms: u64,
    /// Probabilities of the seven categories; they sum to 1.
    pub categories: CategoryProbabilities,
    /// From unpleasant to pleasant, -1 to 1.
    pub valence: f32,
    /// From calm to excited, -1 to 1.
    pub arousal: f32,
    /// From giving way to being in control, -1 to 1.
    pub dominance: f32,
    /// 0 to 1.
    pub satisfaction: f32,
    /// 0 to 1.
    pub frustration: f32,
    /// 0 to 1.
    pub confusion: f32,
    /// How strongly the customer keeps coming back to one issue, 0 to 1.
    pub concern: f32,
    /// The issue, if there is one.
    pub concern_issue: Option<Concern>,
    /// How far to trust all this.
    pub trust: Trust,
    /// Where it is going.
    pub trend: Trend,
}

impl EmotionVector {
    /// The most likely category and its probability.
    #[must_use]
    pub fn top_category(&self) -> (Category, f32) {
        let pairs = self.categories.pairs();
        pairs.into_iter().reduce(|best, next| if next.1 > best.1 { next } else { best }).unwrap_or(pairs[0])
    }
}

/// The seven categories by name.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the categories' own")]
pub struct CategoryProbabilities {
    pub neutral: f32,
    pub happiness: f32,
    pub surprise: f32,
    pub sadness: f32,
    pub anger: f32,
    pub disgust: f32,
    pub fear: f32,
}

impl CategoryProbabilities {
    /// Every category with its probability.
    #[must_use]
    pub const fn pairs(&self) -> [(Category, f32); 7] {
        [
            (Category::Neutral, self.neutral),
            (Category::Happiness, self.happiness),
            (Category::Surprise, self.surprise),
            (Category::Sadness, self.sadness),
            (Category::Anger, self.anger),
            (Category::Disgust, self.disgust),
            (Category::Fear, self.fear),
        ]
    }
}

/// A category of emotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names are the categories' own")]
pub enum Category {
    Neutral,
    Happiness,
    Surprise,
    Sadness,
    Anger,
    Disgust,
    Fear,
}

/// An issue that the customer keeps coming back to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Concern {
    /// How strongly, 0 to 1.
    pub score: f32,
    /// The issue in the customer's words.
    pub issue: String,
    /// The topic that it belongs to.
    pub topic: String,
    /// How often it came up.
    pub count: usize,
    /// When.
    pub spans: Vec<Span>,
}

/// A stretch of media time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Where it begins, in milliseconds.
    pub start_ms: u64,
    /// Where it ends, in milliseconds.
    pub end_ms: u64,
}

/// How far to trust an emotion vector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Trust {
    /// The words' part; none where there are none.
    pub text: Option<ModalityTrust>,
    /// The voice's part.
    pub voice: Option<ModalityTrust>,
    /// The face's part.
    pub face: Option<ModalityTrust>,
    /// All in all, 0 to 1.
    pub confidence: f32,
    /// Why the vector should not be acted upon, if it should not.
    pub abstain: Option<Abstention>,
}

/// One modality's part.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModalityTrust {
    /// Its weight in the fusion; the weights of all sum to 1.
    pub weight: f32,
    /// The age of its newest reading, in milliseconds.
    pub age_ms: u64,
    /// The quality of its readings, 0 to 1.
    pub quality: f32,
    /// How many readings it has.
    pub readings: u32,
}

/// Why a vector should not be acted upon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Abstention {
    /// The kind.
    pub code: AbstentionCode,
    /// In a sentence.
    pub reason: String,
}

/// The kinds of reasons to abstain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AbstentionCode {
    /// Nothing was read.
    NoReadings,
    /// What was read is of low quality.
    LowQuality,
    /// The modalities contradict each other.
    Contradictory,
    /// No category stands out.
    TooFlat,
    /// One that this library does not know.
    #[serde(other)]
    Unknown,
}

/// Where the state of the customer is going.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Trend {
    /// The slope of valence.
    pub valence_per_minute: f32,
    /// The slope of arousal.
    pub arousal_per_minute: f32,
    /// The worst moment so far.
    pub worst: Option<WorstMoment>,
}

/// The moment of lowest valence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorstMoment {
    /// When, in milliseconds of media time.
    pub at_ms: u64,
    /// How low.
    pub valence: f32,
    /// What it was.
    pub category: Category,
}

/// What the modalities contributed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Explanation {
    /// In a sentence or two.
    pub summary: String,
    /// How much there is to go by, 0 to 1.
    pub evidence: f32,
    /// How far the modalities agree, 0 to 1.
    pub agreement: f32,
    /// How far one category stands out, 0 to 1.
    pub certainty: f32,
    /// Each modality's part.
    pub contributions: Vec<Contribution>,
    /// Readings that were left out.
    pub ignored_readings: u32,
}

/// One modality's contribution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Contribution {
    /// The modality.
    pub modality: Modality,
    /// Its share of the weights.
    pub weight: f32,
    /// Its weight in the pool.
    pub pool_weight: f32,
    /// How many readings it has.
    pub readings: u32,
    /// The age of its newest, in milliseconds.
    pub age_ms: u64,
    /// Their quality, 0 to 1.
    pub quality: f32,
    /// What it says by itself.
    pub categories: CategoryProbabilities,
    /// Its most likely category.
    pub category: Category,
    /// Its valence.
    pub valence: f32,
    /// Its arousal.
    pub arousal: f32,
    /// What the whole would say without it.
    pub category_without: Option<Category>,
    /// How it changed the leading category's probability.
    pub probability_change: f32,
    /// How it changed the valence.
    pub valence_change: f32,
    /// In a sentence.
    pub sentence: String,
}

/// Where readings come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Modality {
    /// What is said.
    Text,
    /// How it is said.
    Voice,
    /// What the face shows.
    Face,
}

/// What one modality says about one span.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reading {
    /// The modality.
    pub modality: Modality,
    /// The span.
    pub span: Span,
    /// Probabilities of the seven categories.
    pub categories: CategoryProbabilities,
    /// From unpleasant to pleasant, -1 to 1.
    pub valence: f32,
    /// From calm to excited, -1 to 1.
    pub arousal: f32,
    /// From giving way to being in control, where the modality can tell.
    pub dominance: Option<f32>,
    /// Hints of service signals.
    pub service: ServiceHints,
    /// The model's own labels.
    pub labels: Vec<LabelScore>,
    /// How good the material was, 0 to 1.
    pub quality: f32,
    /// The face, for a face's reading.
    pub face: Option<FaceRegion>,
    /// The model, as `name/version`.
    pub model: String,
}

/// What a modality hints about the service, 0 to 1 each.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the signals' own")]
#[non_exhaustive]
pub struct ServiceHints {
    pub satisfaction: Option<f32>,
    pub frustration: Option<f32>,
    pub confusion: Option<f32>,
}

/// The score of one of a model's own labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LabelScore {
    /// The model's name for it.
    pub name: String,
    /// The model's score, 0 to 1.
    pub score: f32,
}

/// Where a face is in its picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FaceRegion {
    /// The left edge.
    pub left: f32,
    /// The upper edge.
    pub top: f32,
    /// The width.
    pub width: f32,
    /// The height.
    pub height: f32,
    /// How sure the detector is, 0 to 1.
    pub score: f32,
}

/// The state at one moment of a call that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TimelinePoint {
    /// The moment, in milliseconds of media time.
    pub at_ms: u64,
    /// The most likely category.
    pub category: Category,
    /// Probabilities of all of them.
    pub categories: CategoryProbabilities,
    /// From unpleasant to pleasant, -1 to 1.
    pub valence: f32,
    /// From calm to excited, -1 to 1.
    pub arousal: f32,
    /// From giving way to being in control, -1 to 1.
    pub dominance: f32,
    /// How far to trust it, 0 to 1.
    pub confidence: f32,
}
