//! The seven categories that every modality can see.

use serde::{Deserialize, Serialize};

/// How many categories there are.
pub const CATEGORY_COUNT: usize = 7;

/// One of the seven categories of the emotion vector, in the order of every array of category values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Category {
    /// Nothing marked.
    Neutral = 0,
    /// Joy, contentment, amusement.
    Happiness = 1,
    /// Something unexpected, pleasant or not.
    Surprise = 2,
    /// Sadness, disappointment.
    Sadness = 3,
    /// Anger, annoyance.
    Anger = 4,
    /// Disgust, contempt.
    Disgust = 5,
    /// Fear, worry.
    Fear = 6,
}

impl Category {
    /// All categories in array order.
    pub const ALL: [Self; CATEGORY_COUNT] = [
        Self::Neutral,
        Self::Happiness,
        Self::Surprise,
        Self::Sadness,
        Self::Anger,
        Self::Disgust,
        Self::Fear,
    ];

    /// The position in an array of category values.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::Happiness => "happiness",
            Self::Surprise => "surprise",
            Self::Sadness => "sadness",
            Self::Anger => "anger",
            Self::Disgust => "disgust",
            Self::Fear => "fear",
        }
    }
}

impl std::fmt::Display for Category {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_and_order_agree() {
        for (index, category) in Category::ALL.into_iter().enumerate() {
            assert_eq!(category.index(), index);
            assert_eq!(serde_json::to_value(category).unwrap(), category.name());
        }
    }
}
