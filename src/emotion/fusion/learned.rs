//! What `heartline-train train fusion` has learned; it writes this file, nobody edits it.
//!
//! `models/weights/fusion/README.md` says from what and how, and how well it works. Arrays are in the order
//! of `Modality::ALL` and `Category::ALL`.

use crate::emotion::label::CategoryArray;

/// How far each modality is taken at its word: the exponent of its likelihood at full quality.
pub(super) const RELIABILITY: [f32; 3] = [0.926, 1.000, 0.984];

/// The power to which the quality of a modality's readings counts in its weight.
pub(super) const QUALITY_POWER: [f32; 3] = [2.641, 1.000, 1.000];

/// The category shares that each modality's probabilities already contain.
pub(super) const PRIOR: [CategoryArray; 3] = [
    // text
    [0.281, 0.234, 0.109, 0.121, 0.165, 0.046, 0.044],
    // voice
    [0.283, 0.117, 0.091, 0.274, 0.069, 0.094, 0.072],
    // face
    [0.353, 0.240, 0.107, 0.154, 0.106, 0.015, 0.026],
];

/// How far the errors of the modalities go together: 0 takes them as independent, 1 as one witness.
pub(super) const OVERLAP: f32 = 0.276;
