//! `heartline-train readings`: what the shipped models say of data they did not learn from.

use std::path::PathBuf;

use clap::Args;

use super::table::{Half, Modality, Row, write};
use super::{face, text, voice};
use crate::error::TrainError;

/// Arguments of `readings`.
#[derive(Debug, Args)]
pub(crate) struct ReadingsArguments {
    /// The folder with the data sets in `text`, `voice` and `face`
    #[arg(long)]
    data: PathBuf,
    /// The folder with the models `text/1`, `voice/1` and `face/1`
    #[arg(long)]
    models: PathBuf,
    /// Where to write the table
    #[arg(long)]
    output: PathBuf,
}

/// Reads every modality and writes the table.
#[expect(clippy::print_stdout, reason = "the counts are the command's answer")]
pub(crate) fn readings(arguments: &ReadingsArguments) -> Result<(), TrainError> {
    let ReadingsArguments { data, models, output } = arguments;
    let mut rows = text::read(&data.join("text"), &models.join("text/1"))?;
    rows.extend(face::read(&data.join("face"), &models.join("face/1"))?);
    rows.extend(voice::read(&data.join("voice"), &models.join("voice/1"))?);
    rows.sort_by(|left, right| {
        let key = |row: &Row| (row.modality, row.set.clone(), row.condition.clone(), row.item);
        key(left).cmp(&key(right))
    });
    write(output, &rows)?;
    println!("{}", summary(&rows));
    Ok(())
}

/// Counts, mean quality and accuracy by modality and condition, as Markdown.
fn summary(rows: &[Row]) -> String {
    let mut text = String::from(
        "| modality | condition | readings | of them held out | mean quality | mean familiarity | right |\n|---|---|---|---|---|---|---|\n",
    );
    for modality in Modality::ALL {
        let own: Vec<&Row> = rows.iter().filter(|row| row.modality == modality).collect();
        let mut conditions: Vec<&str> = own.iter().map(|row| row.condition.as_str()).collect();
        conditions.sort_unstable();
        conditions.dedup();
        for condition in conditions {
            let part: Vec<&&Row> = own.iter().filter(|row| row.condition == condition).collect();
            let held = part.iter().filter(|row| row.half == Half::Held).count();
            let mean = |value: fn(&Row) -> f32| {
                part.iter().map(|row| value(row)).sum::<f32>() / part.len().max(1) as f32
            };
            let known: Vec<bool> = part.iter().filter_map(|row| is_right(row)).collect();
            let right = known.iter().filter(|right| **right).count();
            let share = if known.is_empty() {
                "-".to_owned()
            } else {
                format!("{:.3}", right as f32 / known.len() as f32)
            };
            text += &format!(
                "| {} | {condition} | {} | {held} | {:.2} | {:.2} | {share} |\n",
                modality.name(),
                part.len(),
                mean(|row| row.quality),
                mean(|row| row.familiarity),
            );
        }
    }
    text
}

/// Whether the likeliest category is the true one; none for noise.
fn is_right(row: &Row) -> Option<bool> {
    let truth = row.category()?.index();
    let categories = row.categories();
    Some((0..categories.len()).all(|other| other == truth || categories[other] < categories[truth]))
}
