//! The table of readings: one line a reading, with nothing in it of what was read but its place in its set.

use std::path::Path;

use heartline_models::{CATEGORY_COUNT, Category};
use serde::{Deserialize, Serialize};

use crate::error::TrainError;

/// Probabilities are kept as whole numbers of this part of one.
const PARTS: f32 = 10_000.0;

/// The three modalities, in the order of the server's arrays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Modality {
    Text,
    Voice,
    Face,
}

impl Modality {
    pub(crate) const ALL: [Self; 3] = [Self::Text, Self::Voice, Self::Face];

    pub(crate) const fn index(self) -> usize {
        self as usize
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Voice => "voice",
            Self::Face => "face",
        }
    }
}

/// What a reading may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Half {
    /// The fusion is fitted to it.
    Fit,
    /// Figures are measured on it.
    Held,
}

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) modality: Modality,
    /// The data set.
    pub(crate) set: String,
    /// The place of the item in its split: all conditions of an item share it.
    pub(crate) item: usize,
    /// The item was taken from this many of its set and category.
    pub(crate) candidates: usize,
    pub(crate) condition: String,
    pub(crate) half: Half,
    /// The name of the true category; `none` for noise.
    pub(crate) truth: String,
    pub(crate) quality: f32,
    pub(crate) familiarity: f32,
    neutral: u16,
    happiness: u16,
    surprise: u16,
    sadness: u16,
    anger: u16,
    disgust: u16,
    fear: u16,
}

/// What identifies an item, and what it shows.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) modality: Modality,
    pub(crate) set: String,
    pub(crate) place: usize,
    pub(crate) candidates: usize,
    pub(crate) truth: Option<Category>,
}

/// What a model said.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    pub(crate) categories: [f32; CATEGORY_COUNT],
    pub(crate) quality: f32,
    pub(crate) familiarity: f32,
}

impl Row {
    pub(crate) fn new(item: &Item, condition: &str, answer: Answer) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "probabilities are 0 to 1"
        )]
        let parts = answer.categories.map(|probability| (probability.clamp(0.0, 1.0) * PARTS).round() as u16);
        let [neutral, happiness, surprise, sadness, anger, disgust, fear] = parts;
        Self {
            modality: item.modality,
            set: item.set.clone(),
            item: item.place,
            candidates: item.candidates,
            condition: condition.to_owned(),
            half: half(item),
            truth: item.truth.map_or("none", Category::name).to_owned(),
            quality: rounded(answer.quality),
            familiarity: rounded(answer.familiarity),
            neutral,
            happiness,
            surprise,
            sadness,
            anger,
            disgust,
            fear,
        }
    }

    /// The probabilities, which sum to 1 but for rounding.
    pub(crate) fn categories(&self) -> [f32; CATEGORY_COUNT] {
        [self.neutral, self.happiness, self.surprise, self.sadness, self.anger, self.disgust, self.fear]
            .map(|parts| f32::from(parts) / PARTS)
    }

    /// The true category; none for noise.
    pub(crate) fn category(&self) -> Option<Category> {
        Category::ALL.into_iter().find(|category| category.name() == self.truth)
    }
}

fn rounded(value: f32) -> f32 {
    (value.clamp(0.0, 1.0) * 1000.0).round() / 1000.0
}

/// The half an item belongs to, from a hash of what identifies it: adding items never moves the others.
fn half(item: &Item) -> Half {
    let name = format!("{}/{}/{}", item.modality.name(), item.set, item.place);
    if hash(&name).is_multiple_of(2) { Half::Fit } else { Half::Held }
}

/// FNV-1a with its bits mixed at the end, so that the lowest ones are even.
pub(crate) fn hash(name: &str) -> u64 {
    let mut value = 0xcbf2_9ce4_8422_2325_u64;
    for byte in name.bytes() {
        value = (value ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    value = (value ^ (value >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    value ^ (value >> 29)
}

/// Takes at most so many, spread evenly over all.
pub(crate) fn spread<T: Clone>(all: &[T], most: usize) -> Vec<T> {
    let taken = all.len().min(most);
    (0..taken).map(|index| all[index * all.len() / taken].clone()).collect()
}

/// Reads a table.
pub(crate) fn read(path: &Path) -> Result<Vec<Row>, TrainError> {
    let mut reader = csv::Reader::from_path(path).map_err(|error| TrainError::data(path, error))?;
    reader.deserialize().collect::<Result<_, _>>().map_err(|error| TrainError::data(path, error))
}

/// Writes a table.
pub(crate) fn write(path: &Path, rows: &[Row]) -> Result<(), TrainError> {
    let mut writer = csv::Writer::from_path(path).map_err(|error| TrainError::data(path, error))?;
    for row in rows {
        writer.serialize(row).map_err(|error| TrainError::data(path, error))?;
    }
    writer.flush().map_err(TrainError::file(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(place: usize) -> Item {
        Item {
            modality: Modality::Voice,
            set: "emodb".to_owned(),
            place,
            candidates: 9,
            truth: Some(Category::Fear),
        }
    }

    #[test]
    fn a_table_keeps_what_was_read() {
        let answer =
            Answer { categories: [0.5, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05], quality: 0.12345, familiarity: 1.0 };
        let rows = vec![
            Row::new(&item(3), "clean", answer),
            Row::new(&Item { truth: None, ..item(4) }, "noise", answer),
        ];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("readings.csv");
        write(&path, &rows).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with(
                "modality,set,item,candidates,condition,half,truth,quality,familiarity,neutral,"
            )
        );
        let read = read(&path).unwrap();
        assert_eq!(read, rows);
        assert_eq!((read[0].category(), read[1].category()), (Some(Category::Fear), None));
        assert!((read[0].categories()[0] - 0.5).abs() < 1e-6 && (read[0].quality - 0.123).abs() < 1e-6);
    }

    #[test]
    fn halves_are_even_and_never_move() {
        let fit = (0..2000).filter(|place| half(&item(*place)) == Half::Fit).count();
        assert!((900..1100).contains(&fit), "{fit}");
        assert_eq!(half(&item(3)), half(&Item { candidates: 1, truth: None, ..item(3) }));
    }

    #[test]
    fn a_spread_is_even_and_takes_what_there_is() {
        assert_eq!(spread(&(0..10).collect::<Vec<_>>(), 5), [0, 2, 4, 6, 8]);
        assert_eq!(spread(&[1, 2], 5), [1, 2]);
        assert!(spread::<u8>(&[], 5).is_empty());
    }
}
