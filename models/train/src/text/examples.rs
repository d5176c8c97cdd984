//! Texts with their targets, cut into pieces, and the order in which a run sees them.

use std::path::Path;

use heartline_models::text::TextTokenizer;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use super::labels::Targets;
use super::settings::Settings;
use super::table::Table;
use crate::error::TrainError;

/// Of the sets without a development split, every row whose number is a multiple of this is kept from training.
const DEVELOPMENT_EVERY: usize = 20;

/// The native label of texts without a marked emotion.
const NEUTRAL_LABEL: &str = "neutral";

/// A text ready for training.
#[derive(Debug, Clone)]
pub(crate) struct Example {
    pub(crate) pieces: Vec<u32>,
    pub(crate) targets: Targets,
}

/// A text with its targets, not yet cut into pieces.
#[derive(Debug, Clone)]
pub(crate) struct Labelled {
    pub(crate) text: String,
    pub(crate) labels: String,
    pub(crate) targets: Targets,
}

/// Reads a set's `train` or `dev` split; rows of other languages and rows with unknown labels are left out.
pub(crate) fn read_set(folder: &Path, set: &str, split: &str) -> Result<Vec<Labelled>, TrainError> {
    let own_split = !matches!(set, "zh_conv_sentiment" | "waimai10k");
    let table = Table::open(folder, set, if own_split { split } else { "train" })?;
    let (lang, text, labels) = (table.column("lang")?, table.column("text")?, table.column("labels")?);
    let dimensions = match (table.find("v"), table.find("a"), table.find("d")) {
        (Some(v), Some(a), Some(d)) => Some([v, a, d]),
        _ => None,
    };
    let mut examples = Vec::new();
    for (index, row) in table.rows().iter().enumerate() {
        let kept_back = index % DEVELOPMENT_EVERY == 0;
        if !matches!(row[lang].as_str(), "zh" | "en") || (!own_split && kept_back != (split == "dev")) {
            continue;
        }
        let targets = match (set, dimensions) {
            ("emobank", Some(columns)) => Some(of_dimensions(&table, row, columns)?),
            ("goemotions", _) => Targets::of_native(&row[labels]),
            ("smp2020_usual" | "smp2020_virus", _) => Targets::of_emotions(&row[labels], false),
            // The English part could not be labelled with disgust.
            ("brighter_a", _) => Targets::of_emotions(&row[labels], row[lang] == "zh"),
            ("zh_conv_sentiment" | "waimai10k", _) => {
                let satisfaction = Some(if row[labels] == "positive" { 1.0 } else { 0.0 });
                Some(Targets { satisfaction, ..Targets::default() })
            }
            _ => return Err(TrainError::Arguments(format!("the set {set} is not known"))),
        };
        if let Some(targets) = targets {
            examples.push(Labelled { text: row[text].clone(), labels: row[labels].clone(), targets });
        }
    }
    Ok(examples)
}

/// `EmoBank`'s scale of 1 to 5 becomes -1 to 1.
fn of_dimensions(table: &Table, row: &[String], columns: [usize; 3]) -> Result<Targets, TrainError> {
    let mut dimensions = [0.0; 3];
    for (value, column) in dimensions.iter_mut().zip(columns) {
        let number: f32 = row[column].parse().map_err(|_| table.wrong("a dimension is not a number"))?;
        *value = (number - 3.0) / 2.0;
    }
    Ok(Targets { dimensions: Some(dimensions), ..Targets::default() })
}

/// Everything a run trains on.
pub(crate) fn read_training(
    settings: &Settings,
    tokenizer: &TextTokenizer,
) -> Result<Vec<Example>, TrainError> {
    let mut random = StdRng::seed_from_u64(settings.seed);
    let mut examples = Vec::new();
    for (set, share) in &settings.sets {
        let mut rows = read_set(&settings.data, set, "train")?;
        rows.shuffle(&mut random);
        rows.truncate(part(rows.len(), *share));
        if set == "goemotions" {
            let neutral = rows.iter().filter(|row| row.labels == NEUTRAL_LABEL).count();
            let mut left = part(neutral, settings.neutral_share);
            rows.retain(|row| {
                let keep = row.labels != NEUTRAL_LABEL || left > 0;
                left -= usize::from(keep && row.labels == NEUTRAL_LABEL);
                keep
            });
        }
        examples.extend(cut(&rows, tokenizer)?);
    }
    Ok(examples)
}

/// Cuts texts into pieces; texts without a visible character are left out.
pub(crate) fn cut(rows: &[Labelled], tokenizer: &TextTokenizer) -> Result<Vec<Example>, TrainError> {
    let mut examples = Vec::with_capacity(rows.len());
    for row in rows {
        let pieces = tokenizer.encode(&row.text)?.pieces;
        if pieces.len() > 2 {
            examples.push(Example { pieces, targets: row.targets.clone() });
        }
    }
    Ok(examples)
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a count of texts"
)]
fn part(count: usize, share: f64) -> usize {
    (count as f64 * share).round() as usize
}

/// The batches of one epoch: texts in random order, those of like length together so that little is padding.
pub(crate) fn plan_epoch(lengths: &[usize], rows: usize, seed: u64, epoch: usize) -> Vec<Vec<usize>> {
    let mut random = StdRng::seed_from_u64(seed.wrapping_add(1 + epoch as u64));
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.shuffle(&mut random);
    let mut batches = Vec::new();
    for pool in order.chunks_mut(rows * 64) {
        pool.sort_by_key(|index| lengths[*index]);
        batches.extend(pool.chunks(rows).map(<[usize]>::to_vec));
    }
    batches.shuffle(&mut random);
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_sees_each_text_once_in_a_repeatable_order() {
        let lengths: Vec<usize> = (0..1000).map(|index| index * 7 % 60).collect();
        let batches = plan_epoch(&lengths, 8, 3, 0);
        let mut seen: Vec<usize> = batches.iter().flatten().copied().collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..1000).collect::<Vec<_>>());
        assert_eq!(batches, plan_epoch(&lengths, 8, 3, 0));
        assert_ne!(batches, plan_epoch(&lengths, 8, 3, 1));
    }
}
