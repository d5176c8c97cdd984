//! From readings of single modalities to one emotion vector.
//!
//! What a model says of one span is a [`Reading`]; [`fuse`] turns any number of them, of any subset of modalities,
//! into an [`EmotionVector`] with its [`Explanation`] and a timeline. [`find_concern`] hears the issue that a customer
//! keeps coming back to, [`infer_need`] what help is needed, and [`detect_language`] the language that is spoken.
//!
//! Everything here is plain arithmetic over media time: no model, no clock, no wire. An emotion vector says which
//! expressions were observed, never which feelings are known.

mod concern;
mod error;
#[cfg(test)]
mod example;
mod fusion;
mod label;
mod language;
mod need;
mod reading;
mod vector;

pub use concern::{Concern, OTHER_TOPIC, find_concern, find_concern_in_call, topic_ids};
pub use error::{EmotionError, Fault};
pub use fusion::{
    ConfidenceConfig, Contribution, DimensionMemory, Explanation, Fused, FusionConfig, FusionStream,
    ModalityConfig, Placement, TimelinePoint, fuse, fuse_at,
};
pub use heartline_models::{CATEGORY_COUNT, Category};
pub use label::{CategoryProbabilities, LabelScore, Modality, top_category};
pub use language::{
    LanguageDoubt, LanguageGuess, detect_conversation_language, detect_conversation_languages,
    detect_language,
};
pub use need::{Need, infer_need, infer_need_in_call};
pub use reading::{FaceRegion, Reading, ServiceHints, Span, Utterance};
pub use vector::{
    Abstention, AbstentionCode, EMOTION_VECTOR_VERSION, EmotionVector, ModalityTrust, Trend, Trust,
    WorstMoment,
};
