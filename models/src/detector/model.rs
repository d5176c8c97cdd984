//! The front door: pictures in, boxes out.

use std::path::Path;

use burn::tensor::Tensor;

use super::decoding::{Level, decode};
use super::direct::DirectDetector;
use super::loader::ANSWER;
use super::scaling::{Scaled, Sizes, few_sides, scale};
use super::{DetectorConfig, DetectorNetwork, FaceBox, STRIDES, load};
use crate::precision::weights_in;
use crate::readback::read_together;
use crate::shapes::{each_row_step, fill_up, row_steps};
use crate::{Device, Manifest, ModelError, ModelFolder, RgbImage};

/// How many pictures go through the network at once; the rest waits, to bound the memory.
const BATCH_LIMIT: usize = 8;
/// How many pictures of the largest size a GPU computes at once.
const GPU_BATCH_LIMIT: usize = 32;

/// A loaded detector.
#[derive(Debug)]
pub struct FaceDetector {
    manifest: Manifest<DetectorConfig>,
    network: Network,
    device: Device,
}

/// What computes.
#[derive(Debug)]
enum Network {
    /// burn, on any device.
    Burn(DetectorNetwork),
    /// The CPU without burn.
    Direct(DirectDetector),
}

impl FaceDetector {
    /// Loads the detector of a folder.
    ///
    /// # Errors
    /// [`ModelError`] that names the file, tensor or setting at fault.
    pub fn load(folder: &Path, device: &Device) -> Result<Self, ModelError> {
        let folder = ModelFolder::<DetectorConfig>::open(folder)?;
        folder.manifest.config.check()?;
        let weights = folder.weights()?;
        let network = if device.is_cpu() {
            Network::Direct(DirectDetector::load(&weights)?)
        } else {
            Network::Burn(weights_in(load(&weights, device.as_burn())?, device.precision()))
        };
        Ok(Self { manifest: folder.manifest, network, device: device.clone() })
    }

    /// What the folder says of the model.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest<DetectorConfig> {
        &self.manifest
    }

    /// The same detector with other settings.
    ///
    /// # Errors
    /// [`ModelError::Input`] that names the setting.
    pub fn with_config(mut self, config: DetectorConfig) -> Result<Self, ModelError> {
        config.check()?;
        self.manifest.config = config;
        Ok(self)
    }

    /// Finds the faces of each picture, the strongest first; the answers come in the order of the pictures.
    ///
    /// # Errors
    /// [`ModelError::Input`] where a picture's bytes do not fit its sides, [`ModelError::Computation`] where the
    /// device answers with something else than promised.
    pub fn detect(&self, images: &[RgbImage]) -> Result<Vec<Vec<FaceBox>>, ModelError> {
        images.iter().try_for_each(RgbImage::check)?;
        let mut faces = vec![Vec::new(); images.len()];
        let mut waiting: Vec<usize> = (0..images.len()).collect();
        // Pictures of one padded size go together; what is left waits for the next round.
        while let Some(first) = waiting.first() {
            let size = self.padded(&images[*first]);
            let (batch, rest): (Vec<usize>, Vec<usize>) =
                waiting.iter().partition(|index| self.padded(&images[**index]) == size);
            for batch in batch.chunks(self.limit()) {
                let scaled: Vec<Scaled> = batch.iter().map(|index| self.scale(&images[*index])).collect();
                for (index, found) in batch.iter().zip(self.detect_batch(&scaled)?) {
                    faces[*index] = found;
                }
            }
            waiting = rest;
        }
        Ok(faces)
    }

    /// Computes a batch of every shape that up to so many pictures can have, where the device compiles by shape.
    ///
    /// # Errors
    /// [`ModelError::Computation`]
    pub fn warm_up(&self, rows: usize) -> Result<(), ModelError> {
        if self.is_direct() {
            return Ok(());
        }
        let longest = self.manifest.config.longest_side;
        for height in few_sides(longest) {
            for width in few_sides(longest) {
                each_row_step(self.limit(), rows, |rows| {
                    let shape = [rows, 3, height, width];
                    self.raw(vec![0.0; shape.iter().product()], shape).map(drop)
                })?;
            }
        }
        Ok(())
    }

    fn scale(&self, image: &RgbImage) -> Scaled {
        scale(image, self.manifest.config.longest_side, self.sizes())
    }

    fn limit(&self) -> usize {
        if self.device.is_gpu() { GPU_BATCH_LIMIT } else { BATCH_LIMIT }
    }

    fn is_direct(&self) -> bool {
        matches!(self.network, Network::Direct(_))
    }

    fn sizes(&self) -> Sizes {
        if self.is_direct() { Sizes::Any } else { Sizes::Few }
    }

    fn padded(&self, image: &RgbImage) -> (usize, usize) {
        super::scaling::padded(image, self.manifest.config.longest_side, self.sizes())
    }

    fn detect_batch(&self, batch: &[Scaled]) -> Result<Vec<Vec<FaceBox>>, ModelError> {
        let Some(first) = batch.first() else { return Ok(Vec::new()) };
        let rows = if self.is_direct() { batch.len() } else { fill_up(row_steps(self.limit()), batch.len()) };
        let mut values = batch.iter().map(|scaled| scaled.planes.as_slice()).collect::<Vec<_>>().concat();
        let shape = [rows, 3, first.height, first.width];
        values.resize(shape.iter().product(), 0.0);
        let answers = self.raw(values, shape)?;
        Ok(batch
            .iter()
            .enumerate()
            .map(|(index, scaled)| {
                let levels: Vec<Level<'_>> = STRIDES
                    .iter()
                    .zip(&answers)
                    .map(|(stride, values)| {
                        let length = values.len() / rows;
                        let values = &values[index * length..(index + 1) * length];
                        Level { stride: *stride, width: first.width / stride, values }
                    })
                    .collect();
                decode(&levels, &self.manifest.config, scaled.factors)
            })
            .collect())
    }

    /// The network's numbers for an input `[batch, 3, height, width]`: for each stride `[batch, 16, rows, columns]`,
    /// row-major. The channels are those of [`DetectorNetwork::forward`].
    ///
    /// # Errors
    /// [`ModelError::Input`] where the values do not fit the shape or the sides are no multiples of 32,
    /// [`ModelError::Computation`] where the answer has another size than promised.
    pub fn raw(&self, values: Vec<f32>, shape: [usize; 4]) -> Result<Vec<Vec<f32>>, ModelError> {
        let [batch, channels, height, width] = shape;
        let fits = channels == 3 && height % 32 == 0 && width % 32 == 0;
        if !fits || values.len() != shape.iter().product::<usize>() {
            return Err(ModelError::Input(format!(
                "the detector cannot take {} values as {shape:?}",
                values.len()
            )));
        }
        let answers = match &self.network {
            Network::Direct(network) => network.forward(&values, shape),
            Network::Burn(network) => {
                let input = self.device.upload(values, shape);
                let answers = network.forward(input).into_iter().map(|answer| answer.flatten::<2>(1, 3));
                let answers: [Tensor<2>; STRIDES.len()] =
                    answers.collect::<Vec<_>>().try_into().map_err(|answers: Vec<_>| {
                        ModelError::Computation(format!("{} answers", answers.len()))
                    })?;
                read_together(answers)?.into()
            }
        };
        for (stride, values) in STRIDES.iter().zip(&answers) {
            let expected = batch * ANSWER * (height / stride) * (width / stride);
            if values.len() != expected {
                return Err(ModelError::Computation(format!(
                    "{} numbers instead of {expected}",
                    values.len()
                )));
            }
        }
        Ok(answers)
    }
}
