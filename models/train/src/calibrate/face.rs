//! What the face model is calibrated on: some of the pictures it learned from, and the validation part, each cut out
//! as in service.

use heartline_models::face::{FaceConfig, FaceCrop, FaceModel};
use heartline_models::{CATEGORY_COUNT, Category, Device, TrustLimits};

use super::{Arguments, Checked, write};
use crate::error::TrainError;
use crate::face::{Face, framed, read};

/// One picture of this many that the model learned from.
const LEARNED_EVERY: usize = 8;

pub(super) fn calibrate(arguments: &Arguments) -> Result<TrustLimits, TrainError> {
    let model = FaceModel::load(&arguments.model, &Device::cpu())?;
    let learned = read(&arguments.data, "train")?;
    let learned: Vec<&Face> = learned.iter().step_by(LEARNED_EVERY).collect();
    let learned: Vec<Vec<f32>> = judge(&model, &learned)?.into_iter().map(|face| face.features).collect();
    let valid = read(&arguments.data, "val")?;
    let valid: Vec<&Face> =
        valid.iter().filter(|face| !face.duplicate && face.majority().is_some()).collect();
    write::<FaceConfig>(&arguments.model, &learned, &judge(&model, &valid)?)
}

fn judge(model: &FaceModel, faces: &[&Face]) -> Result<Vec<Checked>, TrainError> {
    let crops: Vec<FaceCrop> =
        faces.iter().map(|face| framed(&face.pixels)).collect::<Result<_, TrainError>>()?;
    let answers = model.predict_with_features(&crops)?;
    Ok(answers
        .into_iter()
        .zip(faces)
        .map(|((prediction, features), face)| {
            // Contempt, the label after the categories, counts as disgust.
            let category = |label| if label < CATEGORY_COUNT { label } else { Category::Disgust.index() };
            let truth = face.majority().map(category);
            Checked { features, quality: prediction.quality, truth }
        })
        .collect())
}
