//! What the voice model is calibrated on: some of the clips it learned from as training changed them, and the valid
//! speakers as recorded, in noise and by telephone.

use heartline_models::voice::{VoiceConfig, VoiceModel};
use heartline_models::{Device, TrustLimits};
use rayon::prelude::{IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};

use super::{Arguments, Checked, write};
use crate::error::TrainError;
use crate::voice::{Clip, Condition, decode, read_split, windows};

/// One clip of this many that the model learned from.
const LEARNED_EVERY: usize = 5;
/// One clip of this many of the valid speakers, for each condition.
const CHECKED_EVERY: usize = 2;
/// Clips that are computed together.
const CHUNK: usize = 8;
/// Decides the noise.
const SEED: u64 = 1;

pub(super) fn calibrate(arguments: &Arguments) -> Result<TrustLimits, TrainError> {
    let model = VoiceModel::load(&arguments.model, &Device::cpu())?;
    let train = read_split(&arguments.data, "train")?;
    let learned = judge(&model, &train, LEARNED_EVERY, Condition::Training(0))?;
    let valid = read_split(&arguments.data, "valid")?;
    let mut checked = Vec::new();
    for condition in Condition::MEASURED {
        checked.extend(judge(&model, &valid, CHECKED_EVERY, condition)?);
    }
    let learned: Vec<Vec<f32>> = learned.into_iter().map(|clip| clip.features).collect();
    write::<VoiceConfig>(&arguments.model, &learned, &checked)
}

/// The first window of every so many clips under a condition.
fn judge(
    model: &VoiceModel,
    clips: &[Clip],
    every: usize,
    condition: Condition,
) -> Result<Vec<Checked>, TrainError> {
    let some: Vec<(usize, &Clip)> = clips.iter().enumerate().step_by(every).collect();
    let chunks: Vec<Vec<Checked>> = some
        .chunks(CHUNK)
        .collect::<Vec<_>>()
        .into_par_iter()
        .map(|chunk| {
            let sounds: Vec<Vec<f32>> = chunk
                .par_iter()
                .map(|(index, clip)| {
                    let sound = condition.apply(&decode(&clip.path)?, *index as u64, SEED);
                    Ok(windows(&sound).first().map_or_else(Vec::new, |window| window.to_vec()))
                })
                .collect::<Result<_, TrainError>>()?;
            let answers = model.predict(&sounds)?;
            let rows = answers.into_iter().zip(chunk);
            Ok(rows
                .map(|(mut answer, (_, clip))| {
                    // Familiarity goes by the first head's features, which come first.
                    answer.features.truncate(model.feature_width());
                    Checked {
                        features: answer.features,
                        quality: answer.quality,
                        truth: Some(clip.category.index()),
                    }
                })
                .collect())
        })
        .collect::<Result<_, TrainError>>()?;
    Ok(chunks.into_iter().flatten().collect())
}
