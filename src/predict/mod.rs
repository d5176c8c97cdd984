//! Batch prediction: a table of texts, clips or pictures in, one JSON line a row out, in the order of the input.
//!
//! Rows go through the very code that the server runs: the media room decodes them, the engine computes them, and the
//! app's readings give their numbers the same meaning. [`Manifest`] reads the table within [`Limits`], [`Predictor`]
//! answers rows, [`predict`] keeps a bounded number of them in work, and [`Output`] writes the lines to a file that
//! appears under its name only when it is complete. A row that cannot be read is a line like any other.

mod answer;
mod ask;
mod error;
mod face;
mod lines;
mod manifest;
mod output;
mod pooling;
mod predictor;
mod run;
mod text;
mod voice;

pub use answer::{
    Abstain, Answer, FaceAnswer, Finding, Line, NoFace, RowFault, SeenFace, TextAnswer, VoiceAnswer,
    VoiceWindow,
};
pub use error::PredictError;
pub(crate) use face::whole as whole_crop;
pub use manifest::{Limits, Manifest, Row, Rows};
pub use output::Output;
pub use predictor::{Predictor, Task};
pub use run::{Summary, predict};
pub(crate) use voice::{CutClip, clip_finding, cut_whole, take_single};
