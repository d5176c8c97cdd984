//! The models' predictions as columns of tensors.

use axum::body::Bytes;
use heartline_models::detector::FaceBox;
use heartline_models::face::FacePrediction;
use heartline_models::text::TextPrediction;
use heartline_models::voice::VoicePrediction;
use heartline_models::{CATEGORY_COUNT, Doubt};

use super::{Tensor, Values};
use crate::predict::Finding;

/// What stands for a service signal that the model has no head for.
const NO_SIGNAL: f32 = -1.0;

/// Readings, one a row.
#[derive(Debug)]
pub(super) struct Readings {
    rows: usize,
    label_count: usize,
    label_names: Vec<String>,
    categories: Vec<f32>,
    labels: Vec<f32>,
    dimension_count: usize,
    dimensions: Vec<f32>,
    quality: Vec<f32>,
    familiarity: Vec<f32>,
    abstain: Vec<Bytes>,
}

/// What every reading has.
struct Row<'a> {
    categories: [f32; CATEGORY_COUNT],
    labels: &'a [(String, f32)],
    dimensions: &'a [f32],
    quality: f32,
    familiarity: f32,
    abstain: Option<&'static str>,
}

impl Readings {
    /// No readings yet, of models with so many labels and dimensions.
    pub(super) fn new(label_count: usize, dimension_count: usize) -> Self {
        Self {
            rows: 0,
            label_count,
            label_names: Vec::new(),
            categories: Vec::new(),
            labels: Vec::new(),
            dimension_count,
            dimensions: Vec::new(),
            quality: Vec::new(),
            familiarity: Vec::new(),
            abstain: Vec::new(),
        }
    }

    /// Takes in a text's; where its language is one that the model does not read, that is why not to rely on it.
    pub(super) fn add_text(&mut self, found: &TextPrediction, is_readable: bool) {
        let doubt = found.doubt.map(Doubt::code);
        self.add(&Row {
            categories: found.categories,
            labels: &found.labels,
            dimensions: &[found.valence, found.arousal, found.dominance],
            quality: found.quality,
            familiarity: found.familiarity,
            abstain: if is_readable { doubt } else { Some("unreadable_language") },
        });
    }

    /// Takes in a waveform's.
    pub(super) fn add_voice(&mut self, found: &VoicePrediction) {
        self.add(&Row {
            categories: found.categories,
            labels: &found.labels,
            dimensions: &[found.valence, found.arousal, found.dominance],
            quality: found.quality,
            familiarity: found.familiarity,
            abstain: found.doubt.map(Doubt::code),
        });
    }

    /// Takes in a face's.
    pub(super) fn add_face(&mut self, found: &FacePrediction) {
        self.add(&Row {
            categories: found.categories,
            labels: &found.labels,
            dimensions: &[found.valence, found.arousal],
            quality: found.quality,
            familiarity: found.familiarity,
            abstain: found.doubt.map(Doubt::code),
        });
    }

    /// Takes in a whole clip's.
    pub(super) fn add_clip(&mut self, found: &Finding) {
        self.add(&Row {
            categories: found.categories.into(),
            labels: &found.labels,
            dimensions: &[found.valence, found.arousal, found.dominance.unwrap_or_default()],
            quality: found.quality,
            familiarity: found.familiarity,
            abstain: found.abstain.as_ref().map(|abstain| abstain.code),
        });
    }

    fn add(&mut self, row: &Row<'_>) {
        if self.rows == 0 {
            self.label_count = row.labels.len();
            self.label_names = row.labels.iter().map(|(name, _)| name.clone()).collect();
        }
        self.rows += 1;
        self.categories.extend(row.categories);
        self.labels.extend(row.labels.iter().map(|(_, score)| *score));
        self.dimensions.extend(row.dimensions);
        self.quality.push(row.quality);
        self.familiarity.push(row.familiarity);
        self.abstain.push(Bytes::from_static(row.abstain.unwrap_or_default().as_bytes()));
    }

    /// The columns, in the catalogue's order, and the names of the labels.
    pub(super) fn into_tensors(self) -> (Vec<Tensor>, Vec<String>) {
        let rows = self.rows;
        let tensors = vec![
            table("categories", rows, CATEGORY_COUNT, self.categories),
            table("labels", rows, self.label_count, self.labels),
            table("dimensions", rows, self.dimension_count, self.dimensions),
            column("quality", Values::Floats(self.quality)),
            column("familiarity", Values::Floats(self.familiarity)),
            column("abstain", Values::Elements(self.abstain)),
        ];
        (tensors, self.label_names)
    }
}

/// The service signals of texts.
pub(super) fn service(found: &[TextPrediction]) -> Tensor {
    let signals = |one: &TextPrediction| [one.satisfaction, one.frustration, one.confusion];
    let values = found.iter().flat_map(signals).map(|signal| signal.unwrap_or(NO_SIGNAL)).collect();
    table("service", found.len(), 3, values)
}

/// Where faces are, and in which picture each is.
pub(super) fn places(faces: &[(usize, FaceBox)]) -> Vec<Tensor> {
    let index = |(picture, _): &(usize, FaceBox)| i32::try_from(*picture).unwrap_or(i32::MAX);
    let sides = |(_, face): &(usize, FaceBox)| [face.left, face.top, face.width, face.height];
    let points = |(_, face): &(usize, FaceBox)| face.landmarks.map(<[f32; 2]>::from).into_iter().flatten();
    vec![
        column("image_index", Values::Integers(faces.iter().map(index).collect())),
        table("boxes", faces.len(), 4, faces.iter().flat_map(sides).collect()),
        column("score", Values::Floats(faces.iter().map(|(_, face)| face.score).collect())),
        table("landmarks", faces.len(), 10, faces.iter().flat_map(points).collect()),
    ]
}

/// A tensor with one element a row.
pub(super) fn column(name: &str, values: Values) -> Tensor {
    Tensor { name: name.to_owned(), shape: vec![values.len()], values }
}

fn table(name: &str, rows: usize, columns: usize, values: Vec<f32>) -> Tensor {
    Tensor { name: name.to_owned(), shape: vec![rows, columns], values: Values::Floats(values) }
}
