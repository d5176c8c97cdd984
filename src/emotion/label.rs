//! Modalities, native labels and the seven categories on the wire.

use heartline_models::{CATEGORY_COUNT, Category};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One value for each category, in the order of [`Category::ALL`].
pub(super) type CategoryArray = [f32; CATEGORY_COUNT];

/// Where a reading comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Modality {
    /// What is said.
    Text,
    /// How it is said.
    Voice,
    /// What the face shows.
    Face,
}

impl Modality {
    /// All modalities, in the order of every array of modalities.
    pub const ALL: [Self; 3] = [Self::Text, Self::Voice, Self::Face];

    /// The position in an array of modalities.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Voice => "voice",
            Self::Face => "face",
        }
    }
}

impl std::fmt::Display for Modality {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The score of one of a model's own labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelScore {
    /// The model's name for it (`annoyance`, `contempt`).
    pub name: String,
    /// The model's score in [0, 1]. Whether the scores of a model sum to 1 is the model's affair.
    pub score: f32,
}

/// The seven categories by name: how they look on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CategoryProbabilities {
    /// Nothing marked.
    #[schema(minimum = 0, maximum = 1)]
    pub neutral: f32,
    /// Joy, contentment, amusement.
    #[schema(minimum = 0, maximum = 1)]
    pub happiness: f32,
    /// Something unexpected, pleasant or not.
    #[schema(minimum = 0, maximum = 1)]
    pub surprise: f32,
    /// Sadness, disappointment.
    #[schema(minimum = 0, maximum = 1)]
    pub sadness: f32,
    /// Anger, annoyance.
    #[schema(minimum = 0, maximum = 1)]
    pub anger: f32,
    /// Disgust, contempt.
    #[schema(minimum = 0, maximum = 1)]
    pub disgust: f32,
    /// Fear, worry.
    #[schema(minimum = 0, maximum = 1)]
    pub fear: f32,
}

impl From<CategoryArray> for CategoryProbabilities {
    fn from([neutral, happiness, surprise, sadness, anger, disgust, fear]: CategoryArray) -> Self {
        Self { neutral, happiness, surprise, sadness, anger, disgust, fear }
    }
}

impl From<CategoryProbabilities> for CategoryArray {
    fn from(named: CategoryProbabilities) -> Self {
        [
            named.neutral,
            named.happiness,
            named.surprise,
            named.sadness,
            named.anger,
            named.disgust,
            named.fear,
        ]
    }
}

/// Writes an array of category values as an object from name to value, for `#[serde(with = ..)]`.
pub(super) mod by_name {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{CategoryArray, CategoryProbabilities};

    pub(in crate::emotion) fn serialize<S: Serializer>(
        values: &CategoryArray,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        CategoryProbabilities::from(*values).serialize(serializer)
    }

    pub(in crate::emotion) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<CategoryArray, D::Error> {
        CategoryProbabilities::deserialize(deserializer).map(CategoryArray::from)
    }
}

/// The category with the highest value and that value. The earlier one wins a tie, so that a tie with neutral is neutral.
#[must_use]
pub fn top_category(values: &[f32; CATEGORY_COUNT]) -> (Category, f32) {
    let mut top = (Category::Neutral, values[0]);
    for (category, value) in Category::ALL.into_iter().zip(values) {
        if *value > top.1 {
            top = (category, *value);
        }
    }
    top
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_on_the_wire_follow_the_array() {
        let values = [0.1, 0.2, 0.3, 0.05, 0.15, 0.12, 0.08];
        let json = serde_json::to_value(CategoryProbabilities::from(values)).unwrap();
        for category in Category::ALL {
            let found = json[category.name()].as_f64().unwrap() as f32;
            assert_eq!(found, values[category.index()], "{category}");
        }
        let back: CategoryProbabilities = serde_json::from_value(json).unwrap();
        assert_eq!(CategoryArray::from(back), values);
    }

    #[test]
    fn an_unknown_category_is_refused() {
        let json = r#"{"neutral":1,"happiness":0,"surprise":0,"sadness":0,"anger":0,"disgust":0,"joy":0}"#;
        let error = serde_json::from_str::<CategoryProbabilities>(json).unwrap_err().to_string();
        assert!(error.contains("unknown field `joy`") && error.contains("happiness"), "{error}");
    }

    #[test]
    fn a_tie_goes_to_the_earlier_category() {
        assert_eq!(top_category(&[1.0 / 7.0; 7]).0, Category::Neutral);
        assert_eq!(top_category(&[0.1, 0.1, 0.1, 0.1, 0.3, 0.3, 0.0]), (Category::Anger, 0.3));
    }

    #[test]
    fn modality_index_and_name_agree_with_the_wire() {
        for (index, modality) in Modality::ALL.into_iter().enumerate() {
            assert_eq!(modality.index(), index);
            assert_eq!(serde_json::to_value(modality).unwrap(), modality.name());
        }
    }
}
