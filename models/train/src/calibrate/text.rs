//! What the text model is calibrated on: some of the texts it learned from, and the development splits.

use heartline_models::text::{TextConfig, TextModel};
use heartline_models::{Device, TrustLimits};

use super::{Arguments, Checked, write};
use crate::error::TrainError;
use crate::text::{Labelled, read_set};

/// The sets that texts are taken from, in both languages.
const SETS: [&str; 2] = ["goemotions", "smp2020_usual"];
/// Texts of each set and split, evenly spread.
const TEXTS: usize = 1000;

pub(super) fn calibrate(arguments: &Arguments) -> Result<TrustLimits, TrainError> {
    let model = TextModel::load(&arguments.model, &Device::cpu())?;
    let (mut learned, mut checked) = (Vec::new(), Vec::new());
    for set in SETS {
        for row in read(&model, &read_set(&arguments.data, set, "train")?)? {
            learned.push(row.features);
        }
        checked.extend(read(&model, &read_set(&arguments.data, set, "dev")?)?);
    }
    write::<TextConfig>(&arguments.model, &learned, &checked)
}

fn read(model: &TextModel, rows: &[Labelled]) -> Result<Vec<Checked>, TrainError> {
    let some: Vec<&Labelled> = rows
        .iter()
        .step_by(rows.len().div_ceil(TEXTS).max(1))
        .filter(|row| model.tokenizer().encode(&row.text).is_ok_and(|text| text.pieces.len() > 2))
        .collect();
    let texts: Vec<String> = some.iter().map(|row| row.text.clone()).collect();
    let answers = model.predict_with_features(&texts)?;
    Ok(answers
        .into_iter()
        .zip(some)
        .map(|((prediction, features), row)| {
            let shares = row.targets.categories.unwrap_or_default();
            let truth = shares.iter().position(|share| *share > 0.99);
            Checked { features, quality: prediction.quality, truth }
        })
        .collect())
}
