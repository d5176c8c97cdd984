//! From a trained network to a model folder.

use std::collections::BTreeMap;
use std::path::Path;

use heartline_models::face::{FaceConfig, FaceNetwork, store};
use heartline_models::{Manifest, TrustLimits, WEIGHTS_FILE, WeightsWriter};

use crate::error::TrainError;

const LICENCE: &str = "Weights trained by this project. The FER+ votes are MIT (Microsoft); the authors of FER-2013 \
                       state no licence for the photographs, so check your own right to use weights learned from them.";
const SOURCE: &str =
    "FER-2013 photographs with FER+ votes; trained from nothing with `heartline-train train face`.";

/// Writes the folder. The manifest comes last: a reader finds either a whole folder or a checksum that differs.
pub(crate) fn write(folder: &Path, config: &FaceConfig, network: &FaceNetwork) -> Result<(), TrainError> {
    std::fs::create_dir_all(folder).map_err(TrainError::file(folder))?;
    let mut weights = WeightsWriter::default();
    store(config, network, &mut weights)?;
    weights.write(&folder.join(WEIGHTS_FILE))?;
    let mut manifest = Manifest {
        format: 1,
        name: "face".to_owned(),
        version: 1,
        licence: LICENCE.to_owned(),
        source: SOURCE.to_owned(),
        config: config.clone(),
        trust: TrustLimits::default(),
        files: BTreeMap::new(),
    };
    manifest.write(folder, &[WEIGHTS_FILE])?;
    Ok(())
}
