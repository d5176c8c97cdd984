//! The frozen encoder's frames of every clip under a condition, computed once and kept on disk in half precision.
//!
//! A file holds the windows of some clips as tensors `CLIP.WINDOW` of `[frames, width]`. Files are renamed into place
//! when complete, so an interrupted run goes on where it stopped. The folder's name changes with the encoder, the
//! clips and the seed.

use std::path::{Path, PathBuf};

use half::f16;
use heartline_models::voice::{FrontEnd, SHORTEST_MS};
use heartline_models::{WEIGHTS_FILE, WeightsWriter};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator, ParallelSlice};
use safetensors::SafeTensors;
use sha2::{Digest, Sha256};

use super::augment::Condition;
use super::clips::{Clip, decode, windows};
use crate::error::TrainError;

/// Clips of a file.
const SHARD: usize = 64;
/// Windows that are encoded at once.
const BATCH: usize = 4;
/// Changes whenever the same inputs would give other frames.
const VERSION: &str = "1";

/// The encoded frames of a window.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    /// The clip it was cut from, as an index.
    pub(crate) clip: usize,
    /// `[frames, width]`.
    pub(crate) values: Vec<f16>,
}

/// Encodes clips, or finds them encoded.
pub(crate) struct FeatureStore<'a> {
    front_end: &'a FrontEnd,
    folder: PathBuf,
    seed: u64,
}

impl<'a> FeatureStore<'a> {
    /// Keeps frames under `cache`, apart for each encoder and seed.
    pub(crate) fn new(
        front_end: &'a FrontEnd,
        encoder: &Path,
        cache: &Path,
        seed: u64,
    ) -> Result<Self, TrainError> {
        let path = encoder.join(WEIGHTS_FILE);
        let weights = std::fs::read(&path).map_err(TrainError::file(&path))?;
        let digest =
            Sha256::new().chain_update(VERSION).chain_update(seed.to_le_bytes()).chain_update(weights);
        let folder = cache.join(short_hex(&digest.finalize()));
        std::fs::create_dir_all(&folder).map_err(TrainError::file(&folder))?;
        Ok(Self { front_end, folder, seed })
    }

    /// The windows of all clips under a condition.
    pub(crate) fn load(&self, clips: &[Clip], condition: Condition) -> Result<Vec<Window>, TrainError> {
        let digest = clips.iter().fold(Sha256::new(), |digest, clip| {
            digest
                .chain_update(clip.path.file_name().unwrap_or_default().as_encoded_bytes())
                .chain_update([0])
        });
        let name = format!("{}-{}", short_hex(&digest.finalize()), condition.name());
        let bar = ProgressBar::new(u64::try_from(clips.len()).unwrap_or(u64::MAX));
        bar.set_style(style());
        bar.set_message(condition.name());
        let mut loaded = Vec::new();
        for (index, shard) in clips.chunks(SHARD).enumerate() {
            let path = self.folder.join(format!("{name}-{index:04}.safetensors"));
            if !path.exists() {
                self.encode(shard, index * SHARD, condition, &path)?;
            }
            loaded.extend(read(&path)?);
            bar.inc(u64::try_from(shard.len()).unwrap_or(0));
        }
        bar.finish();
        Ok(loaded)
    }

    fn encode(
        &self,
        clips: &[Clip],
        first: usize,
        condition: Condition,
        path: &Path,
    ) -> Result<(), TrainError> {
        let numbered: Vec<(usize, &Clip)> = (first..).zip(clips).collect();
        let sounds: Vec<Vec<f32>> = numbered
            .par_iter()
            .map(|(index, clip)| {
                let number = u64::try_from(*index).unwrap_or(0);
                Ok(condition.apply(&decode(&clip.path)?, number, self.seed))
            })
            .collect::<Result<_, TrainError>>()?;
        let shortest = SHORTEST_MS as usize * 16;
        let mut cut: Vec<(String, &[f32])> = Vec::new();
        for ((index, _), sound) in numbered.iter().zip(&sounds) {
            let parts = windows(sound).into_iter().filter(|part| part.len() >= shortest).enumerate();
            cut.extend(parts.map(|(part, samples)| (format!("{index:06}.{part}"), samples)));
        }
        // Windows of nearly the same length share a batch, so that little is spent on padding.
        cut.sort_by_key(|(_, samples)| samples.len());
        let encoded: Vec<Vec<(String, usize, Vec<f32>)>> =
            cut.par_chunks(BATCH).map(|batch| self.encode_batch(batch)).collect::<Result<_, _>>()?;
        let mut writer = WeightsWriter::default();
        for (name, frames, values) in encoded.into_iter().flatten() {
            writer.put_f16(&name, &[frames, values.len() / frames], &values);
        }
        let partial = path.with_extension("partial");
        writer.write(&partial)?;
        std::fs::rename(&partial, path).map_err(TrainError::file(path))
    }

    fn encode_batch(&self, batch: &[(String, &[f32])]) -> Result<Vec<(String, usize, Vec<f32>)>, TrainError> {
        let samples: Vec<&[f32]> = batch.iter().map(|(_, samples)| *samples).collect();
        let encoded = self.front_end.encode(&samples)?;
        let [_, frames, width] = encoded.frames.dims();
        let values: Vec<f32> = encoded
            .frames
            .into_data()
            .try_to_vec()
            .map_err(|error| TrainError::Disagreement(format!("{error:?}")))?;
        let rows = values.chunks(frames * width).zip(&encoded.lengths).zip(batch);
        Ok(rows
            .map(|((row, length), (name, _))| (name.clone(), *length, row[..length * width].to_vec()))
            .collect())
    }
}

fn read(path: &Path) -> Result<Vec<Window>, TrainError> {
    let bytes = std::fs::read(path).map_err(TrainError::file(path))?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(|error| TrainError::data(path, error))?;
    let mut windows = Vec::new();
    for (name, view) in tensors.iter() {
        let clip = name.split('.').next().and_then(|clip| clip.parse().ok());
        let clip = clip.ok_or_else(|| TrainError::data(path, format!("{name} names no clip")))?;
        let values = view.data().as_chunks::<2>().0.iter().map(|bytes| f16::from_le_bytes(*bytes)).collect();
        windows.push((name.to_owned(), Window { clip, values }));
    }
    windows.sort_by(|left, right| left.0.cmp(&right.0));
    Ok(windows.into_iter().map(|(_, window)| window).collect())
}

/// How progress is shown.
pub(super) fn style() -> ProgressStyle {
    ProgressStyle::with_template("{msg:20} {wide_bar} {pos}/{len} {elapsed} (eta {eta})")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn short_hex(digest: &[u8]) -> String {
    digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}
