//! What a matcher may offer besides scores: structures of functions that `get_extension` hands out by a string id.

use std::ffi::c_void;

use crate::{Candidates, Message, RawMatcher, Request, Status, Text};

/// The id of [`Explain`].
pub const EXPLAIN: &str = "heartline.explain";
/// The id of [`Learn`].
pub const LEARN: &str = "heartline.learn";
/// The id of [`State`].
pub const STATE: &str = "heartline.state";

/// One factor of a score. Never changes within a major version.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Factor {
    /// What kind of factor, in a few words; lives as long as the library.
    pub name: Text,
    /// What it is about, such as a skill's name; empty where it is about nothing in particular. Lives as long as the
    /// library, or points into the request or the candidates of the call.
    pub subject: Text,
    /// What was found, in [0, 1].
    pub value: f32,
    /// How much it counts beside the other factors, in [0, 1].
    pub weight: f32,
    /// What it adds to the score, in [-1, 1].
    pub contribution: f32,
    /// Fills the structure up to a multiple of eight bytes; 0.
    pub reserved: u32,
}

/// Room for factors; the caller owns it, the matcher writes it.
#[repr(C)]
#[derive(Debug)]
pub struct Factors {
    /// The bytes of this structure that the host has filled in.
    pub size: u32,
    /// How many factors may be written.
    pub capacity: u32,
    /// How many were written; the caller sets 0.
    pub count: u32,
    /// Fills the structure up to a multiple of eight bytes; 0.
    pub reserved: u32,
    /// Where to write them, the weightiest first.
    pub factors: *mut Factor,
}

/// Explains the score of one candidate.
pub type ExplainFn = unsafe extern "C" fn(
    matcher: *mut RawMatcher,
    request: *const Request,
    candidates: *const Candidates,
    row: u32,
    factors: *mut Factors,
    message: *mut Message,
) -> Status;

/// The extension [`EXPLAIN`].
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Explain {
    /// The bytes of this structure that the matcher has filled in.
    pub size: u32,
    /// Fills the structure up to a multiple of eight bytes; 0.
    pub reserved: u32,
    /// Required.
    pub explain: Option<ExplainFn>,
}

/// Whether a call ended with the issue resolved. An integer and no `enum`, because a later host may know more.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallResult(pub u32);

impl CallResult {
    /// Nobody said.
    pub const UNKNOWN: Self = Self(0);
    /// The issue was resolved.
    pub const RESOLVED: Self = Self(1);
    /// The issue was not resolved.
    pub const UNRESOLVED: Self = Self(2);
}

/// How a call ended.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// The bytes of this structure that the host has filled in.
    pub size: u32,
    /// Whether the issue was resolved.
    pub result: CallResult,
    /// 1 where the call was transferred to another agent, otherwise 0.
    pub transferred: u32,
    /// The customer's own rating, in [0, 1]; NaN where there is none.
    pub rating: f32,
    /// How the emotion vector's valence changed from the ranking to the end, in [-2, 2]; NaN where it is unknown.
    pub valence_change: f32,
    /// Fills the structure up to a multiple of eight bytes; 0.
    pub reserved: u32,
    /// How long the call took, in ms; 0 where it is unknown.
    pub handling_ms: u64,
}

/// Takes note of how a call ended.
pub type LearnFn = unsafe extern "C" fn(
    matcher: *mut RawMatcher,
    request: *const Request,
    candidates: *const Candidates,
    outcome: *const Outcome,
    message: *mut Message,
) -> Status;

/// The extension [`LEARN`].
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Learn {
    /// The bytes of this structure that the matcher has filled in.
    pub size: u32,
    /// Fills the structure up to a multiple of eight bytes; 0.
    pub reserved: u32,
    /// Required.
    pub learn: Option<LearnFn>,
}

/// Takes bytes that follow those of earlier calls.
pub type WriteFn = unsafe extern "C" fn(context: *mut c_void, data: *const u8, length: usize) -> Status;

/// Where the bytes of a state go; the caller owns it.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Writer {
    /// The bytes of this structure that the host has filled in.
    pub size: u32,
    /// Fills the structure up to a multiple of eight bytes; 0.
    pub reserved: u32,
    /// Passed as the first argument of `write`; means nothing to the matcher.
    pub context: *mut c_void,
    /// Never null.
    pub write: Option<WriteFn>,
}

/// Writes the state.
pub type SaveFn =
    unsafe extern "C" fn(matcher: *mut RawMatcher, writer: *const Writer, message: *mut Message) -> Status;
/// Replaces the state.
pub type LoadFn = unsafe extern "C" fn(
    matcher: *mut RawMatcher,
    data: *const u8,
    length: usize,
    message: *mut Message,
) -> Status;

/// The extension [`STATE`].
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct State {
    /// The bytes of this structure that the matcher has filled in.
    pub size: u32,
    /// Fills the structure up to a multiple of eight bytes; 0.
    pub reserved: u32,
    /// Required.
    pub save: Option<SaveFn>,
    /// Required.
    pub load: Option<LoadFn>,
}
