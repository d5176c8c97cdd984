//! The labels of the data sets and what they mean in Heartline's terms.

use heartline_models::{CATEGORY_COUNT, Category};

/// Pleasant, unpleasant, or neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Pleasant,
    Unpleasant,
    Open,
}

/// A native label with its category and tone.
pub(crate) type Native = (&'static str, Category, Tone);

use Category::{Anger, Disgust, Fear, Happiness, Neutral, Sadness, Surprise};
use Tone::{Open, Pleasant, Unpleasant};

/// GoEmotions' labels in the order of the native head, grouped as its authors group them.
pub(crate) const NATIVE: [Native; 28] = [
    ("admiration", Happiness, Pleasant),
    ("amusement", Happiness, Pleasant),
    ("anger", Anger, Unpleasant),
    ("annoyance", Anger, Unpleasant),
    ("approval", Happiness, Pleasant),
    ("caring", Happiness, Pleasant),
    ("confusion", Surprise, Open),
    ("curiosity", Surprise, Open),
    ("desire", Happiness, Pleasant),
    ("disappointment", Sadness, Unpleasant),
    ("disapproval", Anger, Unpleasant),
    ("disgust", Disgust, Unpleasant),
    ("embarrassment", Sadness, Unpleasant),
    ("excitement", Happiness, Pleasant),
    ("fear", Fear, Unpleasant),
    ("gratitude", Happiness, Pleasant),
    ("grief", Sadness, Unpleasant),
    ("joy", Happiness, Pleasant),
    ("love", Happiness, Pleasant),
    ("nervousness", Fear, Unpleasant),
    ("optimism", Happiness, Pleasant),
    ("pride", Happiness, Pleasant),
    ("realization", Surprise, Open),
    ("relief", Happiness, Pleasant),
    ("remorse", Sadness, Unpleasant),
    ("sadness", Sadness, Unpleasant),
    ("surprise", Surprise, Open),
    ("neutral", Neutral, Open),
];

/// The native labels that speak of frustration.
pub(crate) const FRUSTRATION: [&str; 3] = ["anger", "annoyance", "disappointment"];
/// The native labels that speak of confusion.
pub(crate) const CONFUSION: [&str; 1] = ["confusion"];

/// The category of a label of one of the sets with one emotion word each.
pub(crate) fn category(label: &str) -> Option<Category> {
    Some(match label {
        "neutral" => Neutral,
        "happy" | "joy" => Happiness,
        "surprise" => Surprise,
        "sad" | "sadness" => Sadness,
        "angry" | "anger" => Anger,
        "disgust" => Disgust,
        "fear" => Fear,
        _ => return None,
    })
}

/// What is known of one text; whatever is not known has no part in the loss.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Targets {
    /// One bit a native label.
    pub(crate) native: Option<u32>,
    /// Shares of the categories that sum to 1.
    pub(crate) categories: Option<[f32; CATEGORY_COUNT]>,
    /// Whether the annotators could choose disgust.
    pub(crate) has_disgust: bool,
    /// Valence, arousal and dominance, -1 to 1.
    pub(crate) dimensions: Option<[f32; 3]>,
    /// Satisfaction, 0 to 1.
    pub(crate) satisfaction: Option<f32>,
}

impl Targets {
    /// Of a text with native labels.
    pub(crate) fn of_native(labels: &str) -> Option<Self> {
        let mut bits = 0;
        let mut found = Vec::new();
        for label in labels.split(',') {
            let index = NATIVE.iter().position(|(name, ..)| *name == label)?;
            bits |= 1 << index;
            found.push(NATIVE[index]);
        }
        let pleasant = found.iter().filter(|(.., tone)| *tone == Pleasant).count();
        let unpleasant = found.iter().filter(|(.., tone)| *tone == Unpleasant).count();
        let satisfaction = match (pleasant > 0, unpleasant > 0) {
            (true, false) => 1.0,
            (false, true) => 0.0,
            _ => 0.5,
        };
        let categories = shares(found.iter().map(|(_, category, _)| *category));
        Some(Self {
            native: Some(bits),
            categories,
            has_disgust: true,
            dimensions: None,
            satisfaction: Some(satisfaction),
        })
    }

    /// Of a text with labels of one emotion word each; an empty list is neutral.
    pub(crate) fn of_emotions(labels: &str, has_disgust: bool) -> Option<Self> {
        let mut found = Vec::new();
        for label in labels.split(',').filter(|label| !label.is_empty()) {
            found.push(category(label)?);
        }
        if found.is_empty() {
            found.push(Neutral);
        }
        let satisfaction = match found[..] {
            [Happiness] => Some(1.0),
            [Anger] => Some(0.0),
            [Neutral] => Some(0.5),
            _ => None,
        };
        Some(Self { categories: shares(found.into_iter()), has_disgust, satisfaction, ..Self::default() })
    }
}

fn shares(categories: impl Iterator<Item = Category>) -> Option<[f32; CATEGORY_COUNT]> {
    let mut shares = [0.0_f32; CATEGORY_COUNT];
    for category in categories {
        shares[category.index()] += 1.0;
    }
    let sum: f32 = shares.iter().sum();
    (sum > 0.0).then(|| shares.map(|share| share / sum))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn native_labels_become_shares() {
        let targets = Targets::of_native("anger,annoyance,joy").unwrap();
        let shares = targets.categories.unwrap();
        assert!((shares[Anger.index()] - 2.0 / 3.0).abs() < 1e-6);
        assert!((shares[Happiness.index()] - 1.0 / 3.0).abs() < 1e-6);
        assert_eq!(targets.satisfaction, Some(0.5));
        assert_eq!(targets.native, Some(1 << 2 | 1 << 3 | 1 << 17));
        assert!(Targets::of_native("boredom").is_none());
    }

    #[test]
    fn no_emotion_is_neutral() {
        let targets = Targets::of_emotions("", true).unwrap();
        assert!((targets.categories.unwrap()[Neutral.index()] - 1.0).abs() < 1e-6);
        assert_eq!(Targets::of_emotions("sad", false).unwrap().satisfaction, None);
    }
}
