//! Readings of words: as they are, cut short, in languages the model does not know, and no words at all.

use std::path::Path;

use heartline_models::text::{TextModel, TextPrediction};
use heartline_models::{Category, Device};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::table::{Answer, Item, Modality, Row, spread};
use crate::error::TrainError;
use crate::text::{Table, category, read_set};

/// The sets whose rows have one emotion each.
const SETS: [&str; 2] = ["goemotions", "smp2020_usual"];
/// At most this many texts of a set and category.
const MOST: usize = 90;
/// At most this many texts of a category in languages that the model was not trained for.
const MOST_FOREIGN: usize = 25;
/// Made-up texts without meaning.
const MEANINGLESS: usize = 120;
/// What is left of a cut text.
const WORDS_LEFT: usize = 3;
const CHARACTERS_LEFT: usize = 4;

/// The readings of the development splits.
pub(super) fn read(data: &Path, folder: &Path) -> Result<Vec<Row>, TrainError> {
    let model = TextModel::load(folder, &Device::cpu())?;
    let mut rows = Vec::new();
    for set in SETS {
        let items = items(data, set)?;
        rows.extend(judge(&model, &items, "as_is")?);
        let cut: Vec<(Item, String)> = items.into_iter().map(|(item, text)| (item, shorten(&text))).collect();
        rows.extend(judge(&model, &cut, "cut")?);
    }
    rows.extend(judge(&model, &foreign(data)?, "foreign")?);
    rows.extend(judge(&model, &meaningless(), "noise")?);
    Ok(rows)
}

/// The texts of a set that have exactly one category, evenly by category.
fn items(data: &Path, set: &str) -> Result<Vec<(Item, String)>, TrainError> {
    let labelled = read_set(data, set, "dev")?;
    let mut found: [Vec<(usize, &str)>; 7] = Default::default();
    for (place, row) in labelled.iter().enumerate() {
        let shares = row.targets.categories.unwrap_or_default();
        if let Some(category) = shares.iter().position(|share| *share > 0.999) {
            found[category].push((place, &row.text));
        }
    }
    Ok(pick(set, &found, MOST))
}

/// Texts of other languages with at most one emotion.
fn foreign(data: &Path) -> Result<Vec<(Item, String)>, TrainError> {
    let table = Table::open(data, "brighter_a", "dev")?;
    let (lang, text, labels) = (table.column("lang")?, table.column("text")?, table.column("labels")?);
    let mut found: [Vec<(usize, &str)>; 7] = Default::default();
    for (place, row) in table.rows().iter().enumerate() {
        let truth = if row[labels].is_empty() { Some(Category::Neutral) } else { category(&row[labels]) };
        if let (false, Some(truth)) = (matches!(row[lang].as_str(), "en" | "zh"), truth) {
            found[truth.index()].push((place, &row[text]));
        }
    }
    Ok(pick("brighter_a", &found, MOST_FOREIGN))
}

fn pick(set: &str, found: &[Vec<(usize, &str)>; 7], most: usize) -> Vec<(Item, String)> {
    let mut items = Vec::new();
    for (category, found) in Category::ALL.into_iter().zip(found) {
        for (place, text) in spread(found, most) {
            let set = set.to_owned();
            let truth = Some(category);
            let item = Item { modality: Modality::Text, set, place, candidates: found.len(), truth };
            items.push((item, text.to_owned()));
        }
    }
    items
}

/// Digits and letters as a spelt order number or a failed transcript has them.
fn meaningless() -> Vec<(Item, String)> {
    let mut random = StdRng::seed_from_u64(1);
    let mut word = |letters: &[u8]| -> String {
        (0..random.random_range(2..7))
            .map(|_| char::from(letters[random.random_range(0..letters.len())]))
            .collect()
    };
    (0..MEANINGLESS)
        .map(|place| {
            let letters: &[u8] =
                if place.is_multiple_of(2) { b"0123456789" } else { b"abcdefghijklmnopqrstuvwxyz" };
            let words: Vec<String> = (0..1 + place % 8).map(|_| word(letters)).collect();
            let set = "made_up".to_owned();
            let item = Item { modality: Modality::Text, set, place, candidates: MEANINGLESS, truth: None };
            (item, words.join(" "))
        })
        .collect()
}

/// The first words, or characters where the text has no spaces, as when a caller is interrupted.
fn shorten(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.len() > WORDS_LEFT || text.is_ascii() {
        words.into_iter().take(WORDS_LEFT).collect::<Vec<_>>().join(" ")
    } else {
        text.chars().take(CHARACTERS_LEFT).collect()
    }
}

fn judge(model: &TextModel, items: &[(Item, String)], condition: &str) -> Result<Vec<Row>, TrainError> {
    let readable: Vec<&(Item, String)> = items
        .iter()
        .filter(|(_, text)| model.tokenizer().encode(text).is_ok_and(|text| text.pieces.len() > 2))
        .collect();
    let texts: Vec<String> = readable.iter().map(|(_, text)| text.clone()).collect();
    let predictions = model.predict(&texts)?;
    Ok(readable
        .iter()
        .zip(&predictions)
        .map(|((item, _), prediction)| Row::new(item, condition, answer(prediction)))
        .collect())
}

fn answer(prediction: &TextPrediction) -> Answer {
    Answer {
        categories: prediction.categories,
        quality: prediction.quality,
        familiarity: prediction.familiarity,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_words_are_left_of_a_cut_text() {
        assert_eq!(shorten("I have been waiting for days"), "I have been");
        assert_eq!(shorten("我等了三个星期了"), "我等了三");
        assert_eq!(shorten("no"), "no");
    }

    #[test]
    fn meaningless_texts_are_the_same_each_time_and_have_no_truth() {
        let texts = meaningless();
        assert_eq!(texts.len(), MEANINGLESS);
        assert!(texts.iter().all(|(item, text)| item.truth.is_none() && !text.is_empty()));
        assert_eq!(texts[7].1, meaningless()[7].1);
    }
}
