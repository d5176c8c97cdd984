//! The front door: crops in, plain values out.

use std::path::Path;

use burn::tensor::{DType, Tensor, TensorData};

use super::direct::DirectFace;
use super::{CROP_SIDE, FaceConfig, FaceCrop, FaceNetwork, LABEL_COUNT, LABELS, VoteModel, load};
use crate::readback::read_together;
use crate::shapes::{each_row_step, fill_up, row_steps};
use crate::{CATEGORY_COUNT, Device, Doubt, Manifest, ModelError, ModelFolder, Trust};

/// How many crops go through the network at once; more are cut into such batches to bound the memory.
const BATCH_LIMIT: usize = 64;
/// How many crops a GPU computes at once.
const GPU_BATCH_LIMIT: usize = 512;
/// The pixels of a crop.
const CROP_PIXELS: usize = CROP_SIDE * CROP_SIDE;

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
    /// How like the faces of calibration this one is, 0 to 1.
    pub familiarity: f32,
    /// Why the model abstains, where it does.
    pub doubt: Option<Doubt>,
}

/// What the network gives for a crop: logits, and the features they were read from.
type Output = ([f32; LABEL_COUNT], Vec<f32>);

/// What computes.
#[derive(Debug)]
enum Network {
    /// burn, on any device.
    Burn(Box<FaceNetwork>),
    /// The CPU without burn.
    Direct(DirectFace),
}

/// A loaded face model.
#[derive(Debug)]
pub struct FaceModel {
    manifest: Manifest<FaceConfig>,
    network: Network,
    trust: Trust,
    device: Device,
}

impl FaceModel {
    /// Loads the model of a folder.
    ///
    /// # Errors
    /// [`ModelError`] that names the file, tensor or setting at fault.
    pub fn load(folder: &Path, device: &Device) -> Result<Self, ModelError> {
        let folder = ModelFolder::<FaceConfig>::open(folder)?;
        let (config, weights) = (&folder.manifest.config, folder.weights()?);
        let network = if device.is_cpu() {
            Network::Direct(DirectFace::load(config, &weights)?)
        } else {
            let network = load(config, &weights, device.as_burn())?;
            Network::Burn(Box::new(network.in_precision(device.precision())))
        };
        let trust = Trust::open(&folder, folder.manifest.config.features())?;
        Ok(Self { manifest: folder.manifest, network, trust, device: device.clone() })
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
        let pairs = self.predict_with_features(crops)?;
        Ok(pairs.into_iter().map(|(prediction, _)| prediction).collect())
    }

    /// As [`Self::predict`], each answer with the features it was read from, for calibration.
    ///
    /// # Errors
    /// As [`Self::predict`].
    pub fn predict_with_features(
        &self,
        crops: &[FaceCrop],
    ) -> Result<Vec<(FacePrediction, Vec<f32>)>, ModelError> {
        let mut predictions = Vec::with_capacity(crops.len());
        for batch in crops.chunks(self.limit()) {
            for (crop, (logits, features)) in batch.iter().zip(self.run(batch)?) {
                predictions.push((self.predict_one(crop, &logits, &features), features));
            }
        }
        Ok(predictions)
    }

    /// Computes a batch of every size up to so many crops, where the device compiles by size.
    ///
    /// # Errors
    /// [`ModelError::Computation`]
    pub fn warm_up(&self, rows: usize) -> Result<(), ModelError> {
        let Network::Burn(network) = &self.network else { return Ok(()) };
        each_row_step(self.limit(), rows, |rows| {
            self.run_burn(network, vec![0; rows * CROP_PIXELS]).map(drop)
        })
    }

    fn limit(&self) -> usize {
        if self.device.is_gpu() { GPU_BATCH_LIMIT } else { BATCH_LIMIT }
    }

    fn predict_one(&self, crop: &FaceCrop, logits: &[f32; LABEL_COUNT], features: &[f32]) -> FacePrediction {
        let votes = VoteModel::from_logits(logits, self.manifest.config.temperature);
        let [valence, arousal] = votes.dimensions();
        let labels = LABELS.iter().zip(votes.probabilities);
        let categories = votes.categories();
        let familiarity = self.trust.familiarity(features);
        FacePrediction {
            categories,
            valence,
            arousal,
            labels: labels.map(|(label, probability)| ((*label).to_owned(), probability)).collect(),
            quality: crop.quality,
            familiarity,
            doubt: self.trust.doubt(crop.quality, familiarity, &categories),
        }
    }

    /// The network's features and raw outputs, before the temperature, for at most as many crops as are computed at once.
    fn run(&self, crops: &[FaceCrop]) -> Result<Vec<Output>, ModelError> {
        if let Some(crop) = crops.iter().find(|crop| crop.pixels.len() != CROP_PIXELS) {
            let found = crop.pixels.len();
            return Err(ModelError::Input(format!(
                "a crop of {found} bytes is not {CROP_SIDE} x {CROP_SIDE}"
            )));
        }
        let bytes = crops.iter().flat_map(|crop| &crop.pixels).copied();
        let outputs = match &self.network {
            Network::Direct(network) => {
                let mut values: Vec<f32> = bytes.map(|byte| f32::from(byte) / 255.0).collect();
                values.chunks_mut(CROP_PIXELS).for_each(|crop| self.manifest.config.normalise(crop));
                network.forward(&values)
            }
            Network::Burn(network) => {
                let mut outputs = self.run_burn(network, bytes.collect())?;
                outputs.truncate(crops.len());
                outputs
            }
        };
        let finite = outputs.iter().all(|(logits, _)| logits.iter().all(|logit| logit.is_finite()));
        if outputs.len() != crops.len() || !finite {
            return Err(ModelError::Computation("the face network gave no finite logits".to_owned()));
        }
        Ok(outputs)
    }

    /// Computes crops on a GPU; they go there as bytes, and empty ones fill up the batch.
    fn run_burn(&self, network: &FaceNetwork, mut bytes: Vec<u8>) -> Result<Vec<Output>, ModelError> {
        let rows = fill_up(row_steps(self.limit()), bytes.len() / CROP_PIXELS);
        bytes.resize(rows * CROP_PIXELS, 0);
        let data = TensorData::new(bytes, [rows, 1, CROP_SIDE, CROP_SIDE]);
        let bytes = Tensor::from_data(data, (self.device.as_burn(), DType::U8));
        let features = network.features(self.manifest.config.normalise_there(bytes));
        let [logits, features] = read_together([network.classify(features.clone()), features])?;
        let (rows, _) = logits.as_chunks::<LABEL_COUNT>();
        let width = self.manifest.config.features();
        Ok(rows.iter().copied().zip(features.chunks(width).map(<[f32]>::to_vec)).collect())
    }
}
