//! What `heartline-train train fusion` has learned; it writes this file, nobody edits it.
//!
//! `models/weights/fusion/README.md` says from what and how, and how well it works. Arrays are in the order
//! of `Modality::ALL` and `Category::ALL`.

use crate::emotion::label::CategoryArray;

/// How far each modality is taken at its word: the exponent of its likelihood at full quality.
pub(super) const RELIABILITY: [f32; 3] = [0.880, 1.000, 1.000];

/// The power to which the quality of a modality's readings counts in its weight.
pub(super) const QUALITY_POWER: [f32; 3] = [1.225, 1.000, 1.000];

/// The category shares that each modality's probabilities already contain.
pub(super) const PRIOR: [CategoryArray; 3] = [
    // text
    [0.278, 0.232, 0.112, 0.120, 0.158, 0.047, 0.051],
    // voice
    [0.245, 0.119, 0.089, 0.297, 0.071, 0.106, 0.072],
    // face
    [0.332, 0.232, 0.124, 0.136, 0.129, 0.016, 0.031],
];

/// How far the errors of the modalities go together: 0 takes them as independent, 1 as one witness.
pub(super) const OVERLAP: f32 = 0.209;
