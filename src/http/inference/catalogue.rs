//! The models that the protocol lists, with what each takes and gives.
//!
//! Two kinds are listed: the engine's own models, which take tensors of what they read, and pipelines, which take
//! files as people have them and lead them through the media room first.

use heartline_models::Category;
use heartline_models::face::CROP_SIDE;
use serde::Serialize;

use super::Datatype;

/// The side of a crop, as a size of a shape.
const SIDE: i64 = CROP_SIDE as i64;

/// Which of the listed models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Served {
    Text,
    Voice,
    Detector,
    Face,
    TextEmotion,
    VoiceEmotion,
    FaceEmotion,
}

/// An input of a model.
#[derive(Debug, Clone, Copy)]
pub(in crate::http) struct InputSpec {
    /// Its name.
    pub(super) name: &'static str,
    /// Its datatype.
    pub(super) datatype: Datatype,
    /// Its sizes; -1 stands for any.
    pub(super) shape: &'static [i64],
}

/// What the second dimension of an output counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Columns {
    /// There is no second dimension.
    None,
    /// So many, without names.
    Count(i64),
    /// These.
    Named(&'static [&'static str]),
    /// The seven categories.
    Categories,
    /// The model's own labels.
    Labels,
}

/// An output of a model.
#[derive(Debug, Clone, Copy)]
pub(super) struct OutputSpec {
    pub(super) name: &'static str,
    pub(super) datatype: Datatype,
    pub(super) columns: Columns,
}

/// A listed model.
#[derive(Debug, Clone, Copy)]
pub(super) struct ModelSpec {
    pub(super) served: Served,
    pub(super) name: &'static str,
    /// The engine's models that it computes with. The last one gives it its version and its labels.
    pub(super) parts: &'static [&'static str],
    pub(super) inputs: &'static [InputSpec],
    pub(super) outputs: &'static [OutputSpec],
}

const fn output(name: &'static str, datatype: Datatype, columns: Columns) -> OutputSpec {
    OutputSpec { name, datatype, columns }
}

const fn input(name: &'static str, datatype: Datatype, shape: &'static [i64]) -> InputSpec {
    InputSpec { name, datatype, shape }
}

const THREE_DIMENSIONS: Columns = Columns::Named(&["valence", "arousal", "dominance"]);
const TWO_DIMENSIONS: Columns = Columns::Named(&["valence", "arousal"]);
const SERVICE: Columns = Columns::Named(&["satisfaction", "frustration", "confusion"]);
const BOX: Columns = Columns::Named(&["left", "top", "width", "height"]);

const CATEGORIES: OutputSpec = output("categories", Datatype::Fp32, Columns::Categories);
const LABELS: OutputSpec = output("labels", Datatype::Fp32, Columns::Labels);
const QUALITY: OutputSpec = output("quality", Datatype::Fp32, Columns::None);
const FAMILIARITY: OutputSpec = output("familiarity", Datatype::Fp32, Columns::None);
const ABSTAIN: OutputSpec = output("abstain", Datatype::Bytes, Columns::None);
const DIMENSIONS: OutputSpec = output("dimensions", Datatype::Fp32, THREE_DIMENSIONS);
const FACE_DIMENSIONS: OutputSpec = output("dimensions", Datatype::Fp32, TWO_DIMENSIONS);
const SERVICES: OutputSpec = output("service", Datatype::Fp32, SERVICE);
const IMAGE_INDEX: OutputSpec = output("image_index", Datatype::Int32, Columns::None);
const BOXES: OutputSpec = output("boxes", Datatype::Fp32, BOX);
const SCORE: OutputSpec = output("score", Datatype::Fp32, Columns::None);
const LANDMARKS: OutputSpec = output("landmarks", Datatype::Fp32, Columns::Count(10));

/// Every listed model.
pub(super) const MODELS: [ModelSpec; 7] = [
    ModelSpec {
        served: Served::Text,
        name: "text",
        parts: &["text"],
        inputs: &[input("text", Datatype::Bytes, &[-1])],
        outputs: &[CATEGORIES, LABELS, DIMENSIONS, QUALITY, FAMILIARITY, ABSTAIN, SERVICES],
    },
    ModelSpec {
        served: Served::Voice,
        name: "voice",
        parts: &["voice"],
        inputs: &[input("waveform", Datatype::Fp32, &[-1, -1])],
        outputs: &[CATEGORIES, LABELS, DIMENSIONS, QUALITY, FAMILIARITY, ABSTAIN],
    },
    ModelSpec {
        served: Served::Detector,
        name: "detector",
        parts: &["detector"],
        inputs: &[input("frame", Datatype::Uint8, &[-1, -1, -1, 3])],
        outputs: &[IMAGE_INDEX, BOXES, SCORE, LANDMARKS],
    },
    ModelSpec {
        served: Served::Face,
        name: "face",
        parts: &["face"],
        inputs: &[input("crop", Datatype::Uint8, &[-1, SIDE, SIDE])],
        outputs: &[CATEGORIES, LABELS, FACE_DIMENSIONS, QUALITY, FAMILIARITY, ABSTAIN],
    },
    ModelSpec {
        served: Served::TextEmotion,
        name: "text_emotion",
        parts: &["text"],
        inputs: &[input("text", Datatype::Bytes, &[-1])],
        outputs: &[
            CATEGORIES,
            LABELS,
            DIMENSIONS,
            QUALITY,
            FAMILIARITY,
            ABSTAIN,
            SERVICES,
            output("language", Datatype::Bytes, Columns::None),
            output("language_confidence", Datatype::Fp32, Columns::None),
        ],
    },
    ModelSpec {
        served: Served::VoiceEmotion,
        name: "voice_emotion",
        parts: &["voice"],
        inputs: &[input("audio", Datatype::Bytes, &[-1])],
        outputs: &[
            CATEGORIES,
            LABELS,
            DIMENSIONS,
            QUALITY,
            FAMILIARITY,
            ABSTAIN,
            output("duration_ms", Datatype::Int32, Columns::None),
        ],
    },
    ModelSpec {
        served: Served::FaceEmotion,
        name: "face_emotion",
        parts: &["detector", "face"],
        inputs: &[input("image", Datatype::Bytes, &[-1])],
        outputs: &[
            IMAGE_INDEX,
            BOXES,
            SCORE,
            LANDMARKS,
            CATEGORIES,
            LABELS,
            FACE_DIMENSIONS,
            QUALITY,
            FAMILIARITY,
            ABSTAIN,
        ],
    },
];

impl ModelSpec {
    /// The model of a name.
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        MODELS.iter().find(|model| model.name == name)
    }

    /// Whether it is made of the engine's models, rather than one of them.
    pub(super) fn is_pipeline(&self) -> bool {
        self.parts != [self.name]
    }

    /// The engine's model that gives it its version and its labels.
    pub(super) fn reader(&self) -> &'static str {
        self.parts.last().copied().unwrap_or(self.name)
    }

    /// Whether it reads a voice or a face, and so biometric data.
    pub(super) fn is_biometric(&self) -> bool {
        !self.parts.contains(&"text")
    }

    /// What it runs on, in the protocol's word.
    pub(super) fn platform(&self) -> &'static str {
        if self.is_pipeline() { "heartline_pipeline" } else { "burn_safetensors" }
    }

    /// What the protocol says of it.
    pub(super) fn metadata(&self, version: u32, labels: &[String]) -> ModelMetadata {
        let input = |spec: &InputSpec| TensorMetadata {
            name: spec.name,
            datatype: spec.datatype.name(),
            shape: spec.shape.to_vec(),
            parameters: None,
        };
        ModelMetadata {
            name: self.name,
            versions: vec![version.to_string()],
            platform: self.platform(),
            inputs: self.inputs.iter().map(input).collect(),
            outputs: self.outputs.iter().map(|spec| spec.metadata(labels)).collect(),
        }
    }
}

impl OutputSpec {
    fn metadata(&self, labels: &[String]) -> TensorMetadata {
        let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let (size, names) = match self.columns {
            Columns::None => (None, Vec::new()),
            Columns::Count(count) => (Some(count), Vec::new()),
            Columns::Named(names) => (None, named(names)),
            Columns::Categories => (None, named(&Category::ALL.map(Category::name))),
            Columns::Labels => (None, labels.to_vec()),
        };
        let size = size.or_else(|| (!names.is_empty()).then(|| i64::try_from(names.len()).unwrap_or(-1)));
        TensorMetadata {
            name: self.name,
            datatype: self.datatype.name(),
            shape: std::iter::once(-1).chain(size).collect(),
            parameters: (!names.is_empty()).then_some(Names { labels: names }),
        }
    }
}

/// What the protocol says of a model.
#[derive(Debug, Serialize)]
pub(super) struct ModelMetadata {
    pub(super) name: &'static str,
    pub(super) versions: Vec<String>,
    pub(super) platform: &'static str,
    pub(super) inputs: Vec<TensorMetadata>,
    pub(super) outputs: Vec<TensorMetadata>,
}

/// What the protocol says of a tensor.
#[derive(Debug, Serialize)]
pub(super) struct TensorMetadata {
    pub(super) name: &'static str,
    pub(super) datatype: &'static str,
    pub(super) shape: Vec<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parameters: Option<Names>,
}

/// The names of an output's columns.
#[derive(Debug, Serialize)]
pub(super) struct Names {
    pub(super) labels: Vec<String>,
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::engine::MODEL_NAMES;

    #[test]
    fn every_model_of_the_engine_is_listed_and_every_part_is_one() {
        for name in MODEL_NAMES {
            assert!(!ModelSpec::find(name).unwrap().is_pipeline());
        }
        for model in &MODELS {
            assert!(model.parts.iter().all(|part| MODEL_NAMES.contains(part)), "{}", model.name);
            assert_eq!(ModelSpec::find(model.name).unwrap().served, model.served);
        }
        assert!(ModelSpec::find("stats").is_none());
        assert!(ModelSpec::find("face").unwrap().is_biometric());
        assert!(!ModelSpec::find("text_emotion").unwrap().is_biometric());
    }

    #[test]
    fn names_of_tensors_are_there_once() {
        for model in &MODELS {
            let outputs: HashSet<_> = model.outputs.iter().map(|output| output.name).collect();
            assert_eq!(outputs.len(), model.outputs.len(), "{}", model.name);
        }
    }

    #[test]
    fn shapes_follow_the_names() {
        let labels = ["joy".to_owned(), "grief".to_owned()];
        let metadata = ModelSpec::find("text").unwrap().metadata(3, &labels);
        assert_eq!(metadata.versions, ["3"]);
        let shapes: Vec<_> = metadata.outputs.iter().map(|output| output.shape.clone()).collect();
        assert_eq!(
            shapes,
            [vec![-1, 7], vec![-1, 2], vec![-1, 3], vec![-1], vec![-1], vec![-1], vec![-1, 3]]
        );
    }
}
