//! The front door: crops in, plain values out.

use std::path::Path;

use burn::tensor::{Tensor, TensorData};

use super::convolution::read;
use super::{CROP_SIDE, FaceConfig, FaceCrop, FaceNetwork, LABEL_COUNT, LABELS, VoteModel, load};
use crate::{CATEGORY_COUNT, Device, Manifest, ModelError, ModelFolder};

/// How many crops go through the network at once; more are cut into such batches to bound the memory.
const BATCH_LIMIT: usize = 64;

/// What a face shows.
#[derive(Debug, Clone, PartialEq)]
pub struct FacePrediction {
    /// Calibrated probabilities of the seven categories, which sum to 1; contempt counts as disgust.
    pub categories: [f32; CATEGORY_COUNT],
    /// Unpleasant to pleasant, -1 to 1.
    pub valence: f32,
    /// Calm to excited, -1 to 1.
    pub arousal: f32,
    /// The network's own labels with their calibrated probabilities, which sum to 1.
    pub labels: Vec<(String, f32)>,
    /// The crop's quality, 0 to 1.
    pub quality: f32,
}

/// A loaded face model.
#[derive(Debug)]
pub struct FaceModel {
    manifest: Manifest<FaceConfig>,
    network: FaceNetwork,
    device: Device,
}

impl FaceModel {
    /// Loads the model of a folder.
    ///
    /// # Errors
    /// [`ModelError`] that names the file, tensor or setting at fault.
    pub fn load(folder: &Path, device: &Device) -> Result<Self, ModelError> {
        let folder = ModelFolder::<FaceConfig>::open(folder)?;
        let network = load(&folder.manifest.config, &folder.weights()?, device.as_burn())?;
        Ok(Self { manifest: folder.manifest, network, device: device.clone() })
    }

    /// What the folder says of the model.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest<FaceConfig> {
        &self.manifest
    }

    /// Reads crops; the answers come in their order.
    ///
    /// # Errors
    /// [`ModelError::Input`] where a crop is not of 48 x 48 pixels, [`ModelError::Computation`] where the device
    /// answers with something that is not a number.
    pub fn predict(&self, crops: &[FaceCrop]) -> Result<Vec<FacePrediction>, ModelError> {
        let mut predictions = Vec::with_capacity(crops.len());
        for batch in crops.chunks(BATCH_LIMIT) {
            let logits = self.logits(batch)?;
            for (crop, logits) in batch.iter().zip(&logits) {
                predictions.push(self.predict_one(crop, logits));
            }
        }
        Ok(predictions)
    }

    fn predict_one(&self, crop: &FaceCrop, logits: &[f32; LABEL_COUNT]) -> FacePrediction {
        let votes = VoteModel::from_logits(logits, self.manifest.config.temperature);
        let [valence, arousal] = votes.dimensions();
        let labels = LABELS.iter().zip(votes.probabilities);
        FacePrediction {
            categories: votes.categories(),
            valence,
            arousal,
            labels: labels.map(|(label, probability)| ((*label).to_owned(), probability)).collect(),
            quality: crop.quality,
        }
    }

    /// The network's raw outputs, before the temperature, for at most [`BATCH_LIMIT`] crops.
    fn logits(&self, crops: &[FaceCrop]) -> Result<Vec<[f32; LABEL_COUNT]>, ModelError> {
        let config = &self.manifest.config;
        let mut values = Vec::with_capacity(crops.len() * CROP_SIDE * CROP_SIDE);
        for crop in crops {
            if crop.pixels.len() != CROP_SIDE * CROP_SIDE {
                let found = crop.pixels.len();
                return Err(ModelError::Input(format!(
                    "a crop of {found} bytes is not {CROP_SIDE} x {CROP_SIDE}"
                )));
            }
            let start = values.len();
            values.extend(crop.pixels.iter().map(|pixel| f32::from(*pixel) / 255.0));
            config.normalise(&mut values[start..]);
        }
        let data = TensorData::new(values, [crops.len(), 1, CROP_SIDE, CROP_SIDE]);
        let logits = read(self.network.forward(Tensor::from_data(data, self.device.as_burn())))?;
        if logits.len() != crops.len() * LABEL_COUNT || logits.iter().any(|logit| !logit.is_finite()) {
            return Err(ModelError::Computation("the face network gave no finite logits".to_owned()));
        }
        let (rows, _) = logits.as_chunks::<LABEL_COUNT>();
        Ok(rows.to_vec())
    }
}
