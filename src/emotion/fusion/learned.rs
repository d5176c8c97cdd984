//! What `heartline-train train fusion` has learned; it writes this file, nobody edits it.
//!
//! `models/weights/fusion/README.md` says from what and how, and how well it works. Arrays are in the order of
//! `Modality::ALL` and `Category::ALL`.

use crate::emotion::label::CategoryArray;

/// How far each modality is taken at its word: the exponent of its likelihood at full quality.
pub(super) const RELIABILITY: [f32; 3] = [0.85, 0.7, 0.8];

/// The power to which the quality of a modality's readings counts in its weight.
pub(super) const QUALITY_POWER: [f32; 3] = [1.0, 1.0, 1.0];

/// The category shares that each modality's probabilities already contain.
pub(super) const PRIOR: [CategoryArray; 3] = [
    [0.25, 0.17, 0.11, 0.14, 0.16, 0.07, 0.10],
    [0.25, 0.17, 0.11, 0.14, 0.16, 0.07, 0.10],
    [0.25, 0.17, 0.11, 0.14, 0.16, 0.07, 0.10],
];

/// How far the errors of the modalities go together: 0 takes them as independent, 1 counts them as one witness.
pub(super) const OVERLAP: f32 = 0.3;
