//! The lines of the output, as they are written.

use heartline_models::Doubt;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::app::Language;
use crate::emotion::{CATEGORY_COUNT, CategoryProbabilities, FaceRegion, Reading, top_category};

/// One line of the output.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Line {
    /// What a row shows.
    Answer(Box<Answer>),
    /// Why a row shows nothing.
    Fault {
        /// The row's name; null where the row is too damaged to tell.
        id: Option<String>,
        /// What is wrong with it.
        error: RowFault,
    },
}

/// The answer of one modality.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// A text's.
    Text(TextAnswer),
    /// A clip's.
    Voice(VoiceAnswer),
    /// A picture's with at least one face.
    Face(FaceAnswer),
    /// A picture's without a face.
    NoFace(NoFace),
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowFault {
    /// The stable code, for programs.
    pub code: &'static str,
    /// The same in words.
    pub message: String,
}

/// Why an answer should not be relied on. It is given all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Abstain {
    /// The stable code, for programs.
    pub code: &'static str,
    /// The same in words.
    pub reason: String,
}

/// What every answer has.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// The category with the highest probability.
    pub predicted: &'static str,
    /// The model's own label with the highest score.
    pub predicted_label: Option<String>,
    /// The calibrated probabilities of the seven categories.
    pub categories: CategoryProbabilities,
    /// All of the model's own labels with their scores.
    #[serde(serialize_with = "as_object")]
    pub labels: Vec<(String, f32)>,
    /// From unpleasant (-1) to pleasant (1).
    pub valence: f32,
    /// From calm (-1) to excited (1).
    pub arousal: f32,
    /// From submissive (-1) to in control (1); null where the modality does not show it.
    pub dominance: Option<f32>,
    /// How usable the material is, 0 to 1.
    pub quality: f32,
    /// How like the model's calibration data it is, 0 to 1.
    pub familiarity: f32,
    /// Why the answer should not be relied on; null where it may.
    pub abstain: Option<Abstain>,
}

/// A text's answer.
#[derive(Debug, Clone, Serialize)]
pub struct TextAnswer {
    /// The row's name.
    pub id: String,
    /// What it expresses.
    #[serde(flatten)]
    pub finding: Finding,
    /// How satisfied the writer sounds, 0 to 1.
    pub satisfaction: Option<f32>,
    /// How frustrated the writer sounds, 0 to 1.
    pub frustration: Option<f32>,
    /// How confused the writer sounds, 0 to 1.
    pub confusion: Option<f32>,
    /// The language, as the server finds it.
    pub language: Language,
    /// Tokens that were read.
    pub tokens: usize,
    /// Whether the text was longer than the model reads.
    pub truncated: bool,
}

/// A clip's answer.
#[derive(Debug, Clone, Serialize)]
pub struct VoiceAnswer {
    /// The row's name.
    pub id: String,
    /// What the clip expresses, pooled over its windows.
    #[serde(flatten)]
    pub finding: Finding,
    /// The clip's length, in milliseconds.
    pub duration_ms: u64,
    /// What the model read, in order of time.
    pub windows: Vec<VoiceWindow>,
}

/// One window of a clip.
#[derive(Debug, Clone, Serialize)]
pub struct VoiceWindow {
    /// Where it starts, in milliseconds.
    pub start_ms: u64,
    /// Where it ends, in milliseconds.
    pub end_ms: u64,
    /// The share of it in which somebody speaks, 0 to 1.
    pub speech_share: f32,
    /// What it expresses.
    #[serde(flatten)]
    pub finding: Finding,
}

/// A picture's answer: that of its largest face, and every face.
#[derive(Debug, Clone, Serialize)]
pub struct FaceAnswer {
    /// The row's name.
    pub id: String,
    /// What the largest face shows.
    #[serde(flatten)]
    pub finding: Finding,
    /// All faces that were read, the largest first; none where the picture is itself a face.
    pub faces: Vec<SeenFace>,
}

/// One face of a picture.
#[derive(Debug, Clone, Serialize)]
pub struct SeenFace {
    /// Where it is, and how sure the detector is.
    #[serde(rename = "box")]
    pub region: FaceRegion,
    /// What it shows.
    #[serde(flatten)]
    pub finding: Finding,
}

/// A picture without a face.
#[derive(Debug, Clone, Serialize)]
pub struct NoFace {
    /// The row's name.
    pub id: String,
    /// Always null.
    pub predicted: Option<&'static str>,
    /// Always null.
    pub categories: Option<CategoryProbabilities>,
    /// That no face was found.
    pub abstain: Option<Abstain>,
    /// Always empty.
    pub faces: Vec<SeenFace>,
}

impl Line {
    /// Whether the row could not be predicted.
    #[must_use]
    pub const fn is_fault(&self) -> bool {
        matches!(self, Self::Fault { .. })
    }

    /// Why the answer should not be relied on, where there is an answer and a reason.
    #[must_use]
    pub fn abstention(&self) -> Option<&Abstain> {
        let Self::Answer(answer) = self else { return None };
        match &**answer {
            Answer::Text(TextAnswer { finding, .. })
            | Answer::Voice(VoiceAnswer { finding, .. })
            | Answer::Face(FaceAnswer { finding, .. }) => finding.abstain.as_ref(),
            Answer::NoFace(none) => none.abstain.as_ref(),
        }
    }
}

impl RowFault {
    /// A fault.
    pub(super) const fn new(code: &'static str, message: String) -> Self {
        Self { code, message }
    }

    /// What went wrong with everything that led to it.
    pub(super) fn of(code: &'static str, error: &dyn std::error::Error) -> Self {
        Self { code, message: crate::telemetry::with_causes(error) }
    }
}

impl Abstain {
    pub(super) fn new(code: &'static str, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }

    /// A model's own doubt.
    pub(super) fn doubting(doubt: Doubt) -> Self {
        Self::new(doubt.code(), doubt.reason())
    }
}

impl Finding {
    /// What the server's reading says, with all labels and with what its quality is made of.
    pub(super) fn of(
        reading: &Reading,
        labels: Vec<(String, f32)>,
        quality: f32,
        familiarity: f32,
        abstain: Option<Abstain>,
    ) -> Self {
        Self {
            predicted: predicted(&reading.categories),
            predicted_label: top_label(&labels),
            categories: reading.categories.into(),
            labels,
            valence: reading.valence,
            arousal: reading.arousal,
            dominance: reading.dominance,
            quality,
            familiarity,
            abstain,
        }
    }
}

/// The name of the top category.
pub(super) fn predicted(categories: &[f32; CATEGORY_COUNT]) -> &'static str {
    top_category(categories).0.name()
}

/// The name of the top label; the earlier one wins a tie.
pub(super) fn top_label(labels: &[(String, f32)]) -> Option<String> {
    let top = labels.iter().rev().max_by(|left, right| left.1.total_cmp(&right.1));
    top.map(|(name, _)| name.clone())
}

/// Writes pairs as an object, in their order.
fn as_object<S: Serializer>(pairs: &[(String, f32)], serializer: S) -> Result<S::Ok, S::Error> {
    let mut object = serializer.serialize_map(Some(pairs.len()))?;
    for (name, value) in pairs {
        object.serialize_entry(name, value)?;
    }
    object.end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_label_is_the_first_of_the_best() {
        let labels = |scores: &[f32]| -> Vec<(String, f32)> {
            scores.iter().enumerate().map(|(index, score)| (index.to_string(), *score)).collect()
        };
        assert_eq!(top_label(&labels(&[0.1, 0.5, 0.5])).as_deref(), Some("1"));
        assert_eq!(top_label(&[]), None);
    }

    #[test]
    fn a_fault_tells_its_causes() {
        let error = crate::media::MediaError::Unreadable {
            path: "a.wav".into(),
            source: std::io::Error::other("gone"),
        };
        let fault = RowFault::of(error.code(), &error);
        assert_eq!((fault.code, fault.message.as_str()), ("media_unreadable", "cannot read a.wav: gone"));
    }
}
