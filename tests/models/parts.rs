//! The parts of the harness, each a slice with the models that read it, asked once for all tests.

use heartline::predict::Task;
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::compare::{differences, expected, record};
use crate::material::{Slice, clips, crops, pictures, texts, unchanged};
use crate::support::ask_shipped;

static ANSWERS: [OnceCell<Vec<Value>>; 4] = [const { OnceCell::const_new() }; 4];

/// A part of what is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The labelled sentences.
    Text,
    /// The sample calls and generated clips.
    Voice,
    /// The sample frames, through the detector.
    Face,
    /// Pictures that are faces already.
    Crops,
}

impl Part {
    /// The name of its file of expected answers.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Voice => "voice",
            Self::Face => "face",
            Self::Crops => "crops",
        }
    }

    /// What its rows are.
    pub(crate) const fn task(self) -> Task {
        match self {
            Self::Text => Task::Text { language: None },
            Self::Voice => Task::Voice,
            Self::Face => Task::Face { are_crops: false },
            Self::Crops => Task::Face { are_crops: true },
        }
    }

    /// Its rows.
    pub(crate) fn slice(self) -> Slice {
        match self {
            Self::Text => texts(),
            Self::Voice => clips(1.0),
            Self::Face => pictures(),
            Self::Crops => crops(unchanged),
        }
    }

    /// What the shipped models say of it; recorded where the environment says so.
    pub(crate) async fn shipped(self) -> &'static [Value] {
        let answers = ANSWERS[self as usize].get_or_init(|| async move {
            let answers = ask_shipped(self.task(), &self.slice().input).await;
            record(self.name(), &answers);
            answers
        });
        answers.await
    }

    /// What differs from the expected answers by more than rounding.
    pub(crate) async fn differences(self, found: &[Value]) -> Vec<String> {
        // Asked first, so that a recording is done before it is read.
        self.shipped().await;
        differences(&expected(self.name()), found)
    }
}
