//! The parts of an emotional state that ask for something, and how strong each is.

use heartline_plugin_sdk::abi::CATEGORY_COUNT;
use heartline_plugin_sdk::{Category, Emotion};

/// The seven categories, then frustration, confusion and concern.
pub(crate) const PART_COUNT: usize = CATEGORY_COUNT + 3;

/// How strong each part is, in [0, 1].
pub(crate) fn strengths(emotion: &Emotion) -> [f32; PART_COUNT] {
    let [neutral, happiness, surprise, sadness, anger, disgust, fear] = emotion.categories;
    let Emotion { frustration, confusion, concern, .. } = *emotion;
    [neutral, happiness, surprise, sadness, anger, disgust, fear, frustration, confusion, concern]
}

/// How upset the customer is: the share of unpleasant categories, or frustration where that is stronger.
pub(crate) fn upset_share(emotion: &Emotion) -> f32 {
    let unpleasant: f32 = [Category::Sadness, Category::Anger, Category::Disgust, Category::Fear]
        .iter()
        .map(|category| emotion.category(*category))
        .sum();
    unpleasant.max(emotion.frustration).clamp(0.0, 1.0)
}
