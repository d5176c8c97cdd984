//! Weights to network.
//!
//! | tensor | shape | what |
//! |---|---|---|
//! | `stem.weight`, `stem.bias` | `[16, 3, 3, 3]`, `[16]` | first convolution, stride 2 |
//! | `backbone.N.pointwise.weight`, `.bias` | `[out, in, 1, 1]`, `[out]` | separable convolution N of 0 to 10 |
//! | `backbone.N.depthwise.weight`, `.bias` | `[out, 1, 3, 3]`, `[out]` | its second half |
//! | `neck.S.pointwise.*`, `neck.S.depthwise.*` | 64 to 64 | the level of stride S of 8, 16, 32 |
//! | `heads.S.pointwise.*`, `heads.S.depthwise.*` | 64 to 16 | face, object, box (4), landmarks (10) of stride S |

use burn::tensor::Device;

use super::separable::convolution;
use super::{DetectorNetwork, STRIDES, Separable};
use crate::{ModelError, Weights};

/// The channels of the stem.
pub(super) const STEM: usize = 16;
/// The channels of the backbone's separable convolutions, in and out.
const BACKBONE: [[usize; 2]; 11] = [
    [16, 16],
    [16, 16],
    [16, 32],
    [32, 32],
    [32, 64],
    [64, 64],
    [64, 64],
    [64, 64],
    [64, 64],
    [64, 64],
    [64, 64],
];
/// How many separable convolutions the backbone has.
pub(super) const BACKBONE_UNITS: usize = BACKBONE.len();
/// The channels of the neck.
const WIDTH: usize = 64;
/// The parts of a head with their channels, in the order of the answer's channels.
pub const HEADS: [(&str, usize); 4] = [("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)];
/// The channels of an answer.
pub(super) const ANSWER: usize = 16;

/// The names of all separable convolutions with their channels in and out, in order of execution.
#[must_use]
pub fn names() -> Vec<(String, [usize; 2])> {
    let backbone =
        BACKBONE.iter().enumerate().map(|(index, channels)| (format!("backbone.{index}"), *channels));
    let neck = STRIDES.iter().map(|stride| (format!("neck.{stride}"), [WIDTH, WIDTH]));
    let heads = STRIDES.iter().map(|stride| (format!("heads.{stride}"), [WIDTH, ANSWER]));
    backbone.chain(neck).chain(heads).collect()
}

/// Builds the network.
///
/// # Errors
/// [`ModelError`] where a tensor is missing or of another shape.
pub fn load(weights: &Weights<'_>, device: &Device) -> Result<DetectorNetwork, ModelError> {
    let pair = |name: &str, shape: [usize; 4]| {
        let weight = weights.tensor(&format!("{name}.weight"), shape, device)?;
        let bias = weights.tensor(&format!("{name}.bias"), [shape[0]], device)?;
        Ok::<_, ModelError>((weight, bias))
    };
    let stem = convolution(pair("stem", [STEM, 3, 3, 3])?, 2, 1);
    let mut units = Vec::new();
    for (name, [channels_in, channels_out]) in names() {
        let pointwise = pair(&format!("{name}.pointwise"), [channels_out, channels_in, 1, 1])?;
        let depthwise = pair(&format!("{name}.depthwise"), [channels_out, 1, 3, 3])?;
        units.push(Separable::from_weights(pointwise, depthwise));
    }
    let heads = units.split_off(BACKBONE_UNITS + STRIDES.len());
    let neck = units.split_off(BACKBONE_UNITS);
    Ok(DetectorNetwork { stem, backbone: units, neck, heads })
}
