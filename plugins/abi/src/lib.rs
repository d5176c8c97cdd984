//! The C ABI between Heartline and its matchers: the types of version 1.0, the same in Rust and in
//! `include/heartline_matcher.h`. No behaviour lives here beyond what turns a [`Text`] into a Rust string and back.
//!
//! Every function's thread, ownership, validity, null and error meaning is in the header, which is the contract;
//! the comments here name what a Rust reader has to know besides.
//!
//! # Compatibility
//! A host accepts a matcher when both have the same [`ABI_MAJOR`] and the matcher's minor is not above the host's.
//! The first three fields of [`Entry`] stay where they are for ever, so that this can be checked before anything
//! else is read. A structure with a `size` may grow at its end in a minor version: a reader looks at a field only
//! where `size` covers it. A structure without one never changes within a major version.

mod candidates;
mod entry;
mod extensions;
mod host;
mod request;
mod scores;
mod text;

pub use candidates::{Attribute, AttributeKind, Candidates, FLAG_UNKNOWN, Outcomes};
pub use entry::{
    ConfigSchemaFn, CreateFn, DescribeReasonFn, DestroyFn, Entry, ExtensionFn, InitFn, RawMatcher, ScoreFn,
};
pub use extensions::{
    CallResult, EXPLAIN, Explain, ExplainFn, Factor, Factors, LEARN, Learn, LearnFn, LoadFn, Outcome, STATE,
    SaveFn, State, WriteFn, Writer,
};
pub use host::{Host, HostExtensionFn, LogFn, LogLevel, MetricFn};
pub use request::{Emotion, Modality, Request, SkillNeed, Spoken};
pub use scores::{Message, Scores, Status};
pub use text::Text;

/// The major version of the ABI: both sides must agree on it.
pub const ABI_MAJOR: u32 = 1;
/// The minor version of the ABI: a matcher's may not be above its host's.
pub const ABI_MINOR: u32 = 0;
/// The name of the one symbol that a matcher's library exports: an [`Entry`].
pub const ENTRY_SYMBOL: &str = "heartline_matcher_entry";

/// How many emotion categories there are: neutral, happiness, surprise, sadness, anger, disgust, fear.
pub const CATEGORY_COUNT: usize = 7;
/// How many attitude traits there are: warmth, calm, patience, clarity, energy.
pub const TRAIT_COUNT: usize = 5;
/// An index that points at nothing.
pub const NONE: u32 = u32::MAX;

/// The highest CEFR level there is, C2, as a number (A1 is 1).
pub const LEVEL_C2: f32 = 6.0;
/// The level of a native speaker, one above C2.
pub const LEVEL_NATIVE: f32 = 7.0;

/// Writes the size of an ABI structure as the structures themselves carry it.
#[must_use]
pub const fn size_of_struct<T>() -> u32 {
    // No structure of this crate comes near 4 GiB.
    #[allow(clippy::cast_possible_truncation)]
    let size = size_of::<T>() as u32;
    size
}
