//! `heartline-train train fusion`: learns the fusion's numbers and writes them where the server compiles them in.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;
use heartline_models::{CATEGORY_COUNT, Category};

use super::pairs::Pools;
use super::pool::{Numbers, Sample};
use super::search::{Freedom, reasoned, search, surprise};
use super::table::{Half, Modality, Row, hash, read};
use crate::error::TrainError;

/// Pairs that are drawn of each part of the table.
const PAIRS: usize = 8_000;
/// One item of this many of the fitting half chooses between the variants; the others are learned from.
const CHOOSING: u64 = 4;
/// A freer variant must be better than a stricter one by this much surprise to be chosen.
const LEAST_GAIN: f64 = 0.002;

/// Arguments of `train fusion`.
#[derive(Debug, Args)]
pub(crate) struct TrainArguments {
    /// The table of readings
    #[arg(long)]
    readings: PathBuf,
    /// The source file to write
    #[arg(long, default_value = "src/emotion/fusion/learned.rs")]
    output: PathBuf,
    /// What every random choice follows from
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Learns, prints what came of it and writes the numbers.
#[expect(clippy::print_stdout, reason = "the figures are the command's answer")]
pub(crate) fn train(arguments: &TrainArguments) -> Result<(), TrainError> {
    let rows = read(&arguments.readings)?;
    let draw = |keep: &dyn Fn(&Row) -> bool, seed: u64| -> Result<Vec<Sample>, TrainError> {
        let pools = Pools::new(rows.iter().filter(|row| keep(row)));
        if let Some((modality, truth)) = pools.gap() {
            let (modality, truth) = (modality.name(), Category::ALL[truth]);
            let reason = format!("a part of it has no usable clean reading of {truth} by {modality}");
            return Err(TrainError::data(&arguments.readings, reason));
        }
        Ok(pools.draw(PAIRS, seed))
    };
    let seed = arguments.seed;
    let learning = draw(&|row| row.half == Half::Fit && !chooses(row), seed)?;
    let choosing = draw(&|row| row.half == Half::Fit && chooses(row), seed + 1)?;
    let held = draw(&|row| row.half == Half::Held, seed + 2)?;
    let mut report =
        String::from("| learned | surprise, learning | choosing | held out |\n|---|---|---|---|\n");
    let mut best = (Freedom::ALL[0], f64::INFINITY);
    for freedom in Freedom::ALL {
        let numbers = search(&reasoned(), freedom, &learning);
        let chosen_by = surprise(&numbers, &choosing);
        let _ = writeln!(
            report,
            "| {} | {:.4} | {chosen_by:.4} | {:.4} |",
            freedom.name,
            surprise(&numbers, &learning),
            surprise(&numbers, &held)
        );
        if chosen_by < best.1 - LEAST_GAIN {
            best = (freedom, chosen_by);
        }
    }
    let whole = draw(&|row| row.half == Half::Fit, seed + 3)?;
    let numbers = search(&reasoned(), best.0, &whole);
    let _ = writeln!(report, "\nChosen: {}. Learned again from the whole fitting half:\n", best.0.name);
    report += &figures(&numbers, &whole, &held);
    println!("{report}");
    std::fs::write(&arguments.output, source(&numbers)).map_err(TrainError::file(&arguments.output))
}

/// Whether a row's item chooses between variants rather than being learned from.
fn chooses(row: &Row) -> bool {
    hash(&format!("choose/{}/{}/{}", row.modality.name(), row.set, row.item)).is_multiple_of(CHOOSING)
}

fn figures(numbers: &Numbers, whole: &[Sample], held: &[Sample]) -> String {
    let accuracy = |samples: &[Sample]| {
        let right = samples.iter().filter(|sample| largest(&numbers.pool(sample)) == sample.truth).count();
        right as f64 / samples.len().max(1) as f64
    };
    format!(
        "| pairs | surprise | accuracy |\n|---|---|---|\n| fitting half | {:.4} | {:.3} |\n| held out | {:.4} | {:.3} |\n",
        surprise(numbers, whole),
        accuracy(whole),
        surprise(numbers, held),
        accuracy(held)
    )
}

fn largest(values: &[f64; CATEGORY_COUNT]) -> usize {
    (0..CATEGORY_COUNT).max_by(|left, right| values[*left].total_cmp(&values[*right])).unwrap_or(0)
}

/// The numbers as the source file that the server compiles in.
fn source(numbers: &Numbers) -> String {
    let list = |values: &[f64]| {
        let cells: Vec<String> = values.iter().map(|value| format!("{value:.3}")).collect();
        format!("[{}]", cells.join(", "))
    };
    let mut priors = String::new();
    for (modality, prior) in Modality::ALL.iter().zip(numbers.log_prior) {
        let _ = writeln!(priors, "    // {}\n    {},", modality.name(), list(&prior.map(f64::exp)));
    }
    format!(
        "//! What `heartline-train train fusion` has learned; it writes this file, nobody edits it.\n\
         //!\n\
         //! `models/weights/fusion/README.md` says from what and how, and how well it works. Arrays are in the order\n\
         //! of `Modality::ALL` and `Category::ALL`.\n\
         \n\
         use crate::emotion::label::CategoryArray;\n\
         \n\
         /// How far each modality is taken at its word: the exponent of its likelihood at full quality.\n\
         pub(super) const RELIABILITY: [f32; 3] = {};\n\
         \n\
         /// The power to which the quality of a modality's readings counts in its weight.\n\
         pub(super) const QUALITY_POWER: [f32; 3] = {};\n\
         \n\
         /// The category shares that each modality's probabilities already contain.\n\
         pub(super) const PRIOR: [CategoryArray; 3] = [\n{priors}];\n\
         \n\
         /// How far the errors of the modalities go together: 0 takes them as independent, 1 as one witness.\n\
         pub(super) const OVERLAP: f32 = {:.3};\n",
        list(&numbers.reliability),
        list(&numbers.quality_power),
        numbers.overlap
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_file_has_every_number() {
        let text = source(&reasoned());
        assert!(text.contains("RELIABILITY: [f32; 3] = [0.850, 0.700, 0.800];"), "{text}");
        assert!(text.contains("[0.250, 0.170, 0.110, 0.140, 0.160, 0.070, 0.100],"), "{text}");
        assert!(text.contains("OVERLAP: f32 = 0.000;"), "{text}");
        assert!(text.lines().all(|line| line.len() <= 110), "{text}");
    }
}
